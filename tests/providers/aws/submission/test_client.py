from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from penstock.errors import RunError
from penstock_aws.client import calling

ANSWERS = [
    ("ExpiredToken", "P453"),
    ("ExpiredTokenException", "P453"),
    ("InvalidClientTokenId", "P453"),
    ("SignatureDoesNotMatch", "P453"),
    ("AccessDenied", "P454"),
    ("AccessDeniedException", "P454"),
    ("403", "P454"),
    ("NoSuchBucket", "P455"),
    ("ResourceNotFound", "P455"),
    ("PermanentRedirect", "P455"),
    ("ThrottlingException", "P456"),
    ("SlowDown", "P456"),
    ("ResourceLimitExceeded", "P456"),
    ("ValidationException", "P458"),
    ("InternalFailure", "P458"),
]


def exception(name: str, **given: Any) -> Exception:
    made: Exception = getattr(import_module("botocore.exceptions"), name)(**given)
    return made


def refusal(code: str, message: str = "because of that.") -> Exception:
    answer = {"Error": {"Code": code, "Message": message}}
    return exception("ClientError", error_response=answer, operation_name="PutObject")


def told(fault: Exception) -> RunError:
    with pytest.raises(RunError) as found, calling("upload", about="s3://my-ml/key"):
        raise fault
    return found.value


@pytest.mark.parametrize(("code", "expected"), ANSWERS)
def test_what_the_service_refuses_has_a_code_of_ours(code: str, expected: str) -> None:
    (found,) = told(refusal(code)).diagnostics

    assert found.code == expected
    assert found.message.startswith("could not upload s3://my-ml/key: because of that")
    assert code in found.message


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (exception("NoCredentialsError"), "P452"),
        (exception("PartialCredentialsError", provider="env", cred_var="secret"), "P452"),
        (exception("ProfileNotFound", profile="dev"), "P452"),
        (exception("UnauthorizedSSOTokenError"), "P453"),
        (exception("EndpointConnectionError", endpoint_url="http://127.0.0.1:1"), "P457"),
        (exception("ConnectTimeoutError", endpoint_url="http://127.0.0.1:1"), "P457"),
        (exception("ReadTimeoutError", endpoint_url="http://127.0.0.1:1"), "P457"),
        (exception("ParamValidationError", report="Missing PipelineName"), "P458"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_what_the_client_cannot_do_has_a_code_of_ours(fault: Exception, expected: str) -> None:
    (found,) = told(fault).diagnostics

    assert found.code == expected


def test_a_denied_call_names_the_permission_that_is_missing() -> None:
    (found,) = told(refusal("AccessDenied")).diagnostics

    assert found.hint == "allow s3:PutObject on s3://my-ml/key"


def test_a_role_that_cannot_be_assumed_is_told_as_one() -> None:
    (found,) = told(refusal("ValidationException", "Could not assume role arn:aws:iam::1:role/x")).diagnostics

    assert found.code == "P455"


def test_an_exception_that_is_not_of_the_client_goes_on() -> None:
    with pytest.raises(KeyError), calling("upload"):
        raise KeyError("a fault of ours")
