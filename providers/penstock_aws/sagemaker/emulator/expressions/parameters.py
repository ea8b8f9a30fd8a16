"""The values of a definition's parameters for one execution, read as StartPipelineExecution reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.frozen import dataclass
from penstock.suggest import closest, nearest
from penstock_aws.sagemaker.emulator.expressions.coercion import as_text, number, truth, whole
from penstock_aws.sagemaker.validation.findings import is_list, is_object, listed, shown

_LONGEST_NAME = 256
_LONGEST_VALUE = 1024
"""What a start takes. A default may be longer."""

_EXPECTED = {
    "Boolean": "true or false",
    "Float": "a number",
    "Integer": "a whole number",
    "String": "text",
}


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """Why an execution cannot start with a parameter as it is."""

    name: str
    message: str
    hint: str


def read_parameters(
    declared: Sequence[Mapping[str, Any]], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[ParameterFault]]:
    """Give the typed value of every parameter, and all that is wrong with them.

    A start gives values as text; one that is not text is taken as the text that it has. The value of a Float is
    a float, whether it was written with a fraction or without: its text does not hang on where it came from.

    Args:
        declared: the definition's `Parameters`.
        given: name → value.

    """
    values: dict[str, Any] = {}
    faults: list[ParameterFault] = []
    rows = {each["Name"]: each for each in _rows(declared)}
    for name in given:
        if name not in rows:
            hint = nearest(name, rows, "declared parameters")
            faults.append(ParameterFault(name, f"there is no parameter {shown(name)}", hint))
    for name, row in rows.items():
        found = _given(name, row, given[name]) if name in given else _default(name, row)
        if isinstance(found, ParameterFault):
            faults.append(found)
        else:
            values[name] = found
    return values, faults


def _rows(declared: Any) -> Iterator[Mapping[str, Any]]:
    for each in declared if is_list(declared) else ():
        if is_object(each) and isinstance(each.get("Name"), str):
            yield each


def _given(name: str, row: Mapping[str, Any], value: Any) -> Any:
    written = as_text(value)
    kind = _kind(row)
    if len(name) > _LONGEST_NAME:
        return ParameterFault(
            name, f"the name {shown(name)} has {len(name)} characters; a start takes {_LONGEST_NAME}", ""
        )
    if written is None:
        return _unfit(name, kind, value)
    if len(written) > _LONGEST_VALUE:
        said = f"parameter {shown(name)} has {len(written)} characters; a start takes {_LONGEST_VALUE}"
        hint = "a default may be longer" if kind == "String" else ""
        return ParameterFault(name, said, hint)
    match kind:
        case "Boolean":
            found: Any = truth(written)
        case "Float":
            found = number(written)
        case "Integer":
            found = whole(written)
        case _:
            found = written
    return _unfit(name, kind, written) if found is None else _among(name, row, found)


def _default(name: str, row: Mapping[str, Any]) -> Any:
    value, kind = row.get("DefaultValue"), _kind(row)
    if value is None:
        said = f"parameter {shown(name)} has no default and no value"
        return ParameterFault(name, said, f"give it {_EXPECTED[kind]}")
    fits = {
        "Boolean": isinstance(value, bool),
        "Float": isinstance(value, (int, float)) and not isinstance(value, bool),
        "Integer": isinstance(value, int) and not isinstance(value, bool),
        "String": isinstance(value, str),
    }[kind]
    # What has no text is a number that no start could give: infinite, or with hundreds of digits.
    if not fits or as_text(value) is None:
        said = f"parameter {shown(name)} takes {_EXPECTED[kind]}; its default is {shown(value)}"
        return ParameterFault(name, said, "")
    return float(value) if kind == "Float" else _among(name, row, value)


def _among(name: str, row: Mapping[str, Any], value: Any) -> Any:
    allowed = row.get("EnumValues")
    if _kind(row) != "String" or not is_list(allowed) or value in allowed:
        return value
    words = [each for each in allowed if isinstance(each, str)]
    said = f"parameter {shown(name)} is {shown(value)}; allowed are {listed(words)}"
    near = closest(value, words)
    return ParameterFault(name, said, f"did you mean {shown(near)}?" if near else "")


def _kind(row: Mapping[str, Any]) -> str:
    kind = row.get("Type")
    return kind if isinstance(kind, str) and kind in _EXPECTED else "String"


def _unfit(name: str, kind: str, value: Any) -> ParameterFault:
    said = f"parameter {shown(name)} takes {_EXPECTED[kind]}, not {shown(value)}"
    return ParameterFault(name, said, "")
