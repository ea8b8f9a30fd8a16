"""What all spec models share: strictness, names, and faults in the user's words."""

from __future__ import annotations

import re
from typing import Annotated, Any, LiteralString

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
PIPELINE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


class SpecModel(BaseModel):
    """Frozen, strict, and closed: a key that the language does not have is an error, never ignored."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        protected_namespaces=(),
        allow_inf_nan=False,
        defer_build=True,
    )


def fault(code: LiteralString, message: str, hint: str = "", key: str = "") -> PydanticCustomError:
    """Make a validation error that the loader shows as the diagnostic `code`, at `key` of the value if given."""
    # Braces would be read as template fields of pydantic's own message formatting.
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint, "key": key})


def published(pattern: re.Pattern[str]) -> WithJsonSchema:
    """Let the JSON Schema hold a text to a pattern, which a validator of ours reports in the user's words."""
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern.pattern})$"})


def _name(value: str) -> str:
    if NAME.fullmatch(value):
        return value
    raise fault("P205", f"'{_shown(value)}' is not a name", _name_hint(value))


def _pipeline_name(value: str) -> str:
    if PIPELINE_NAME.fullmatch(value):
        return value
    raise fault("P205", f"'{_shown(value)}' is not a pipeline name", _name_hint(value))


def _model_name(value: str) -> str:
    if PIPELINE_NAME.fullmatch(value):
        return value
    raise fault("P205", f"'{_shown(value)}' is not a model name", _name_hint(value))


def _shown(value: str) -> str:
    return value if len(value) <= 70 else value[:67] + "…"


def _name_hint(value: str) -> str:
    rule = "names begin with a letter; then letters, digits and _ follow, 63 characters at most"
    mended = re.sub(r"[^A-Za-z0-9_]+", "_", value).strip("_")[:63]
    if mended and not mended[0].isalpha():
        mended = f"x_{mended}"[:63]
    return f"{rule}: for example '{mended}'" if NAME.fullmatch(mended) else rule


Name = Annotated[str, AfterValidator(_name), published(NAME)]
"""The name of a step, port, parameter, dataset, condition or environment."""

PipelineName = Annotated[str, AfterValidator(_pipeline_name), published(PIPELINE_NAME)]
"""The name of a pipeline: hyphens are allowed too."""

ModelName = Annotated[str, AfterValidator(_model_name), published(PIPELINE_NAME)]
"""The name of a registered model, in the form of a pipeline's."""

Tags = dict[str, str]

Scalar = str | int | float | bool

Json = Any
"""A value that goes into a target's document as it is; the target's own model checks it."""
