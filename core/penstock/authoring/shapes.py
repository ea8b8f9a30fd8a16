"""The language's long forms as typed dictionaries: `ps.Compute(cpu=4)` and `{"cpu": 4}` are the same.

Their keys are those of the models in `penstock.spec`, which check the values; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Required, TypedDict

from penstock.authoring.values import Step, Value

if TYPE_CHECKING:
    from penstock.runtime.events import Watch

Scalar = str | int | float | bool
Condition = Value | str
Bindable = Value | Scalar
ScalarType = Literal["string", "integer", "number", "boolean"]
ArtifactType = Literal["file", "folder", "table", "model", "metrics"]
PortType = Literal["string", "integer", "number", "boolean", "file", "folder", "table", "model", "metrics"]
Mode = Literal["mount", "download", "direct", "stream"]
Run = str | Sequence[Scalar | Value | Sequence[Scalar | Value]]


class InputPort(TypedDict, total=False):
    """What a step's input is bound to, with more than its value."""

    value: Required[Bindable]
    type: PortType
    at: str
    mode: Mode
    content_type: str
    shard: bool
    packed: bool
    optional: bool


class OutputPort(TypedDict, total=False):
    """An output with the name of its file, or a description."""

    type: Required[ArtifactType]
    file: str
    description: str


NativePort = TypedDict(
    "NativePort",
    {
        "type": Required[ArtifactType],
        "file": str,
        "from": str,
        "description": str,
    },
    total=False,
)
"""An output of a native step; `from` names it in the target's own words."""

Inputs = Mapping[str, Bindable | InputPort]
Outputs = Mapping[str, ArtifactType | OutputPort]


class Spot(TypedDict, total=False):
    """Interruptible machines."""

    max_wait: str


class Compute(TypedDict, total=False):
    """What a step needs, without naming a machine."""

    cpu: float
    memory: str
    gpu: int
    count: int | Value | str
    spot: bool | Spot
    instance: Mapping[str, str]


class Retry(TypedDict, total=False):
    """Trying again after a failure; `attempts` in all."""

    attempts: Required[int]
    delay: str
    backoff: float
    errors: Literal["platform", "any"]


class CacheRule(TypedDict):
    """How long an earlier result may be reused."""

    expires: str


class FromCaller(TypedDict):
    """A variable of the caller's environment, in offline runs only."""

    from_env: str


class Checkpoint(TypedDict):
    """The output folder that is put back before a restart."""

    path: str | Value


Env = Mapping[str, Bindable | FromCaller]
Cache = bool | CacheRule
Options = Mapping[str, Mapping[str, Any]]


class Defaults(TypedDict, total=False):
    """What every step has unless it says otherwise."""

    environment: str
    compute: Compute
    env: Env
    retry: Retry
    timeout: str
    cache: Cache


class Head(TypedDict, total=False):
    """What every step may have."""

    display_name: str
    description: str
    tags: Mapping[str, str]
    when: Condition
    after: Sequence[Step | str]
    options: Options


class Execution(Head, total=False):
    """How a step's process runs."""

    environment: str
    compute: Compute
    env: Env
    retry: Retry
    timeout: str
    cache: Cache


class Body(Execution, total=False):
    """A process, its code and its ports."""

    code: str
    checkpoint: Checkpoint
    inputs: Inputs
    outputs: Outputs


class StandIn(TypedDict, total=False):
    """What runs on `local` in the place of something that only a cloud has."""

    run: Required[Run]
    code: str
    environment: str
    env: Env


class Serving(TypedDict, total=False):
    """How a model answers."""

    environment: str
    code: str
    entry: str
    content_types: Sequence[str]
    response_types: Sequence[str]


class Kpi(TypedDict, total=False):
    """A measure of success: a metrics field and its target, such as `>= 0.95`."""

    name: Required[str]
    value: Required[Value | str]
    target: Required[str]
    description: str


class Hypothesis(TypedDict, total=False):
    """A claim that the pipeline is there to test."""

    id: Required[str]
    claim: Required[str]
    kpi: str
    status: Literal["open", "supported", "refuted"]


class Dimension(TypedDict, total=False):
    """The values that an input of a trial may take: bounds, or `enum`."""

    type: ScalarType
    minimum: float
    maximum: float
    scale: Literal["linear", "log", "reverse_log"]
    enum: Sequence[Scalar]


class Objective(TypedDict, total=False):
    """The number that tells trials apart."""

    metric: Required[str]
    goal: Required[Literal["maximize", "minimize"]]
    output: str
    source: Literal["metrics", "log", "mlflow"]
    regex: str


class Limits(TypedDict, total=False):
    """How much a search may spend."""

    trials: Required[int]
    parallel: int
    trial_timeout: str


class EarlyStopping(TypedDict, total=False):
    """Ending trials that fall behind."""

    policy: Required[Literal["bandit", "median", "truncation"]]
    slack: float
    percentage: int
    interval: int
    delay: int


class Range(TypedDict, total=False):
    """Whole numbers from `start` up to, and without, `stop`."""

    start: int
    stop: Required[int]
    step: int


class Over(TypedDict, total=False):
    """What a map goes over: exactly one of `items`, `range`, `files` and `table`."""

    items: Sequence[Scalar | Mapping[str, Scalar]]
    range: int | Range
    files: Value | str
    batch: int
    table: Value | str
    by: Sequence[str]


SearchSpace = Mapping[str, Dimension | Sequence[Scalar]]


class RunOptions(TypedDict, total=False):
    """What `penstock.run` takes beside the pipeline."""

    on: str
    parameters: Mapping[str, Scalar]
    datasets: Mapping[str, str | PathLike[str]]
    jobs: int
    cache: bool
    rerun: Sequence[str]
    pass_env: Sequence[str]
    isolate: bool
    replace: Mapping[str, str | PathLike[str]]
    faults: Mapping[str, tuple[str, int]]
    select: Sequence[str]
    source: str
    project: str | PathLike[str] | None
    watch: Watch
