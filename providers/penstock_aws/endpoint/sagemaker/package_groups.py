"""Groups of model packages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock_aws.endpoint.sagemaker.context import Context, Handler, name_in
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.refusals import conflict, invalid
from penstock_aws.endpoint.sagemaker.state import Resource, add_resource
from penstock_aws.endpoint.sagemaker.tags import forget_tags, keep_tags

GROUP = "package-group"
_RESOURCE = "model-package-group"


def group_named(context: Context, arn_or_name: str) -> Resource:
    """Give a group. Raises ServiceFault: there is none."""
    found = context.state.get(GROUP, name_in(arn_or_name).lower())
    if found is None:
        raise invalid(f"ModelPackageGroup {context.arn(_RESOURCE, name_in(arn_or_name))} does not exist.")
    return found


def _arn(context: Context, group: Resource) -> str:
    return context.arn(_RESOURCE, str(group.body["ModelPackageGroupName"]))


def described_group(context: Context, group: Resource) -> dict[str, Any]:
    """Compose the answer to DescribeModelPackageGroup."""
    return {
        **group.body,
        "ModelPackageGroupArn": _arn(context, group),
        "CreationTime": group.created,
        "CreatedBy": context.user,
        "ModelPackageGroupStatus": "Completed",
    }


def _create(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    name = str(request["ModelPackageGroupName"])
    arn = context.arn(_RESOURCE, name)
    body = {key: each for key, each in request.items() if key != "Tags"}
    with context.state.tables.write() as connection:
        if not add_resource(connection, GROUP, name.lower(), body, time.time()):
            raise invalid(f"Model Package Group already exists: {arn}")
        keep_tags(connection, arn, request.get("Tags"))
    return {"ModelPackageGroupArn": arn}


def _describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return described_group(context, group_named(context, str(request["ModelPackageGroupName"])))


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        Row(str(each.body["ModelPackageGroupName"]), each.created, partial(described_group, context, each))
        for each in context.state.all(GROUP)
    ]
    how = List("ListModelPackageGroups", "ModelPackageGroupSummaryList", descending=False)
    return listed(how, rows, request)


def _delete(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    group = group_named(context, str(request["ModelPackageGroupName"]))
    arn = _arn(context, group)
    with context.state.tables.write() as connection:
        if context.state.all("package", f"{group.key}/"):
            raise conflict(f"Model Package Group {arn} cannot be deleted: it holds model packages.")
        connection.execute("DELETE FROM resource WHERE kind = ? AND key = ?", (GROUP, group.key))
        forget_tags(connection, arn)
    return {}


OPERATIONS: Mapping[str, Handler] = {
    "CreateModelPackageGroup": _create,
    "DeleteModelPackageGroup": _delete,
    "DescribeModelPackageGroup": _describe,
    "ListModelPackageGroups": _list,
}
