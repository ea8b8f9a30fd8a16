"""A job's settings, and one object made into one result, over models that are plain functions."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.frozen import replace
from penstock_aws.sagemaker.emulator.transform.requests import (
    Ask,
    RefusedTransform,
    TransformFault,
    TransformSettings,
    batch_variables,
    transform_file,
)

MB = 1024 * 1024


def arguments(
    *, source: dict[str, Any] | None = None, target: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "ModelName": "m",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3Uri": "s3://b/in"}},
            "ContentType": "text/csv",
            **(source or {}),
        },
        "TransformOutput": {"S3OutputPath": "s3://b/out", **(target or {})},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }


def model(answer: Callable[[bytes], bytes]) -> tuple[Ask, list[bytes]]:
    """Give a model that always answers, and the list of what it is asked."""
    asked: list[bytes] = []

    def ask(body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
        asked.append(body)
        return 200, answer(body)

    return ask, asked


def sums(body: bytes) -> bytes:
    rows = body.decode().splitlines()
    return "".join(f"{sum(map(int, row.split(',')))}\n" for row in rows).encode()


def test_a_job_that_says_little_has_the_services_defaults() -> None:
    assert TransformSettings.read(arguments()) == TransformSettings(
        split_type="None",
        strategy="MultiRecord",
        max_payload=6 * MB,
        concurrent=1,
        content_type="text/csv",
        accept="",
        assemble_with="None",
        gzip=False,
        timeout=600,
        retries=3,
        processing=None,
    )


@pytest.mark.parametrize(
    ("asked", "offered", "found"),
    [
        (
            {},
            {"MaxPayloadInMB": 2, "MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD"},
            (2 * MB, 8),
        ),
        ({"MaxPayloadInMB": 0, "MaxConcurrentTransforms": 3}, {"MaxPayloadInMB": 2}, (0, 3)),
        ({"MaxConcurrentTransforms": 0}, {"MaxConcurrentTransforms": 5}, (6 * MB, 5)),
        ({}, {"MaxPayloadInMB": "many", "MaxConcurrentTransforms": True, "BatchStrategy": []}, (6 * MB, 1)),
    ],
)
def test_what_the_job_says_goes_before_what_the_container_offers(
    asked: dict[str, Any], offered: dict[str, Any], found: tuple[int, int]
) -> None:
    settings = TransformSettings.read(arguments(**asked), offered)

    assert (settings.max_payload, settings.concurrent) == found
    assert settings.strategy == (
        "SingleRecord" if offered.get("BatchStrategy") == "SINGLE_RECORD" else "MultiRecord"
    )


def test_a_container_gets_the_variables_that_the_job_sets() -> None:
    given = arguments(Environment={"A": "1"}, MaxPayloadInMB=0, BatchStrategy="SingleRecord")

    assert batch_variables(arguments()) == {"SAGEMAKER_BATCH": "true"}
    assert batch_variables(given) == {
        "A": "1",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
    }


LINE, ROWS = {"SplitType": "Line"}, {"AssembleWith": "Line", "Accept": "text/csv"}


@pytest.mark.parametrize(
    ("source", "target", "processing", "told"),
    [
        (LINE, ROWS, {"InputFilter": "$..a"}, "not understood from '..a' on"),
        ({}, ROWS, {"InputFilter": "$[1:]"}, "text/csv needs SplitType Line"),
        (LINE, {}, {"JoinSource": "Input"}, "text/csv needs AssembleWith Line"),
        ({**LINE, "ContentType": "image/png"}, ROWS, {"InputFilter": "$[1:]"}, "ContentType to be one of"),
        ({**LINE, "ContentType": ""}, ROWS, {"JoinSource": "Input"}, "and it is not set"),
        (LINE, {**ROWS, "Accept": "application/json"}, {"JoinSource": "Input"}, "joins text/csv to no"),
        (LINE, {**ROWS, "Accept": "a/b"}, {"OutputFilter": "$[0]"}, "Accept to be one of .* it is a/b"),
        ({"SplitType": "TFRecord"}, ROWS, {"InputFilter": "$[1:]"}, "reads no TFRecord"),
    ],
)
def test_data_processing_that_the_service_refuses_is_refused(
    source: dict[str, Any], target: dict[str, Any], processing: dict[str, str], told: str
) -> None:
    with pytest.raises(RefusedTransform, match=told) as fault:
        TransformSettings.read(arguments(source=source, target=target, DataProcessing=processing))
    assert str(fault.value).startswith("ClientError: Failed to invoke sagemaker:CreateTransformJob.")


def test_filters_that_take_everything_are_no_processing() -> None:
    plain = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}

    assert TransformSettings.read(arguments(DataProcessing=plain)).processing is None


def test_an_object_that_is_not_split_is_one_request_and_its_answer_the_result() -> None:
    ask, asked = model(bytes.upper)

    assert transform_file(b"a\nb\n", TransformSettings.read(arguments()), ask) == b"A\nB\n"
    assert asked == [b"a\nb\n"]


def test_an_identifier_goes_round_the_model_and_is_joined_to_its_answer() -> None:
    ask, asked = model(sums)
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    settings = TransformSettings.read(arguments(source=LINE, target=ROWS, DataProcessing=processing))

    assert transform_file(b"a,1,2\nb,3,4\nc,5,6", settings, ask) == b"a,3\nb,7\nc,11\n"
    assert asked == [b"1,2\n3,4\n5,6"]


def test_a_packed_object_is_unpacked_first() -> None:
    ask, asked = model(bytes.upper)
    settings = TransformSettings.read(arguments(source={"CompressionType": "Gzip"}))

    assert transform_file(gzip.compress(b"abc"), settings, ask) == b"ABC"
    assert asked == [b"abc"]


LINES = st.lists(st.text("ab,\r", max_size=5), max_size=12)


@given(LINES, st.sampled_from(["MultiRecord", "SingleRecord"]), st.sampled_from([1, 3]))
def test_a_model_that_echoes_gives_the_object_again(rows: list[str], strategy: str, concurrent: int) -> None:
    settings = TransformSettings(
        split_type="Line", strategy=strategy, max_payload=12, concurrent=concurrent, assemble_with="Line"
    )
    body = "".join(f"{row}\n" for row in rows).encode()

    assert transform_file(body, settings, model(bytes)[0]) == body


def test_several_requests_are_under_way_at_once_and_their_answers_keep_the_order() -> None:
    meeting = threading.Barrier(3, timeout=30)

    def ask(body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
        meeting.wait()
        return 200, body.upper()

    settings = TransformSettings(
        split_type="Line", strategy="SingleRecord", concurrent=3, assemble_with="Line", retries=0
    )
    body = "".join(f"row {number}\n" for number in range(30)).encode()

    assert transform_file(body, settings, ask) == body.upper()


@pytest.mark.parametrize(
    ("answers", "tries", "reason", "told"),
    [
        ([(400, b"bad row\n")], 1, "ClientError", "ClientError: 400\n\nMessage:\nbad row"),
        ([(413, b"")], 1, "ClientError", "ClientError: 413"),
        (
            [(500, b"x\xff")] * 3,
            3,
            "AlgorithmError",
            "Bad HTTP status received from algorithm: 500\n\nMessage:\nx",
        ),
        ([TimeoutError()] * 3, 3, "AlgorithmError", "Unable to get response from algorithm: TimeoutError"),
        ([ConnectionResetError("gone"), (503, b""), (404, b"?")], 3, "ClientError", "ClientError: 404"),
    ],
)
def test_a_request_that_fails_fails_the_object(
    answers: list[tuple[int, bytes] | OSError], tries: int, reason: str, told: str
) -> None:
    asked: list[bytes] = []

    def ask(body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
        asked.append(body)
        match answers[len(asked) - 1]:
            case OSError() as fault:
                raise fault
            case answer:
                return answer

    with pytest.raises(TransformFault) as fault:
        transform_file(b"a", TransformSettings(retries=2), ask)
    assert str(fault.value) == f"{reason}: See job logs for more information"
    assert fault.value.told.startswith(told)
    assert len(asked) == tries


def test_a_request_that_fails_once_is_sent_again() -> None:
    answers = iter([(500, b""), (200, b"1")])

    def ask(body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
        return next(answers)

    assert transform_file(b"a", TransformSettings(), ask) == b"1"


@pytest.mark.parametrize("concurrent", [1, 2])
def test_after_a_failure_no_further_request_is_made(concurrent: int) -> None:
    asked: list[bytes] = []

    def ask(body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
        asked.append(body)
        return 400, b""

    settings = TransformSettings(split_type="Line", strategy="SingleRecord", concurrent=concurrent)
    with pytest.raises(TransformFault):
        transform_file(b"1\n" * 100, settings, ask)
    assert len(asked) <= 2 * concurrent


@pytest.mark.parametrize(
    ("body", "settings", "told"),
    [
        (b"1234567", TransformSettings(max_payload=6), "too much data for max payload size"),
        (b"1234567", TransformSettings(gzip=True), "the object is no gzip"),
        (b"1234567", TransformSettings(split_type="RecordIO"), "the object is no RecordIO"),
    ],
)
def test_an_object_that_cannot_be_sent_is_the_callers_fault(
    body: bytes, settings: TransformSettings, told: str
) -> None:
    ask, asked = model(bytes)

    with pytest.raises(TransformFault, match="ClientError: See job logs") as fault:
        transform_file(body, settings, ask)
    assert told in fault.value.told
    assert asked == []


def test_the_types_of_a_job_go_with_each_request() -> None:
    found: list[tuple[str, str]] = []

    def ask(body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
        found.append((content_type, accept))
        return 200, b""

    settings = TransformSettings.read(arguments(target={"Accept": "application/json"}))
    transform_file(b"a", settings, ask)
    transform_file(b"a", replace(settings, accept=""), ask)

    assert found == [("text/csv", "application/json"), ("text/csv", "")]
