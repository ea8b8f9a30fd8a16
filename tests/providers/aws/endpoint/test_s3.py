"""S3 by boto3, over HTTP: what scripts do with buckets and objects."""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.error
import urllib.request
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.endpoint.clients_for_tests import Clients, refused

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.checksums import encoded, sum_of
from penstock_aws.endpoint.s3.names import check_bucket_name
from penstock_aws.endpoint.server import Endpoint

MIB = 1 << 20


def body(s3: Any, bucket: str, key: str, **arguments: Any) -> bytes:
    content: bytes = s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()
    return content


def keys(page: dict[str, Any]) -> list[str]:
    return [each["Key"] for each in page.get("Contents", ())]


def test_an_object_comes_back_with_all_that_it_was_given(s3: Any, bucket: str) -> None:
    put = s3.put_object(
        Bucket=bucket,
        Key="a/b.csv",
        Body=b"1,2\n",
        ContentType="text/csv",
        CacheControl="no-cache",
        ContentDisposition="attachment",
        Metadata={"origin": "a test", "n": "1"},
        Tagging="team=ml&x=",
    )

    found = s3.get_object(Bucket=bucket, Key="a/b.csv")
    head = s3.head_object(Bucket=bucket, Key="a/b.csv")

    assert found["Body"].read() == b"1,2\n"
    md5 = hashlib.md5(b"1,2\n", usedforsecurity=False).hexdigest()
    assert put["ETag"] == found["ETag"] == head["ETag"] == f'"{md5}"'
    assert found["ChecksumCRC32"] == base64.b64encode(zlib.crc32(b"1,2\n").to_bytes(4)).decode()
    for each in (found, head):
        assert (each["ContentType"], each["CacheControl"], each["ContentLength"]) == (
            "text/csv",
            "no-cache",
            4,
        )
        assert each["Metadata"] == {"origin": "a test", "n": "1"}
        assert each["TagCount"] == 2
        assert datetime.now(UTC) - each["LastModified"] < timedelta(minutes=1)
    tags = s3.get_object_tagging(Bucket=bucket, Key="a/b.csv")["TagSet"]
    assert tags == [{"Key": "team", "Value": "ml"}, {"Key": "x", "Value": ""}]


@pytest.mark.parametrize(
    "key",
    [
        "../x",
        "a/../b",
        "./x",
        "//y",
        "a//b",
        "a/",
        " ",
        "*'();:@&=+$,?#[]%",
        "%2e%2e/x",
        "\u20ac\U0001f600",
        "a\nb\tc",
        '<&>"',
        "x" * 1024,
    ],
)
def test_any_text_is_a_key(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.copy_object(Bucket=bucket, Key=f"{key[:1000]}.copy", CopySource={"Bucket": bucket, "Key": key})

    assert body(s3, bucket, key) == key.encode()
    assert keys(s3.list_objects_v2(Bucket=bucket)) == sorted([key, f"{key[:1000]}.copy"])
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})["Deleted"]
    assert deleted == [{"Key": key}]
    assert keys(s3.list_objects(Bucket=bucket)) == [f"{key[:1000]}.copy"]


def test_a_large_file_goes_up_and_down_in_parts(s3: Any, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(20 * MIB + 7)
    (tmp_path / "up").write_bytes(content)

    s3.upload_file(str(tmp_path / "up"), bucket, "large", ExtraArgs={"Metadata": {"a": "b"}})
    s3.download_file(bucket, "large", str(tmp_path / "down"))

    assert (tmp_path / "down").read_bytes() == content
    head = s3.head_object(Bucket=bucket, Key="large")
    pieces = [content[start : start + 8 * MIB] for start in range(0, len(content), 8 * MIB)]
    sums = b"".join(hashlib.md5(each, usedforsecurity=False).digest() for each in pieces)
    assert head["ETag"] == f'"{hashlib.md5(sums, usedforsecurity=False).hexdigest()}-3"'
    assert head["Metadata"] == {"a": "b"}
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_ranges_are_served_and_those_past_the_end_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")

    part = s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-4")

    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert body(s3, bucket, "k", Range="bytes=7-") == b"789"
    assert body(s3, bucket, "k", Range="bytes=-2") == b"89"
    assert body(s3, bucket, "k", Range="bytes=8-100") == b"89"
    assert body(s3, bucket, "k", Range="bytes=-100") == b"0123456789"
    assert body(s3, bucket, "k", Range="lines=1-2") == b"0123456789"
    assert refused(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == ("InvalidRange", 416)


def test_listing_goes_page_by_page_and_sums_prefixes_up(s3: Any, bucket: str) -> None:
    for key in ("a", "b/1", "b/2", "b/c/3", "b0", "c/", "d/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for version in ("list_objects_v2", "list_objects", "list_object_versions"):
        for size in (1, 2, 3, 100):
            pages = s3.get_paginator(version).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
            )

            found = [
                each.get("Key") or each.get("Prefix")
                for page in pages
                for name in ("Contents", "Versions", "CommonPrefixes")
                for each in page.get(name, ())
            ]

            assert sorted(found) == ["a", "b/", "b0", "c/", "d/"], (version, size)
    below = s3.list_objects_v2(Bucket=bucket, Prefix="b/", Delimiter="/")
    assert (keys(below), below["CommonPrefixes"]) == (["b/1", "b/2"], [{"Prefix": "b/c/"}])
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="b/2", MaxKeys=2)
    assert (keys(after), after["IsTruncated"], after["KeyCount"]) == (["b/c/3", "b0"], True, 2)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert refused(s3.list_objects_v2, Bucket=bucket, ContinuationToken="nonsense!") == (
        "InvalidArgument",
        400,
    )


def test_a_copy_takes_metadata_along_or_new_ones(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "1"}, ContentType="text/plain", Tagging="t=1"
    )
    source = {"Bucket": bucket, "Key": "k"}

    s3.copy_object(Bucket=bucket, Key="same", CopySource=source)
    s3.copy_object(
        Bucket=bucket,
        Key="other",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
        ContentType="text/csv",
    )

    same, other = (s3.head_object(Bucket=bucket, Key=key) for key in ("same", "other"))
    assert (same["Metadata"], same["ContentType"], same["TagCount"]) == ({"a": "1"}, "text/plain", 1)
    assert (other["Metadata"], other["ContentType"], other["TagCount"]) == ({"b": "2"}, "text/csv", 1)
    assert refused(s3.copy_object, Bucket=bucket, Key="k", CopySource=source) == ("InvalidRequest", 400)
    missing = {"Bucket": bucket, "Key": "missing"}
    assert refused(s3.copy_object, Bucket=bucket, Key="x", CopySource=missing) == ("NoSuchKey", 404)


