"""Definitions that are broken, huge or hostile: each of them runs or is refused in words, and nothing else happens."""

from __future__ import annotations

import copy
import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples
from tests.generated.mutating import nodes
from tests.generated.offline.definitions import document, laid_out, processing
from tests.generated.offline.subjects import SUBJECTS

import penstock
from penstock.errors import PenstockError
from penstock.runtime.records import StepStatus

QUICK = ("control", "failing", "models", "processing", "script", "training", "tuning")


def deep(levels: int, inner: Any) -> Any:
    for _ in range(levels):
        inner = {"Std:Join": {"On": "", "Values": [inner]}}
    return inner


NASTY: list[Any] = [
    *(None, True, -1, 0, 10**400, 1e308, math.nan, math.inf, 0.5),
    *(
        "",
        "\0",
        "a\0b",
        "\ud800",
        "../..",
        "..",
        ".",
        "/",
        "a/b",
        "a\nb",
        "a" * 5000,
        "🦊",
        "nan",
        "1e999",
        "9" * 400,
    ),
    *("s3://", "s3://b/", "s3://b/../../x", "s3://b//", "(a+)+$", "[", "$[0]", "$..x", "<<role>>"),
    *([], {}, [[]], ["x", "x"], {"a": "b"}, {"Get": ""}, {"Get": 5}, {"Get": "Steps.x"}, {"Std:Join": {}}),
    *({"Get": "Execution.PipelineExecutionId"}, {"Get": "Execution.StartDateTime"}),
    *(
        deep(60, "x"),
        deep(120, "x"),
        {"Std:JsonGet": {"S3Uri": "s3://given/rows.manifest", "Path": "[0].prefix"}},
    ),
]


def spoilt(name: str, seed: int) -> dict[str, Any]:
    """Give a definition of which one to three nodes are taken out, or replaced by another or by something nasty."""
    draw = random.Random(seed)
    found = copy.deepcopy(SUBJECTS[name].document)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        every = list(nodes(found))
        (*above, last), _ = draw.choice(every)
        holder: Any = found
        for part in above:
            holder = holder[part]
        if draw.random() < 0.15:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(draw.choice(every)[1] if draw.random() < 0.3 else draw.choice(NASTY))
    return found


def runs_or_is_refused(folder: Path, text: str | bytes) -> bool:
    """Run a definition in a project of its own; tell whether it ran."""
    path = folder / "probe.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    project = folder / "project"
    project.mkdir()
    try:
        run = penstock.run(path, project=project, replace={"s3://given": folder / "given"})
    except PenstockError as refused:
        assert refused.diagnostics
        assert all(each.message for each in refused.diagnostics)
        return False
    finally:
        shutil.rmtree(project)
    # What hangs on nothing that failed is not started any more once something has.
    ended = {each.status for each in run.steps.values()} - {StepStatus.PENDING}
    assert StepStatus.RUNNING not in ended
    assert run.record.status == ("failed" if StepStatus.FAILED in ended else "succeeded")
    return True


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_out(tmp_path_factory.mktemp("hostile"))


@given(st.sampled_from(QUICK), st.integers(0, 2**32))
@settings(max_examples=examples(40))
def test_a_spoilt_definition_runs_or_is_refused(place: Path, name: str, seed: int) -> None:
    runs_or_is_refused(place, json.dumps(spoilt(name, seed)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", range(8))
def test_many_spoilt_definitions_run_or_are_refused(place: Path, part: int) -> None:
    for seed in range(60):
        runs_or_is_refused(place, json.dumps(spoilt(QUICK[seed % len(QUICK)], 1000 * part + seed)))


GOOD = json.dumps(document(processing("tell")))
FAILS = '{"Name": "s%d", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}'


def fails(*more: dict[str, Any]) -> str:
    step = {"Name": "fail", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
    return json.dumps(document(*({**step, **each} for each in more or ({},))))


BROKEN: dict[str, str | bytes] = {
    "empty": "",
    "truncated": GOOD[: len(GOOD) // 2],
    "of other bytes": GOOD.encode("utf-16"),
    "with a zero byte behind": GOOD + "\0",
    "with a byte that is no UTF-8": GOOD.replace("tell", "t\xe9ll").encode("latin-1"),
    "no object": "[]",
    "nothing": "null",
    "open without end": "[" * 100_000,
    "nested in text": fails().replace('"x"', '{"Get": ' * 5000 + '"x"' + "}" * 5000),
    "not a number": GOOD.replace('"InstanceCount": 1', '"InstanceCount": NaN'),
    "infinite": GOOD.replace('"InstanceCount": 1', '"InstanceCount": Infinity'),
    "of an enormous number": GOOD.replace('"InstanceCount": 1', f'"InstanceCount": {"9" * 5000}'),
    "of many machines": GOOD.replace('"InstanceCount": 1', '"InstanceCount": 1000000000'),
    "with one key twice": GOOD.replace('"Version"', '"Version": "2020-12-01", "Version"'),
    "of ten megabytes": fails({"Description": "x" * 10_000_000}),
    "of a step with a slash": fails({"Name": "../fail"}),
    "of a step with a line break": fails({"Name": "a\nb"}),
    "of steps in a circle": fails({"Name": "a", "DependsOn": ["b"]}, {"Name": "b", "DependsOn": ["a"]}),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_definition_is_refused(place: Path, text: str | bytes) -> None:
    assert not runs_or_is_refused(place, text)


@pytest.mark.parametrize("message", ["\0", "\ud800", "a\r\nb\x1b[2J", "x" * 3000])
def test_odd_words_of_a_definition_are_kept_as_they_are(place: Path, message: str) -> None:
    step = {"Name": "fail", "Type": "Fail", "Arguments": {"ErrorMessage": message}}

    assert runs_or_is_refused(place, json.dumps(document(step)))


@pytest.mark.slow
def test_five_thousand_steps_that_wait_in_a_circle_are_refused(place: Path) -> None:
    steps = [
        {**json.loads(FAILS % number), "DependsOn": [f"s{(number + 1) % 5000}"]} for number in range(5000)
    ]

    assert not runs_or_is_refused(place, json.dumps(document(*steps)))


@pytest.mark.exhaustive
def test_a_hundred_thousand_steps_are_read(place: Path) -> None:
    steps = ",".join(FAILS % number for number in range(100_000))

    assert not runs_or_is_refused(place, f'{{"Version": "2020-12-01", "Steps": [{steps},{FAILS % 5}]}}')
