"""What a compiled pipeline reuses, what it hides, and what belongs to one run: as on `local`."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock

BOTH = pytest.mark.parametrize("on", ["local", "sagemaker"])
STEPS = """
    parameters: {n: {type: integer, default: 1}}
    datasets: {rows: {type: file, path: rows.txt}}
    steps:
      first: {run: "cat ${{ inputs.r }} > ${{ outputs.o }}", inputs: {r: "${{ datasets.rows }}"}, outputs: {o: file}}
      other:
        run: cat ${{ inputs.r }} > ${{ outputs.o }}
        inputs: {r: "${{ datasets.rows }}"}
        outputs: {o: file}
        after: [first]
      never: {run: "cat ${{ inputs.o }}", inputs: {o: "${{ steps.first.outputs.o }}"}, cache: false}
      soon: {run: "echo soon", cache: {expires: 1s}}
      counts: {run: "echo ${{ inputs.n }}", inputs: {n: "${{ parameters.n }}"}}
      fit:
        kind: train
        run: python fit.py ${{ inputs.o }} ${{ outputs.model }}
        code: src
        inputs: {o: "${{ steps.other.outputs.o }}"}
        outputs: {model: model}
        env: {MODE: "m"}
"""


def cached(run: penstock.Run) -> dict[str, str]:
    return {name: each.cache for name, each in run.steps.items()}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.file("rows.txt", "1\n2\n")
    shop.file("src/fit.py", "import sys\nopen(sys.argv[2] + '/w', 'w').write(open(sys.argv[1]).read())\n")
    return shop


@pytest.mark.sampled(1)
@BOTH
def test_a_step_is_reused_until_something_that_it_depends_on_changes(stocked: Shop, on: str) -> None:
    first = stocked.run(STEPS, on=on)
    time.sleep(1.1)
    second = cached(stocked.run(on=on))

    def changed(**asked: Any) -> set[str]:
        found = cached(stocked.run(on=on, **asked))
        return {name for name, each in found.items() if each != "hit"} - {"soon"}

    # Two steps that do the same are one result.
    assert (cached(first)["first"], cached(first)["other"]) == ("miss", "hit")
    assert {name for name, each in second.items() if each != "hit"} == {"never", "soon"}
    assert changed(parameters={"n": 2}) == {"never", "counts"}
    assert changed(rerun=("fit",)) == {"never", "fit"}
    assert changed(cache=False) == set(first.steps) - {"soon"}
    stocked.file("src/fit.py", "import sys\nopen(sys.argv[2] + '/w', 'w').write('new')\n")
    assert changed() == {"never", "fit"}
    stocked.file("rows.txt", "1\n2\n3\n")
    assert changed() == {"never", "first", "fit"}


@BOTH
def test_a_variable_let_through_is_seen_and_hidden(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, on: str
) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "hush-hush-1234")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-steps")
    spec = """
        steps:
          one:
            run: |
              T=${PROBE_TOKEN-}; echo "token $T"; echo "${#T} ${AWS_SECRET_ACCESS_KEY-none}" > ${{ outputs.o }}
            outputs: {o: file}
    """

    without, given = shop.run(spec, on=on), shop.run(on=on, pass_env=("PROBE_TOKEN",), cache=False)

    assert text_of(without, "one", "o") == "0 none\n"
    assert text_of(given, "one", "o") == "14 none\n"
    assert shop.lines("one") == ["token ", "token ***"]
    kept = [each for each in shop.project.home.rglob("*") if each.is_file()]
    assert not [each for each in kept if b"hush-hush" in each.read_bytes()]


@BOTH
def test_what_belongs_to_one_run_is_that_runs(shop: Shop, on: str) -> None:
    spec = """
        steps:
          one:
            run: "echo ${{ run.id }} ${{ run.started_at }} ${{ inputs.v }} > ${{ outputs.o }}"
            inputs: {v: "of ${{ run.id }}"}
            outputs: {o: file}
    """

    told = [text_of(shop.run(spec, on=on), "one", "o").split() for _ in range(2)]

    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", each[1]) for each in told)
    assert all(each[0] == each[3] for each in told)
    assert told[0][0] != told[1][0]


def test_what_an_argument_on_sagemaker_cannot_hold_is_refused_in_words(shop: Shop) -> None:
    spec = """
        parameters: {v: {type: string}}
        steps: {one: {run: "echo ${{ inputs.v }}", inputs: {v: "${{ parameters.v }}"}}}
    """

    for value in ("two\nlines", "x" * 257):
        run = shop.run(spec, on="sagemaker", parameters={"v": value})

        assert run.states == {"one": "failed"}
        assert "ContainerArguments" in run.record.message
