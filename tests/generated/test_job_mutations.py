"""Nothing in a job of Azure ML is silently ignored: whatever field changes, what comes of a run offline does too.

What comes of it is what a user can see: what is said before and beside the run, states and messages of steps, what
they made, measured and printed, what is registered. What rightly changes nothing stands in `WITHOUT_EFFECT`, with the
reason.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.generated.azureml.hearing import Heard, fields, named
from tests.generated.azureml.subjects import SUBJECTS
from tests.generated.mutating import share

PARTS = 40
"""How many parts the fields of a job are divided into: the first is always tested, the others are exhaustive."""

JOB = r"\w+:job\.yml:"
FILE = r"\w+:\w+\.yml:"
NODE = rf"{FILE}(jobs\.\w+\.)?"
RESOURCES = rf"{NODE}resources"
WITHOUT_EFFECT: list[tuple[str, str]] = [
    (
        rf"{NODE}(\$schema|display_name|description|comment|tags(\..*)?|properties(\..*)?)"
        rf"|{FILE}(inputs|outputs)\.\w+\.description",
        "prose for readers, and what one searches by",
    ),
    (
        rf"{NODE}environment\.(name|version|description|tags(\..*)?|os_type|conda_file\.(name|channels(\..*)?))",
        "what an environment is called, and where the service gets it from",
    ),
    (
        r"commands:job\.yml:jobs\.inline\.environment\.conda_file(\.dependencies)?",
        "its one package is the Python that runs here in every case",
    ),
    (
        r"commands:job\.yml:jobs\.inline\.environment\.image",
        "beside a conda file only an operating system, which is this machine's",
    ),
    (
        rf"{NODE}(compute|settings\.default_compute|identity(\..*)?)",
        "which machine, and whose rights: here yours",
    ),
    (rf"{JOB}inputs\.\w+\.datastore", "where the service uploads local paths to"),
    (rf"{NODE}queue_settings(\..*)?", "how machines are waited for and paid for"),
    (
        rf"{RESOURCES}\.(instance_type|shm_size|locations(\..*)?|max_instance_count|properties(\..*)?)",
        "jobs run on this machine, whatever its size, wherever it stands, and no other joins it",
    ),
    (
        r"(components:plain|components:job|parallel:job|parallel:batch|sweep:job)\.yml:(jobs\.\w+\.)?resources",
        "one machine either way",
    ),
    (rf"{JOB}settings", "all of it together is what holds without it; each setting is heard by itself"),
    (
        r"(?!commands|failing|cached):?\w+:job\.yml:settings\.(default_datastore|force_rerun)"
        r"|cached:job\.yml:settings\.default_datastore|failing:job\.yml:settings\.default_compute",
        "`commands` tells the datastore, `cached` has results to reuse",
    ),
    (
        r"(?!failing)\w+:job\.yml:settings\.continue_on_step_failure",
        "none of its nodes fails; some of `failing` do",
    ),
    (
        r"(?!cached)\w+:job\.yml:settings\.force_rerun|(?!cached)\w+:\w+\.yml:is_deterministic",
        "`cached` has results to reuse",
    ),
    (
        r"(flows|sweep|parallel|strict|ending|last):job\.yml:experiment_name",
        "told to nodes, and these do not print it",
    ),
    (rf"{JOB}jobs\.\w+\.(name|experiment_name)", "a node is called by its key, in its job's experiment"),
    (
        rf"{FILE}(jobs\.\w+\.)?type",
        "command is what a node or component is that names no type; others are refused",
    ),
    (rf"{FILE}(name|version)", "a component is found by its file"),
    (
        rf"{FILE}(jobs\.\w+\.)?outputs\.\w+\.mode",
        "however it is written, what stands there in the end is the same",
    ),
    (
        r"components:job\.yml:(outputs\.final\.type|jobs\.plain\.outputs(\.out(\.type)?)?)"
        r"|sweep:job\.yml:jobs\.tune\.outputs(\.model(\.type)?)?|flows:job\.yml:jobs\.each\.outputs\.out\.type",
        "what the component declares holds without it; another type is refused",
    ),
    (
        r"components:plain\.yml:inputs\.(times|rate|on)\.type|sweep:trial\.yml:inputs\.[xk]\.type"
        r"|flows:(ask|one|count)\.yml:(inputs\.(word|more|n)|outputs\.(flag|next|more))\.type",
        "values are handed on as text, whatever their type; one that does not fit is refused",
    ),
    (
        r"components:plain\.yml:inputs\.(times\.(min|max)|kind\.enum(\.0)?)",
        "bounds that hold the value; one beyond them is refused",
    ),
    (
        r"(commands:job\.yml:jobs\.inline|components:job\.yml:jobs\.plain)\.limits(\.timeout)?"
        r"|sweep:job\.yml:jobs\.tune\.limits\.(timeout|trial_timeout)",
        "a bound that is not reached; a job of `failing` takes longer than its own",
    ),
    (
        r"sweep:job\.yml:jobs\.tune\.limits\.max_concurrent_trials|flows:job\.yml:jobs\.each\.max_concurrency",
        "how many run at once changes none of them",
    ),
    (
        r"sweep:trial\.yml:inputs\.word\.default|parallel:batch\.yml:mini_batch_size"
        r"|flows:(job\.yml:jobs\.(one\.inputs\.word|count\.inputs)|count\.yml:inputs\.n\.default)",
        "what is bound comes first",
    ),
    (
        r"parallel:(job\.yml:jobs\.inline|batch\.yml:)\.?mini_batch_error_threshold",
        "all of their mini-batches succeed in the end; one of `strict` does not",
    ),
    (
        r"\w+:\w+\.yml:(jobs\.\w+\.)?retry_settings\.timeout",
        "a bound that is not reached",
    ),
    (r"components:plain\.yml:inputs\.unbound\.type", "nothing is bound to it"),
    (r"flows:job\.yml:jobs\.no(\..*)?", "a branch that is not taken"),
    (
        r"flows:job\.yml:jobs\.choose\.true_block",
        "the branch that is taken, which runs without a condition too",
    ),
]
"""Fields (`job:file:path`, a pattern), and why they may change without a trace."""


def excused(field: str) -> bool:
    return any(re.fullmatch(pattern, field) for pattern, _ in WITHOUT_EFFECT)


def parts() -> list[object]:
    return [
        pytest.param(name, part, id=f"{name}-{part}", marks=[pytest.mark.exhaustive] if part else [])
        for name in SUBJECTS
        for part in range(PARTS)
    ]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "part"), parts())
def test_whatever_is_changed_leaves_a_trace(name: str, part: int, tmp_path: Path) -> None:
    found = [
        (file, path, value)
        for file, path, value in fields(SUBJECTS[name])
        if share(file, path, PARTS) == part and not excused(f"{name}:{named(file, path)}")
    ]
    heard = Heard(SUBJECTS[name], tmp_path / "subject")

    assert list(filter(None, (heard.silent(*each) for each in found))) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_the_same_job_leaves_the_same_again(name: str, tmp_path: Path) -> None:
    heard = Heard(SUBJECTS[name], tmp_path / "subject")

    assert heard.seen() == heard.base
