"""The published JSON Schema: whole, described, and of one mind with the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from pydantic import BaseModel, TypeAdapter
from tests.specs_for_tests import Shop

from penstock.source import read_source
from penstock.spec.component import ComponentSpec
from penstock.spec.pipeline import PipelineSpec
from penstock.spec.published import KINDS, json_schema
from penstock.spec.structure import SpecModel
from penstock.testing.spec import TestsSpec

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
MODELS = {"pipeline": PipelineSpec, "component": ComponentSpec, "tests": TestsSpec}
WHOLE = json_schema()
SHIPPED = sorted(
    each
    for each in SPECS.rglob("*.yaml")
    if not {"invalid", "fixtures", "data"} & set(each.relative_to(SPECS).parts)
    and "penstock" in (read_source(each).value or {})
)
WRONG_FORM = sorted(
    each
    for pattern in ("P201-*", "P203-*", "P205-*", "P115-*")
    for each in (SPECS / "invalid").glob(pattern + ".yaml")
    # Its mistake stands in the component that it uses.
    if each.stem != "P201-unknown-key-of-a-component"
)


def faults(schema: Any, value: Any, root: dict[str, Any] = WHOLE) -> Iterator[str]:
    """Hold a value against a schema; only the keywords that the published one has are known."""
    for key, told in schema.items():
        match key:
            case "$ref":
                yield from faults(root["$defs"][told.rpartition("/")[2]], value, root)
            case "allOf":
                for each in told:
                    yield from faults(each, value, root)
            case "anyOf" | "oneOf":
                fit = sum(not any(faults(each, value, root)) for each in told)
                if not fit or (key == "oneOf" and fit > 1):
                    yield f"{value!r:.60} fits {fit} forms"
            case "not":
                if not any(faults(told, value, root)):
                    yield f"{value!r:.60} is what it may not be"
            case "if":
                if not any(faults(told, value, root)):
                    yield from faults(schema["then"], value, root)
            case "type":
                if not any(of_type(each, value) for each in ([told] if isinstance(told, str) else told)):
                    yield f"{value!r:.60} is not of type {told}"
            case "const" | "enum":
                if value not in ([told] if key == "const" else told):
                    yield f"{value!r:.60} is not {told}"
            case _:
                yield from of_parts(key, told, value, schema, root)


def of_parts(key: str, told: Any, value: Any, schema: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
    match key, value:
        case "required", dict():
            yield from (f"{each} is missing" for each in told if each not in value)
        case "properties", dict():
            for name in told.keys() & value.keys():
                yield from faults(told[name], value[name], root)
        case "additionalProperties", dict():
            for name in value.keys() - schema.get("properties", {}).keys():
                yield from (
                    [f"{name} is unknown"]
                    if told is False
                    else faults(told or {}, value[name], root)
                    if (told is not True)
                    else []
                )
        case "propertyNames", dict():
            for name in cast("dict[str, Any]", value):
                yield from faults(told, name, root)
        case "items", list():
            for each in value:  # pyright: ignore[reportUnknownVariableType]
                yield from faults(told, each, root)
        case "pattern", str():
            yield from [] if re.search(told, value) else [f"{value} does not match {told}"]
        case (("minLength" | "minItems" | "minProperties"), (str() | list() | dict())):
            yield from [f"{value!r:.60} is too short"] if size(value) < told else []
        case (("maxLength" | "maxItems" | "maxProperties"), (str() | list() | dict())):
            yield from [f"{value!r:.60} is too long"] if size(value) > told else []
        case (("minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum"), (int() | float())):
            low = value < told if key == "minimum" else value <= told
            high = value > told if key == "maximum" else value >= told
            yield from [f"{value} is out of bounds"] if (low if "inimum" in key else high) else []
        case _:
            assert key in KNOWN, f"the schema has a keyword that is not looked at: {key}"


KNOWN = {
    *("$schema", "$defs", "title", "description", "default", "examples", "then"),
    *("required", "properties", "additionalProperties", "propertyNames", "items", "pattern"),
    *("minLength", "minItems", "minProperties", "maxLength", "maxItems", "maxProperties"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
}


def size(value: Any) -> int:
    return len(value)


def of_type(name: str, value: Any) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,),
        "array": (list,),
        "string": (str,),
        "boolean": (bool,),
        "integer": (int,),
        "number": (int, float),
    }
    return isinstance(value, kinds[name]) and (name == "boolean" or not isinstance(value, bool))


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give model, key and schema of every key of the language."""
    for name, definition in schema["$defs"].items():
        for each in (definition, *definition.get("anyOf", ())):
            for key, value in each.get("properties", {}).items():
                yield name, key, value


