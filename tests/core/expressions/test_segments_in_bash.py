"""Commands with optional segments go through a real bash, with the segments and without."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import InputRef
from penstock.expressions.segments import settle
from penstock.expressions.shell import parse_run, script
from penstock.ir import Shell

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")

NAMES = "xyz"
X, Y = "${{ inputs.x }}", "${{ inputs.y }}"
HOSTILE = [
    "'",
    '"',
    "$(touch ran)",
    "`touch ran`",
    "a\nb\n",
    "two words",
    "",
    " ",
    "]]",
    "$[[ a ]]",
    "-c",
    "*",
]


@dataclass(frozen=True)
class Piece:
    """Whole words of a command: how they are written, and what they are, given the inputs' values."""

    written: str
    words: tuple[str, ...]
    optional: str = ""

    def expected(self, values: dict[str, str]) -> list[str]:
        return [each.format(**values) for each in self.words]


def _inside(name: str) -> st.SearchStrategy[Piece]:
    value = "${{ inputs." + name + " }}"
    slot = "{" + name + "}"
    forms = [
        Piece(value, (slot,)),
        Piece(f'"{value}"', (slot,)),
        Piece(f"--{name} {value}", (f"--{name}", slot)),
        Piece(f"--{name}={value}", (f"--{name}={slot}",)),
        Piece(f"'a '{value}\" b \"", (f"a {slot} b ",)),
        Piece(f'"it\'s {value}"', (f"it's {slot}",)),
        Piece(f"'[' \\\n {value}{value}", ("[", slot + slot)),
    ]
    return st.sampled_from(forms)


plain = st.sampled_from(
    [
        Piece("a", ("a",)),
        Piece("'b ]] c'", ("b ]] c",)),
        Piece("2", ("2",)),
        Piece("--", ("--",)),
        Piece('"$[1+1]"', ("2",)),
        Piece("'$[[ d ]]'", ("$[[ d ]]",)),
        Piece("]", ("]",)),
        Piece("''", ("",)),
    ]
)
bare = st.sampled_from(NAMES).flatmap(_inside)


@st.composite
def optional(draw: st.DrawFn) -> Piece:
    name = draw(st.sampled_from(NAMES))
    around = st.lists(plain, max_size=2)
    # Words side by side in a segment, with or without blanks at its own ends.
    inside = [*draw(around), draw(_inside(name)), *draw(around)]
    pad = draw(st.sampled_from(["", " ", "  ", " \\\n "]))
    end = " " if inside[-1].written == "]" else pad
    written = "$[[" + pad + " ".join(each.written for each in inside) + end + "]]"
    return Piece(written, tuple(word for each in inside for word in each.words), name)


pieces = st.lists(st.one_of(optional(), optional(), plain, bare), max_size=5)
ends = st.sampled_from(["", "\n", "; true", ">>f", " # c", " && true", " \\\n", "|cat", ")"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("segments")


def _run(place: Path, shell: Shell, values: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    body, used = script(shell)
    arguments = [values[each.value.name] for each in used if isinstance(each.value, InputRef)]
    return subprocess.run(
        ["bash", "-uo", "pipefail", "-c", body, "bash", *arguments],
        cwd=place,
        env={"PATH": f"{os.defpath}:/usr/bin:/bin", "HOME": str(place)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )


@settings(max_examples=examples(120), deadline=None)
@example([Piece(f"$[[{X}]]", ("{x}",), "x")], "", {"x": "$(touch ran)", "y": "", "z": ""}, {"x"})
@example([Piece(f"$[[{X} 2]]", ("{x}", "2"), "x")], ">>f", {"x": "", "y": "", "z": ""}, {"y"})
@given(
    pieces,
    ends,
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(HOSTILE))),
    st.sets(st.sampled_from(NAMES)),
)
def test_bash_gets_the_exact_words_of_what_is_kept(
    place: Path, parts: list[Piece], end: str, values: dict[str, str], unset: set[str]
) -> None:
    opening = "( " if end == ")" else ""
    if parts and parts[-1].written.isdigit() and end.startswith(">"):
        # Written so, it is the number of a stream.
        end = f" {end}"
    text = f"{opening}printf '<%s>\\0' _ " + " ".join(each.written for each in parts) + end
    for file in ("f", "ran"):
        (place / file).unlink(missing_ok=True)

    ended = _run(place, settle(parse_run(text), unset), values)

    kept = [each for each in parts if each.optional not in unset]
    expected = ["_", *(word for each in kept for word in each.expected(values))]
    printed = ended.stdout or (place / "f").read_bytes()
    assert ended.returncode == 0, ended.stderr
    assert printed.decode().split("\0")[:-1] == [f"<{word}>" for word in expected]
    assert not (place / "ran").exists()


FRAGMENTS = [
    *(X, Y, X, Y, "$[[ ", " ]]", " $[[", "]] ", f" $[[ {X} ]] ", f" $[[ {X} ]]", f" $[[ -c {X} ]] "),
    *("true ", "true a ", " ", "\n", " && ", "; ", " | ", "'", '"', "$(", ")", "${v:-", "}", "\\\n", "2"),
    *(
        "bash ",
        "bash -c ",
        "-c ",
        "eval ",
        "command ",
        "printf ",
        " -v ",
        "[ ",
        " ]",
        "[[ ",
        "export ",
        "set ",
    ),
    *(
        "for i in ",
        "; do ",
        "; done",
        "if ",
        "; then ",
        "; fi",
        "case ",
        " in ",
        "a) ",
        ";; esac",
        "x=(",
        ") ",
    ),
    *("> f ", ">", "<<E\n", "\nE\n", "# ", "{ ", "; }", "f() ", "( "),
]


@settings(max_examples=examples(150), deadline=None)
@example(["bash ", f" $[[ {Y} ]] ", f" $[[ -c {X} ]] "])
@example(["true ", f" $[[ {X} ]]", ">", "f"])
@example(["for i in ", f" $[[ {X} ]]", "; do ", "true ", Y, "; done"])
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=2, max_size=10))
def test_a_script_that_holds_with_its_segments_holds_without_them(place: Path, parts: list[str]) -> None:
    try:
        shell = parse_run("".join(parts))
    except ExpressionError:
        return
    if not shell.segments or not _is_valid(settle(shell, ())):
        return
    values = {"x": "a[$(touch ran)]", "y": "$(touch ran); touch ran"}
    for unset in ({"x"}, {"y"}, {"x", "y"}):
        settled = settle(shell, unset)

        assert _is_valid(settled), script(settled)
        # What one script leaves behind must not be run by the next.
        shutil.rmtree(place)
        place.mkdir()
        _run(place, settled, values)
        assert not (place / "ran").exists()


def _is_valid(shell: Shell) -> bool:
    body, _ = script(shell)
    # A heredoc without its end is taken, with a warning.
    return subprocess.run(["bash", "-n", "-c", body], capture_output=True, check=False).returncode == 0
