"""Searches as sweep nodes: a trial component, a search space, and an objective that MLflow is told.

A sweep draws text and puts it where the trial's command has `${{inputs.x}}`. Whole numbers are listed, because that
alone gives them as they are: `quniform` draws `4.0`, and `randint` counts from 0.
"""

from __future__ import annotations

import math
import re
from typing import Any, cast

from penstock.diagnostics import At, error, note, warning
from penstock.frozen import replace
from penstock.ir import Dimension, EarlyStopping, Environment, Tune
from penstock.launcher import OBJECTIVE, source
from penstock_azure.azureml.images import image_of, is_registered
from penstock_azure.azureml.lowering.components import describe, machines, named
from penstock_azure.azureml.lowering.draft import Draft, port
from penstock_azure.azureml.lowering.words import Words, quoted

SCRIPT = f"penstock_{OBJECTIVE}"
MOST_LISTED = 1000
"""Whole numbers that a search space lists one by one; a range of more is drawn by `randint`, or refused."""
SPACED = 64
"""Points that stand for whole numbers on a log scale."""
TRACKING = ("mlflow-skinny>=2.10,<3", "azureml-mlflow")
_NAMES_TRACKING = re.compile(r"azureml[-_]mlflow", re.IGNORECASE)
_NO_METRIC_NAME = re.compile(r"[^\w.\- /]", re.ASCII)
_SHORTEST = 60
"""Seconds: azure-ai-ml sends 60 for anything shorter (`_get_floored_timeout`)."""


def lower_sweep(step: Tune, draft: Draft) -> None:
    """Add a search's trial component and sweep node."""
    words = Words(step, draft)
    environment = _with_tracking(step, draft)
    reports = step.objective.source == "metrics"
    metric = primary_metric(step)
    files: dict[str, str] = {}
    last: list[str] = []
    closed: list[str] = []
    if reports:
        last.append(_report(step, metric))
        draft.uses_launcher(step.name, "tells MLflow the objective: a sweep reads no metrics file")
    if step.guards:
        # Without a metric there is no best trial, whose outputs others wait for.
        closed.append(f"python {SCRIPT} --name {quoted(metric)} --value 0")
        if not reports:
            draft.uses_launcher(step.name, "tells MLflow a number where a condition closes the search")
    if last or closed:
        files[SCRIPT] = source(OBJECTIVE).decode()
    component, bound = describe(
        step,
        words,
        draft,
        kind="training" if step.trains else "",
        files=files,
        last=last,
        closed=closed,
        described=environment,
    )
    component["inputs"] = {**component.get("inputs", {}), **{port(e.name): _declared(e) for e in step.space}}
    limits: dict[str, Any] = {"max_total_trials": step.trials, "max_concurrent_trials": step.parallel}
    on = machines(step, draft)
    limits |= on.pop("limits", {})
    if step.trial_timeout is not None:
        limits["trial_timeout"] = step.trial_timeout
        if step.trial_timeout < _SHORTEST:
            message = f"trials of step '{step.name}' get 60 s: azureml has no shorter limit"
            at = At((*step.path, "limits", "trial_timeout"))
            draft.found.append(note("P346", message, at, "write 1m"))
    node: dict[str, Any] = {
        "type": "sweep",
        "inputs": bound,
        "outputs": named(step, draft),
        "sampling_algorithm": _sampling(step, draft),
        "search_space": {port(each.name): _drawn(each, step, draft) for each in step.space},
        "objective": {"goal": step.objective.goal, "primary_metric": metric},
        "limits": limits,
    }
    if step.early_stopping:
        node["early_termination"] = _policy(step.early_stopping)
    node |= on
    kept = {key: value for key, value in node.items() if value not in ({}, None)}
    # What tells MLflow is no part of the component that others may use.
    used = None if reports else step.component
    draft.add(draft.nodes[step.name], component, kept, step.path, used)


def primary_metric(step: Tune) -> str:
    """Name the objective as MLflow knows it: letters, digits and `_-. /`."""
    objective = step.objective
    name = ".".join(map(str, objective.path)) if objective.source == "metrics" else objective.metric
    return _NO_METRIC_NAME.sub("_", name)


def _report(step: Tune, metric: str) -> str:
    objective = step.objective
    keys = [key if isinstance(key, str) else f"#{key}" for key in objective.path]
    words = [f"python {SCRIPT} --name {quoted(metric)} --file ${{{{outputs.{port(objective.output)}}}}}"]
    # With `=`, for a field may begin with a dash.
    return " ".join([*words, *(f"--key={quoted(key)}" for key in keys)])


def _with_tracking(step: Tune, draft: Draft) -> Environment | None:
    """Give the trial's environment with what reports to MLflow, or say that it must have that."""
    described = draft.environment(step.environment)
    if step.objective.source != "metrics":
        return described
    if described is None:
        return Environment("mlflow", ">=3.11", TRACKING)
    taken = draft.image(step.environment) or is_registered(described)
    if taken or (image_of(described) and not described.packages and not described.conda):
        # Conda would put an environment of its own over what an image has.
        message = f"environment '{described.name}' is taken as it is, and trials report to MLflow from it"
        path = At(("environments", described.name), key=True)
        draft.found.append(warning("P394", message, path, "the image must have azureml-mlflow installed"))
        return described
    stated = f"{described.packages} {described.conda}"
    if _NAMES_TRACKING.search(stated):
        return described
    # Both of MLflow's packages bring the same files: a version that is there stays alone.
    missing = TRACKING[1:] if "mlflow" in stated.lower() else TRACKING
    if described.conda:
        return replace(described, conda=_conda_with(described.conda, missing))
    return replace(described, packages=(*described.packages, *missing))


