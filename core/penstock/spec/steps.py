"""The step kinds, a closed union told apart by `kind`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from penstock.spec.execution import Cache, Checkpoint, Compute, Env, FromCaller, Retry, TargetOptions
from penstock.spec.items import Over
from penstock.spec.ports import (
    ArtifactType,
    FileName,
    InputBinding,
    Inputs,
    OutputDeclaration,
    Outputs,
)
from penstock.spec.quantities import Duration
from penstock.spec.search import Dimension, EarlyStopping, Limits, Objective
from penstock.spec.structure import ModelName, Name, Scalar, SpecModel, Tags, fault


class StepHead(SpecModel):
    """What every step may have."""

    display_name: str = Field("", description="What consoles show instead of the name.")
    description: str = Field("", description="What the step does, in a sentence.")
    tags: Tags = Field(
        default_factory=dict[str, str],
        description="Words to search by, as key and value.",
        examples=[{"team": "imaging"}],
    )
    when: str | None = Field(
        None,
        description="Run only where this holds: `${{ conditions.NAME }}`, its negation, "
        "or a condition of its own.",
    )
    after: list[str] = Field(
        default_factory=list[str], description="Steps to wait for without taking data from them."
    )
    options: TargetOptions = Field(
        default_factory=dict[str, dict[str, Any]],
        description="Target → keys merged into this step of the target's document, then validated.",
    )


Run = str | list[str | list[str]]


class ExecutionModel(SpecModel):
    """How a process runs; a step that uses a component may change all of it."""

    environment: str | None = Field(None, description="One of `environments`; that of `defaults` if absent.")
    compute: Compute | None = Field(
        None, description="What the step needs of its machine.", examples=[{"cpu": 4, "memory": "16GiB"}]
    )
    env: Env = Field(
        default_factory=dict[str, Scalar | FromCaller], description="Variables of the step's process."
    )
    retry: Retry | None = Field(None, description="Trying again after a failure.", examples=[{"attempts": 3}])
    timeout: Duration | None = Field(
        None, description="After which the step is ended as failed.", examples=["2h"]
    )
    cache: Cache | None = Field(None, description="`false`, or `{expires: 30d}`; on by default.")


class BodyModel(ExecutionModel):
    """A process: its command, and the code that it runs."""

    code: str = Field(
        "",
        min_length=1,
        description="The folder that becomes the working directory, relative to this file.",
        examples=["src"],
    )
    checkpoint: Checkpoint | None = Field(
        None,
        description="An output folder that is put back before a restart.",
        examples=[{"path": "${{ outputs.state }}"}],
    )


class StandIn(SpecModel):
    """What runs on `local` in the place of something that only a cloud has."""

    run: Run = Field(description="The command: text for bash, or a list that runs without a shell.")
    code: str = Field("", min_length=1, description="The folder that becomes the working directory.")
    environment: str | None = Field(None, description="One of `environments`; that of the step if absent.")
    env: Env = Field(default_factory=dict[str, Scalar | FromCaller], description="Variables of its process.")


class _JobModel(StepHead, BodyModel):
    inputs: Inputs = Field(
        default_factory=dict[str, InputBinding],
        description="Input → what it is bound to: an expression, or a literal.",
        examples=[{"data": "${{ steps.prepare.outputs.train }}", "depth": 4}],
    )
    outputs: Outputs = Field(
        default_factory=dict[str, OutputDeclaration],
        description="Output → its type.",
        examples=[{"model": "model", "report": {"type": "metrics", "file": "evaluation.json"}}],
    )


class CommandStep(_JobModel):
    """A script that reads inputs and writes outputs."""

    kind: Literal["command"] = Field("command", description="May be left out.")
    run: Run = Field(
        description="The command: text for bash, or a list that runs without a shell.",
        examples=["python train.py --data ${{ inputs.data }} --model ${{ outputs.model }}"],
    )


class TrainStep(_JobModel):
    """A script, or a built-in algorithm, that makes a model: a training job on every cloud."""

    kind: Literal["train"] = Field(description="A training job.")
    run: Run | None = Field(None, description="Absent only where the environment is a built-in algorithm.")
    local: StandIn | None = Field(
        None, description="What runs on `local` in the place of a built-in algorithm."
    )


class UsesStep(StepHead, ExecutionModel):
    """A step whose command, code and outputs come from a component."""

    kind: Literal["command", "train"] | None = Field(
        None, description="That of the component; may be left out."
    )
    uses: str = Field(
        min_length=1,
        description="The component's file, relative to this file.",
        examples=["components/clean.yaml"],
    )
    inputs: Inputs = Field(
        default_factory=dict[str, InputBinding],
        description="Inputs of the component → what they are bound to.",
    )


class TuneStep(_JobModel):
    """A search for the best values of a step's inputs; its outputs are those of the best trial."""

    kind: Literal["tune"] = Field(description="A search.")
    run: Run | None = Field(None, description="The trial's command; the search's names are among its inputs.")
    uses: str = Field("", min_length=1, description="A component as the trial, in the place of `run`.")
    search_space: dict[Name, Dimension] = Field(
        min_length=1,
        description="Input of the trial → the values that it may take.",
        examples=[
            {"depth": {"type": "integer", "minimum": 2, "maximum": 12}, "loss": {"enum": ["log", "exp"]}}
        ],
    )
    sampling: Literal["grid", "random", "bayesian"] = Field("random", description="How trials are drawn.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Equal seeds draw equal trials offline.")
    objective: Objective = Field(
        description="What the search is for.", examples=[{"metric": "recall", "goal": "maximize"}]
    )
    limits: Limits = Field(
        description="How much the search may spend.", examples=[{"trials": 20, "parallel": 4}]
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="Ending trials that fall behind.", examples=[{"policy": "bandit", "slack": 0.1}]
    )

    @model_validator(mode="after")
    def _one_body(self) -> TuneStep:
        one_body(self.run, self.uses, "a trial", self)
        return self


