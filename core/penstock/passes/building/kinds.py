"""The kinds that run a process in a way of their own: searches, maps, batch inference, native steps."""

from __future__ import annotations

import math
from typing import Any

from penstock.diagnostics import At, Path, error
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import DatasetRef, ItemRef, MetricRef, OutputRef
from penstock.expressions.parser import parse_value
from penstock.frozen import replace
from penstock.ir import (
    SCALARS,
    Code,
    Command,
    Dimension,
    EarlyStopping,
    Input,
    Map,
    Native,
    NativeOutput,
    Objective,
    Output,
    Over,
    Predict,
    ScalarType,
    Serving,
    Train,
    Tune,
)
from penstock.library import Used
from penstock.passes.building.bounds import allowed, check_dimension, check_items
from penstock.passes.building.components import Body, read_body
from penstock.passes.building.items import item_types, read_over
from penstock.passes.building.jobs import JobReader
from penstock.spec import search, steps
from penstock.spec.component import ComponentSpec, ComponentTrain
from penstock.spec.quantities import seconds
from penstock.used_files import beside

Head = dict[str, Any]


def component_job(
    reader: JobReader, head: Head, spec: steps.UsesStep, used: Used, path: Path
) -> Command | Train:
    """Make the step that a component describes."""
    body = read_body(reader, used, spec.inputs, path)
    component = body.spec.step
    if spec.kind is not None and spec.kind != component.kind:
        message = f"component '{body.spec.name}' is a {component.kind} step, not a {spec.kind} step"
        hint = "leave 'kind' out: the component says it"
        reader.found.append(error("P284", message, At((*path, "kind")), hint))
    job = {**_described(head, body), **_of(body), **_execution(reader, spec, path, body)}
    if isinstance(component, ComponentTrain):
        return Train(**job, stand_in=stand_in(reader, component.local, job, used.file, (*path, "local")))
    return Command(**job)


def tune(reader: JobReader, head: Head, spec: steps.TuneStep, used: Used | None, path: Path) -> Tune:
    """Make a search: its trial, what varies, and what is sought."""
    if used is not None:
        body = read_body(reader, used, spec.inputs, path, varied=set(spec.search_space))
        job = {**_described(head, body), **_of(body), **_execution(reader, spec, path, body)}
        declared = {name: each.type for name, each in body.spec.inputs.items()}
        trains = body.spec.step.kind == "train"
        for name, space in spec.search_space.items():
            if name in declared and declared[name] in SCALARS:
                held = allowed(name, body.spec.inputs[name])
                check_dimension(reader, held, space, At((*path, "search_space", name), key=True))
            if name not in declared:
                message = f"component '{body.spec.name}' has no input '{name}' to vary"
                at = At((*path, "search_space", name), key=True)
                hint = f"its inputs: {', '.join(declared) or 'none'}"
                reader.found.append(error("P282", message, at, hint))
    else:
        job = {**head, **own_job(reader, spec, path)}
        declared, trains = {}, True
    limits, stopping = spec.limits, spec.early_stopping
    return Tune(
        **job,
        space=tuple(_dimension(name, each, declared.get(name)) for name, each in spec.search_space.items()),
        sampling=spec.sampling,
        seed=spec.seed,
        objective=_objective(reader, spec.objective, job["outputs"], (*path, "objective")),
        trials=limits.trials,
        parallel=min(limits.parallel, limits.trials),
        trial_timeout=math.ceil(seconds(limits.trial_timeout)) if limits.trial_timeout else None,
        early_stopping=EarlyStopping(
            stopping.policy, stopping.slack or 0, stopping.percentage or 0, stopping.interval, stopping.delay
        )
        if stopping
        else None,
        trains=trains,
    )


