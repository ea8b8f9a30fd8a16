"""What a step may leave behind: outputs of the declared kind, metrics that are JSON, inputs as they were."""

from __future__ import annotations

import json

import pytest
from tests.specs_for_tests import Shop


@pytest.mark.parametrize(
    ("run", "output", "words"),
    [
        ("true", "file", "output 'o' was not written"),
        ("true", "metrics", "output 'o' was not written"),
        ("mkdir ${{ outputs.o }}", "file", "is a file, and the step wrote a folder"),
        ("mkfifo ${{ outputs.o }}", "file", "is a file, and the step wrote something else"),
        ("rmdir ${{ outputs.o }}", "folder", "output 'o' was not written"),
        (
            "rmdir ${{ outputs.o }}; touch ${{ outputs.o }}",
            "folder",
            "is a folder, and the step wrote a file",
        ),
        ("ln -s /nowhere ${{ outputs.o }}", "file", "output 'o' was not written"),
        ("ln -s /etc/passwd ${{ outputs.o }}", "file", "link"),
        ("ln -s /etc ${{ outputs.o }}/etc", "folder", "link"),
        ("mkfifo ${{ outputs.o }}/pipe", "folder", "pipe"),
    ],
)
def test_an_output_that_is_missing_or_of_the_wrong_kind_fails_the_step(
    shop: Shop, run: str, output: str, words: str
) -> None:
    ran = shop.run(f'steps: {{one: {{run: "true ${{{{ outputs.o }}}}; {run}", outputs: {{o: {output}}}}}}}')

    assert ran.states == {"one": "failed"}
    assert words in ran.steps["one"].message
    assert "[P411]" in ran.steps["one"].message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not JSON"),
        ("recall: 0.9", "not JSON"),
        ('{"a": NaN}', "NaN"),
        ('{"a": [1, -Infinity]}', "-Infinity"),
        ('{"a": 1e400}', "larger than any number"),
        ("3", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"a": ' * 100_000, "not JSON"),
        ('{"a": ' + "9" * 10_000 + "}", "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        ("\ufeff{}", "not JSON"),
        (b" " * (16 * 1024 * 1024 + 1), "16 MiB"),
    ],
)
def test_metrics_that_are_no_json_fail_the_step(shop: Shop, content: str | bytes, words: str) -> None:
    shop.file("src/metrics", content)

    run = shop.run('steps: {one: {run: "cp metrics ${{ outputs.m }}", code: src, outputs: {m: metrics}}}')

    assert run.states == {"one": "failed"}
    assert words in run.steps["one"].message
    assert "[P412]" in run.steps["one"].message
    assert len(run.steps["one"].message) < 1000


@pytest.mark.parametrize(
    "content",
    [
        '{"a": "\\ud800", "\\u0000": 1e300}',
        '{"a": ' + "9" * 300 + "}",
        "[]",
        '[{"a": 1}]',
        '{"a": {"b": [[]]}}',
    ],
)
def test_metrics_of_any_json_are_kept(shop: Shop, content: str) -> None:
    shop.file("src/metrics", content)

    run = shop.run('steps: {one: {run: "cp metrics ${{ outputs.m }}", code: src, outputs: {m: metrics}}}')

    assert run.succeeded
    shown = shop.cli("runs", "show", "--json")
    assert json.loads(shown.stdout)["steps"][0]["metrics"] == {"m": json.loads(content)}
    assert shop.cli("runs", "show").returncode == 0


SPOIL = """
    steps:
      make:
        run: cd ${{{{ outputs.tree }}}}; echo whole > a; echo also > b
        outputs: {{tree: folder}}
      spoil:
        run: |
          cd ${{{{ inputs.tree }}}}
          if test -e {here}/good; then exit 0; fi
          chmod u+w a; echo spoilt > a; {end}
        inputs: {{tree: "${{{{ steps.make.outputs.tree }}}}"}}
        cache: false
      read:
        run: cat ${{{{ inputs.tree }}}}/a
        inputs: {{tree: "${{{{ steps.make.outputs.tree }}}}"}}
        after: [spoil]
"""


@pytest.mark.parametrize(
    ("end", "told"), [("true", "[P413]"), ("exit 4", "[P401]"), ("kill -9 $$", "[P401]")]
)
def test_a_step_that_writes_into_its_input_fails_and_spoils_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, end: str, told: str
) -> None:
    # Where the file system has reflinks, an input is a copy that costs nothing and cannot spoil the store.
    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_reflink)
    spec = SPOIL.format(here=shop.folder, end=end)

    run = shop.run(spec)
    assert run.states == {"make": "succeeded", "spoil": "failed", "read": "upstream_failed"}
    assert told in run.steps["spoil"].message
    shop.file("good")
    resumed = shop.resume()

    assert resumed.succeeded
    assert shop.lines("read") == ["whole"]
    assert resumed.output("make", "tree").joinpath("a").read_text() == "whole\n"


def no_reflink(*_: object) -> None:
    return None


def test_a_step_that_writes_into_a_dataset_fails(shop: Shop) -> None:
    data = shop.file("data/cells.csv", "a\n")
    run = shop.run("""
        datasets: {cells: {type: file, path: data/cells.csv}}
        steps: {spoil: {run: "echo b >> ${{ inputs.cells }}", inputs: {cells: "${{ datasets.cells }}"}}}
    """)

    assert run.states == {"spoil": "failed"}
    assert "it changed its input 'cells'" in run.steps["spoil"].message
    data.write_text("a\n")
    assert shop.run().steps["spoil"].cache == "miss"
