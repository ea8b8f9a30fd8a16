"""What the SDK's experiment runs log: points of metrics, summed up in the run's trial component.

The service takes them at an address of its own (`sagemaker-metrics`, REST), signed as SageMaker's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from penstock_aws.endpoint.sagemaker.context import Context
from penstock_aws.endpoint.sagemaker.experiments import COMPONENT, arn_of, named
from penstock_aws.endpoint.sagemaker.members import parts
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.endpoint.sagemaker.state import change_resource
from penstock_aws.sagemaker.validation.findings import is_list, is_object

PATH = "/BatchPutMetrics"
_MOST = 10


def put_metrics(context: Context, body: bytes) -> dict[str, Any]:
    """Take points in, and tell which could not be taken. Raises ServiceFault."""
    name, points = _read(body)
    component = named(context, COMPONENT, name)
    bad = [number for number, each in enumerate(points) if not _is_point(each)]
    good = [each for number, each in enumerate(points) if number not in bad]

    def change(known: dict[str, Any]) -> dict[str, Any]:
        summed = {str(each["MetricName"]): dict(each) for each in parts(known, "Metrics")}
        for each in good:
            before = summed.get(str(each["MetricName"]))
            summed[str(each["MetricName"])] = _with_point(before, each, arn_of(context, component))
        return {**known, "Metrics": list(summed.values())}

    with context.state.tables.write() as connection:
        change_resource(connection, COMPONENT, component.key, change)
    return {"Errors": [{"Code": "VALIDATION_ERROR", "MetricIndex": number} for number in bad]}


def _read(body: bytes) -> tuple[str, list[Mapping[str, Any]]]:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("The request is no JSON.") from None
    name = found.get("TrialComponentName") if is_object(found) else None
    points = found.get("MetricData") if is_object(found) else None
    if not isinstance(name, str) or not name or not is_list(points):
        raise invalid("TrialComponentName and MetricData must be given.")
    if not 1 <= len(points) <= _MOST or not all(is_object(each) for each in points):
        raise invalid(f"MetricData must have 1 to {_MOST} metrics.")
    return name, list(points)


def _is_point(point: Mapping[str, Any]) -> bool:
    value, moment = point.get("Value"), point.get("Timestamp")
    return isinstance(point.get("MetricName"), str) and all(
        isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each)
        for each in (value, moment)
    )


def _with_point(before: Mapping[str, Any] | None, point: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Add a point to a metric's summary, by Welford's method."""
    value, moment = float(point["Value"]), float(point["Timestamp"])
    if before is None:
        before = {"Count": 0, "Avg": 0.0, "StdDev": 0.0, "Min": value, "Max": value, "TimeStamp": moment}
    count = int(before["Count"]) + 1
    away = value - float(before["Avg"])
    mean = float(before["Avg"]) + away / count
    squares = float(before["StdDev"]) ** 2 * max(0, count - 2) + away * (value - mean)
    return {
        "MetricName": point["MetricName"],
        "SourceArn": source,
        "TimeStamp": max(moment, float(before["TimeStamp"])),
        "Min": min(value, float(before["Min"])),
        "Max": max(value, float(before["Max"])),
        "Last": value,
        "Avg": mean,
        "Count": count,
        "StdDev": math.sqrt(max(0.0, squares) / (count - 1)) if count > 1 else 0.0,
    }
