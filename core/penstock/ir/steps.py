"""The step kinds, a closed union: lowerings `match` over it and end with `assert_never`."""

from __future__ import annotations

from dataclasses import field
from typing import Any
from typing import Literal as OneOf

from penstock.diagnostics import Path
from penstock.expressions.nodes import DatasetRef, Expression, OutputRef, Scalar
from penstock.frozen import dataclass, replace
from penstock.ir.values import (
    SINGLE_FILES,
    Argv,
    Cache,
    Code,
    Compute,
    Condition,
    Dataset,
    Environment,
    Guard,
    Input,
    Output,
    Parameter,
    Retry,
    ScalarType,
    Shell,
)


@dataclass(frozen=True, slots=True)
class Component:
    """A reusable step or pipeline: its own name and version, and its file relative to the spec's folder."""

    name: str
    version: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """What every kind has. `path` leads to the step in the spec; `guards` is its effective condition.

    `guards` holds its own condition and those of all its producers, outermost first. `after` and `needs` name
    steps: `needs` is everything that must have ended first (data, order and conditions), in graph order.
    `component` is where the step's command comes from, `None` for one that is written in place.
    """

    name: str
    path: Path = ()
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    guards: tuple[Guard, ...] = ()
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    options: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    component: Component | None = None


@dataclass(frozen=True, slots=True)
class _Job(_Step):
    """What every kind that runs a process has. `timeout` in seconds.

    `env` values are scalar expressions over parameters, literals and the run; `env_from` maps a variable of the
    step to the caller's variable that it takes its value from (offline runs only). `run` is `None` only for a
    built-in algorithm. `checkpoint` names the output folder that is put back before a restart.
    """

    run: Shell | Argv | None = None
    code: Code | None = None
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    environment: str = ""
    compute: Compute = Compute()
    env: dict[str, Expression] = field(default_factory=dict[str, Expression])
    env_from: dict[str, str] = field(default_factory=dict[str, str])
    retry: Retry = Retry()
    timeout: int | None = None
    cache: Cache = Cache()
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class Command(_Job):
    """A script that reads inputs and writes outputs."""


