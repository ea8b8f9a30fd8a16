"""Makes the content of `<key>.out` from one object: cuts it, asks about each part, puts the answers together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from penstock_aws.sagemaker.emulator.transform.data_processing import ProcessingFault
from penstock_aws.sagemaker.emulator.transform.records import RecordFault, assemble, split, unpacked
from penstock_aws.sagemaker.emulator.transform.server_client import ServerClient
from penstock_aws.sagemaker.emulator.transform.settings import (
    RefusedTransform,
    TransformFault,
    TransformSettings,
    batch_variables,
)

__all__ = [
    "Ask",
    "RefusedTransform",
    "ServerClient",
    "TransformFault",
    "TransformSettings",
    "batch_variables",
    "transform_file",
]

Ask = Callable[[bytes, str, str], tuple[int, bytes]]
"""Body, content type and accepted type of a request → status and body of the answer; OSError where none comes."""
CLIENT, ALGORITHM = "ClientError", "AlgorithmError"
LARGEST = 4 * 1024**3
"""Bytes that an object may hold, unpacked."""


def transform_file(body: bytes, settings: TransformSettings, ask: Ask) -> bytes:
    """Transform one object. Answers keep the order of the records, however many requests are under way.

    Raises:
        TransformFault: the object has no result. The service goes on with the other objects, and fails the job then.
    """
    try:
        content = unpacked(body, LARGEST) if settings.gzip else body
        batches = split(content, settings.split_type, settings.strategy, settings.max_payload)
        answers = _answers(batches, settings, ask)
        return assemble((each for found in answers for each in found), settings.assemble_with)
    except (RecordFault, ProcessingFault) as fault:
        raise TransformFault(CLIENT, f"{CLIENT}: {fault}") from None


def _answers(batches: Iterator[list[bytes]], settings: TransformSettings, ask: Ask) -> Iterator[list[bytes]]:
    """Ask about one batch after another, or about several at once."""
    if settings.concurrent < 2 or settings.split_type == "None":
        for batch in batches:
            yield _transformed(batch, settings, ask)
        return
    with ThreadPoolExecutor(settings.concurrent, thread_name_prefix="transform") as threads:
        waiting: deque[Future[list[bytes]]] = deque()
        try:
            for batch in batches:
                waiting.append(threads.submit(_transformed, batch, settings, ask))
                # As many again may wait, done or not, while the first is awaited: memory stays bounded.
                if len(waiting) >= 2 * settings.concurrent:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


def _transformed(batch: list[bytes], settings: TransformSettings, ask: Ask) -> list[bytes]:
    """Give what is written for the records of one request."""
    processing = settings.processing
    if not processing:
        return [_answer(b"".join(batch), settings, ask)]
    records = processing.records(batch)
    asked = b"".join(map(processing.narrowed, records))
    return processing.kept(records, _answer(asked, settings, ask))


def _answer(body: bytes, settings: TransformSettings, ask: Ask) -> bytes:
    """Send a request, again where the container fails; a request that it refuses (4xx) is not sent again."""
    told = ""
    for _ in range(settings.retries + 1):
        try:
            status, answer = ask(body, settings.content_type, settings.accept)
        except OSError as fault:
            told = f"Unable to get response from algorithm: {str(fault) or type(fault).__name__}"
            continue
        if 200 <= status < 300:
            return answer
        message = answer.decode("utf-8", "replace").strip()
        if status < 500:
            raise TransformFault(CLIENT, f"{CLIENT}: {status}\n\nMessage:\n{message}")
        told = f"Bad HTTP status received from algorithm: {status}\n\nMessage:\n{message}"
    raise TransformFault(ALGORITHM, told)