def _conda_with(conda: dict[str, Any], packages: tuple[str, ...]) -> dict[str, Any]:
    dependencies = cast("list[object]", conda.get("dependencies") or [])
    pip: list[object] = []
    others: list[object] = []
    for each in dependencies:
        listed = _pip(each)
        pip += listed or []
        if listed is None:
            others.append(each)
    if not any(isinstance(each, str) and re.match(r"pip\b", each) for each in others):
        others.append("pip")
    return {**conda, "dependencies": [*others, {"pip": [*pip, *packages]}]}


def _pip(dependency: object) -> list[object] | None:
    if not isinstance(dependency, dict):
        return None
    return cast("dict[str, list[object]]", dependency).get("pip")


def _declared(each: Dimension) -> dict[str, Any]:
    """Declare a searched input of the trial."""
    if each.type == "boolean":
        return {"type": "string", "enum": ["true", "false"]}
    if each.type == "string":
        # They stand bare in the command: nothing else may come in.
        return {"type": "string", "enum": list(each.enum)}
    return {"type": each.type}


def _sampling(step: Tune, draft: Draft) -> Any:
    if step.sampling == "random":
        return {"type": "random", "seed": step.seed}
    if step.seed:
        message = f"step '{step.name}': a {step.sampling} search takes no seed on azureml"
        code = "P343" if step.sampling == "grid" else "P344"
        hint = "trials differ from one submission to the next; sampling: random takes one"
        if step.sampling == "grid":
            hint = "a grid has nothing to draw"
        draft.found.append(note(code, message, At((*step.path, "seed")), hint))
    return step.sampling


def _drawn(each: Dimension, step: Tune, draft: Draft) -> dict[str, Any]:
    """Give what a sweep draws a value from."""
    if each.enum:
        words = [str(value).lower() if isinstance(value, bool) else value for value in each.enum]
        return {"type": "choice", "values": words}
    assert each.minimum is not None and each.maximum is not None
    low, high = each.minimum, each.maximum
    if each.type == "integer":
        return _whole(each, int(low), int(high), step, draft)
    if low == high:
        return {"type": "choice", "values": [low]}
    if each.scale == "linear":
        return {"type": "uniform", "min_value": low, "max_value": high}
    at = At((*step.path, "search_space", each.name, "scale"))
    if each.scale == "reverse_log" or step.sampling == "bayesian":
        scale = each.scale.replace("_", " ")
        where = "azureml" if each.scale == "reverse_log" else "a Bayesian search on azureml"
        message = f"'{each.name}' has a {scale} scale, which {where} does not know"
        hint = "search over the exponent linearly, or list the points: {enum: [0.9, 0.99, 0.999]}"
        draft.found.append(error("P342", message, at, hint))
    if low <= 0:
        return {"type": "uniform", "min_value": low, "max_value": high}
    # The bounds of `loguniform` are exponents of e.
    return {"type": "loguniform", "min_value": math.log(low), "max_value": math.log(high)}


def _whole(each: Dimension, low: int, high: int, step: Tune, draft: Draft) -> dict[str, Any]:
    path = (*step.path, "search_space", each.name)
    many = high - low + 1
    if each.scale == "log" and many > 2:
        spaced = _spaced(low, high)
        if len(spaced) < many:
            message = (
                f"'{each.name}' is a whole number on a log scale: azureml draws from {len(spaced)} of them"
            )
            hint = "list those that matter: {enum: [1, 2, 4, 8]}"
            draft.found.append(note("P342", message, At((*path, "scale")), hint))
        return {"type": "choice", "values": spaced}
    if many <= MOST_LISTED:
        return {"type": "choice", "values": list(range(low, high + 1))}
    if low == 0 and step.sampling == "random":
        return {"type": "randint", "upper": high + 1}
    message = f"'{each.name}' may be any of {many} whole numbers, and azureml draws whole numbers from a list"
    hint = "list fewer: {enum: [100, 200, 500]}, or let a random search begin at 0"
    draft.found.append(error("P342", message, At((*path, "maximum")), hint))
    return {"type": "choice", "values": [low, high]}


def _spaced(low: int, high: int) -> list[int]:
    """Give whole numbers that stand evenly on a log scale, the bounds among them."""
    growth = math.log(high / low) / (SPACED - 1)
    return sorted({min(high, round(low * math.exp(growth * point))) for point in range(SPACED)} | {high})


def _policy(stopping: EarlyStopping) -> dict[str, Any]:
    given: dict[str, Any]
    match stopping.policy:
        case "bandit":
            given = {"type": "bandit", "slack_factor": stopping.slack}
        case "median":
            given = {"type": "median_stopping"}
        case "truncation":
            given = {"type": "truncation_selection", "truncation_percentage": stopping.percentage}
    delay = {"delay_evaluation": stopping.delay} if stopping.delay else {}
    return {**given, "evaluation_interval": stopping.interval, **delay}
