"""Pydantic's findings in the user's words: one diagnostic a mistake, with the nearest key or value named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.suggest import nearest

_KINDS = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
}
_FOREIGN = {
    "command": "run",
    "comand": "run",
    "cmd": "run",
    "script": "run",
    "depends_on": "after",
    "needs": "after",
    "if": "when",
    "condition": "when",
    "jobs": "steps",
    "tasks": "steps",
    "params": "parameters",
    "resources": "compute",
    "env_vars": "env",
    "environment_variables": "env",
    "retries": "retry",
}
"""Keys that other tools have for the same thing."""

_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_BOUND_WORDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


def diagnose(found: ValidationError, model: type[BaseModel], value: object) -> list[Diagnostic]:
    """Turn a validation error over `value` into diagnostics whose paths lead into the document."""
    grouped: dict[tuple[Path, bool], list[ErrorDetails]] = {}
    for each in found.errors(include_url=False, include_context=True):
        path = _document_path(each, value)
        of_type = each["type"] in _KINDS
        grouped.setdefault((path, of_type), []).append(each)
    inner = {path[:depth] for path, _ in grouped for depth in range(len(path))}
    diagnostics: list[Diagnostic] = []
    for (path, of_type), errors in grouped.items():
        if not of_type:
            diagnostics += _each(path, errors, model)
        elif path not in inner:
            # Else the value has the form of one member of a union, whose own faults say more.
            diagnostics += _wrong_type(path, errors)
    return list(_without_renamed(diagnostics))


def _without_renamed(found: list[Diagnostic]) -> Iterator[Diagnostic]:
    """Leave out that a key is missing where an unknown one beside it is that key, misspelt."""
    misspelt = {
        (each.at.path[:-1], match[1])
        for each in found
        if each.code == "P201" and (match := re.search("did you mean '([^']*)'", each.hint))
    }
    for each in found:
        missing = re.search("lacks '([^']*)'", each.message) if each.code == "P202" else None
        if missing is None or (each.at.path, missing[1]) not in misspelt:
            yield each


def _document_path(found: ErrorDetails, value: object) -> Path:
    """Keep of pydantic's location what the document has; union members and tags go."""
    path: list[str | int] = []
    location = [part for part in found["loc"] if part != "[key]"]
    here = value
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(here, Mapping):
            inside = cast("Mapping[object, object]", here)
            if part in inside:
                path.append(part)
                here = inside[part]
            elif last and found["type"] == "missing":
                path.append(part)
        elif isinstance(here, list) and isinstance(part, int):
            entries = cast("list[object]", here)
            path.append(part)
            here = entries[part] if part < len(entries) else None
    return tuple(path)


def _wrong_type(path: Path, errors: Sequence[ErrorDetails]) -> Iterator[Diagnostic]:
    kinds = list(dict.fromkeys(_KINDS[each["type"]] for each in errors))
    if "a number" in kinds and "a whole number" in kinds:
        kinds.remove("a whole number")
    wanted = " or ".join(kinds)
    given = cast("object", errors[0]["input"])
    hint = _type_hint(wanted, given)
    yield error("P203", f"{_key(path)} takes {wanted}, not {_describe(given)}", At(path), hint)


def _type_hint(wanted: str, given: object) -> str:
    if given is None:
        return "the value is missing: write it after the colon, or remove the key"
    if "text" in wanted and isinstance(given, int | float | bool):
        return f'put it in quotes: "{_yaml(given)}"'
    if isinstance(given, str) and "number" in wanted and _is_number(given):
        return f"without quotes: {given}"
    if "a mapping" in wanted and isinstance(given, list):
        return "write 'name: value' lines, without dashes"
    if "a mapping" in wanted:
        return "write 'name: value' lines below it, or {name: value}"
    if "a list" in wanted:
        return "write a list: [a, b]" if isinstance(given, Mapping) else f"write a list: [{_shown(given)}]"
    if "number" in wanted:
        return "write a number, without quotes or a unit"
    if "true or false" in wanted and "text" not in wanted:
        return "write true or false, without quotes"
    return "write one value here"


