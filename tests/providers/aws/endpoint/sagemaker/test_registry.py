from __future__ import annotations

import json
from typing import Any

from tests.providers.aws.endpoint.sagemaker.api_for_tests import IMAGE, Api, definition, training

from penstock.models.registry import Approval, ModelRegistry

SERVING = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://given/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def registering(group: str) -> dict[str, Any]:
    model = {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}
    serving = {**SERVING, "Containers": [{"Image": IMAGE, "ModelDataUrl": model}]}
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": serving,
        "ModelApprovalStatus": "PendingManualApproval",
    }
    return {"Name": "register", "Type": "RegisterModel", "Arguments": arguments}


def test_a_pipeline_registers_a_version_in_every_execution(api: Api) -> None:
    api.pipeline(
        "Registering", definition(training("train", "echo -n w > /opt/ml/model/w"), registering("Churn"))
    )
    executions = [api.start("Registering")]
    assert api.ended(executions[0]) == "Succeeded"
    executions.append(api.start("Registering"))
    assert api.ended(executions[1]) == "Succeeded"

    arns = [api.steps(each)["register"]["Metadata"]["RegisterModel"]["Arn"] for each in executions]

    assert [each.rpartition(":")[2] for each in arns] == ["model-package/Churn/1", "model-package/Churn/2"]
    listed = api("ListModelPackages", ModelPackageGroupName="Churn", SortOrder="Descending")
    assert [each["ModelPackageArn"] for each in listed["ModelPackageSummaryList"]] == arns[::-1]
    assert (
        api("DescribeModelPackageGroup", ModelPackageGroupName="Churn")["ModelPackageGroupStatus"]
        == "Completed"
    )


def test_approvals_are_those_of_the_project_s_registry_both_ways(api: Api) -> None:
    api("CreateModelPackageGroup", ModelPackageGroupName="Churn")
    arns = [
        api("CreateModelPackage", ModelPackageGroupName="Churn", InferenceSpecification=SERVING)[
            "ModelPackageArn"
        ]
        for _ in range(2)
    ]

    api(
        "UpdateModelPackage",
        ModelPackageArn=arns[0],
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
    )
    with ModelRegistry.open(api.project.ledger) as registry:
        approved = registry.get("Churn", "approved")
        registry.reject("Churn", 2, "bad")

    assert (approved.version, approved.comment) == (1, "good")
    found = [api("DescribeModelPackage", ModelPackageName=each) for each in arns]
    assert [each["ModelApprovalStatus"] for each in found] == ["Approved", "Rejected"]
    assert [each["ApprovalDescription"] for each in found] == ["good", "bad"]
    wanted = api("ListModelPackages", ModelPackageGroupName="Churn", ModelApprovalStatus="Rejected")
    assert [each["ModelPackageVersion"] for each in wanted["ModelPackageSummaryList"]] == [2]
    api("UpdateModelPackage", ModelPackageArn=arns[0], ModelApprovalStatus="PendingManualApproval")
    with ModelRegistry.open(api.project.ledger) as registry:
        assert registry.get("Churn", 1).approval is Approval.PENDING


def test_the_same_client_token_makes_one_version(api: Api) -> None:
    api("CreateModelPackageGroup", ModelPackageGroupName="Churn")
    given = {"ModelPackageGroupName": "Churn", "InferenceSpecification": SERVING, "ClientToken": "t-1"}

    arns = {api("CreateModelPackage", **given)["ModelPackageArn"] for _ in range(2)}

    assert len(arns) == 1


def test_what_is_known_of_a_package_can_be_changed(api: Api) -> None:
    api("CreateModelPackageGroup", ModelPackageGroupName="Churn")
    arn = api(
        "CreateModelPackage",
        ModelPackageGroupName="Churn",
        InferenceSpecification=SERVING,
        CustomerMetadataProperties={"a": "1", "b": "2"},
    )["ModelPackageArn"]

    api(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )

    found = api("DescribeModelPackage", ModelPackageName=arn)
    assert found["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    both = api("BatchDescribeModelPackage", ModelPackageArnList=[arn, f"{arn}9"])
    assert list(both["ModelPackageSummaries"]) == [arn]
    assert list(both["BatchDescribeModelPackageErrorMap"]) == [f"{arn}9"]


def test_groups_are_refused_where_they_do_not_fit(api: Api) -> None:
    serving = {"InferenceSpecification": SERVING}

    assert "does not exist" in api.refused("DescribeModelPackageGroup", ModelPackageGroupName="none")[1]
    assert "does not exist" in api.refused("CreateModelPackage", ModelPackageGroupName="none", **serving)[1]
    api("CreateModelPackageGroup", ModelPackageGroupName="Churn", Tags=[{"Key": "a", "Value": "b"}])
    assert "already exists" in api.refused("CreateModelPackageGroup", ModelPackageGroupName="churn")[1]
    arn = api("CreateModelPackage", ModelPackageGroupName="Churn", **serving)["ModelPackageArn"]
    assert api.refused("DeleteModelPackageGroup", ModelPackageGroupName="Churn")[0] == "ConflictException"
    api("DeleteModelPackage", ModelPackageName=arn)
    api("DeleteModelPackageGroup", ModelPackageGroupName="Churn")
    assert api("ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []


def test_a_package_without_versions_is_known_by_its_name(api: Api) -> None:
    api("CreateModelPackage", ModelPackageName="lone", InferenceSpecification=SERVING)

    assert api("DescribeModelPackage", ModelPackageName="lone")["ModelPackageName"] == "lone"
    listed = api("ListModelPackages")["ModelPackageSummaryList"]
    assert [each["ModelPackageName"] for each in listed] == ["lone"]
    again = api.refused("CreateModelPackage", ModelPackageName="lone", InferenceSpecification=SERVING)
    assert "ModelPackage already exists" in again[1]


def test_the_steps_of_a_registration_can_be_searched(api: Api) -> None:
    api("CreateModelPackageGroup", ModelPackageGroupName="Churn")
    for status in ("Approved", "Rejected"):
        api(
            "CreateModelPackage",
            ModelPackageGroupName="Churn",
            InferenceSpecification=SERVING,
            ModelApprovalStatus=status,
        )
    filters = [
        {"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "Churn"},
        {"Name": "ModelApprovalStatus", "Operator": "Equals", "Value": "Approved"},
    ]

    found = api("Search", Resource="ModelPackage", SearchExpression={"Filters": filters})

    assert [each["ModelPackage"]["ModelPackageVersion"] for each in found["Results"]] == [1]
    assert json.dumps(found)
