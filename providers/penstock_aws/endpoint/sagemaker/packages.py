"""Model packages and their groups. Approvals are those of the project's model registry, whoever gives them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from functools import partial
from sqlite3 import Connection
from typing import Any

from penstock.models.registry import Approval, ModelRegistry, ModelVersion
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import part, parts, texts
from penstock_aws.endpoint.sagemaker.package_groups import GROUP, group_named
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.endpoint.sagemaker.state import Resource, add_resource, change_resource
from penstock_aws.endpoint.sagemaker.tags import forget_tags, keep_tags
from penstock_aws.sagemaker.emulator.data.storage import StorageFault, parse_uri

KIND = "package"
_WORDS = {
    "Approved": Approval.APPROVED,
    "Rejected": Approval.REJECTED,
    "PendingManualApproval": Approval.PENDING,
}
_SAID = {each: word for word, each in _WORDS.items()}
_NOT_KEPT = ("Tags", "ClientToken", "ModelApprovalStatus", "ModelPackageGroupName", "ModelPackageName")
_UPDATED = (
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


def keep_package(context: Context, described: Mapping[str, Any]) -> None:
    """Keep a package that a step has made, and its group where that is missing, as pipelines do."""
    group, number = str(described["ModelPackageName"]), int(described["ModelPackageVersion"])
    now = float(described["CreationTime"])
    body = {key: each for key, each in described.items() if key not in _NOT_KEPT}
    with context.state.tables.write() as connection:
        add_resource(connection, GROUP, group.lower(), {"ModelPackageGroupName": group}, now)
        add_resource(connection, KIND, _key(group, number), {**body, "group": group, "version": number}, now)
        keep_tags(connection, str(described["ModelPackageArn"]), described.get("Tags"))


def _key(group: str, number: int) -> str:
    return f"{group.lower()}/{number:09d}"


def _demand(context: Context, arn_or_name: str) -> Resource:
    """Give a package by its ARN, or one without versions by its name. Raises ServiceFault."""
    name = arn_or_name.partition(":model-package/")[2] or arn_or_name
    group, _, number = name.partition("/")
    key = _key(group, int(number)) if number.isdecimal() else name.lower()
    found = context.state.get(KIND, key)
    if found is None:
        raise invalid(f"ModelPackage {context.arn('model-package', name)} does not exist.")
    return found


def _create(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
    if group and name:
        message = "Both ModelPackageName and ModelPackageGroupName are provided in the input."
        raise invalid(f"{message} Cannot determine which one to use.")
    if not group and not name:
        raise invalid("Missing ARN.")
    if group:
        group = group_named(context, str(group)).body["ModelPackageGroupName"]
    token = str(request.get("ClientToken") or "")
    # What the registry keeps stands in the ledger: the same call, made again after it was cut off, finds it there.
    seed = token or os.urandom(16).hex()

    def make(connection: Connection) -> dict[str, Any]:
        now = time.time()
        body = {key: each for key, each in request.items() if key not in _NOT_KEPT}
        if name:
            body |= {"name": name, "approval": request.get("ModelApprovalStatus")}
            key, arn = str(name).lower(), context.arn("model-package", str(name))
        else:
            version = _register(context, str(group), request, seed)
            body |= {"group": group, "version": version.version}
            arn = context.arn("model-package", f"{group}/{version.version}")
            key = _key(str(group), version.version)
        if not add_resource(connection, KIND, key, {**body, "ModelPackageArn": arn}, now):
            raise invalid(f"ModelPackage already exists: {arn}")
        keep_tags(connection, arn, request.get("Tags"))
        return {"ModelPackageArn": arn}

    return context.state.once("CreateModelPackage", token, request, make)


def _register(context: Context, group: str, request: Mapping[str, Any], seed: str) -> ModelVersion:
    """Enter a version into the project's registry."""
    containers = parts(request, "InferenceSpecification", "Containers")
    digest = hashlib.sha256(json.dumps(containers, sort_keys=True).encode()).hexdigest()
    for each in containers:
        try:
            held = context.around.buckets.get(*parse_uri(str(each.get("ModelDataUrl") or "")))
        except StorageFault:
            continue
        if held is not None:
            digest = held.digest
            break
    version, _ = ModelRegistry(context.ledger.database).register(
        group,
        digest,
        hashlib.sha256(f"{group}/{seed}".encode()).hexdigest(),
        lineage={"made_by": "CreateModelPackage"},
        approval=_WORDS[str(request.get("ModelApprovalStatus") or "PendingManualApproval")],
        description=str(request.get("ModelPackageDescription") or ""),
        tags={str(key): str(each) for key, each in part(request, "CustomerMetadataProperties").items()},
    )
    return version


