"""Calls that nobody should answer, and calls that are wrong: refused in the service's words, and nothing done."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest

from penstock_aws.endpoint.credentials import Credentials
from penstock_aws.endpoint.server import Endpoint

JSON = {"content-type": "application/x-amz-json-1.1"}
LIST = {**JSON, "x-amz-target": "SageMaker.ListPipelines"}


class Answered:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.body = response.read()
        self.headers = dict(response.getheaders())

    @property
    def code(self) -> str:
        """The error's code, in either form."""
        if self.body.startswith(b"{"):
            return str(json.loads(self.body)["__type"])
        return self.body.decode().partition("<Code>")[2].partition("</Code>")[0]


def send(
    endpoint: Endpoint, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answered:
    """Send a call as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=60)
    try:
        connection.request(method, path, body or None, headers or {})
        return Answered(connection.getresponse())
    finally:
        connection.close()


def signed(
    endpoint: Endpoint,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    service: str = "sagemaker",
    credentials: Credentials | None = None,
) -> Answered:
    """Sign a call, and send it."""
    auth, requests = import_module("botocore.auth"), import_module("botocore.awsrequest")
    ours = credentials or endpoint.credentials
    keys: Any = import_module("botocore.credentials").Credentials(ours.access_key, ours.secret_key)
    request = requests.AWSRequest(method, endpoint.url + path, headers=headers or {}, data=body)
    request.context["client_config"] = None
    signer = auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth
    signer(keys, service, "us-east-1").add_auth(request)
    prepared = request.prepare()
    sent = {name: str(value) for name, value in prepared.headers.items()}
    return send(endpoint, method, str(prepared.url).partition(urlsplit(endpoint.url).netloc)[2], body, sent)


def test_a_call_that_is_right_is_answered(endpoint: Endpoint) -> None:
    found = signed(endpoint, "POST", "/", b"{}", LIST)

    assert (found.status, json.loads(found.body)) == (200, {"PipelineSummaries": []})
    assert found.headers["x-amzn-requestid"]
    assert "server" not in {name.lower() for name in found.headers}


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/a-bucket/key", {}, (403, "AccessDenied")),
        ("PUT", "/a-bucket", {}, (403, "AccessDenied")),
        ("POST", "/", LIST, (403, "MissingAuthenticationTokenException")),
        ("GET", "/", {"host": "evil.example"}, (403, "AccessDenied")),
        ("GET", "/", {"host": "127.0.0.1.evil.example"}, (403, "AccessDenied")),
        ("GET", "/", {"host": "localhost.evil.example:80"}, (403, "AccessDenied")),
        ("GET", "/", {"host": "127.0.0.1:80.evil.example"}, (403, "AccessDenied")),
        ("GET", "/", {"host": "[::1].evil.example"}, (403, "AccessDenied")),
        ("GET", "/", {"host": "169.254.169.254"}, (403, "AccessDenied")),
        ("GET", "/", {"origin": "http://127.0.0.1"}, (403, "AccessDenied")),
        ("GET", "/", {"origin": "null"}, (403, "AccessDenied")),
        ("OPTIONS", "/a-bucket/key", {"origin": "http://evil.example"}, (403, "AccessDenied")),
        ("GET", "/moto-api/data.json", {}, (403, "AccessDenied")),
        ("POST", "/moto-api/reset", {}, (403, "AccessDenied")),
        ("GET", "/latest/meta-data/iam/security-credentials/", {}, (403, "AccessDenied")),
    ],
)
def test_without_a_signature_or_from_elsewhere_nothing_is_answered(
    endpoint: Endpoint, method: str, path: str, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    found = send(endpoint, method, path, headers=headers)

    assert (found.status, found.code) == expected
    assert not [name for name in found.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("headers", [{"origin": "http://localhost"}, {"host": "evil.example"}])
def test_a_signature_does_not_help_a_page_in_a_browser(endpoint: Endpoint, headers: dict[str, str]) -> None:
    found = signed(endpoint, "POST", "/", b"{}", {**LIST, **headers})

    assert (found.status, found.code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("key", "secret", "json_code", "xml_code"),
    [
        ("", "wrong", "InvalidSignatureException", "SignatureDoesNotMatch"),
        ("AKIAFOREIGNFOREIGN00", "wrong", "UnrecognizedClientException", "InvalidAccessKeyId"),
        ("ASIAFOREIGNFOREIGN00", "wrong", "UnrecognizedClientException", "InvalidAccessKeyId"),
    ],
)
def test_other_credentials_do_nothing(
    endpoint: Endpoint, s3: Any, bucket: str, key: str, secret: str, json_code: str, xml_code: str
) -> None:
    stranger = Credentials(key or endpoint.credentials.access_key, secret)
    body = json.dumps({"ExperimentName": f"hostile-{bucket}"}).encode()

    create = {**JSON, "x-amz-target": "SageMaker.CreateExperiment"}
    api = signed(endpoint, "POST", "/", body, create, credentials=stranger)
    put = signed(endpoint, "PUT", f"/{bucket}/k", b"x", service="s3", credentials=stranger)
    sts = signed(
        endpoint,
        "POST",
        "/",
        b"Action=GetCallerIdentity&Version=2011-06-15",
        {"content-type": "application/x-www-form-urlencoded"},
        service="sts",
        credentials=stranger,
    )

    assert (api.status, api.code) == (403, json_code)
    assert (put.status, put.code) == (403, xml_code)
    assert sts.status == 403
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    described = {**JSON, "x-amz-target": "SageMaker.DescribeExperiment"}
    assert signed(endpoint, "POST", "/", body, described).code == "ResourceNotFound"


def test_a_body_that_was_swapped_is_refused(endpoint: Endpoint, s3: Any, bucket: str) -> None:
    auth, requests = import_module("botocore.auth"), import_module("botocore.awsrequest")
    ours = endpoint.credentials
    keys: Any = import_module("botocore.credentials").Credentials(ours.access_key, ours.secret_key)
    for service, path, code in (("s3", f"/{bucket}/k", "XAmzContentSHA256Mismatch"), ("sagemaker", "/", "")):
        method, headers = ("PUT", {}) if service == "s3" else ("POST", dict(LIST))
        request = requests.AWSRequest(method, endpoint.url + path, headers=headers, data=b"{} ")
        request.context["client_config"] = None
        (auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth)(keys, service, "us-east-1").add_auth(
            request
        )
        sent = {name: str(value) for name, value in request.prepare().headers.items()}

        found = send(endpoint, method, path, b"{\n}", sent)

        assert found.code == (code or "InvalidSignatureException")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert list((endpoint.project.artifacts / "drafts").iterdir()) == []


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SageMaker.NoSuchOperation", b"{}", "UnknownOperationException"),
        ("SageMaker.", b"{}", "UnknownOperationException"),
        ("SageMaker.__class__", b"{}", "UnknownOperationException"),
        ("SageMaker.CreateNotebookInstance", None, "UnknownOperationException"),
        ("SageMaker.ListPipelines", b"{", "SerializationException"),
        ("SageMaker.ListPipelines", b"[]", "SerializationException"),
        ("SageMaker.ListPipelines", b"\xff\xfe", "SerializationException"),
        ("SageMaker.ListPipelines", b"[" * 100_000, "SerializationException"),
        ("SageMaker.ListPipelines", b'{"MaxResults": "many"}', "SerializationException"),
        ("SageMaker.ListPipelines", b'{"MaxResults": 1e999}', "SerializationException"),
        ("SageMaker.ListPipelines", b'{"MaxResults": true}', "SerializationException"),
        ("SageMaker.ListPipelines", b'{"CreatedAfter": "yesterday"}', "SerializationException"),
        ("SageMaker.DescribePipeline", b'{"PipelineName": {"a": 1}}', "SerializationException"),
        ("SageMaker.DescribePipeline", b"{}", "ValidationException"),
        ("SageMaker.DescribePipeline", b'{"PipelineName": "a b; DROP TABLE"}', "ValidationException"),
        ("SageMaker.ListPipelines", b'{"MaxResults": 100000}', "ValidationException"),
    ],
)
def test_calls_that_are_malformed_get_the_service_s_own_errors(
    endpoint: Endpoint, target: str, body: bytes | None, code: str
) -> None:
    whole = json.dumps(
        {"NotebookInstanceName": "a", "InstanceType": "ml.t3.medium", "RoleArn": "a" * 20}
    ).encode()

    found = signed(endpoint, "POST", "/", whole if body is None else body, {**JSON, "x-amz-target": target})

    if body is not None:
        assert (found.status, found.code) == (400, code)
    else:
        assert found.status == 400


def test_a_target_signed_for_another_service_is_refused(endpoint: Endpoint) -> None:
    found = signed(endpoint, "POST", "/", b"{}", LIST, service="sqs")

    assert (found.status, found.code) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("method", "query", "body", "code"),
    [
        ("POST", "delete", b"<Delete>", "MalformedXML"),
        ("POST", "delete", b"<Other/>", "MalformedXML"),
        ("POST", "delete", b"<Delete/>", "MalformedXML"),
        ("POST", "delete", b"", "MalformedXML"),
        ("POST", "delete", b"not xml", "MalformedXML"),
        ("POST", "delete", b"<a>" * 100_000, "MalformedXML"),
        (
            "POST",
            "delete",
            b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>',
            "MalformedXML",
        ),
        (
            "POST",
            "delete",
            '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete/>'.encode("utf-16"),
            "MalformedXML",
        ),
        ("PUT", "versioning", b"<x/>", "NotImplemented"),
        ("PATCH", "", b"", "MethodNotAllowed"),
        ("GET", "max-keys=-1", b"", "InvalidArgument"),
        ("GET", "encoding-type=base64", b"", "InvalidArgument"),
        ("GET", "list-type=2&continuation-token=%FF", b"", "InvalidArgument"),
    ],
)
def test_hostile_xml_and_queries_are_refused(
    endpoint: Endpoint, bucket: str, method: str, query: str, body: bytes, code: str
) -> None:
    found = signed(endpoint, method, f"/{bucket}?{query}", body, service="s3")

    assert found.code == code
    assert found.status in (400, 405, 501)


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/x", "/a/%ff"])
def test_paths_lead_nowhere(endpoint: Endpoint, path: str) -> None:
    found = signed(endpoint, "GET", path, service="s3")

    assert found.status in (400, 404)
    assert found.code in ("NoSuchBucket", "InvalidURI")


@pytest.mark.slow
def test_bodies_are_bounded(endpoint: Endpoint, bucket: str) -> None:
    large = b'{"PipelineName": "' + b"a" * (9 << 20) + b'"}'
    describe = {**JSON, "x-amz-target": "SageMaker.DescribePipeline"}

    found = signed(endpoint, "POST", "/", large, describe)
    unsigned = send(endpoint, "POST", "/", b"", {**describe, "content-length": "99999999999"})

    assert (found.status, found.code) == (413, "EntityTooLarge")
    assert (unsigned.status, unsigned.code) == (403, "MissingAuthenticationTokenException")
    zipped = gzip.compress(b"{" * (1 << 20))
    packed = signed(endpoint, "POST", "/", zipped, {**describe, "content-encoding": "gzip"})
    assert packed.code == "SerializationException"


def test_an_object_of_an_unknown_or_absurd_size_is_refused(endpoint: Endpoint, bucket: str) -> None:
    auth, requests = import_module("botocore.auth"), import_module("botocore.awsrequest")
    ours = endpoint.credentials
    keys: Any = import_module("botocore.credentials").Credentials(ours.access_key, ours.secret_key)
    request = requests.AWSRequest("PUT", f"{endpoint.url}/{bucket}/k", data=b"")
    request.context["client_config"] = None
    auth.S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    sent = {name: str(value) for name, value in request.prepare().headers.items()}

    for more, status, code in (
        ({"content-length": str(6 << 30)}, 400, "EntityTooLarge"),
        ({"transfer-encoding": "chunked"}, 411, "MissingContentLength"),
    ):
        kept = {name: value for name, value in sent.items() if name.lower() != "content-length"}
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as opened:
            lines = [
                f"PUT /{bucket}/k HTTP/1.1",
                *(f"{name}: {value}" for name, value in {**kept, **more}.items()),
            ]
            host = [] if "host" in {name.lower() for name in kept} else [f"Host: 127.0.0.1:{endpoint.port}"]
            lines += [*host, "Expect: 100-continue"]
            opened.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            response = http.client.HTTPResponse(opened)
            response.begin()
            found = Answered(response)
        assert (found.status, found.code) == (status, code)


def test_what_is_no_http_ends_the_connection_and_nothing_else(endpoint: Endpoint) -> None:
    for content in (
        b"\x16\x03\x01" + os.urandom(200),
        b"GET\r\n\r\n",
        b"A" * 200_000,
        b"GET / HTTP/1.1\r\n" * 9000,
    ):
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as opened:
            try:
                opened.sendall(content)
                opened.shutdown(socket.SHUT_WR)
                while opened.recv(65536):
                    pass
            except OSError:
                continue
    assert send(endpoint, "GET", "/").status == 200


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    endpoint: Endpoint, s3: Any, bucket: str
) -> None:
    auth, requests = import_module("botocore.auth"), import_module("botocore.awsrequest")
    ours = endpoint.credentials
    keys: Any = import_module("botocore.credentials").Credentials(ours.access_key, ours.secret_key)
    request = requests.AWSRequest("PUT", f"{endpoint.url}/{bucket}/k", data=b"x" * 100_000)
    request.context["client_config"] = None
    auth.S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    sent = {name: str(value) for name, value in request.prepare().headers.items()}
    sent.setdefault("Host", f"127.0.0.1:{endpoint.port}")
    head = "\r\n".join([f"PUT /{bucket}/k HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())])

    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as opened:
        opened.sendall(f"{head}\r\n\r\n".encode() + b"x" * 5000)

    s3.put_object(Bucket=bucket, Key="other", Body=b"y")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["other"]


def test_a_bucket_may_stand_in_the_host(endpoint: Endpoint, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/k", Body=b"x")
    host = f"{bucket}.localhost:{endpoint.port}"

    found = signed(endpoint, "GET", "/a/k", headers={"host": host}, service="s3")
    listed = signed(endpoint, "GET", "/?list-type=2", headers={"host": host}, service="s3")

    assert (found.status, found.body) == (200, b"x")
    assert b"<Key>a/k</Key>" in listed.body


def test_without_moto_other_services_say_what_is_missing(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_aws.endpoint.companions.installed", lambda: False)
    cbor = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}

    queue = signed(
        endpoint, "POST", "/", b"{}", {**JSON, "x-amz-target": "AmazonSQS.ListQueues"}, service="sqs"
    )
    form = {"content-type": "application/x-www-form-urlencoded"}
    roles = signed(endpoint, "POST", "/", b"Action=ListRoles&Version=2010-05-08", form, service="iam")
    metrics = signed(
        endpoint, "POST", "/service/X/operation/ListMetrics", b"\xa0", cbor, service="monitoring"
    )

    for found in (queue, roles, metrics):
        assert found.status == 501
        assert b"pip install" in found.body
    assert b"<Code>NotImplementedException</Code>" in roles.body
    assert metrics.body.startswith(b"\xa2\x66__type")
