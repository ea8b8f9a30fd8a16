"""The language as JSON Schema, from the models themselves; `specs/schema.json` is a copy that tests compare.

Editors complete and check with it, so it is written for them: one schema for every kind of file, told apart by
`kind`; short forms beside long ones; no `null`, since an empty key is a slip; names and quantities by their patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from penstock.spec.component import ComponentSpec
from penstock.spec.pipeline import PipelineSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS = ("pipeline", "component", "tests")
_REF = "#/$defs/"

_SCALAR = {"type": ["string", "number", "boolean"]}
_SHORT: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "InputBinding": lambda _: _SCALAR,
    "OutputDeclaration": lambda long: long["properties"]["type"],
    "NativeOutput": lambda long: long["properties"]["type"],
    "ComponentInput": lambda long: long["properties"]["type"],
    "Dimension": lambda long: long["properties"]["enum"],
    "Range": lambda long: long["properties"]["stop"],
}
"""Models that may be written in short, and what stands for the whole mapping then."""

_VALUES = ("default", "examples", "const", "enum")
_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "Over": ("items", "range", "files", "table"),
    "TuneStep": ("run", "uses"),
    "MapStep": ("run", "uses"),
}
"""Models that take exactly one of some keys."""


def json_schema(kind: str = "") -> dict[str, Any]:
    """Give the schema of every kind of file, or of one: `pipeline`, `component` or `tests`."""
    from penstock.testing.spec import TestsSpec

    models: dict[str, type[BaseModel]] = {
        "pipeline": PipelineSpec,
        "component": ComponentSpec,
        "tests": TestsSpec,
    }
    wanted = {kind: models[kind]} if kind else models
    refs, found = models_json_schema([(each, "validation") for each in wanted.values()])
    definitions = {name: _definition(name, each) for name, each in found["$defs"].items()}
    head = {"$schema": DIALECT, "title": f"Penstock {kind or 'file'}, v1"}
    if kind:
        return {**head, **refs[models[kind], "validation"], "$defs": definitions}
    by_kind = [
        _when(
            {
                "properties": {"kind": {"const": each}},
                **({"required": ["kind"]} if each != "pipeline" else {}),
            },
            refs[model, "validation"],
        )
        for each, model in models.items()
    ]
    kinds = {"enum": list(KINDS), "default": "pipeline", "description": "What the file holds."}
    return {
        **head,
        "type": "object",
        "required": ["penstock"],
        "properties": {"penstock": {"const": "v1", "description": "The language's version."}, "kind": kinds},
        "allOf": by_kind,
        "$defs": definitions,
    }


def _definition(name: str, given: dict[str, Any]) -> dict[str, Any]:
    long = _tidy(given)
    if name in _ONE_OF:
        long["oneOf"] = [{"required": [key]} for key in _ONE_OF[name]]
    if name not in _SHORT:
        return long
    short = {key: value for key, value in _SHORT[name](long).items() if key not in ("default", "description")}
    head: dict[str, Any] = {key: long.pop(key) for key in ("title", "description") if key in long}
    return {**head, "anyOf": [short, long]}


def _tidied(value: Any, *, named: bool = False) -> Any:
    if isinstance(value, list):
        return [_tidied(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return _tidy(cast("dict[str, Any]", value), named=named) if isinstance(value, dict) else value


def _tidy(given: dict[str, Any], *, named: bool = False) -> dict[str, Any]:
    """Rewrite what pydantic gives for the eyes of an editor; `named` are mappings of keys to their schemas."""
    if named:
        return {key: _tidied(_untitled(each)) for key, each in given.items()}
    made: dict[str, Any] = {
        key: each if key in _VALUES else _tidied(each, named=key == "properties")
        for key, each in given.items()
        # What stands for nothing written is nothing that an editor should write.
        if not (key == "default" and each in (None, ""))
    }
    if {"type": "null"} in made.get("anyOf", ()):
        made = _without_null(made)
    if "patternProperties" in made:
        ((pattern, each),) = made.pop("patternProperties").items()
        made |= {"propertyNames": {"pattern": pattern}, "additionalProperties": each}
    if _is_step(made):
        return {**{key: each for key, each in made.items() if key != "oneOf"}, **_step(made["oneOf"])}
    return made


def _untitled(given: Any) -> Any:
    """Drop the title that pydantic makes of a key: it says what the key says."""
    return {key: each for key, each in given.items() if key != "title"}


def _without_null(given: dict[str, Any]) -> dict[str, Any]:
    left = [each for each in given["anyOf"] if each != {"type": "null"}]
    kept = {key: each for key, each in given.items() if key != "anyOf"}
    return {**kept, "anyOf": left} if len(left) > 1 else {**left[0], **kept}


def _is_step(given: dict[str, Any]) -> bool:
    return any(
        each.get("$ref", "").startswith((f"{_REF}TrainStep", f"{_REF}ComponentTrain"))
        for each in given.get("oneOf", ())
    )


def _step(choices: list[dict[str, str]]) -> dict[str, Any]:
    """Tell steps apart by `kind` and `uses`, so that an editor speaks of the one that is meant."""
    refs = {
        each["$ref"].removeprefix(_REF).removeprefix("Component").removesuffix("Step"): each
        for each in choices
    }
    found: list[dict[str, Any]] = []
    kinds = [name.lower() for name in refs if name != "Uses"]
    for name, ref in refs.items():
        test: dict[str, Any]
        match name:
            case "Uses":
                test = {"required": ["uses"], "properties": {"kind": {"enum": ["command", "train"]}}}
            case "Command" | "Train":
                test = {"properties": {"kind": {"const": name.lower()}}}
                if "Uses" in refs:
                    test["not"] = {"required": ["uses"]}
                if name == "Train":
                    test["required"] = ["kind"]
            case _:
                test = {"required": ["kind"], "properties": {"kind": {"const": name.lower()}}}
        found.append(_when(test, ref))
    kind = {"enum": kinds, "default": "command", "description": "What kind of step this is."}
    return {"type": "object", "properties": {"kind": kind}, "allOf": found}


def _when(test: dict[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": test, "then": then}


__all__ = ["DIALECT", "KINDS", "json_schema"]
