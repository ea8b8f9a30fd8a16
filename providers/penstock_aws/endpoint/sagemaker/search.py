"""Search over resources by the values of their properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from penstock_aws.endpoint.sagemaker import experiments, package_groups, packages, pipelines
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.executions import OPERATIONS as EXECUTIONS
from penstock_aws.endpoint.sagemaker.executions import arn_of
from penstock_aws.endpoint.sagemaker.job_records import all_jobs
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import part, parts
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.endpoint.sagemaker.tags import tags_of
from penstock_aws.endpoint.sagemaker.trial_components import parents
from penstock_aws.sagemaker.validation.findings import is_list, is_object

_Record = dict[str, Any]


def _search(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    resource = str(request["Resource"])
    if resource not in _RECORDS:
        raise invalid(f"Search over the resource {resource} is not supported here.")
    member, arn, records = _RECORDS[resource]
    by = str(request.get("SortBy") or "LastModifiedTime")
    rows: list[Row] = []
    for found in records(context):
        record: _Record = {**found, "Tags": tags_of(context.state, str(found.get(arn, "")))}
        if _holds(record, part(request, "SearchExpression")):
            rows.append(_row(member, str(record.get(arn, "")), record, by))
    sorting = "Status" if any(each.status for each in rows) else "LastModifiedTime"
    asked = {**request, "SortBy": sorting}
    found = listed(List("Search", "Results", most=10), rows, asked)
    return {**found, "TotalHits": {"Value": len(rows), "Relation": "EqualTo"}}


def _row(member: str, name: str, record: _Record, by: str) -> Row:
    """Give a record as a row that sorts by one of its properties, a text or a number."""
    key = next(_values(record, by), 0.0)
    show = partial(dict[str, Any], {member: record})
    created = float(record.get("CreationTime") or 0.0)
    if isinstance(key, (int, float)):
        return Row(name, created, show, float(key))
    return Row(name, created, show, status=str(key))


def _holds(record: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    held = [_fits(record, each) for each in parts(expression, "Filters")]
    held += [_nested(record, each) for each in parts(expression, "NestedFilters")]
    held += [_holds(record, each) for each in parts(expression, "SubExpressions")]
    if not held:
        return True
    return any(held) if expression.get("Operator") == "Or" else all(held)


def _nested(record: Mapping[str, Any], nested: Mapping[str, Any]) -> bool:
    name = str(nested["NestedPropertyName"])
    return any(
        is_object(each) and all(_fits({name: each}, filter) for filter in nested["Filters"])
        for each in _values(record, name)
    )


def _fits(record: Mapping[str, Any], filter: Mapping[str, Any]) -> bool:
    name, operator = str(filter["Name"]), str(filter.get("Operator") or "Equals")
    found = list(_values(record, name))
    wanted = str(filter.get("Value", ""))
    match operator:
        case "Exists":
            return bool(found)
        case "NotExists":
            return not found
        case "NotEquals":
            return not any(_same(each, wanted) for each in found)
        case "In":
            return any(_same(each, one) for each in found for one in wanted.split(","))
        case "Contains":
            return any(wanted.lower() in str(each).lower() for each in found)
        case "Equals":
            return any(_same(each, wanted) for each in found)
        case _:
            compare = _COMPARED[operator]
            limit = _number(wanted)
            return any(
                compare(float(each), limit)
                for each in found
                if limit is not None and isinstance(each, (int, float))
            )


_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}


def _same(value: Any, wanted: str) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(wanted) == float(value)
    return str(value) == wanted


def _number(text: str) -> float | None:
    """Read a number, or a moment as the service writes them."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _values(record: Any, path: str) -> Iterator[Any]:
    """Give what stands at a path; of a list, what stands there in each of its members."""
    if is_list(record):
        for each in record:
            yield from _values(each, path)
        return
    if not is_object(record):
        return
    if path in record:
        if is_list(record[path]):
            yield from record[path]
        elif record[path] is not None:
            yield record[path]
        return
    for key, each in record.items():
        if path.startswith(f"{key}."):
            yield from _values(each, path[len(key) + 1 :])


def _jobs(type: str, context: Context) -> Iterator[_Record]:
    for each in all_jobs(context, type):
        yield dict(each.described)


def _resources(kind: str, context: Context) -> Iterator[_Record]:
    for each in context.state.all(kind):
        found = experiments.described(context, each)
        if kind == experiments.COMPONENT:
            found["Parents"] = parents(context, each)
        yield found


def _packages(context: Context) -> Iterator[_Record]:
    for each in context.state.all(packages.KIND):
        yield packages.described(context, each)


def _groups(context: Context) -> Iterator[_Record]:
    for each in context.state.all(package_groups.GROUP):
        yield package_groups.described_group(context, each)


def _pipelines(context: Context) -> Iterator[_Record]:
    for each in context.state.all(pipelines.KIND):
        found = pipelines.OPERATIONS["DescribePipeline"](context, {"PipelineName": each.key})
        yield {key: value for key, value in found.items() if key != "PipelineDefinition"}


def _executions(context: Context) -> Iterator[_Record]:
    for pipeline in context.state.all(pipelines.KIND):
        for each in context.state.executions(pipeline.key):
            yield EXECUTIONS["DescribePipelineExecution"](
                context, {"PipelineExecutionArn": arn_of(context, each)}
            )


_RECORDS: Mapping[str, tuple[str, str, Callable[[Context], Iterator[_Record]]]] = {
    "Experiment": ("Experiment", "ExperimentArn", partial(_resources, experiments.EXPERIMENT)),
    "ExperimentTrial": ("Trial", "TrialArn", partial(_resources, experiments.TRIAL)),
    "ExperimentTrialComponent": (
        "TrialComponent",
        "TrialComponentArn",
        partial(_resources, experiments.COMPONENT),
    ),
    "HyperParameterTuningJob": (
        "HyperParameterTuningJob",
        "HyperParameterTuningJobArn",
        partial(_jobs, "Tuning"),
    ),
    "ModelPackage": ("ModelPackage", "ModelPackageArn", _packages),
    "ModelPackageGroup": ("ModelPackageGroup", "ModelPackageGroupArn", _groups),
    "Pipeline": ("Pipeline", "PipelineArn", _pipelines),
    "PipelineExecution": ("PipelineExecution", "PipelineExecutionArn", _executions),
    "TrainingJob": ("TrainingJob", "TrainingJobArn", partial(_jobs, "Training")),
}

OPERATIONS: Mapping[str, Handler] = {"Search": _search}
