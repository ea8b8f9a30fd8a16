"""What a component's input, or a nested pipeline's parameter, allows: held against all that may be bound to it.

Values are checked themselves. A parameter that is bound has to promise at least as much by its own declaration:
nothing further in looks at the value again when a run starts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.diagnostics import At, Diagnostic, Path, error, warning
from penstock.expressions.nodes import Expression, Literal, ParameterRef, Scalar
from penstock.ir import Item, Parameter
from penstock.parameters import fault_of
from penstock.passes import declarations
from penstock.passes.building.jobs import JobReader
from penstock.spec.component import ComponentInput
from penstock.spec.ports import Parameter as Declared
from penstock.spec.search import Dimension


def allowed(name: str, declared: ComponentInput) -> Parameter:
    """Write what a scalar input of a component allows as a parameter."""
    kind: Any = declared.type
    return declarations.parameter(
        name,
        Declared.model_construct(
            type=kind,
            default=None,
            enum=declared.enum,
            minimum=declared.minimum,
            maximum=declared.maximum,
            pattern="",
            description="",
            display_name="",
        ),
    )


def check_bound(reader: JobReader, limits: Parameter, value: Expression, at: At) -> None:
    """Check what a step binds: a value, or a parameter of the pipeline that the step stands in."""
    found: Diagnostic | None = None
    match value:
        case Literal(given):
            found = check_value(limits, given, at)
        case ParameterRef(name) if name in reader.spec.parameters:
            parameter = declarations.parameter(name, reader.spec.parameters[name])
            if fault := _wider(parameter, limits):
                message = f"parameter '{name}' {fault}, which input '{limits.name}' does not take"
                hint = f"declare for '{name}' what '{limits.name}' allows: nothing checks it later"
                found = warning("P222", message, at, hint)
        case _:
            pass
    if found is not None:
        reader.found.append(found)


def check_items(reader: JobReader, limits: Parameter, items: Iterable[Item], field: str, path: Path) -> None:
    """Check what the written items of a map bring to an input; `path` leads to the list, or to a range."""
    for position, item in enumerate(items):
        value = item.fields.get(field) if field else item.value
        # A value of another type is said where edges are checked.
        if value is None or isinstance(value, str) != (limits.type == "string"):
            continue
        written = (position, field) if field else (position,)
        at = At((*path, *written) if path[-1] == "items" else path)
        if found := check_value(limits, value, at):
            reader.found.append(found)
            if path[-1] != "items":
                return


def check_dimension(reader: JobReader, limits: Parameter, space: Dimension, at: At) -> None:
    """Check that a search stays within what the input that it varies allows."""
    for each in (*space.enum, *(end for end in (space.minimum, space.maximum) if end is not None)):
        value = int(each) if limits.type == "integer" and type(each) is float and each == int(each) else each
        # A value of another type is said where dimensions are checked.
        if isinstance(value, str) == (limits.type == "string") and (found := check_value(limits, value, at)):
            reader.found.append(found)
            return


def check_value(limits: Parameter, value: Scalar, at: At) -> Diagnostic | None:
    """Check one value."""
    given = float(value) if limits.type == "number" and type(value) is int else value
    fault = fault_of(limits, given)
    if not fault:
        return None
    own = at.path[-1:] == ("default",)
    hint = "mend the default, or what the input declares" if own else "its declaration says what it takes"
    return error("P222", f"input '{limits.name}' {fault}", at, hint)


def _wider(given: Parameter, limits: Parameter) -> str:
    """Say what a parameter may be that is not allowed, as the middle of a sentence."""
    if given.enum:
        return next((fault for each in given.enum if (fault := fault_of(limits, each))), "")
    if limits.enum:
        return f"may be other than {', '.join(map(repr, limits.enum))}"
    low, high = limits.minimum, limits.maximum
    if low is not None and (given.minimum is None or given.minimum < low):
        return f"may be less than {low:g}"
    if high is not None and (given.maximum is None or given.maximum > high):
        return f"may be more than {high:g}"
    if limits.pattern and given.pattern != limits.pattern:
        return f"may be what does not match {limits.pattern}"
    return ""
