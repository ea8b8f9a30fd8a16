"""A request as the service would take or refuse it, now that every value in it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.validation import validate

_KEYS = ("FunctionArn", "SqsQueueUrl")


def refuse_bad_request(step: Step, arguments: Mapping[str, Any]) -> None:
    """Hold a request without expressions against its shape. Raises JobFault, in the service's manner."""
    body = {
        "Name": step.name,
        "Type": step.type,
        "Arguments": arguments,
        **{key: step.body[key] for key in _KEYS if key in step.body},
    }
    found = [each for each in validate({"Version": "2020-12-01", "Steps": [body]}) if not each.warning]
    if found:
        first = found[0].message.removeprefix(f"step '{step.name}' ")
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise JobFault(f"ClientError: ValidationException: {first}{more}", found[0].code)