def map_(reader: JobReader, head: Head, spec: steps.MapStep, used: Used | None, path: Path) -> Map:
    """Make a map: its items, and the command for each."""
    over = read_over(reader, spec.over, (*path, "over"))
    types = item_types(over)
    trains = False
    job: dict[str, Any]
    if used is not None:
        body = read_body(reader, used, spec.inputs, path, items=types)
        job = {**_described(head, body), **_of(body), **_execution(reader, spec, path, body)}
        trains = body.spec.step.kind == "train"
        _check_items(reader, body, over, (*path, "over", "range" if spec.over.range else "items"))
    else:
        job = {**head, **own_job(reader, spec, path), "inputs": reader.inputs(spec.inputs, path, types)}
    declared = (
        used.spec.outputs if used is not None and isinstance(used.spec, ComponentSpec) else spec.outputs
    )
    job["outputs"] = tuple(_in_folder(each, declared[each.name].file) for each in job["outputs"])
    return Map(**job, over=over, parallel=spec.parallel or 0, tolerate=spec.tolerate, trains=trains)


def _check_items(reader: JobReader, body: Body, over: Over, path: Path) -> None:
    for each in body.inputs:
        if isinstance(each.value, ItemRef) and each.type in SCALARS:
            limits = allowed(each.name, body.spec.inputs[each.name])
            check_items(reader, limits, over.items, each.value.field, path)


def _in_folder(output: Output, file: str | None) -> Output:
    """Name the metrics of one item for what they are: others see the file itself, in the item's folder."""
    return replace(output, file=f"{output.name}.json") if output.type == "metrics" and not file else output


def predict(reader: JobReader, head: Head, spec: steps.PredictStep, path: Path) -> Predict:
    """Make a batch inference: model and data are its inputs."""
    inputs: list[Input] = []
    for name, text in (("model", spec.model), ("data", spec.data)):
        value = reader.reference(text, (*path, name), DatasetRef | OutputRef, f"a {name}")
        if value is not None:
            source = reader.type_of(value)
            inputs.append(Input(name, source, source, value))
    execution = reader.rules(reader.layers(spec, path))
    environment = spec.serving.environment or execution["environment"]
    merged: dict[str, Any] = {**head, **execution, "environment": environment}
    return Predict(
        **merged,
        inputs=tuple(inputs),
        outputs=reader.outputs(spec.outputs, path),
        serving=replace(serving(spec.serving, ""), environment=environment),
        code=Code(spec.serving.code) if spec.serving.code else None,
        parallel=spec.parallel or 0,
    )


def serving(spec: steps.ServingModel, default: str) -> Serving:
    """Make the description of how a model answers; `default` is the environment where it names none."""
    return Serving(
        environment=spec.environment or default,
        code=Code(spec.code) if spec.code else None,
        entry=spec.entry,
        content_types=tuple(spec.content_types),
        response_types=tuple(spec.response_types),
    )


def native(reader: JobReader, head: Head, spec: steps.NativeStep, path: Path) -> Native:
    """Make a native step; expressions in its bodies are read to see that they can be."""
    for target, body in spec.bodies.items():
        _read_texts(reader, body, (*path, target))
    outputs = tuple(
        NativeOutput(name, each.type, each.file or name, each.source) for name, each in spec.outputs.items()
    )
    inputs = reader.inputs(spec.inputs, path)
    ports = {
        "inputs": inputs,
        "outputs": tuple(
            Output(each.name, each.type, each.file if each.type in ("file", "metrics") else "")
            for each in outputs
        ),
    }
    local = stand_in(reader, spec.local, {**head, **ports}, "", (*path, "local"))
    return Native(**head, inputs=inputs, outputs=outputs, bodies=dict(spec.bodies), stand_in=local)


def own_job(
    reader: JobReader, spec: steps.CommandStep | steps.TrainStep | steps.TuneStep | steps.MapStep, path: Path
) -> dict[str, Any]:
    """Read a job that is written in place."""
    return {
        "run": reader.run(spec.run, (*path, "run")),
        "code": Code(spec.code) if spec.code else None,
        "inputs": () if isinstance(spec, steps.MapStep) else reader.inputs(spec.inputs, path),
        "outputs": reader.outputs(spec.outputs, path),
        **reader.rules(reader.layers(spec, path)),
        "checkpoint": reader.checkpoint(spec.checkpoint, path),
    }


