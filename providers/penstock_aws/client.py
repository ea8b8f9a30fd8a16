"""The official clients, and their faults told as diagnostics: the one file that imports boto3 or the SageMaker SDK.

Credentials come from boto3's default chain, and are neither read nor kept here. Where AWS_ENDPOINT_URL is set, as for a
loopback endpoint, boto3 heeds it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from threading import RLock
from typing import Any

from penstock import __version__
from penstock.diagnostics import error
from penstock.errors import RunError

CONNECTIONS = 16
_ATTEMPTS = 6
"""Tries of a call, with pauses that grow; in adaptive mode throttled clients slow down by themselves too."""

_EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "Forbidden",
        "UnauthorizedOperation",
    }
)
_MISSING = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NotFound",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
_ELSEWHERE = frozenset(
    {"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_TOO_MUCH = frozenset(
    {
        "503",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ResourceLimitExceeded",
        "ServiceQuotaExceededException",
        "ServiceUnavailable",
        "SlowDown",
        "TooManyRequestsException",
    }
)
_NO_CREDENTIALS = (
    *("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"),
    *("ConfigNotFound", "ConfigParseError", "LoginError"),
)
_LOGIN_OVER = ("SSOError", "TokenRetrievalError", "RefreshWithMFAUnsupportedError")
_UNREACHABLE = ("HTTPClientError", "ConnectionError", "SSLError", "IncompleteReadError", "ReadTimeoutError")


class Clients:
    """Clients for one region, each made when it is first asked for; threads share them.

    Args:
        region: such as eu-west-1.
        session: of boto3; by default one with the default chain of credentials.
    """

    def __init__(self, region: str, session: Any = None) -> None:
        self.region = region
        self._lock = RLock()
        self._session: Any = session
        self._made: dict[str, Any] = {}

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        while self._made:
            self._made.popitem()[1].close()

    @property
    def sagemaker(self) -> Any:
        """The client of SageMaker."""
        return self._client("sagemaker")

    @property
    def s3(self) -> Any:
        """The client of S3."""
        return self._client("s3")

    @property
    def logs(self) -> Any:
        """The client of CloudWatch Logs."""
        return self._client("logs")

    def renew(self) -> bool:
        """Look for credentials anew; tell whether there are others than before, as after another login."""
        with self._lock:
            before = _key(self._session)
            self._close()
            self._session = None
            with calling("look for credentials"):
                self._session = _boto3().Session(region_name=self.region)
                after = _key(self._session)
        return bool(after) and after != before

    def _client(self, name: str) -> Any:
        with self._lock:
            if name not in self._made:
                with calling("look for credentials"):
                    self._session = self._session or _boto3().Session(region_name=self.region)
                    config = import_module("botocore.config").Config(
                        retries={"mode": "adaptive", "max_attempts": _ATTEMPTS},
                        connect_timeout=10,
                        read_timeout=60,
                        max_pool_connections=CONNECTIONS,
                        user_agent_extra=f"penstock/{__version__}",
                    )
                    self._made[name] = self._session.client(name, config=config)
            return self._made[name]


def _key(session: Any) -> tuple[str, str]:
    found = session.get_credentials() if session is not None else None
    frozen = found.get_frozen_credentials() if found is not None else None
    return (frozen.access_key or "", frozen.token or "") if frozen is not None else ("", "")


def _boto3() -> Any:
    try:
        return import_module("boto3")
    except ImportError:
        message = "submitting takes boto3, and that is not installed"
        raise RunError([error("P451", message, hint="pip install 'penstock[aws]'")]) from None


@contextmanager
def calling(what: str, *, about: str = "") -> Generator[None]:
    """Tell faults of the client library as diagnostics.

    Args:
        what: what is done, as the end of "could not …".
        about: what the call is about, such as a bucket's address.

    Raises:
        RunError: with one of P452 to P458.
    """
    try:
        yield
    except Exception as fault:
        told = told_as(fault, what, about)
        if told is None:
            raise
        raise told from None


def code_of(fault: BaseException) -> str:
    """Give the service's own code of an answer that refuses; empty for any other exception."""
    response = getattr(fault, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def told_as(fault: Exception, what: str, about: str = "") -> RunError | None:
    """Translate a fault of botocore's; `None` for what is none."""
    kinds = {each.__name__ for each in type(fault).__mro__}
    if "ClientError" in kinds:
        return RunError([_refused(fault, what, about)])
    if not kinds & {"BotoCoreError", "Boto3Error"}:
        return None
    said = f"could not {what}: {_sentence(str(fault))}"
    login = "log in, for example with `aws configure` or `aws sso login`, or set AWS_PROFILE"
    if kinds & set(_NO_CREDENTIALS):
        return RunError([error("P452", said, hint=login)])
    if kinds & set(_LOGIN_OVER):
        return RunError([error("P453", said, hint="log in again, as with `aws sso login`")])
    if kinds & set(_UNREACHABLE):
        return RunError([error("P457", said, hint=_where_to())])
    return RunError([error("P458", said)])


def _refused(fault: Any, what: str, about: str) -> Any:
    code = code_of(fault)
    words = _sentence(str(fault.response.get("Error", {}).get("Message") or code))
    call = str(getattr(fault, "operation_name", "") or "")
    at = f" {about}" if about and about not in words else ""
    said = f"could not {what}{at}: {words}" + (
        f" ({code} from {call})" if code not in words else f" (from {call})"
    )
    if code in _EXPIRED:
        return error(
            "P453", said, hint="log in again; `penstock resume RUN` goes on with a run that was begun"
        )
    if code in _DENIED:
        return error("P454", said, hint=f"allow {_permission(call)}{f' on {about}' if about else ''}")
    if code in _MISSING:
        return error("P455", said, hint="compare region, bucket and role of the profile with the account")
    if code in _ELSEWHERE:
        return error("P455", said, hint="the bucket is in another region than the profile says")
    if code in _TOO_MUCH or "Throttl" in code:
        return error("P456", said, hint="`penstock resume RUN` goes on later; a quota can be raised")
    if "role" in words.lower() and ("assume" in words.lower() or "exist" in words.lower()):
        return error("P455", said, hint="name a role of the account that SageMaker may assume")
    return error("P458", said)


def _permission(call: str) -> str:
    """Name the permission behind a call, where the two differ."""
    named = {
        "HeadObject": "s3:GetObject",
        "HeadBucket": "s3:ListBucket",
        "ListObjectsV2": "s3:ListBucket",
        "CreateMultipartUpload": "s3:PutObject",
        "UploadPart": "s3:PutObject",
        "CompleteMultipartUpload": "s3:PutObject",
        "ListParts": "s3:ListMultipartUploadParts",
        "ListMultipartUploads": "s3:ListBucketMultipartUploads",
        "DescribeLogStreams": "logs:DescribeLogStreams",
        "GetLogEvents": "logs:GetLogEvents",
    }
    prefix = "s3:" if call.endswith(("Object", "Objects")) else "sagemaker:"
    return named.get(call, f"{prefix}{call}")


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _where_to() -> str:
    import os

    address = os.environ.get("AWS_ENDPOINT_URL", "")
    return (
        f"AWS_ENDPOINT_URL is {address}: is anybody there?" if address else "is there a network, or a proxy?"
    )


def sdk_pipeline(name: str, definition: str, upload: Callable[[Any], None], session: Any, region: str) -> Any:
    """Make a Pipeline of the SageMaker SDK, of whichever generation is installed, around a definition.

    Args:
        name: the pipeline's.
        definition: the text that its `definition()` gives.
        upload: called with the SDK's boto session before the pipeline is created or updated.
        session: the SDK's; by default it makes one itself.
        region: for a session that is made here.

    Raises:
        RunError: the SDK is not installed (P451), or finds no credentials.
    """
    import json

    sdk = _sdk()
    document = json.loads(definition)

    class Step(sdk.steps.Step):  # type: ignore[misc, name-defined]
        """One step as the definition has it."""

        def __init__(self, body: dict[str, Any]) -> None:
            self.body = body
            super().__init__(  # pyright: ignore[reportUnknownMemberType]
                name=body["Name"],
                display_name=body.get("DisplayName"),
                description=body.get("Description"),
                step_type=_member(sdk.steps.StepTypeEnum, body["Type"]),
                depends_on=body.get("DependsOn"),
            )

        @property
        def arguments(self) -> Any:
            """The step's arguments."""
            return self.body["Arguments"]

        @property
        def properties(self) -> Any:
            """None: who refers to a step writes the reference."""
            return None

        def to_request(self) -> dict[str, Any]:
            """Give the step."""
            return dict(self.body)

    class Pipeline(sdk.pipeline.Pipeline):  # type: ignore[misc, name-defined]
        """A compiled pipeline. What it leans on is uploaded before the service is told of it."""

        def definition(self) -> str:
            """Give the document, as it was compiled."""
            return definition

        def create(self, *given: Any, **named: Any) -> Any:
            """Upload, then create."""
            upload(self.sagemaker_session.boto_session)
            parent: Any = super()
            return parent.create(*given, **named)

        def update(self, *given: Any, **named: Any) -> Any:
            """Upload, then update."""
            upload(self.sagemaker_session.boto_session)
            parent: Any = super()
            return parent.update(*given, **named)

    parameters = [_sdk_parameter(sdk.parameters, each) for each in document.get("Parameters") or ()]
    with calling("make a pipeline of the SDK"):
        if session is None:
            boto = _boto3().Session(region_name=region) if region else None
            session = sdk.session.Session(boto_session=boto)
        return Pipeline(
            name=name,
            parameters=parameters,
            pipeline_experiment_config=None,
            steps=[Step(each) for each in document["Steps"]],
            sagemaker_session=session,
        )


def _sdk() -> Any:
    from types import SimpleNamespace

    homes = (
        ("sagemaker.mlops.workflow", "sagemaker.core.workflow", "sagemaker.core.helper.session_helper"),
        ("sagemaker.workflow", "sagemaker.workflow", "sagemaker.session"),
    )
    for workflow, core, session in homes:
        try:
            return SimpleNamespace(
                pipeline=import_module(f"{workflow}.pipeline"),
                steps=import_module(f"{workflow}.steps"),
                parameters=import_module(f"{core}.parameters"),
                session=import_module(session),
            )
        except ModuleNotFoundError:
            continue
    message = "this takes the SageMaker SDK, and that is not installed"
    raise RunError([error("P451", message, hint="pip install 'penstock[sagemaker]'")])


def _member(enumeration: Any, value: str) -> Any:
    """Give the SDK's member for a step type; the text itself for one that the SDK does not know."""
    try:
        return enumeration(value)
    except ValueError:
        return value


def _sdk_parameter(parameters: Any, row: dict[str, Any]) -> Any:
    made = getattr(parameters, f"Parameter{row['Type']}")
    named: dict[str, Any] = {"name": row["Name"], "default_value": row.get("DefaultValue")}
    if row.get("EnumValues"):
        named["enum_values"] = row["EnumValues"]
    return made(**named)