def test_conditions_hold_for_reading_and_for_writing(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")["ETag"]
    past, future = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    named = {"Bucket": bucket, "Key": "k"}

    assert body(s3, bucket, "k", IfMatch=etag) == b"x"
    assert refused(s3.get_object, **named, IfMatch='"other"') == ("PreconditionFailed", 412)
    assert refused(s3.get_object, **named, IfNoneMatch=etag) == ("304", 304)
    assert refused(s3.get_object, **named, IfModifiedSince=future) == ("304", 304)
    assert body(s3, bucket, "k", IfModifiedSince=past) == b"x"
    assert refused(s3.get_object, **named, IfUnmodifiedSince=past) == ("PreconditionFailed", 412)
    assert refused(s3.put_object, **named, Body=b"y", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refused(s3.put_object, **named, Body=b"y", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert refused(s3.put_object, Bucket=bucket, Key="no", Body=b"y", IfMatch=etag) == ("NoSuchKey", 404)
    s3.put_object(**named, Body=b"y", IfMatch=etag)
    assert body(s3, bucket, "k") == b"y"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256", "SHA512"])
def test_a_checksum_is_checked_and_kept(s3: Any, bucket: str, algorithm: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"data", ChecksumAlgorithm=algorithm)

    found = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")

    assert found["Body"].read() == b"data"
    assert found[f"Checksum{algorithm}"]
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ObjectSize"])
    assert attributes["Checksum"][f"Checksum{algorithm}"] == found[f"Checksum{algorithm}"]
    assert attributes["ObjectSize"] == 4
    wrong = {f"Checksum{algorithm}": base64.b64encode(b"\0" * 20).decode()}
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"other", **wrong) == ("BadDigest", 400)
    assert body(s3, bucket, "k") == b"data"


@pytest.mark.parametrize(("header", "expected"), [("crc32c", "yZRlqg=="), ("crc64nvme", "jSnVw/bqjr4=")])
def test_checksums_that_python_lacks_are_known_too(header: str, expected: str) -> None:
    found = sum_of(header)
    found.update(b"hello")
    found.update(b" world")

    assert encoded(found) == expected


def test_an_upload_in_parts_is_made_by_hand(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    named = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**named, ContentType="text/plain", ChecksumAlgorithm="CRC32")[
        "UploadId"
    ]
    under_way = {**named, "UploadId": upload}
    first = s3.upload_part(**under_way, PartNumber=3, Body=b"a" * 5 * MIB, ChecksumAlgorithm="CRC32")
    second = s3.upload_part_copy(
        **under_way, PartNumber=7, CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange="bytes=2-5"
    )

    listed = s3.list_parts(**under_way, MaxParts=1)
    assert ([each["PartNumber"] for each in listed["Parts"]], listed["IsTruncated"]) == ([3], True)
    assert [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    parts = [
        {"PartNumber": 3, "ETag": first["ETag"], "ChecksumCRC32": first["ChecksumCRC32"]},
        {"PartNumber": 7, "ETag": second["CopyPartResult"]["ETag"]},
    ]
    done = s3.complete_multipart_upload(**under_way, MultipartUpload={"Parts": parts})

    assert done["ChecksumType"] == "COMPOSITE"
    assert done["ChecksumCRC32"].endswith("-2")
    assert body(s3, bucket, "k") == b"a" * 5 * MIB + b"2345"
    assert s3.head_object(**named)["ContentType"] == "text/plain"
    assert refused(s3.list_parts, **under_way) == ("NoSuchUpload", 404)


def test_parts_that_do_not_fit_are_refused(s3: Any, bucket: str) -> None:
    named = {"Bucket": bucket, "Key": "k"}
    under_way = {**named, "UploadId": s3.create_multipart_upload(**named)["UploadId"]}
    etags = [s3.upload_part(**under_way, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]

    def complete(parts: list[dict[str, Any]]) -> tuple[str, int]:
        return refused(s3.complete_multipart_upload, **under_way, MultipartUpload={"Parts": parts})

    assert complete(parts) == ("EntityTooSmall", 400)
    assert complete(parts[::-1]) == ("InvalidPartOrder", 400)
    assert complete([{"PartNumber": 1, "ETag": '"wrong"'}]) == ("InvalidPart", 400)
    assert complete([{"PartNumber": 9, "ETag": etags[0]}]) == ("InvalidPart", 400)
    assert complete([]) == ("MalformedXML", 400)
    s3.abort_multipart_upload(**under_way)
    assert refused(s3.upload_part, **under_way, PartNumber=1, Body=b"x") == ("NoSuchUpload", 404)
    assert refused(s3.head_object, **named) == ("404", 404)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_address_needs_no_credentials(clients: Clients, bucket: str, version: str) -> None:
    s3 = clients("s3", signature_version=version)
    named = {"Bucket": bucket, "Key": "a b/é+%.txt"}
    there = s3.generate_presigned_url("put_object", Params={**named, "ContentType": "text/plain"})
    back = s3.generate_presigned_url("get_object", Params={**named, "ResponseContentType": "text/x"})

    request = urllib.request.Request(there, b"by address", {"Content-Type": "text/plain"}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(back) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"by address", "text/x")
    for address in (back.replace("Signature=", "Signature=A"), there, back.replace(bucket, "other")):
        with pytest.raises(urllib.error.HTTPError) as found:
            urllib.request.urlopen(address)
        found.value.close()
        assert found.value.code == 403


def test_buckets_are_made_listed_and_deleted(s3: Any, bucket: str) -> None:
    assert bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)

    assert refused(s3.head_bucket, Bucket=bucket) == ("404", 404)
    assert refused(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x") == ("NoSuchBucket", 404)
    assert refused(s3.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": "k"}]}) == (
        "NoSuchBucket",
        404,
    )


@pytest.mark.parametrize("name", ["UPPER", "a..b", "192.168.1.1", "-ab", "ab-", "under_score"])
def test_a_bucket_cannot_be_called_anything(name: str) -> None:
    with pytest.raises(ServiceFault, match="InvalidBucketName"):
        check_bucket_name(name)


def test_settings_without_an_effect_are_kept_and_others_refused(s3: Any, bucket: str) -> None:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    block = {"BlockPublicAcls": True, "RestrictPublicBuckets": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    s3.put_bucket_policy(Bucket=bucket, Policy='{"Version": "2012-10-17"}')

    kept = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert kept[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == '{"Version": "2012-10-17"}'
    s3.delete_bucket_policy(Bucket=bucket)
    assert refused(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
    assert refused(s3.get_bucket_cors, Bucket=bucket) == ("NoSuchCORSConfiguration", 404)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    on = {"Status": "Enabled"}
    assert refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=on) == (
        "NotImplemented",
        501,
    )


def test_what_would_not_be_kept_is_refused(s3: Any, bucket: str) -> None:
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}

    assert refused(s3.put_object, **put, ACL="public-read") == ("NotImplemented", 501)
    assert refused(s3.put_object, **put, SSECustomerKey="0" * 32, SSECustomerAlgorithm="AES256") == (
        "NotImplemented",
        501,
    )
    assert refused(s3.put_object, **put, Metadata={"a": "x" * 3000}) == ("MetadataTooLarge", 400)
    assert refused(s3.put_object, **{**put, "Key": "x" * 1025}) == ("KeyTooLongError", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="k", ExpectedBucketOwner="999999999999") == (
        "AccessDenied",
        403,
    )
    assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=bucket, Key="k") == ("404", 404)


def test_equal_contents_are_kept_once(s3: Any, endpoint: Endpoint, bucket: str) -> None:
    content = os.urandom(1000)
    for key in ("one", "two"):
        s3.put_object(Bucket=bucket, Key=key, Body=content)

    digest = hashlib.sha256(content).hexdigest()
    found = [each for each in endpoint.project.artifacts.rglob(digest[2:])]

    assert len(found) == 1
    assert list((endpoint.project.artifacts / "drafts").iterdir()) == []
