from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.submission.cloud_for_tests import BUCKET, REGION, Cloud

from penstock.errors import RunError
from penstock_aws.client import Clients
from penstock_aws.submission.contents import Content
from penstock_aws.submission.standing import missing, stands
from penstock_aws.submission.upload import Upload

PART = 5 << 20


class Ebbing(threading.Event):
    """An event that is set once it has been asked for a number of times."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture
def clients(cloud: Cloud) -> Iterator[Clients]:
    with Clients(REGION) as found:
        yield found


def calls(clients: Clients, operation: str) -> list[dict[str, Any]]:
    """Collect the calls of one kind from now on."""
    found: list[dict[str, Any]] = []

    def heard(params: dict[str, Any], **_: Any) -> None:
        found.append(params)

    clients.s3.meta.events.register(f"before-call.s3.{operation}", heard)
    return found


def content(cloud: Cloud, path: Path) -> Content:
    body = path.read_bytes()
    key = f"{cloud.prefix}/{path.name}"
    return Content(BUCKET, key, hashlib.sha256(body).hexdigest(), len(body), str(path))


def large(cloud: Cloud) -> Content:
    return content(cloud, cloud.shop.file("large.bin", os.urandom(4 * PART + 12345)))


def sent(cloud: Cloud, wanted: Content) -> bytes:
    found: bytes = cloud.s3.get_object(Bucket=BUCKET, Key=wanted.key)["Body"].read()
    return found


@pytest.mark.slow
def test_a_large_object_goes_in_parts_and_is_known_afterwards(cloud: Cloud, clients: Clients) -> None:
    wanted, parts = large(cloud), calls(clients, "UploadPart")

    whole = Upload(clients, threading.Event(), part=PART).send([wanted], lambda _: None)

    assert whole and len(parts) == 5
    assert stands(clients, wanted)
    assert hashlib.sha256(sent(cloud, wanted)).hexdigest() == wanted.digest


@pytest.mark.slow
def test_an_upload_that_was_cut_short_goes_on_with_the_parts_that_are_missing(
    cloud: Cloud, clients: Clients
) -> None:
    wanted, parts = large(cloud), calls(clients, "UploadPart")
    assert not Upload(clients, Ebbing(3), part=PART).send([wanted], lambda _: None)
    assert 0 < len(parts) < 5 and not stands(clients, wanted)
    before = len(parts)

    whole = Upload(clients, threading.Event(), part=PART).send([wanted], lambda _: None)

    assert whole and len(parts) == 5 and before < 5
    assert hashlib.sha256(sent(cloud, wanted)).hexdigest() == wanted.digest


@pytest.mark.slow
def test_parts_of_other_bytes_are_sent_again(cloud: Cloud, clients: Clients) -> None:
    wanted, parts = large(cloud), calls(clients, "UploadPart")
    begun = clients.s3.create_multipart_upload(Bucket=BUCKET, Key=wanted.key)["UploadId"]
    clients.s3.upload_part(Bucket=BUCKET, Key=wanted.key, UploadId=begun, PartNumber=1, Body=os.urandom(PART))

    assert Upload(clients, threading.Event(), part=PART).send([wanted], lambda _: None)

    # What somebody else had begun lacks the digest: it was brought to its end, and then replaced.
    assert len(parts) == 1 + 5 + 5
    assert stands(clients, wanted)
    assert hashlib.sha256(sent(cloud, wanted)).hexdigest() == wanted.digest


def test_what_is_there_is_not_missing_and_other_bytes_under_its_key_are(
    cloud: Cloud, clients: Clients
) -> None:
    one = content(cloud, cloud.shop.file("one.txt", "one"))
    two = content(cloud, cloud.shop.file("two.txt", "two"))
    cloud.s3.put_object(Bucket=BUCKET, Key=two.key, Body=b"too")
    Upload(clients, threading.Event()).send([one], lambda _: None)

    assert missing(clients, [one, two]) == [two]


@pytest.mark.slow
def test_many_objects_go_at_once_and_each_is_told(cloud: Cloud, clients: Clients) -> None:
    wanted = [content(cloud, cloud.shop.file(f"{number}.txt", str(number))) for number in range(40)]
    arrived: list[Content] = []

    assert Upload(clients, threading.Event()).send(wanted, arrived.append)

    assert sorted(arrived, key=lambda each: each.key) == sorted(wanted, key=lambda each: each.key)
    assert missing(clients, wanted) == []


def test_a_file_that_changed_since_it_was_looked_at_is_not_sent(cloud: Cloud, clients: Clients) -> None:
    wanted = content(cloud, cloud.shop.file("one.txt", "one"))
    cloud.shop.file("one.txt", "two")

    with pytest.raises(RunError) as fault:
        Upload(clients, threading.Event()).send([wanted], lambda _: None)

    assert [each.code for each in fault.value.diagnostics] == ["P459"]
    assert missing(clients, [wanted]) == [wanted]
