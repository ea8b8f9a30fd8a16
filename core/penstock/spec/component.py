"""A component: a step with declared inputs, for many pipelines."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from penstock.spec.execution import Environment, TargetOptions
from penstock.spec.ports import AbsolutePath, Outputs, PortType
from penstock.spec.steps import BodyModel, Run, StandIn
from penstock.spec.structure import Name, Scalar, SpecModel, Tags


class ComponentInput(SpecModel):
    """An input that a component declares. The short form is the type alone."""

    type: PortType = Field(description="What the caller binds it to.")
    default: Scalar | None = Field(None, description="For scalars: the value where the caller binds none.")
    optional: bool = Field(
        False, description="May stay unbound; the command names it inside `$[[ … ]]` alone."
    )
    enum: list[Scalar] = Field(
        default_factory=list[Scalar], min_length=1, description="The only values allowed."
    )
    minimum: float | None = Field(None, description="The least value, itself included.")
    maximum: float | None = Field(None, description="The greatest value, itself included.")
    at: AbsolutePath | None = Field(None, description="A fixed path under which the step wants to find it.")
    mode: Literal["mount", "download", "direct", "stream"] | None = Field(
        None, description="How a cloud delivers it; the target's own way if absent."
    )
    content_type: str = Field(
        "", description="The media type that a channel announces.", examples=["text/csv"]
    )
    shard: bool = Field(False, description="Divide the files over the machines of the step.")
    packed: bool = Field(False, description="Hand over the archive itself (`model.tar.gz`).")
    description: str = Field("", description="What it is for.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class ComponentCommand(BodyModel):
    """A command step without ports: the component declares them."""

    kind: Literal["command"] = Field("command", description="May be left out.")
    run: Run = Field(description="The command: text for bash, or a list that runs without a shell.")
    options: TargetOptions = Field(
        default_factory=dict[str, dict[str, Any]],
        description="Target → keys merged into the step of the target's document, then validated.",
    )


class ComponentTrain(BodyModel):
    """A train step without ports: the component declares them."""

    kind: Literal["train"] = Field(description="A training job.")
    run: Run | None = Field(None, description="Absent only where the environment is a built-in algorithm.")
    local: StandIn | None = Field(
        None, description="What runs on `local` in the place of a built-in algorithm."
    )
    options: TargetOptions = Field(
        default_factory=dict[str, dict[str, Any]],
        description="Target → keys merged into the step of the target's document, then validated.",
    )


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "command"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return str(getattr(value, "kind", "command"))


class ComponentSpec(SpecModel):
    """A step that other files use, with typed inputs and outputs, and a version of its own."""

    penstock: Literal["v1"] = Field(description="The language's version.")
    kind: Literal["component"] = Field(description="A step for other files to use.")
    name: Name = Field(description="What it is called where components are listed.")
    version: str = Field("", description="The component's own version, in quotes.", examples=["1"])
    display_name: str = Field("", description="What consoles show instead of the name.")
    description: str = Field("", description="What it does, in a sentence.")
    tags: Tags = Field(
        default_factory=dict[str, str],
        description="Words to search by, as key and value.",
        examples=[{"team": "imaging"}],
    )
    inputs: dict[Name, ComponentInput] = Field(
        default_factory=dict[str, ComponentInput],
        description="Input → its type; the short form is the type alone.",
        examples=[{"data": "folder", "depth": {"type": "integer", "default": 4}}],
    )
    outputs: Outputs = Field(
        default_factory=dict,
        description="Output → its type.",
        examples=[{"model": "model", "report": "metrics"}],
    )
    environments: dict[Name, Environment] = Field(
        default_factory=dict[str, Environment],
        description="Looked up first; what is not here comes from the pipeline that uses the component.",
    )
    step: Annotated[
        Annotated[ComponentCommand, Tag("command")] | Annotated[ComponentTrain, Tag("train")],
        Discriminator(_kind),
    ] = Field(description="The command, and how it runs.")
