from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError
from tests.core.authoring.specs_drawn_for_tests import Document, json_values, pipelines, scalars, steps
from tests.effort_for_tests import examples

from penstock.authoring.compact import compact
from penstock.authoring.yaml_text import write
from penstock.loader import load_source
from penstock.source import Source
from penstock.spec.pipeline import PipelineSpec

quick = settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def through_yaml(spec: PipelineSpec) -> tuple[PipelineSpec | None, str]:
    text = write(compact(spec))
    loaded = load_source(Source.from_text(text))
    assert loaded.diagnostics == (), text
    return loaded.spec, text


def with_step(step: Document) -> PipelineSpec:
    return PipelineSpec.model_validate({"penstock": "v1", "name": "probe", "steps": {"one": step}})


@quick
@given(pipelines)
def test_a_spec_written_as_yaml_loads_to_an_equal_one(document: Document) -> None:
    spec = PipelineSpec.model_validate(document)

    again, text = through_yaml(spec)

    assert again == spec
    # Keys that count by being there count still.
    assert again is not None and again.model_dump() == spec.model_dump()
    assert write(compact(again)) == text


@quick
@given(steps)
def test_every_kind_of_step_comes_back(step: Document) -> None:
    spec = with_step(step)

    assert through_yaml(spec)[0] == spec


@quick
@given(scalars)
def test_a_default_keeps_its_type(value: Any) -> None:
    spec = PipelineSpec.model_validate(
        {
            "penstock": "v1",
            "name": "probe",
            "parameters": {"a": {"type": "string", "default": value}},
            "steps": {"one": {"run": "x", "env": {"A": value}}},
        }
    )

    again, _ = through_yaml(spec)

    assert again is not None
    for kept in (again.parameters["a"].default, getattr(again.steps["one"], "env")["A"]):  # noqa: B009
        assert kept == value and type(kept) is type(value)


@quick
@given(json_values)
def test_what_goes_to_a_target_comes_back_as_it_was(value: Any) -> None:
    spec = with_step({"run": "x", "options": {"cloud": {"key": value}}})

    again, _ = through_yaml(spec)

    assert again is not None
    assert repr(again.steps["one"].options) == repr(spec.steps["one"].options)


def test_text_of_several_lines_stays_readable() -> None:
    _, text = through_yaml(
        with_step({"run": "set -x\n\nfor a in ${{ inputs.a }}; do\n  echo $a # x: y\ndone\n"})
    )

    assert "    run: |\n      set -x\n\n      for a in ${{ inputs.a }}; do\n        echo $a # x: y\n" in text


def test_long_and_short_forms_are_one() -> None:
    long = {
        "kind": "command",
        "run": "x",
        "inputs": {"a": {"value": 4, "shard": False}},
        "outputs": {"b": {"type": "folder", "description": ""}},
        "tags": {},
    }

    _, text = through_yaml(with_step(long))

    assert text.endswith("steps:\n  one:\n    run: x\n    inputs: {a: 4}\n    outputs: {b: folder}\n")


def test_a_key_that_counts_by_being_there_is_written_with_its_default() -> None:
    _, text = through_yaml(
        with_step({"kind": "map", "over": {"items": []}, "run": "x", "compute": {"gpu": None}})
    )

    assert "over: {items: []}" in text
    assert "compute: {gpu: null}" in text


def test_the_generator_draws_what_the_loader_takes() -> None:
    with pytest.raises(ValidationError):
        with_step({"run": 4})