class MapStep(_JobModel):
    """One command for each of many items; each output is a folder with one subfolder an item."""

    kind: Literal["map"] = Field(description="One command for each of many items.")
    over: Over = Field(description="What the map goes over.", examples=[{"items": ["NO", "NL"]}])
    parallel: int | None = Field(
        None, ge=1, le=1000, description="Items at once; by default as many as cores."
    )
    tolerate: int = Field(0, ge=0, description="Items that may fail; they leave no subfolder.")
    run: Run | None = Field(
        None, description="The command of one item, with `${{ item }}` or `${{ item.FIELD }}`."
    )
    uses: str = Field("", min_length=1, description="A component in the place of `run`.")

    @model_validator(mode="after")
    def _one_body(self) -> MapStep:
        one_body(self.run, self.uses, "a map", self)
        return self


def one_body(run: Run | None, uses: str, what: str, step: _JobModel) -> None:
    """Refuse a body that is neither a command nor a component, or is both."""
    if run is None and not uses:
        raise fault("P202", f"{what} has neither 'run' nor 'uses'", "add 'run:' with a command, or 'uses:'")
    if not uses:
        return
    own = [key for key in ("run", "code", "outputs", "checkpoint") if key in step.model_fields_set]
    if own:
        message = f"'{own[0]}' comes from the component that 'uses' names"
        raise fault("P208", message, f"remove '{own[0]}', or 'uses'", own[0])


class ServingModel(SpecModel):
    """How a model answers: `entry` in `code` holds model_fn, predict_fn and their kin."""

    environment: str | None = Field(None, description="One of `environments`; that of the step if absent.")
    code: str = Field("", description="The folder of the serving code, relative to this file.")
    entry: str = Field(
        "", description="The file in `code` with the serving functions.", examples=["inference.py"]
    )
    content_types: list[str] = Field(
        default_factory=list[str],
        description="Media types that it takes; the first is the usual one.",
        examples=[["text/csv"]],
    )
    response_types: list[str] = Field(
        default_factory=list[str],
        description="Media types that it gives; the first is the usual one.",
        examples=[["application/json"]],
    )


class RegisterStep(StepHead):
    """Enter a model into the registry as a new version."""

    kind: Literal["register"] = Field(description="A new version in the model registry.")
    model: str = Field(description="`${{ steps.STEP.outputs.MODEL }}`.")
    name: ModelName = Field(description="The registered model's name.")
    metrics: str | None = Field(None, description="A metrics output to keep with the version.")
    approval: str = Field("manual", description="`manual`, `approved`, or an expression.")
    serving: ServingModel | None = Field(None, description="How the model answers once it is served.")


