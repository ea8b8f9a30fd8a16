"""Expressions in the service's own form: Get, Std:Join, Std:JsonGet."""

from __future__ import annotations

import re
from typing import Any

from penstock.diagnostics import At, error
from penstock.expressions.nodes import Expression, Literal, MetricRef, ParameterRef, RunRef, Template
from penstock.expressions.references import references
from penstock.expressions.text import text
from penstock.ir import Graph, Native, Train, Tune
from penstock.passes.sites import sites
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.validation.findings import is_list, is_object

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ODD = re.compile(r"['\"\\\[\]\x00-\x1f]")
_RUN = {"id": "Execution.PipelineExecutionId", "started_at": "Execution.StartDateTime"}


def get(path: str) -> dict[str, Any]:
    """Refer to a parameter, an execution variable or a step's property."""
    return {"Get": path}


def join(on: str, *values: Any) -> dict[str, Any]:
    """Join values as text; non-strings are written out by the service."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def value(expression: Expression, draft: Draft) -> Any:
    """Lower an operand of a condition, or a part of a text: a literal, or a reference."""
    match expression:
        case Literal(found):
            return found
        case ParameterRef(name):
            return get(f"Parameters.{name}")
        case RunRef(name):
            return get(_RUN[name])
        case MetricRef():
            return metric(expression, draft)
        case _:
            raise TypeError(f"{expression} was announced as unsupported and cannot be here")


def string(expression: Expression, draft: Draft) -> Any:
    """Lower an expression in a place that takes a string."""
    match expression:
        case Literal(found):
            return text(found)
        case ParameterRef(name) if draft.graph.parameters[name].type == "string":
            return get(f"Parameters.{name}")
        case Template(parts):
            return join("", *[part if isinstance(part, str) else value(part, draft) for part in parts])
        case RunRef():
            return value(expression, draft)
        case _:
            # A number or boolean becomes a string only inside a join.
            return join("", value(expression, draft))


def default_text(expression: Expression, graph: Graph) -> str:
    """Give what an expression is as text when every parameter has its default; what is not known is left out."""
    match expression:
        case Literal(found):
            return text(found)
        case ParameterRef(name):
            default = graph.parameters[name].default
            return "" if default is None else text(default)
        case Template(parts):
            return "".join(each if isinstance(each, str) else default_text(each, graph) for each in parts)
        case _:
            return ""


def metric(reference: MetricRef, draft: Draft) -> dict[str, Any]:
    """Lower a metrics field: from a property file of a processing step, or from a training job's final metrics.

    Of a search it is the objective of the best trial: `tuning` refuses every other field.
    """
    if isinstance(draft.steps[reference.step], Tune):
        best = f"Steps.{reference.step}.BestTrainingJob"
        return get(f"{best}.FinalHyperParameterTuningJobObjectiveMetric.Value")
    if odd := next((each for each in reference.path if isinstance(each, str) and _ODD.search(each)), ""):
        where = next(
            (each.path for each in sites(draft.graph) if reference in references(each.expression)), ()
        )
        message = f"a JSON path of sagemaker cannot hold the key {odd!r}"
        hint = "write the field under a name of letters, digits, spaces and hyphens too"
        draft.found.append(error("P393", message, At(where), hint))
    producer = draft.steps[reference.step]
    if isinstance(producer, Native):
        return _native_metric(producer, reference)
    if isinstance(producer, Train):
        name = ".".join(map(str, reference.path))
        return get(f"Steps.{reference.step}.FinalMetricDataList['{name}'].Value")
    file = get(f"Steps.{reference.step}.PropertyFiles.{reference.output}")
    return {"Std:JsonGet": {"PropertyFile": file, "Path": json_path(reference.path)}}


def _native_metric(producer: Native, reference: MetricRef) -> dict[str, Any]:
    """Read a metric of a native step: a property that is a list or map of values, a value, or a file's address."""
    path, name = property_of(producer, reference.output), ".".join(map(str, reference.path))
    if path.endswith(".FinalMetricDataList"):
        return get(f"{path}['{name}'].Value")
    if path.endswith(".OutputParameters"):
        return get(f"{path}['{name}']")
    if path.endswith("].Value") or _is_value(producer, path):
        return get(path)
    return {"Std:JsonGet": {"S3Uri": get(path), "Path": json_path(reference.path)}}


def _is_value(producer: Native, path: str) -> bool:
    """Tell whether a property is declared as an output parameter that is no text, and so no address."""
    declared = producer.bodies.get("sagemaker", {}).get("OutputParameters")
    for each in declared if is_list(declared) else ():
        if is_object(each) and path.endswith(f".OutputParameters['{each.get('OutputName')}']"):
            return bool(each.get("OutputType", "String") != "String")
    return False


def property_of(producer: Native, output: str) -> str:
    """Give the path of the property that the `from` of a native step's output names."""
    found = next(each.source for each in producer.outputs if each.name == output)
    return f"Steps.{producer.name}{found if found.startswith('[') else f'.{found}'}"


def json_path(path: tuple[str | int, ...]) -> str:
    """Write a metrics path as the service's JSON path: `a.b[0]['odd key']`."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            written += f".{part}" if written else part
        else:
            written += f"['{part}']"
    return written