def stand_in(
    reader: JobReader, spec: steps.StandIn | None, job: dict[str, Any], file: str, path: Path
) -> Command | None:
    """Make the command that runs in the place of something that only a cloud has; it has the step's own ports."""
    if spec is None:
        return None
    defaults = reader.spec.defaults
    env, env_from = reader.env(spec.env, path)
    return Command(
        **{key: value for key, value in job.items() if key in _SHARED},
        run=reader.run(spec.run, (*path, "run")),
        code=Code(beside(spec.code, file) if file else spec.code) if spec.code else None,
        environment=spec.environment or job.get("environment", "") or defaults.environment or "",
        env=env,
        env_from=env_from,
    )


_SHARED = frozenset(
    {"name", "path", "display_name", "description", "tags", "guards", "after", "inputs", "outputs", "timeout"}
)


def _described(head: Head, body: Body) -> Head:
    """Take from the component what the step does not say of itself."""
    options = {**body.spec.step.options, **head["options"]}
    return {
        **head,
        "component": body.component,
        "display_name": head["display_name"] or body.spec.display_name,
        "description": head["description"] or body.spec.description,
        "tags": {**body.spec.tags, **head["tags"]},
        "options": options,
    }


def _of(body: Body) -> dict[str, Any]:
    return {
        "run": body.run,
        "code": body.code,
        "inputs": body.inputs,
        "outputs": body.outputs,
        "checkpoint": body.checkpoint,
    }


def _execution(reader: JobReader, spec: Any, path: Path, body: Body) -> dict[str, Any]:
    return reader.rules(reader.layers(spec, path, body.spec.step, body.component.file))


def _dimension(name: str, spec: search.Dimension, declared: Any) -> Dimension:
    kind: ScalarType = spec.type or declared or _type_of(spec)
    enum = tuple(float(each) if kind == "number" and type(each) is int else each for each in spec.enum)
    return Dimension(name, kind, spec.minimum, spec.maximum, spec.scale, enum)


def _type_of(spec: search.Dimension) -> ScalarType:
    kinds = {type(each) for each in spec.enum}
    if not spec.enum:
        # A number that was meant whole fails loudly in the script; a whole one that was not would go unseen.
        return "number"
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    return "number" if kinds <= {int, float} else "string"


def _objective(
    reader: JobReader, spec: search.Objective, outputs: tuple[Output, ...], path: Path
) -> Objective:
    made = Objective(spec.metric, spec.goal, source=spec.source, regex=spec.regex)
    if spec.source != "metrics":
        return made
    metrics = [each.name for each in outputs if each.type == "metrics"]
    output = spec.output or (metrics[0] if len(metrics) == 1 else "")
    if output not in metrics:
        what = f"'{output}' is not one of" if output else f"there are {len(metrics) or 'no'} metrics outputs:"
        message = f"the objective is a field of a metrics output, and {what} {', '.join(metrics) or 'them'}"
        if not metrics:
            message, hint = (
                "the trial has no metrics output to read the objective from",
                "add outputs: {report: metrics}",
            )
        else:
            hint = f"name one: objective: {{output: {metrics[0]}, …}}"
        reader.found.append(error("P288", message, At((*path, "output" if spec.output else "metric")), hint))
        return made
    try:
        dotted = spec.metric if spec.metric.startswith("[") else f".{spec.metric}"
        found = parse_value(f"${{{{ steps.trial.outputs.{output}{dotted} }}}}")
    except ExpressionError as fault:
        reader.found.append(
            error("P288", f"'{spec.metric}' is no field: {fault.message}", At((*path, "metric")), fault.hint)
        )
        return made
    if not isinstance(found, MetricRef):
        message, hint = f"'{spec.metric}' is no field of metrics", "write a field, such as recall"
        reader.found.append(error("P288", message, At((*path, "metric")), hint))
        return made
    return replace(made, output=output, path=found.path)


def _read_texts(reader: JobReader, value: Any, path: Path) -> None:
    if isinstance(value, str):
        reader.expression(value, path)
    elif isinstance(value, dict):
        for name, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            key = str(name)  # pyright: ignore[reportUnknownArgumentType]
            if "${{" in key:
                at = At((*path, key), key=True)
                hint = "write the key itself; expressions are read in values"
                reader.found.append(error("P210", "an expression in a key is not replaced", at, hint))
            _read_texts(reader, each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            _read_texts(reader, each, (*path, position))


__all__ = ["component_job", "map_", "native", "own_job", "predict", "serving", "stand_in", "tune"]
