"""Nothing in a definition is silently ignored: whatever field changes, what comes of a run offline changes with it.

What comes of it is what a user can see: what is said before and beside the run, states and messages of steps, what
they made, measured and printed, what is registered. The request itself, which comes back in the record of its job,
does not count. What rightly changes nothing stands in `WITHOUT_EFFECT`, with the reason.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.generated.mutating import share
from tests.generated.offline.hearing import Heard
from tests.generated.offline.subjects import SUBJECTS

PARTS = 40
"""How many parts the fields of a definition are divided into: the first is always tested, the others are exhaustive."""

ARGUMENTS = r"\w+:Steps\.\d\.Arguments\."
JOB = rf"{ARGUMENTS}(TrainingJobDefinition\.)?"
WITHOUT_EFFECT: list[tuple[str, str]] = [
    (
        r"\w+:Metadata|.*\.(DisplayName|Description)",
        "prose about the pipeline, a step or a parameter, for its readers",
    ),
    (
        r"\w+:(PipelineExperimentConfig|MlflowConfig)(\..*)?",
        "where the service keeps its own records of executions",
    ),
    (rf"{ARGUMENTS}ExperimentConfig(\..*)?", "likewise, of a job"),
    (rf"{ARGUMENTS}Tags(\..*)?", "for searching and paying"),
    (rf"{JOB}(RoleArn|ExecutionRoleArn)", "whose rights a job has: no rights are checked here"),
    (r".*KmsKeyId", "data of this machine is kept as its user keeps it"),
    (
        rf"{JOB}(NetworkConfig\.)?(VpcConfig(\..*)?|EnableInterContainerTrafficEncryption)",
        "networks of the cloud's: which one a job has, and who reads along there",
    ),
    (
        r".*\.(ClusterConfig|TransformResources)\.InstanceType",
        "jobs run on this machine, and these are not told what theirs is called",
    ),
    (r".*\.TransformResources\.InstanceCount", "more machines give the same answers, sooner"),
    (r".*\.VolumeSizeInGB", "a bound that is not reached"),
    (
        r"(?!slow).*\.(StoppingCondition|ModelClientConfig)(\.(MaxRuntimeInSeconds|Invocations.*))?",
        "a bound that is not reached; `slow` has jobs that take longer than theirs",
    ),
    (r".*\.ResourceLimits\.(MaxRuntimeInSeconds|MaxParallelTrainingJobs)", "bounds that change no trial"),
    (
        rf"{JOB}(StoppingCondition\.MaxWaitTimeInSeconds|EnableManagedSpotTraining|ResourceConfig\.KeepAlive.*)",
        "how machines are paid for",
    ),
    (r".*\.EnableSageMakerMetricsTimeSeries", "metrics are read from the log either way"),
    (
        r".*\.(ProfilerConfig|RetryStrategy|DebugHookConfig|TensorBoardOutputConfig)\..*",
        "announced as a whole",
    ),
    (r".*\.DataCaptureConfig\..*", "announced as a whole"),
    (r".*\.InputName", "a name for references and for the job's own copy of its request"),
    (r".*\.S3UploadMode", "whenever it is uploaded, what stands there in the end is the same"),
    (r".*\.InputDataConfig\.\d\.(CompressionType|ShuffleConfig.*)", "counts in Pipe mode"),
    (r"slow:.*\.StoppingCondition", "without it, a job may take longer than these do"),
    (
        r"\w+:Parameters\.\d\.(Type|EnumValues(\.1)?)",
        "without a type it is text; the default is among the values",
    ),
    (r"control:.*\.Conditions\.\d+(\..*)?", "one of several that hold; `failing` has one that decides"),
    (
        r"(control:.*\.ElseSteps|failing:.*\.IfSteps)(\..*)?|.*\.IfSteps\.2\.Arguments\.IfSteps",
        "a branch that is not taken",
    ),
]
"""Fields (`definition:path`, a pattern), and why they may change without a trace."""


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
    heard = Heard(SUBJECTS[name], tmp_path / "subject")

    silent = [
        said
        for path, value in heard.fields()
        if share(name, path, PARTS) == part
        and not excused(f"{name}:{'.'.join(map(str, path))}")
        and (said := heard.silent(path, value))
    ]

    assert silent == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SUBJECTS)
def test_the_same_definition_leaves_the_same_again(name: str, tmp_path: Path) -> None:
    heard = Heard(SUBJECTS[name], tmp_path / "subject")

    assert heard.seen() == heard.base
