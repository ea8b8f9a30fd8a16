"""Models: made by calls, and by Model steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock_aws.endpoint.sagemaker.context import Context, Handler, name_in
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.endpoint.sagemaker.state import Resource, add_resource
from penstock_aws.endpoint.sagemaker.tags import forget_tags, keep_tags

KIND = "model"
_GONE = {"gone": True}


def model_record(context: Context, name: str) -> Mapping[str, Any] | None:
    """Give a model's Describe-shaped record; `None` where there is none."""
    found = _model(context, name)
    return found.body if found is not None else None


def keep_model(context: Context, described: Mapping[str, Any]) -> None:
    """Keep what a step has made; one that was deleted since stays so."""
    name = str(described["ModelName"])
    context.state.add(KIND, name.lower(), described, created=float(described["CreationTime"]))


def _model(context: Context, name: str) -> Resource | None:
    found = context.state.get(KIND, name_in(name).lower())
    return None if found is None or found.body == _GONE else found


def _demand(context: Context, name: str) -> Resource:
    found = _model(context, name)
    if found is None:
        raise invalid(f'Could not find model "{context.arn(KIND, name)}".')
    return found


def _create(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    name = str(request["ModelName"])
    arn = context.arn(KIND, name)
    if request.get("PrimaryContainer") and request.get("Containers"):
        raise invalid("Only one of PrimaryContainer and Containers can be given.")
    if not request.get("PrimaryContainer") and not request.get("Containers"):
        raise invalid("One of PrimaryContainer and Containers must be given.")
    now = time.time()
    body = {
        **{key: each for key, each in request.items() if key != "Tags"},
        "ModelArn": arn,
        "CreationTime": now,
    }
    with context.state.tables.write() as connection:
        connection.execute(
            "DELETE FROM resource WHERE kind = ? AND key = ? AND json_extract(body, '$.gone')",
            (KIND, name.lower()),
        )
        if not add_resource(connection, KIND, name.lower(), body, now):
            raise invalid(f'Cannot create already existing model "{arn}".')
        keep_tags(connection, arn, request.get("Tags"))
    return {"ModelArn": arn}


def _describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return _demand(context, str(request["ModelName"])).body


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        Row(str(each.body["ModelName"]), each.created, partial(_summary, each.body))
        for each in context.state.all(KIND)
        if each.body != _GONE
    ]
    return listed(List("ListModels", "Models"), rows, request)


def _summary(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("ModelName", "ModelArn", "CreationTime")}


def _delete(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    found = _demand(context, str(request["ModelName"]))
    # A mark stays: the step that made it may be told again.
    context.state.put(KIND, found.key, _GONE)
    with context.state.tables.write() as connection:
        forget_tags(connection, str(found.body["ModelArn"]))
    return {}


OPERATIONS: Mapping[str, Handler] = {
    "CreateModel": _create,
    "DeleteModel": _delete,
    "DescribeModel": _describe,
    "ListModels": _list,
}