@dataclass(frozen=True, slots=True)
class Train(_Job):
    """A script, or a built-in algorithm, that makes a model.

    `stand_in` is what targets without the algorithm run in its place; `None` where there is nothing.
    """

    stand_in: Command | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one input of a trial may be: `enum` where it is not empty, else anything between the bounds."""

    name: str
    type: ScalarType
    minimum: float | None = None
    maximum: float | None = None
    scale: OneOf["linear", "log", "reverse_log"] = "linear"
    enum: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Objective:
    """The number that tells trials apart.

    Attributes:
        metric: as written; `path` leads to it inside the metrics output `output`.
        source: `metrics`, or `log` (the first group of `regex`, its last match) or `mlflow` (a metric's name).
    """

    metric: str
    goal: OneOf["maximize", "minimize"]
    output: str = ""
    path: tuple[str | int, ...] = ()
    source: OneOf["metrics", "log", "mlflow"] = "metrics"
    regex: str = ""


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Ending trials that fall behind. `interval` and `delay` count reports of the objective."""

    policy: OneOf["bandit", "median", "truncation"]
    slack: float = 0
    percentage: int = 0
    interval: int = 1
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Tune(_Job):
    """Trials of one command over a search space; the outputs are those of the best trial.

    `run` names each dimension as an input, though `inputs` holds none of them. `trial_timeout` in seconds;
    `timeout` bounds the search as a whole. `trains` tells that the trial is a train step.
    """

    space: tuple[Dimension, ...] = ()
    sampling: OneOf["grid", "random", "bayesian"] = "random"
    seed: int = 0
    objective: Objective = Objective("", "maximize")
    trials: int = 1
    parallel: int = 1
    trial_timeout: int | None = None
    early_stopping: EarlyStopping | None = None
    trains: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a map: `key` names its subfolder; `value` is a scalar item, `fields` what a mapping holds."""

    key: str
    value: Scalar | None = None
    fields: dict[str, Scalar] = field(default_factory=dict[str, Scalar])


@dataclass(frozen=True, slots=True)
class Over:
    """What a map goes over. `source` is the folder of `files` or `table`; `batch` 0 hands files over one by one."""

    kind: OneOf["items", "files", "table"] = "items"
    items: tuple[Item, ...] = ()
    source: DatasetRef | OutputRef | None = None
    batch: int = 0
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Map(_Job):
    """One command for each item. Its outputs are those of one item; `offered` gives what others see: folders.

    `parallel` 0 leaves the number at once to the target. `trains` tells that an item is a train step.
    """

    over: Over = Over()
    parallel: int = 0
    tolerate: int = 0
    trains: bool = False


@dataclass(frozen=True, slots=True)
class Serving:
    """How a model answers requests: `entry` is a file in `code` with the serving functions."""

    environment: str = ""
    code: Code | None = None
    entry: str = ""
    content_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Predict(_Job):
    """Batch inference. Its inputs are `model` and `data`, its one output a folder of `<input name>.out`."""

    serving: Serving = Serving()
    parallel: int = 0


@dataclass(frozen=True, slots=True)
class Register(_Step):
    """Enters a model into the registry as a new version; the same model, code and data give the same version.

    `approval` is `manual`, `approved`, or a boolean expression: true approves, false leaves it pending.
    """

    model: OutputRef | None = None
    model_name: str = ""
    metrics: OutputRef | None = None
    approval: OneOf["manual", "approved"] | Expression = "manual"
    serving: Serving | None = None


@dataclass(frozen=True, slots=True)
class Fail(_Step):
    """Ends the run as failed with a message: text, or a template over parameters and metrics."""

    message: Expression | None = None


@dataclass(frozen=True, slots=True)
class NativeOutput:
    """An artifact of a native step. `source`: the property that holds it, in the target's own words."""

    name: str
    type: OneOf["file", "folder", "table", "model", "metrics"]
    file: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Native(_Step):
    """A step in a target's own words.

    `bodies`: target → body, texts in it as written, with `${{ inputs.x }}` and the like. `stand_in` is a command
    with the same inputs and outputs, for targets that have no body; `None` where there is none.
    """

    inputs: tuple[Input, ...] = ()
    outputs: tuple[NativeOutput, ...] = ()
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    stand_in: Command | None = None


@dataclass(frozen=True, slots=True)
class Nested(_Step):
    """A pipeline as a step. `inputs` bind the parameters and datasets of `graph`; its outputs are the step's.

    Paths inside `graph` lead into the file that `component` names.
    """

    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    graph: Graph | None = None


Job = Command | Train | Tune | Map | Predict
"""The kinds that run a process of their own."""

Step = Command | Train | Tune | Map | Predict | Register | Fail | Nested | Native


def bound_inputs(step: Step) -> tuple[Input, ...]:
    """Give the inputs that a step binds; none for kinds without."""
    return () if isinstance(step, Register | Fail) else step.inputs


def input_names(step: Step) -> tuple[str, ...]:
    """Give the names that `${{ inputs.NAME }}` may take: what is bound, and what a search varies."""
    names = tuple(each.name for each in bound_inputs(step))
    return (*names, *(each.name for each in step.space)) if isinstance(step, Tune) else names


def offered(step: Step) -> tuple[Output, ...]:
    """Give a step's outputs as other steps see them: those of a map are folders with a subfolder an item."""
    match step:
        case Register() | Fail():
            return ()
        case Map():
            return tuple(replace(each, type="folder", file="") for each in step.outputs)
        case Native():
            return tuple(
                Output(each.name, each.type, each.file if each.type in SINGLE_FILES else "")
                for each in step.outputs
            )
        case _:
            return step.outputs


@dataclass(frozen=True, slots=True)
class Kpi:
    """A measurable goal: `value` is read after the run and compared with `threshold`."""

    name: str
    value: Expression
    operator: OneOf["==", "!=", "<", "<=", ">", ">="]
    threshold: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A claim that the pipeline is there to test; `kpi` names the measure that speaks to it."""

    id: str
    claim: str
    kpi: str = ""
    status: str = "open"


@dataclass(frozen=True, slots=True)
class Goal:
    """What the pipeline is for."""

    statement: str
    kpis: tuple[Kpi, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole pipeline. `steps` is in an order in which every step stands behind all that it needs.

    `outputs` maps a name to the artifact of a step. `options` are the pipeline's own, per target.
    """

    name: str
    version: str = ""
    display_name: str = ""
    description: str = ""
    owner: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    goal: Goal | None = None
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    datasets: dict[str, Dataset] = field(default_factory=dict[str, Dataset])
    environments: dict[str, Environment] = field(default_factory=dict[str, Environment])
    conditions: dict[str, Condition] = field(default_factory=dict[str, Condition])
    steps: tuple[Step, ...] = ()
    outputs: dict[str, OutputRef] = field(default_factory=dict[str, OutputRef])
    options: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def step(self, name: str) -> Step:
        """Give the step of that name. Raises KeyError."""
        for each in self.steps:
            if each.name == name:
                return each
        raise KeyError(name)