def described(context: Context, package: Resource) -> dict[str, Any]:
    """Compose the answer to DescribeModelPackage."""
    body = package.body
    found: dict[str, Any] = {
        **body,
        "CreationTime": package.created,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreatedBy": context.user,
        "LastModifiedTime": package.modified,
        "LastModifiedBy": context.user,
    }
    if "group" not in body:
        return {**found, "ModelPackageName": body["name"], "ModelApprovalStatus": body["approval"]}
    version = ModelRegistry(context.ledger.database).get(body["group"], body["version"])
    found |= {
        "ModelPackageName": body["group"],
        "ModelPackageGroupName": body["group"],
        "ModelPackageVersion": body["version"],
        "ModelApprovalStatus": _SAID[version.approval],
    }
    if version.comment and version.comment != "at registration":
        found["ApprovalDescription"] = version.comment
    if version.decided_at:
        found["LastModifiedTime"] = max(package.modified, version.decided_at)
    return found


def _describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return described(context, _demand(context, str(request["ModelPackageName"])))


def _batch_describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    faults: dict[str, Any] = {}
    for arn in request["ModelPackageArnList"]:
        name = str(arn).partition(":model-package/")[2]
        group, _, number = name.partition("/")
        package = context.state.get(KIND, _key(group, int(number)) if number.isdecimal() else name.lower())
        if package is None:
            message = f"ModelPackage {arn} does not exist."
            faults[arn] = {"ErrorCode": "ValidationException", "ErrorResponse": message}
        else:
            found[arn] = described(context, package)
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": faults}


def _update(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    package = _demand(context, str(request["ModelPackageArn"]))
    approval = request.get("ModelApprovalStatus")
    body = package.body
    if approval and "group" in body:
        registry = ModelRegistry(context.ledger.database)
        decide = {
            "Approved": registry.approve,
            "Rejected": registry.reject,
            "PendingManualApproval": registry.withdraw,
        }[str(approval)]
        decide(body["group"], body["version"], str(request.get("ApprovalDescription") or ""))
    gone = texts(request, "CustomerMetadataPropertiesToRemove")

    def change(body: dict[str, Any]) -> dict[str, Any]:
        changed = {**body, **{key: request[key] for key in _UPDATED if request.get(key) is not None}}
        properties = {
            **part(body, "CustomerMetadataProperties"),
            **part(request, "CustomerMetadataProperties"),
        }
        changed["CustomerMetadataProperties"] = {
            key: each for key, each in properties.items() if key not in gone
        }
        added = request.get("AdditionalInferenceSpecificationsToAdd")
        if added:
            changed["AdditionalInferenceSpecifications"] = [
                *parts(body, "AdditionalInferenceSpecifications"),
                *added,
            ]
        if approval and "group" not in body:
            changed["approval"] = approval
        return {key: each for key, each in changed.items() if each != {}}

    with context.state.tables.write() as connection:
        change_resource(connection, KIND, package.key, change)
    return {"ModelPackageArn": body["ModelPackageArn"]}


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    group = str(request.get("ModelPackageGroupName") or "")
    if group:
        group = str(group_named(context, group).body["ModelPackageGroupName"])
    wanted = str(request.get("ModelPackageType") or ("Versioned" if group else "Unversioned"))
    rows: list[Row] = []
    for each in context.state.all(KIND, f"{group.lower()}/" if group else ""):
        if wanted != "Both" and ("group" in each.body) is not (wanted == "Versioned"):
            continue
        summary = _summary(described(context, each))
        if request.get("ModelApprovalStatus") not in (None, summary.get("ModelApprovalStatus")):
            continue
        rows.append(Row(each.key, each.created, partial(dict[str, Any], summary), each.modified))
    how = List("ListModelPackages", "ModelPackageSummaryList", descending=False)
    return listed(how, rows, request)


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    # A package that has a version is known by its ARN alone.
    gone = ("ModelPackageName",) if "ModelPackageVersion" in found else ()
    return {key: each for key, each in found.items() if key not in gone}


def _delete(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    package = _demand(context, str(request["ModelPackageName"]))
    with context.state.tables.write() as connection:
        connection.execute("DELETE FROM resource WHERE kind = ? AND key = ?", (KIND, package.key))
        forget_tags(connection, str(package.body["ModelPackageArn"]))
    return {}


OPERATIONS: Mapping[str, Handler] = {
    "BatchDescribeModelPackage": _batch_describe,
    "CreateModelPackage": _create,
    "DeleteModelPackage": _delete,
    "DescribeModelPackage": _describe,
    "ListModelPackages": _list,
    "UpdateModelPackage": _update,
}
