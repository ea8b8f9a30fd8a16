"""What the caller asks for is held against the pipeline before anything runs; everything wrong is said at once."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock
from penstock.asking import Asked
from penstock.running import start

BOUNDED = """
    parameters:
      depth: {type: integer, default: 4, minimum: 1, maximum: 16}
      rate: {type: number, default: 0.5, minimum: 0}
      loss: {type: string, default: log, enum: [log, exp]}
      code: {type: string, default: ab1, pattern: "[a-z]+[0-9]"}
      fast: {type: boolean, default: false}
    steps:
      show:
        run: echo ${{ inputs.depth }} ${{ inputs.rate }} ${{ inputs.loss }} ${{ inputs.code }} ${{ inputs.fast }}
        inputs:
          depth: ${{ parameters.depth }}
          rate: ${{ parameters.rate }}
          loss: ${{ parameters.loss }}
          code: ${{ parameters.code }}
          fast: ${{ parameters.fast }}
"""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("depth", "four", "whole number"),
        ("depth", "4.0", "whole number"),
        ("depth", "17", "above the maximum of 16"),
        ("depth", "0", "below the minimum of 1"),
        ("rate", "x", "number"),
        ("rate", "nan", "finite"),
        ("rate", "-0.1", "below the minimum of 0"),
        ("loss", "mse", "not one of 'log', 'exp'"),
        ("code", "ab", "does not match"),
        ("code", "xab1x", "does not match"),
        ("fast", "yes", "true or false"),
    ],
)
def test_values_are_held_to_type_bounds_enum_and_pattern(
    shop: Shop, name: str, value: str, words: str
) -> None:
    asked = Asked({name: value}, as_text=True)

    with pytest.raises(penstock.RunError, match="P407") as refused:
        start(shop.write(BOUNDED), asked=asked, project=shop.project, watch=shop.events.append)

    assert words in str(refused.value)
    assert not shop.events
    assert not shop.project.ledger.exists()


def test_values_that_fit_are_taken_with_their_type(shop: Shop) -> None:
    run = shop.run(BOUNDED, parameters={"depth": 16, "rate": 2, "loss": "exp", "code": "z9", "fast": True})

    assert run.succeeded
    assert shop.lines("show") == ["16 2.0 exp z9 true"]
    assert run.record.parameters == {"depth": 16, "rate": 2.0, "loss": "exp", "code": "z9", "fast": True}


@pytest.mark.parametrize(
    ("name", "value"),
    [("depth", "4"), ("depth", True), ("depth", 4.5), ("rate", "1"), ("fast", 1), ("loss", 3)],
)
def test_a_value_from_python_has_to_be_of_the_type(shop: Shop, name: str, value: object) -> None:
    with pytest.raises(penstock.RunError, match="P407"):
        shop.run(BOUNDED, parameters={name: value})


def test_a_parameter_without_default_must_be_given(shop: Shop) -> None:
    spec = """
        parameters: {who: {type: string}}
        steps: {greet: {run: "echo hello ${{ inputs.who }}", inputs: {who: "${{ parameters.who }}"}}}
    """
    with pytest.raises(penstock.RunError, match="P407") as refused:
        shop.run(spec)
    run = shop.run(spec, parameters={"who": "you"})

    assert refused.value.diagnostics[0].hint == "-p who=VALUE"
    assert run.succeeded
    assert shop.lines("greet") == ["hello you"]


def test_everything_wrong_is_said_at_once_with_the_nearest_name(shop: Shop) -> None:
    shop.write(BOUNDED)

    ran = shop.cli(
        *(
            "run",
            "pipeline.yaml",
            "-p",
            "deph=3",
            "-p",
            "rate=x",
            "-d",
            "cells=/nonexistent",
            "--rerun",
            "shwo",
        )
    )

    assert ran.returncode == 2
    assert "'depth'" in ran.stderr and "'show'" in ran.stderr
    assert [code for code in ("P407", "P408", "P418") if f"error[{code}]" in ran.stderr] == [
        "P407",
        "P408",
        "P418",
    ]
    assert "4 errors" in ran.stderr


SLOT = """
    datasets: {cells: {type: file}, more: {type: folder, path: more}}
    steps:
      read:
        run: cat ${{ inputs.cells }} ${{ inputs.more }}/*
        inputs: {cells: "${{ datasets.cells }}", more: "${{ datasets.more }}"}
"""


def test_a_dataset_slot_must_be_filled(shop: Shop) -> None:
    shop.file("more/a", "more\n")
    mine = shop.file("mine.csv", "mine\n")
    with pytest.raises(penstock.RunError, match="P409") as refused:
        shop.run(SLOT)
    run = shop.run(SLOT, datasets={"cells": mine})

    assert refused.value.diagnostics[0].hint == "-d cells=PATH"
    assert run.succeeded
    assert shop.lines("read") == ["mine", "more"]


def test_a_dataset_that_is_replaced_need_not_be_there(shop: Shop) -> None:
    mine = shop.file("mine.csv", "mine\n")
    other = shop.file("other/b", "other\n").parent

    run = shop.run(SLOT, datasets={"cells": mine, "more": other})

    assert run.succeeded
    assert shop.lines("read") == ["mine", "other"]
    assert run.record.datasets["more"]["path"] == str(other)


def test_a_given_path_is_relative_to_where_the_caller_stands(shop: Shop) -> None:
    shop.file("more/a", "")
    shop.file("sub/mine.csv", "mine\n")
    shop.write(SLOT)

    ran = shop.cli("run", "../pipeline.yaml", "-d", "cells=mine.csv", cwd=shop.folder / "sub")

    assert ran.returncode == 0, ran.stderr


def pipe(shop: Shop) -> Path:
    path = shop.folder / "folder" / "pipe"
    path.parent.mkdir()
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("given", ["nothing", "", "x" * 5000, "a\0b", "folder/pipe"])
def test_data_that_cannot_be_taken_is_said_in_words(shop: Shop, given: str) -> None:
    shop.file("more/a", "")
    pipe(shop)

    with pytest.raises(penstock.RunError, match="P408"):
        shop.run(SLOT, datasets={"cells": f"{shop.folder}/{given}"})


def test_a_folder_that_cannot_be_taken_is_said_in_words(shop: Shop) -> None:
    folder = pipe(shop).parent

    with pytest.raises(penstock.RunError, match="P408"):
        shop.run(SLOT, datasets={"cells": shop.file("c", ""), "more": folder})


def test_an_empty_path_is_not_the_folder_that_the_caller_stands_in(shop: Shop) -> None:
    with pytest.raises(penstock.RunError, match="'more' was given no path"):
        shop.run(SLOT, datasets={"cells": shop.file("c", ""), "more": ""})


def test_an_optional_dataset_may_stay_unfilled(shop: Shop) -> None:
    spec = """
        datasets: {champion: {type: metrics, optional: true}}
        steps:
          compare:
            run: echo read; cat /dev/null $[[ ${{ inputs.champion }} ]]
            inputs: {champion: {value: "${{ datasets.champion }}", optional: true}}
    """
    without = shop.run(spec)
    given = shop.run(spec, datasets={"champion": shop.file("champion.json", '{"a": 1}\n')})

    assert without.succeeded and given.succeeded
    assert shop.lines("compare") == ["read", "read", '{"a": 1}']
    assert "input champion" in given.steps["compare"].cache_reason


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-p", "depth"], "NAME=VALUE"),
        (["-p", "=3"], "NAME=VALUE"),
        (["-p", "depth=3", "-p", "depth=4"], "twice"),
        (["--jobs", "0"], "jobs"),
        (["--on", "lokal"], "local"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_a_call_that_is_wrong_is_told_with_exit_code_2(shop: Shop, words: list[str], told: str) -> None:
    shop.write(BOUNDED)

    ran = shop.cli("run", "pipeline.yaml", *words)

    assert ran.returncode == 2
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_jobs_bounds_how_many_steps_run_at_once(shop: Shop) -> None:
    steps = [
        f"  s{n}: {{run: 'sleep 0.1; echo {n} > ${{{{ outputs.o }}}}', outputs: {{o: file}}}}"
        for n in range(4)
    ]

    run = shop.run("\n".join(["steps:", *steps]), jobs=1)

    spans = sorted((each.started or 0, each.ended or 0) for each in run.steps.values())
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert text_of(run, "s3", "o") == "3\n"
