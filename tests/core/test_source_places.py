from __future__ import annotations

import pytest

from penstock.diagnostics import At, Place, error
from penstock.source import Source

SPEC = """\
penstock: v1
name: tümör # a comment
steps:
  prepare:
    run: python a.py --x ${{ inputs.x }}
    inputs: {x: "${{ datasets.cells }}", "odd key": 'it''s'}
    notes: |
      first line
      second line
    empty:
    packages:
      - pandas
      - {name: numpy, version: "2"}
      - name: scipy
        version: "1"
"""


@pytest.mark.parametrize(
    ("at", "line", "column", "length"),
    [
        (At(("penstock",)), 1, 11, 2),
        (At(("name",)), 2, 7, 5),
        (At(("name",), key=True), 2, 1, 4),
        (At(("steps", "prepare")), 4, 3, 7),
        (At(("steps", "prepare", "run")), 5, 10, 31),
        (At(("steps", "prepare", "run"), needle="inputs.x"), 5, 30, 8),
        (At(("steps", "prepare", "run"), needle="no such text"), 5, 10, 31),
        (At(("steps", "prepare", "inputs")), 6, 5, 6),
        (At(("steps", "prepare", "inputs", "x")), 6, 17, 23),
        (At(("steps", "prepare", "inputs", "odd key"), key=True), 6, 42, 9),
        (At(("steps", "prepare", "inputs", "odd key"), needle="it's"), 6, 54, 5),
        (At(("steps", "prepare", "notes")), 7, 12, 1),
        (At(("steps", "prepare", "notes"), needle="second"), 9, 7, 6),
        (At(("steps", "prepare", "empty")), 10, 5, 5),
        (At(("steps", "prepare", "packages", 0)), 12, 9, 6),
        (At(("steps", "prepare", "packages", 1)), 13, 9, 27),
        (At(("steps", "prepare", "packages", 1, "version")), 13, 32, 3),
        (At(("steps", "prepare", "packages", 2)), 14, 9, 4),
        (At(("steps", "prepare", "packages", 2, "version")), 15, 18, 3),
        (At(("steps", "prepare", "packages", 2, "nothing")), 14, 9, 4),
        (At(("steps", "prepare", "packages", 7)), 11, 5, 8),
        (At(("steps", "prepare", "inputs", "x", "value"), needle="datasets.cells"), 6, 22, 14),
        (At(("steps", "prepare", "outputs", "y")), 4, 3, 7),
        (At(("nothing",)), 1, 1, 8),
        (At(("nothing",), needle="python"), 1, 1, 8),
        (At(), 1, 1, 8),
    ],
)
def test_a_path_becomes_line_column_and_length(at: At, line: int, column: int, length: int) -> None:
    place = Source.from_text(SPEC, "spec.yaml").place(at)

    assert (place.line, place.column, place.length) == (line, column, length)
    assert place.file == "spec.yaml"
    assert place.excerpt == SPEC.splitlines()[line - 1]


def test_a_path_through_an_alias_leads_to_what_it_stands_for() -> None:
    source = Source.from_text("a: &shared\n  x: 1\nb: *shared\n")

    assert source.place(At(("b", "x"))) == Place("<text>", 2, 6, 1, "  x: 1")
    assert source.place(At(("b",))) == Place("<text>", 3, 4, 7, "b: *shared")
    assert source.place(At(("b",), needle="x: 1")).line == 2


def test_carriage_returns_and_byte_order_marks_do_not_move_places() -> None:
    source = Source.from_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\rc: 3\n", "f.yaml")

    assert source.value == {"a": 1, "b": 2, "c": 3}
    assert source.place(At(("a",))) == Place("f.yaml", 1, 4, 1, "a: 1")
    assert source.place(At(("b",))) == Place("f.yaml", 2, 4, 1, "b: 2")
    assert source.place(At(("c",))) == Place("f.yaml", 3, 4, 1, "c: 3")


def test_a_place_in_a_mended_line_is_that_of_the_original() -> None:
    source = Source.from_text("a: {x: ${{ one }}, y: ${{ 'two' == \"2\" }}, z: 3}\nb: 4\n")

    assert source.value == {"a": {"x": "${{ one }}", "y": "${{ 'two' == \"2\" }}", "z": 3}, "b": 4}
    assert source.place(At(("a", "z"))) == Place(
        "<text>", 1, 47, 1, "a: {x: ${{ one }}, y: ${{ 'two' == \"2\" }}, z: 3}"
    )
    assert source.place(At(("a", "y"), needle="'two'")).column == 27
    assert source.place(At(("a", "y"))).column == 23


def test_diagnostics_are_placed_and_sorted_and_foreign_ones_kept_last() -> None:
    source = Source.from_text(SPEC, "spec.yaml")
    placed = error("P900", "placed").placed(Place("spec.yaml", 3, 1))
    elsewhere = error("P900", "elsewhere", At((), file="other.yaml"))

    found = source.located(
        [
            elsewhere,
            error("P900", "late", At(("steps", "prepare", "run"))),
            placed,
            error("P900", "early", At(())),
        ]
    )

    assert [each.message for each in found] == ["early", "placed", "late", "elsewhere"]
    assert [each.place and each.place.line for each in found] == [1, 3, 5, None]
