"""A register step as RegisterModel, and a fail step as Fail."""

from __future__ import annotations

from typing import Any

from penstock.diagnostics import At, error, warning
from penstock.ir import Fail, Job, Register, offered
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import join, string
from penstock_aws.sagemaker.lowering.names import group_name, tags
from penstock_aws.sagemaker.lowering.ports import made_by
from penstock_aws.sagemaker.lowering.serving import container

_STATUS = {"manual": "PendingManualApproval", "approved": "Approved"}
_CONTENT_TYPES = ["text/csv"]
_RESPONSE_TYPES = ["text/csv", "application/json"]


def registration(step: Register, draft: Draft) -> dict[str, Any]:
    """Lower a step to the arguments of CreateModelPackage."""
    assert step.model is not None
    serving = step.serving
    producer = draft.steps[step.model.step]
    output = next(each for each in offered(producer) if each.name == step.model.output)
    environment = serving.environment if serving else ""
    if not environment and isinstance(producer, Job):
        environment = producer.environment
    made = made_by(producer, output)
    if made.inside:
        message = (
            f"'{output.name}' is not the model of training job '{producer.name}', and cannot be registered"
        )
        hint = "a training job has one model, its first: make the other in a train step of its own"
        draft.found.append(error("P302", message, At((*step.path, "model")), hint))
    found: dict[str, Any] = {
        "ModelPackageGroupName": group_name(step, draft),
        "InferenceSpecification": {
            "Containers": [container(step, serving, environment, made, draft)],
            "SupportedContentTypes": list(serving.content_types if serving else ()) or _CONTENT_TYPES,
            "SupportedResponseMIMETypes": list(serving.response_types if serving else ()) or _RESPONSE_TYPES,
        },
        "ModelApprovalStatus": _STATUS[str(step.approval)],
        "CustomerMetadataProperties": {
            "pipeline": draft.graph.name,
            "pipeline_version": draft.graph.version or "none",
            # A version in a group bears the group's tags and takes none of its own.
            **{each["Key"]: each["Value"] for each in tags(step, draft)},
        },
    }
    if step.metrics:
        source = made_by(draft.steps[step.metrics.step], _metrics(step, draft))
        if source.archive:
            message = (
                "a model package names a file of metrics, and those of a training job stand in an archive"
            )
            hint = "write the metrics in a command step; this package has none"
            draft.found.append(warning("P302", message, At((*step.path, "metrics")), hint))
        else:
            uri = join("/", source.uri, source.file) if source.file and not source.unnamed else source.uri
            found["ModelMetrics"] = {
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}
            }
    return found


def _metrics(step: Register, draft: Draft) -> Any:
    assert step.metrics is not None
    name = step.metrics.output
    return next(each for each in offered(draft.steps[step.metrics.step]) if each.name == name)


def failure(step: Fail, draft: Draft) -> dict[str, Any]:
    """Lower a fail step."""
    return {"ErrorMessage": string(step.message, draft) if step.message else step.name}