def models() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    left: list[type[BaseModel]] = [SpecModel]
    while left:
        for each in left.pop().__subclasses__():
            found[each.__name__] = each
            left.append(each)
    return found


def test_the_copy_in_specs_is_what_penstock_publishes(shop: Shop) -> None:
    assert json.loads((SPECS / "schema.json").read_text(encoding="utf-8")) == WHOLE
    assert json.loads(shop.cli("schema").stdout) == WHOLE


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_can_be_asked_for(kind: str, shop: Shop) -> None:
    schema = json.loads(shop.cli("schema", "--kind", kind).stdout)

    assert schema["$ref"].endswith(MODELS[kind].__name__)
    assert f"Penstock {kind}, v1" == schema["title"]


def test_every_key_is_described() -> None:
    assert len([*properties(WHOLE)]) > 150
    assert [(name, key) for name, key, each in properties(WHOLE) if not each.get("description")] == []


def test_every_kind_of_step_is_described() -> None:
    assert [name for name, each in WHOLE["$defs"].items() if not each.get("description")] == []


def test_nothing_is_null_and_no_empty_value_is_proposed() -> None:
    text = json.dumps(WHOLE)

    assert '"null"' not in text
    assert [key for _, key, each in properties(WHOLE) if each.get("default", 0) in (None, "")] == []


@pytest.mark.parametrize("name", sorted(models()))
def test_examples_are_what_the_model_takes(name: str) -> None:
    for key, field in models()[name].model_fields.items():
        taken: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        for example in field.examples or ():
            TypeAdapter(taken).validate_python(example)
            if name in WHOLE["$defs"]:
                definition = WHOLE["$defs"][name]
                long = (
                    definition.get("anyOf", [definition])[-1]
                    if "properties" not in definition
                    else definition
                )
                assert not [*faults(long["properties"][field.alias or key], example)], (key, example)


def test_every_short_form_is_published() -> None:
    short = [
        name for name, each in models().items() if hasattr(each, "_short_form") and name in WHOLE["$defs"]
    ]

    assert len(short) == 6
    assert [name for name in short if "anyOf" not in WHOLE["$defs"][name]] == []


def test_there_are_specs_of_every_kind() -> None:
    kinds = {str((read_source(each).value or {}).get("kind", "pipeline")) for each in SHIPPED}

    assert kinds == set(KINDS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda each: str(each.relative_to(SPECS)))
def test_shipped_files_fit_the_schema(path: Path) -> None:
    assert [*faults(WHOLE, read_source(path).value)] == []


@pytest.mark.parametrize("path", WRONG_FORM, ids=lambda each: each.stem)
def test_files_of_the_wrong_form_do_not_fit_it(path: Path) -> None:
    assert [*faults(WHOLE, read_source(path).value)] != []


STEP = "penstock: v1\nname: example\nsteps: {one: %s}\n"


@pytest.mark.parametrize(
    ("step", "fits"),
    [
        ("{run: echo}", True),
        ("{kind: command, run: [echo, [--x, '${{ inputs.x }}']]}", True),
        ("{uses: a.yaml}", True),
        ("{kind: train, uses: a.yaml}", True),
        ("{kind: train, environment: trees}", True),
        ("{kind: map, over: {range: 3}, run: echo}", True),
        ("{kind: map, over: {items: [1, {key: a}]}, uses: a.yaml}", True),
        ("{kind: native, anything: {Type: Callback}}", True),
        ("{run: echo, inputs: {a: 1, b: {value: x, optional: true}}, outputs: {o: file}}", True),
        ("{}", False),
        ("{uses: a.yaml, run: echo}", False),
        ("{kind: map, over: {range: 3}}", False),
        ("{kind: map, over: {range: 3, items: [1]}, run: echo}", False),
        ("{kind: map, over: {}, run: echo}", False),
        ("{kind: native, anything: text}", False),
        ("{kind: nativ, anything: {}}", False),
        ("{run: echo, timeout: two hours}", False),
        ("{run: echo, inputs: {no-name: 1}}", False),
        ("{run: echo, env: {1A: x}}", False),
        ("{run: echo, outputs: {o: data}}", False),
        ("{run: echo, cache: }", False),
    ],
)
def test_a_step_fits_the_schema_or_does_not(step: str, fits: bool, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(STEP % step)

    assert (not [*faults(WHOLE, read_source(path).value)]) is fits
