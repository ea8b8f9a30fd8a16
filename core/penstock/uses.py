"""Which features of the language a pipeline uses, and where."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.capabilities import Feature, Use
from penstock.diagnostics import Path
from penstock.expressions.nodes import (
    Calculate,
    Compare,
    Contains,
    Expression,
    Logical,
    MetricRef,
    Negative,
    Not,
    ParameterRef,
    RunRef,
    Template,
)
from penstock.expressions.references import children, references
from penstock.ir import (
    Command,
    Fail,
    Graph,
    Job,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Shell,
    Step,
    Train,
    Tune,
    Word,
)
from penstock.passes.sites import input_path
from penstock.used_files import prefix

_OUTERMOST = frozenset({Feature.PIPELINE_OUTPUTS, Feature.REQUIRED_PARAMETER, Feature.DATASET_SLOT})
"""What a pipeline inside another one asks of its caller, and not of the target."""


def uses(graph: Graph) -> Iterator[Use]:
    """Find every feature that a pipeline uses, in the order of the spec."""
    yield from _pipeline_uses(graph)
    for step in graph.steps:
        yield from _step_uses(graph, step)


def _pipeline_uses(graph: Graph) -> Iterator[Use]:
    for parameter in graph.parameters.values():
        path: Path = ("parameters", parameter.name)
        if parameter.default is None:
            yield Use(Feature.REQUIRED_PARAMETER, path)
        if parameter.enum:
            yield Use(Feature.PARAMETER_ENUM, (*path, "enum"))
        bounds = [
            each for each in ("minimum", "maximum", "pattern") if getattr(parameter, each) not in (None, "")
        ]
        if bounds:
            yield Use(Feature.PARAMETER_BOUNDS, (*path, bounds[0]))
    for dataset in graph.datasets.values():
        path = ("datasets", dataset.name)
        if dataset.optional:
            yield Use(Feature.OPTIONAL_DATASET, (*path, "optional"))
        elif not dataset.path and not dataset.uri:
            yield Use(Feature.DATASET_SLOT, path)
    for environment in graph.environments.values():
        if environment.conda:
            yield Use(Feature.CONDA, ("environments", environment.name, "conda"))
    for condition in graph.conditions.values():
        yield from _condition_uses(graph, condition.name)
    if graph.goal and graph.goal.kpis:
        yield Use(Feature.KPIS, ("goal", "kpis"))
    if graph.outputs:
        yield Use(Feature.PIPELINE_OUTPUTS, ("outputs",))
    if graph.tags:
        yield Use(Feature.TAGS, ("tags",))
    for target in graph.options:
        yield Use(Feature.OPTIONS, ("options", target))


def _condition_uses(graph: Graph, name: str) -> Iterator[Use]:
    condition = graph.conditions[name]
    path = condition.path
    yield Use(Feature.CONDITION, path)
    trains = {step.name for step in graph.steps if isinstance(step, Train | Tune)}
    for node in _nodes(condition.expression):
        if isinstance(node, MetricRef) and node.step in trains:
            yield Use(Feature.TRAIN_METRICS, path)
        if isinstance(node, Calculate | Negative):
            over_metrics = any(isinstance(each, MetricRef) for each in references(node))
            yield Use(Feature.METRIC_ARITHMETIC if over_metrics else Feature.PARAMETER_ARITHMETIC, path)


def _step_uses(graph: Graph, step: Step) -> Iterator[Use]:
    path, name = step.path, step.name
    if step.after:
        yield Use(Feature.ORDER_WITHOUT_DATA, (*path, "after"), name)
    if step.tags:
        yield Use(Feature.TAGS, (*path, "tags"), name)
    for target in step.options:
        yield Use(Feature.OPTIONS, (*path, "options", target), name)
    match step:
        case Nested(graph=inner):
            yield Use(Feature.NESTED, path, name)
            if inner is not None and step.component is not None:
                for use in uses(inner):
                    if use.feature in _OUTERMOST or use.path[:1] == ("options",):
                        continue
                    yield Use(use.feature, (*prefix(step.component.file), *use.path), use.step)
            for each in step.inputs:
                yield from _value_uses(each.value, (*path, "inputs", each.name), name)
        case Native():
            yield Use(Feature.NATIVE, path, name)
            if step.stand_in is not None:
                yield Use(Feature.STAND_IN, (*path, "local"), name)
        case Predict():
            yield Use(Feature.PREDICT, path, name)
            yield from _rule_uses(step)
        case Tune():
            yield from _tune_uses(step)
            yield from _job_uses(step)
        case Map():
            over = {"items": Feature.MAP, "files": Feature.MAP_FILES, "table": Feature.MAP_TABLE}[
                step.over.kind
            ]
            yield Use(over, path, name)
            if step.tolerate:
                yield Use(Feature.TOLERATED_FAILURES, (*path, "tolerate"), name)
            yield from _job_uses(step)
        case Command() | Train():
            yield Use(Feature.TRAIN if isinstance(step, Train) else Feature.COMMAND, path, name)
            if isinstance(step, Train) and step.stand_in is not None:
                yield Use(Feature.STAND_IN, (*path, "local"), name)
            yield from _job_uses(step)
        case Register():
            yield Use(Feature.REGISTER_UNDER_CONDITION if step.guards else Feature.REGISTER, path, name)
            if not isinstance(step.approval, str):
                yield Use(Feature.APPROVAL_EXPRESSION, (*path, "approval"), name)
        case Fail():
            yield Use(Feature.FAIL, path, name)
            if step.message and any(isinstance(each, MetricRef) for each in references(step.message)):
                yield Use(Feature.METRIC_IN_MESSAGE, (*path, "message"), name)
            if step.message:
                yield from _value_uses(step.message, (*path, "message"), name)


def _tune_uses(step: Tune) -> Iterator[Use]:
    path, name = step.path, step.name
    yield Use(Feature.TUNE, path, name)
    stated: list[tuple[bool, Feature, Path]] = [
        (step.sampling == "grid", Feature.GRID_SEARCH, ("sampling",)),
        (step.sampling == "bayesian", Feature.BAYESIAN_SEARCH, ("sampling",)),
        (step.early_stopping is not None, Feature.EARLY_STOPPING, ("early_stopping",)),
        (step.trial_timeout is not None, Feature.TRIAL_TIMEOUT, ("limits", "trial_timeout")),
        (step.objective.source == "log", Feature.OBJECTIVE_FROM_LOG, ("objective", "source")),
        (step.objective.source == "mlflow", Feature.OBJECTIVE_FROM_MLFLOW, ("objective", "source")),
    ]
    for used, feature, keys in stated:
        if used:
            yield Use(feature, (*path, *keys), name)


def _job_uses(step: Command | Train | Tune | Map) -> Iterator[Use]:
    path, name = step.path, step.name
    if step.component is not None:
        yield Use(Feature.COMPONENT, (*path, "uses"), name)
    if step.run is None:
        yield Use(Feature.BUILTIN_ALGORITHM, path, name)
    elif step.run.segments:
        yield Use(Feature.OPTIONAL_SEGMENT, (*path, "run"), name)
    yield from _rule_uses(step)
    if step.run is not None and _reads_run(step):
        yield Use(Feature.RUN_CONTEXT, (*path, "run"), name)


def _rule_uses(step: Job) -> Iterator[Use]:
    path, name = step.path, step.name
    count = step.compute.count
    stated: list[tuple[bool, Feature, Path]] = [
        (step.retry.attempts > 1 and step.retry.errors == "platform", Feature.RETRY_PLATFORM, ("retry",)),
        (step.retry.attempts > 1 and step.retry.errors == "any", Feature.RETRY_ANY, ("retry", "errors")),
        (step.timeout is not None, Feature.TIMEOUT, ("timeout",)),
        (step.cache.enabled, Feature.CACHE, ("cache",)),
        (step.cache.enabled and step.cache.expires is not None, Feature.CACHE_EXPIRY, ("cache", "expires")),
        (step.compute.spot is not None, Feature.SPOT, ("compute", "spot")),
        (bool(step.checkpoint), Feature.CHECKPOINT, ("checkpoint",)),
        (isinstance(count, int) and count != 1, Feature.SEVERAL_MACHINES, ("compute", "count")),
        (isinstance(count, ParameterRef), Feature.MACHINES_FROM_PARAMETER, ("compute", "count")),
        (step.compute.gpu > 0, Feature.GPU, ("compute", "gpu")),
        (bool(step.env), Feature.ENV, ("env", *list(step.env)[:1])),
        (bool(step.env_from), Feature.ENV_FROM_CALLER, ("env", *list(step.env_from)[:1])),
    ]
    for used, feature, keys in stated:
        if used:
            yield Use(feature, (*path, *keys), name)
    for each in step.inputs:
        here = input_path(step, each.name)
        details: list[tuple[bool, Feature, str]] = [
            (bool(each.at), Feature.FIXED_INPUT_PATH, "at"),
            (each.packed, Feature.PACKED_INPUT, "packed"),
            (each.shard, Feature.SHARDED_INPUT, "shard"),
            (bool(each.mode), Feature.INPUT_MODE, "mode"),
            (bool(each.content_type), Feature.CONTENT_TYPE, "content_type"),
        ]
        for used, feature, key in details:
            if used:
                yield Use(feature, (*here, key), name)
        yield from _value_uses(each.value, here, name)
    for key, value in step.env.items():
        yield from _value_uses(value, (*path, "env", key), name)


def _value_uses(value: Expression, path: Path, step: str) -> Iterator[Use]:
    for node in _nodes(value):
        # Where a value is needed, deciding is calculating too.
        if isinstance(node, Calculate | Negative | Compare | Contains | Logical | Not):
            yield Use(Feature.PARAMETER_ARITHMETIC, path, step)
        elif isinstance(node, Template):
            yield Use(Feature.INTERPOLATION, path, step)
        elif isinstance(node, RunRef):
            yield Use(Feature.RUN_CONTEXT, path, step)


def _reads_run(step: Command | Train | Tune | Map) -> bool:
    run = step.run
    if run is None:
        return False
    parts = run.parts if isinstance(run, Shell) else [part for each in run.arguments for part in each]
    return any(isinstance(part, Word) and isinstance(part.value, RunRef) for part in parts)


def _nodes(expression: Expression) -> Iterator[Expression]:
    yield expression
    for each in children(expression):
        yield from _nodes(each)
