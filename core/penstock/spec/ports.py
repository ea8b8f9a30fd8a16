"""Parameters, datasets, and what goes into and comes out of a step."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from penstock.spec.structure import Name, Scalar, SpecModel, fault

ScalarType = Literal["string", "integer", "number", "boolean"]
ArtifactType = Literal["file", "folder", "table", "model", "metrics"]
PortType = Literal["string", "integer", "number", "boolean", "file", "folder", "table", "model", "metrics"]


def _file_name(value: str) -> str:
    if (
        value in ("", ".", "..")
        or "/" in value
        or "\\" in value
        or "\0" in value
        or len(value.encode()) > 200
    ):
        raise fault(
            "P207", f"'{value}' is not a file name", "one name without folders, such as evaluation.json"
        )
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/") or "\0" in value:
        raise fault("P207", f"'{value}' is not an absolute path", "for example /opt/ml/processing/test")
    return value


FileName = Annotated[str, AfterValidator(_file_name)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]


class Parameter(SpecModel):
    """A scalar that the caller may set at start; without a default the caller must."""

    type: ScalarType = Field(description="Which values it takes.")
    default: Scalar | None = Field(None, description="The value where the caller gives none.")
    enum: list[Scalar] = Field(
        default_factory=list[Scalar], min_length=1, description="The only values allowed."
    )
    minimum: float | None = Field(None, description="The least value, itself included.")
    maximum: float | None = Field(None, description="The greatest value, itself included.")
    pattern: str = Field("", description="A regular expression that the whole string must match.")
    description: str = Field("", description="What it is for.")
    display_name: str = Field("", description="What consoles show instead of the name.")


class Dataset(SpecModel):
    """Data from outside. Without `path` and `uri` it is a slot that the caller fills with `-d NAME=PATH`."""

    type: ArtifactType = Field(description="What it is.")
    path: str = Field("", min_length=1, description="A file or folder, relative to this spec.")
    uri: str | dict[str, str] = Field(
        "", description="Where the data stands on a cloud, or one address a target."
    )
    version: str = Field("", description="The data's own version, in quotes.")
    optional: bool = Field(False, description="May stay unfilled; only an optional input may bind it.")
    description: str = Field("", description="What it holds.")
    display_name: str = Field("", description="What consoles show instead of the name.")
    tags: dict[str, str] = Field(
        default_factory=dict[str, str], description="Words to search by, as key and value."
    )


class InputBinding(SpecModel):
    """What a step's input is bound to. The short form is the value alone."""

    value: Scalar = Field(description="An expression, text with expressions inside, or a literal.")
    type: PortType | None = Field(
        None, description="The step's view, where it is wider: a model as a folder."
    )
    at: AbsolutePath | None = Field(None, description="A fixed path under which the step wants to find it.")
    mode: Literal["mount", "download", "direct", "stream"] | None = Field(
        None, description="How a cloud delivers it; the target's own way if absent."
    )
    content_type: str = Field(
        "", description="The media type that a channel announces.", examples=["text/csv"]
    )
    shard: bool = Field(False, description="Divide the files over the machines of the step.")
    packed: bool = Field(False, description="Hand over the archive itself (`model.tar.gz`).")
    optional: bool = Field(False, description="May stay unbound where its dataset is optional.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"value": value} if isinstance(value, str | int | float | bool) else value


class OutputDeclaration(SpecModel):
    """An artifact that a step writes. The short form is the type alone."""

    type: ArtifactType = Field(description="What it is.")
    file: FileName | None = Field(None, description="Name of the file; the port's own name where absent.")
    description: str = Field("", description="What it holds.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


Inputs = dict[Name, InputBinding]
Outputs = dict[Name, OutputDeclaration]
