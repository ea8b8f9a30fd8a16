"""A spec as the shortest document that means the same: short forms, no defaults, keys in the language's order."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from penstock.spec.execution import Compute
from penstock.spec.items import Over, Range
from penstock.spec.pipeline import PipelineSpec
from penstock.spec.ports import InputBinding, OutputDeclaration
from penstock.spec.search import Dimension
from penstock.spec.steps import NativeOutput, StepHead

_SHORT: dict[type[BaseModel], str] = {
    InputBinding: "value",
    OutputDeclaration: "type",
    NativeOutput: "type",
    Dimension: "enum",
    Range: "stop",
}
"""Models that may be written as one value, and which of their keys that is."""

_BY_PRESENCE = (Compute, Over)
"""Models where a key that is written counts, even with its default."""

_ORDER = (
    "penstock kind name version display_name description owner tags goal parameters datasets environments "
    "defaults conditions steps outputs options"
)
_STEP_ORDER = (
    "kind display_name description tags when after uses model name data metrics approval message over parallel "
    "tolerate run code inputs outputs serving search_space sampling seed objective limits early_stopping local "
    "environment compute env retry timeout cache checkpoint"
)


def compact(spec: PipelineSpec) -> dict[str, Any]:
    """Give the document; `PipelineSpec.model_validate` makes an equal spec of it."""
    return cast("dict[str, Any]", _short(spec))


def _short(value: object) -> Any:
    if isinstance(value, BaseModel):
        return _model(value)
    if isinstance(value, dict):
        return {key: _short(each) for key, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_short(each) for each in cast("list[object]", value)]
    return value


def _model(model: BaseModel) -> Any:
    kind = type(model)
    found: dict[str, Any] = {}
    for name in _ordered(model):
        field = kind.model_fields[name]
        value: object = getattr(model, name)
        if _is_said(model, name, field, value):
            if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 and _is_number(field):
                value = int(value)
            found[field.alias or name] = _short(value)
    found |= _short(model.__pydantic_extra__ or {})
    if "options" in found:
        # Behind the bodies of a native step.
        found["options"] = found.pop("options")
    short = _SHORT.get(kind)
    return found[short] if short and list(found) == [short] else found


def _ordered(model: BaseModel) -> list[str]:
    names = list(type(model).model_fields)
    order = (
        _ORDER if isinstance(model, PipelineSpec) else _STEP_ORDER if isinstance(model, StepHead) else names
    )
    return sorted(names, key=lambda each: order.index(each) if each in order else len(order))


def _is_said(model: BaseModel, name: str, field: FieldInfo, value: object) -> bool:
    if field.is_required() or (isinstance(model, PipelineSpec) and name == "kind"):
        return True
    if isinstance(model, _BY_PRESENCE):
        return name in model.model_fields_set
    default: object = field.get_default(call_default_factory=True)
    return value != default or type(value) is not type(default)


def _is_number(field: FieldInfo) -> bool:
    """Tell whether a whole number may be written without its point: where no other type could be meant."""
    return str(field.annotation) in (str(float), str(float | None))