class FailStep(StepHead):
    """End the run as failed, with a message."""

    kind: Literal["fail"] = Field(description="The end of the run, as failed.")
    message: str = Field(
        description="Why, with expressions where they help.",
        examples=["Recall is below ${{ parameters.recall_floor }}"],
    )


class PredictStep(StepHead, ExecutionModel):
    """Batch inference: a model answers every file of a folder; `<input name>.out` holds each answer."""

    kind: Literal["predict"] = Field(description="Batch inference.")
    model: str = Field(description="`${{ steps.STEP.outputs.MODEL }}`, or `${{ datasets.MODEL }}`.")
    data: str = Field(description="The file or folder to answer: `${{ datasets.NAME }}`, or a step's output.")
    serving: ServingModel = Field(
        description="How the model answers.", examples=[{"code": "src", "entry": "inference.py"}]
    )
    outputs: Outputs = Field(
        default_factory=lambda: {"predictions": OutputDeclaration.model_validate("folder")},
        min_length=1,
        max_length=1,
        description="One folder.",
    )
    parallel: int | None = Field(None, ge=1, le=100, description="Files at once on each machine.")


class PipelineStep(StepHead):
    """Another pipeline as a step: its parameters and datasets are the inputs, its outputs the outputs."""

    kind: Literal["pipeline"] = Field(description="Another pipeline as a step.")
    uses: str = Field(
        min_length=1, description="The pipeline's file, relative to this file.", examples=["./train.yaml"]
    )
    inputs: Inputs = Field(
        default_factory=dict[str, InputBinding],
        description="Parameters and datasets of the pipeline → values.",
    )


class NativeOutput(SpecModel):
    """An artifact that a native step gives. `from` says where the target keeps it."""

    type: ArtifactType = Field(description="What it is.")
    file: FileName | None = Field(None, description="Name of the file; the port's own name where absent.")
    source: str = Field(
        "",
        alias="from",
        description="A property of the step in the target's own words.",
        examples=["OutputParameters['data']"],
    )
    description: str = Field("", description="What it holds.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class NativeStep(StepHead):
    """A step in a target's own words: one body per target, under the target's name."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, dict[str, Any]]  # pyright: ignore[reportIncompatibleVariableOverride]

    kind: Literal["native"] = Field(description="A step in a target's own words.")
    inputs: Inputs = Field(
        default_factory=dict[str, InputBinding],
        description="Input → what it is bound to; the bodies name it as `${{ inputs.NAME }}`.",
    )
    outputs: dict[Name, NativeOutput] = Field(
        default_factory=dict[str, NativeOutput],
        description="Output → its type, and where the target keeps it.",
        examples=[{"data": {"type": "folder", "from": "OutputParameters['data']"}}],
    )
    local: StandIn | None = Field(
        None, description="What runs on `local` in its place; without it `local` refuses."
    )

    @property
    def bodies(self) -> dict[str, dict[str, Any]]:
        """The bodies by target."""
        return dict(self.__pydantic_extra__ or {})


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        if "uses" in value and value.get("kind", "command") in ("command", "train"):  # pyright: ignore[reportUnknownMemberType]
            return "uses:"
        kind: object = value.get("kind", "command")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return kind if isinstance(kind, str) else repr(kind)  # pyright: ignore[reportUnknownArgumentType]
    return "uses:" if isinstance(value, UsesStep) else str(getattr(value, "kind", "command"))


StepModel = Annotated[
    Annotated[CommandStep, Tag("command")]
    | Annotated[TrainStep, Tag("train")]
    | Annotated[UsesStep, Tag("uses:")]
    | Annotated[TuneStep, Tag("tune")]
    | Annotated[MapStep, Tag("map")]
    | Annotated[PredictStep, Tag("predict")]
    | Annotated[RegisterStep, Tag("register")]
    | Annotated[FailStep, Tag("fail")]
    | Annotated[PipelineStep, Tag("pipeline")]
    | Annotated[NativeStep, Tag("native")],
    Discriminator(_kind),
]

__all__ = [
    "CommandStep",
    "FailStep",
    "FileName",
    "MapStep",
    "NativeOutput",
    "NativeStep",
    "PipelineStep",
    "PredictStep",
    "RegisterStep",
    "ServingModel",
    "StandIn",
    "StepModel",
    "TrainStep",
    "TuneStep",
    "UsesStep",
]