def _each(path: Path, errors: Sequence[ErrorDetails], model: type[BaseModel]) -> Iterator[Diagnostic]:
    whole = "component" if "step" in model.model_fields else "pipeline"
    for each in errors:
        kind, context = each["type"], each.get("ctx", {})
        name, last = _key(path), path[-1] if path else ""
        match kind:
            case "extra_forbidden":
                known = _keys(model, each["loc"][:-1])
                owner = _key(path[:-1]) if len(path) > 1 else f"a {whole}"
                at = At(path, key=True)
                same = _FOREIGN.get(str(last), "")
                hint = nearest(same if same in known else str(last), known, "known keys")
                yield error("P201", f"{owner} has no key '{_shown(last)}'", at, hint)
            case "missing":
                owner = _key(path[:-1]) if len(path) > 1 else f"the {whole}"
                yield error("P202", f"{owner} lacks '{last}'", At(path[:-1], key=True), f"add '{last}:'")
            case "literal_error" | "enum":
                known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
                given = each["input"]
                hint = nearest(str(given), known, "allowed")
                yield error("P204", f"{name} cannot be {_describe(given)}", At(path), hint)
            case "union_tag_invalid":
                # A tag with a colon is no word that may be written.
                tags = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
                known = [each for each in tags if ":" not in each]
                tag = str(context.get("tag", ""))
                hint = nearest(tag, known, "step kinds")
                yield error("P204", f"{name} has the unknown kind '{tag}'", At((*path, "kind")), hint)
            case "too_short" | "string_too_short":
                yield error("P202", f"{name} is empty", At(path, key=True), "write at least one")
            case "too_long":
                most = f"at most {context['max_length']:,}"
                yield error("P207", f"{name} holds too many", At(path, key=True), most)
            case "string_pattern_mismatch":
                hint = "letters, digits and _, not beginning with a digit"
                yield error("P205", f"{name} cannot be {_describe(each['input'])}", At(path), hint)
            case _ if kind in _BOUNDS:
                bound = _BOUNDS[kind]
                limit = f"{_BOUND_WORDS[bound]} {context.get(bound)}"
                yield error("P207", f"{name} of {_describe(each['input'])} is out of bounds", At(path), limit)
            case _ if re.fullmatch(r"P\d{3}", kind):
                at = At(path, key="[key]" in each["loc"])
                if context.get("key"):
                    at = At((*path, str(context["key"])), key=True)
                yield error(kind, str(context["message"]), at, str(context.get("hint", "")))
            case "finite_number":
                given = _describe(each["input"])
                yield error("P207", f"{name} cannot be {given}", At(path), "write a finite number")
            case _:
                hint = "see `penstock schema` for what can stand here"
                yield error("P203", f"{name}: {each['msg'].lower()}", At(path), hint)


def _key(path: Path) -> str:
    """Name a place for the middle of a sentence."""
    if not path:
        return "the document"
    last = path[-1]
    if isinstance(last, int):
        return f"entry {last + 1} of '{_shown(path[-2])}'" if len(path) > 1 else f"entry {last + 1}"
    if len(path) == 2 and path[0] in ("steps", "parameters", "datasets", "environments", "conditions"):
        return f"{str(path[0])[:-1]} '{_shown(path[1])}'"
    if len(path) == 4 and path[2] in ("inputs", "outputs"):
        return f"{str(path[2])[:-1]} '{_shown(path[3])}'"
    return f"'{_shown(last)}'"


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{_shown(value)}'" if isinstance(value, str) else _shown(value)


def _shown(value: object) -> str:
    shown = " ".join(_yaml(value).split())
    return shown if len(shown) <= 60 else shown[:57] + "…"


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _keys(annotation: Any, location: Sequence[str | int]) -> list[str]:
    """Follow pydantic's location through the models' annotations and give the keys allowed there."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not location:
            return list(annotation.model_fields)
        field = annotation.model_fields.get(str(location[0]))
        if field is None:
            return []
        # FieldInfo keeps Annotated's metadata apart; the discriminated union is found in either form.
        return _keys(field.annotation, location[1:])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        tags = [each.tag for each in arguments[1:] if isinstance(each, Tag)]
        if tags:
            return _keys(arguments[0], location[1:]) if location and location[0] == tags[0] else []
        return _keys(arguments[0], location)
    if origin in (Union, UnionType):
        for each in arguments:
            named = getattr(each, "__name__", "")
            rest = location[1:] if location and location[0] == named else location
            found = _keys(each, rest)
            if found:
                return found
        return []
    if origin is dict and location:
        return _keys(arguments[1], location[1:])
    if origin is list and location:
        return _keys(arguments[0], location[1:])
    if origin is Literal or not location:
        return []
    return []
