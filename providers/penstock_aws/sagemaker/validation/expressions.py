"""The three expressions of a definition: `Get`, `Std:Join` and `Std:JsonGet`, checked from the outside in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from penstock_aws.sagemaker.validation.findings import (
    DEPTH,
    LIMIT,
    SHAPE,
    STRUCTURE,
    is_expression,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.references import ANY, check_get, check_property_file
from penstock_aws.sagemaker.validation.samples import check_sample

if TYPE_CHECKING:
    from penstock_aws.sagemaker.validation.shapes import Shape
    from penstock_aws.sagemaker.validation.walk import Walk

EXPRESSIONS = ("Get", "Std:Join", "Std:JsonGet")

COMPOUND = frozenset({"list", "map", "structure"})

_SLOTS = {"double": "float", "long": "integer"}
_CONVERTED = {("integer", "float"), ("string", "timestamp")}
FREE_DEPTH = 200


def check(value: dict[str, Any], walk: Walk, depth: int = 0) -> str:
    """Check an expression, note the steps it waits for, and give the kind of its value."""
    (name,) = value
    body = value[name]
    walk.path.append(name)
    try:
        if depth > DEPTH:
            walk.report(
                LIMIT, f"has expressions nested more than {DEPTH} levels deep, which are not followed"
            )
            return ANY
        if name == "Get":
            if isinstance(body, str):
                return check_get(body, walk)
            walk.report(SHAPE, f"has {shown(body)} in {walk.place()}, where text is expected")
            return ANY
        if name == "Std:Join":
            return _join(body, walk, depth)
        if name == "Std:JsonGet":
            return _json_get(body, walk, depth)
        hint = walk.did_you_mean(name, EXPRESSIONS, "expressions")
        walk.report(
            SHAPE, f"has an unknown expression in {walk.place()}; there are {listed(EXPRESSIONS)}", hint
        )
        return ANY
    finally:
        walk.path.pop()


def check_in_slot(value: dict[str, Any], slot: Shape, walk: Walk) -> None:
    """Check an expression, and whether its value can stand where `slot` is expected."""
    kind = check(value, walk)
    wanted = _SLOTS.get(slot.kind, slot.kind)
    if kind == ANY or wanted == ANY:
        return
    if kind != wanted and (kind, wanted) not in _CONVERTED:
        said = f"has an expression for {_word(kind)} in {walk.place()}, where {slot.expected} is expected"
        if kind in COMPOUND or wanted in COMPOUND:
            walk.report(SHAPE, said)
            return
        hint = 'a Std:Join with "On": "" makes text of it' if wanted == "string" else ""
        walk.report(SHAPE, f"{said}; the service may not convert it", hint, warning=True)
    elif wanted not in COMPOUND:
        check_sample(value, slot, walk)


def check_inside(value: Any, walk: Walk) -> None:
    """Check every expression in a value without a shape. Iterative, as such values may be deep."""
    outer = walk.path
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        item, inner = waiting.pop()
        walk.path = [*outer, *inner]
        if is_expression(item):
            check(item, walk)
        elif len(inner) > FREE_DEPTH:
            walk.report(LIMIT, f"nests objects and lists more than {FREE_DEPTH} levels deep{walk.inside()}")
        elif is_object(item):
            for key in item:
                if isinstance(key, str):
                    waiting.append((item[key], (*inner, key)))
                else:
                    walk.report(SHAPE, f"has {shown(key)} as a key in {walk.place()}, where text is expected")
        elif is_list(item):
            waiting += [(each, (*inner, index)) for index, each in enumerate(item)]
        elif not _is_scalar(item):
            walk.report(SHAPE, f"has {shown(item)} in {walk.place()}, for which JSON has no form")
    walk.path = outer


def _is_scalar(value: object) -> bool:
    return (
        value is None or isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))
    )


def _join(body: Any, walk: Walk, depth: int) -> str:
    if not _members(body, ("Values",), ("On",), walk):
        return "string"
    if not isinstance(body.get("On", ""), str):
        walk.report(
            SHAPE, f"has {shown(body['On'])} in {walk.place()}.On, where text is expected", at=("On",)
        )
    values = body.get("Values")
    if not is_list(values):
        if "Values" in body:
            walk.report(
                SHAPE,
                f"has {shown(values)} in {walk.place()}.Values, where a list is expected",
                at=("Values",),
            )
        return "string"
    walk.path.append("Values")
    for index, each in enumerate(values):
        if isinstance(each, str):
            continue
        walk.path.append(index)
        if is_expression(each):
            if check(each, walk, depth + 1) in COMPOUND:
                walk.report(SHAPE, f"joins something that is no single value in {walk.place()}")
        elif not isinstance(each, (bool, int, float)):
            walk.report(
                SHAPE, f"joins {shown(each)} in {walk.place()}, where text or an expression is expected"
            )
        walk.path.pop()
    walk.path.pop()
    return "string"


def _json_get(body: Any, walk: Walk, depth: int) -> str:
    if not _members(body, ("Path",), ("PropertyFile", "S3Uri"), walk):
        return ANY
    if "Path" in body and not (isinstance(body["Path"], str) and body["Path"]):
        walk.report(
            SHAPE,
            f"has {shown(body['Path'])} in {walk.place()}.Path, where a JSON path is expected",
            at=("Path",),
        )
    if ("PropertyFile" in body) == ("S3Uri" in body):
        walk.report(SHAPE, f"needs exactly one of PropertyFile and S3Uri in {walk.place()}")
    if "PropertyFile" in body:
        _property_file(body["PropertyFile"], walk)
    if "S3Uri" in body:
        _s3_uri(body["S3Uri"], walk, depth)
    return ANY


def _property_file(value: Any, walk: Walk) -> None:
    walk.path.append("PropertyFile")
    if is_object(value) and list(value) == ["Get"] and isinstance(value["Get"], str):
        walk.path.append("Get")
        check_property_file(value["Get"], walk)
        walk.path.pop()
    else:
        said = f"has {shown(value)} in {walk.place()}, where a Get of a property file is expected"
        walk.report(SHAPE, said, 'write {"Get": "Steps.<name>.PropertyFiles.<property file>"}')
    walk.path.pop()


def _s3_uri(value: Any, walk: Walk, depth: int) -> None:
    walk.path.append("S3Uri")
    if is_expression(value):
        check(value, walk, depth + 1)
    elif not isinstance(value, str):
        walk.report(SHAPE, f"has {shown(value)} in {walk.place()}, where text or an expression is expected")
    walk.path.pop()
    step = walk.step
    if step is not None and not step.body.get("DependsOn") and step.name not in walk.document.needs:
        said = f"reads JSON from S3 in {walk.place()} without waiting for the step that writes it"
        walk.report(STRUCTURE, said, "name that step in DependsOn", warning=True)


def _members(body: Any, required: tuple[str, ...], optional: tuple[str, ...], walk: Walk) -> bool:
    if not is_object(body):
        walk.report(SHAPE, f"has {shown(body)} in {walk.place()}, where an object is expected")
        return False
    for key in body:
        if key not in required and key not in optional:
            known = sorted((*required, *optional))
            hint = walk.did_you_mean(key, known, "expression members") if isinstance(key, str) else ""
            walk.report(
                SHAPE, f"has an unknown key {shown(key)} in {walk.place()}; allowed are {listed(known)}", hint
            )
    for key in required:
        if key not in body:
            walk.report(SHAPE, f"lacks {key!r} in {walk.place()}")
    return True


def _word(kind: str) -> str:
    words = {
        "boolean": "true or false",
        "float": "a number",
        "integer": "a whole number",
        "list": "a list",
        "map": "a map",
        "string": "text",
        "structure": "a structure",
        "timestamp": "a time",
    }
    return words.get(kind, kind)
