"""The builder has the keys of the models, all of them and no other."""

from __future__ import annotations

import inspect
from typing import Any, Required, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from penstock.authoring import shapes
from penstock.authoring.pipeline import Pipeline
from penstock.spec import execution, goal, items, pipeline, ports, search, steps

PAIRS: dict[Any, type[BaseModel]] = {
    shapes.InputPort: ports.InputBinding,
    shapes.OutputPort: ports.OutputDeclaration,
    shapes.NativePort: steps.NativeOutput,
    shapes.Spot: execution.Spot,
    shapes.Compute: execution.Compute,
    shapes.Retry: execution.Retry,
    shapes.CacheRule: execution.CacheRule,
    shapes.FromCaller: execution.FromCaller,
    shapes.Checkpoint: execution.Checkpoint,
    shapes.Defaults: execution.Defaults,
    shapes.StandIn: steps.StandIn,
    shapes.Serving: steps.ServingModel,
    shapes.Kpi: goal.Kpi,
    shapes.Hypothesis: goal.Hypothesis,
    shapes.Dimension: search.Dimension,
    shapes.Objective: search.Objective,
    shapes.Limits: search.Limits,
    shapes.EarlyStopping: search.EarlyStopping,
    shapes.Range: items.Range,
    shapes.Over: items.Over,
}

METHODS: dict[str, type[BaseModel]] = {
    "command": steps.CommandStep,
    "train": steps.TrainStep,
    "uses": steps.UsesStep,
    "tune": steps.TuneStep,
    "map": steps.MapStep,
    "predict": steps.PredictStep,
    "register": steps.RegisterStep,
    "fail": steps.FailStep,
    "nested": steps.PipelineStep,
    "native": steps.NativeStep,
    "parameter": ports.Parameter,
    "dataset": ports.Dataset,
    "environment": execution.Environment,
    "goal": goal.Goal,
}


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def required(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("shape", PAIRS, ids=lambda shape: shape.__name__)
def test_a_shape_has_the_keys_of_its_model(shape: Any) -> None:
    hints = get_type_hints(shape, include_extras=True)
    needed = {key for key, hint in hints.items() if shape.__total__ or get_origin(hint) is Required}

    assert set(hints) == keys(PAIRS[shape])
    assert needed == required(PAIRS[shape])


def arguments(name: str) -> tuple[set[str], set[str]]:
    """Give the keys that a method takes, and those that it asks for."""
    taken: set[str] = set()
    needed: set[str] = set()
    signature = inspect.signature(getattr(Pipeline, name))
    for key, parameter in list(signature.parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            unpacked = str(parameter.annotation)
            if unpacked.startswith("Unpack["):
                taken |= set(get_type_hints(getattr(shapes, unpacked[7:-1])))
            continue
        taken.add(key)
        if parameter.default is parameter.empty:
            needed.add(key)
    return taken, needed


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_the_keys_of_its_model(name: str) -> None:
    taken, needed = arguments(name)
    called = {"goal": set[str]()}.get(name, {"step"} if "step" in taken else {"name"})

    wanted = keys(METHODS[name]) - {"kind"}
    asked = required(METHODS[name]) - {"kind"}
    assert taken - called - {"kind"} == wanted
    assert needed - called == asked


def test_a_pipeline_takes_the_keys_of_its_model() -> None:
    taken, needed = arguments("__init__")
    by_method = {"goal", "parameters", "datasets", "environments", "conditions", "steps", "outputs"}

    assert taken | by_method | {"penstock", "kind"} == keys(pipeline.PipelineSpec)
    assert needed == {"name"}


def test_a_run_takes_what_the_function_takes() -> None:
    from penstock import api

    taken = set(inspect.signature(api.run).parameters) - {"path"}

    assert set(get_type_hints(shapes.RunOptions, localns={"Watch": object})) == taken
