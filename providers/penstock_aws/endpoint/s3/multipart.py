"""The calls of uploads in parts."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from penstock.frozen import replace
from penstock.runtime.hashing import CHUNK
from penstock_aws.endpoint.buckets import Buckets
from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.checksums import PREFIX, encoded, sum_of, type_of
from penstock_aws.endpoint.s3.conditions import writing
from penstock_aws.endpoint.s3.documents import malformed, moment, parsed, text_of, written
from penstock_aws.endpoint.s3.headers import encryption_headers, kept_headers, metadata_of
from penstock_aws.endpoint.s3.listing import count_asked, writer
from penstock_aws.endpoint.s3.objects import source_of
from penstock_aws.endpoint.s3.receiving import Received, stated_checksums
from penstock_aws.endpoint.s3.uploads import (
    MOST_PARTS,
    SMALLEST_PART,
    Part,
    Upload,
    Uploads,
    new_upload_id,
)


def begin(uploads: Uploads, call: Call, bucket: str, key: str) -> Answer:
    """Answer CreateMultipartUpload."""
    algorithm = call.header("x-amz-checksum-algorithm").lower()
    if algorithm:
        sum_of(algorithm)
    kind = type_of(algorithm, call.header("x-amz-checksum-type").upper())
    headers = kept_headers(call)
    upload = Upload(
        new_upload_id(),
        bucket,
        key,
        time.time(),
        algorithm,
        kind,
        call.header("content-type"),
        metadata_of(call),
        headers,
    )
    uploads.begin(upload)
    above = encryption_headers(headers)
    if algorithm:
        above |= {"x-amz-checksum-algorithm": algorithm.upper(), "x-amz-checksum-type": kind}
    return written(
        "InitiateMultipartUploadResult", {"Bucket": bucket, "Key": key, "UploadId": upload.id}, above
    )


def part_number(call: Call) -> int:
    """Give the number of the part that a call brings. Raises ServiceFault."""
    text = call.asked.get("partNumber", "")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_PARTS:
        message = "Part number must be an integer between 1 and 10000, inclusive"
        details = {"ArgumentName": "partNumber", "ArgumentValue": text[:20]}
        raise ServiceFault("InvalidArgument", message, 400, details=details)
    return int(text)


def put_part(uploads: Uploads, call: Call, upload: Upload, received: Received) -> Answer:
    """Answer UploadPart."""
    part = uploads.keep(upload, part_number(call), _summed(upload, received))
    sums = {f"{PREFIX}{name}": value for name, value in part.checksums.items()}
    return Answer(200, b"", {"etag": f'"{part.md5}"', **sums})


def copy_part(buckets: Buckets, uploads: Uploads, call: Call, upload: Upload) -> Answer:
    """Answer UploadPartCopy."""
    number = part_number(call)
    source = source_of(buckets, call)
    first, size = 0, source.size
    asked = call.header("x-amz-copy-source-range")
    if asked:
        start, _, end = asked.removeprefix("bytes=").partition("-")
        if not (start.isdigit() and end.isdigit() and int(start) <= int(end) < source.size):
            message = (
                "The x-amz-copy-source-range value must be of the form bytes=first-last, within the source"
            )
            raise ServiceFault("InvalidArgument", message, 400)
        first, size = int(start), int(end) - int(start) + 1
    place = uploads.place(upload)
    md5 = sum_of("md5")
    with source.path.open("rb") as opened, place.open("xb") as target:
        opened.seek(first)
        left = size
        while left and (chunk := opened.read(min(left, CHUNK))):
            left -= len(chunk)
            md5.update(chunk)
            target.write(chunk)
    part = uploads.keep(upload, number, _summed(upload, Received(place, size, md5.digest().hex(), {})))
    tree = {"LastModified": moment(part.modified), "ETag": f'"{part.md5}"', **_sums(part)}
    return written("CopyPartResult", tree)


def complete(uploads: Uploads, call: Call, upload: Upload, content: bytes) -> Answer:
    """Answer CompleteMultipartUpload."""
    wanted = _wanted(uploads, upload, content)
    size = call.header("x-amz-mp-object-size")
    if size and size != str(sum(each.size for each in wanted)):
        message = "The provided 'x-amz-mp-object-size' header does not match what was computed."
        raise ServiceFault("InvalidRequest", message, 400)
    held = uploads.complete(upload, wanted, stated_checksums(call), writing(call, upload.key))
    sums = {f"Checksum{name.upper()}": value for name, value in held.checksums.items() if name != "type"}
    tree: dict[str, Any] = {
        "Location": f"http://{call.header('host')}/{quote(upload.bucket)}/{quote(upload.key)}",
        "Bucket": upload.bucket,
        "Key": upload.key,
        "ETag": f'"{held.etag}"',
        **sums,
        "ChecksumType": held.checksums.get("type"),
    }
    return written("CompleteMultipartUploadResult", tree, encryption_headers(dict(held.headers)))


def list_parts(uploads: Uploads, call: Call, upload: Upload) -> Answer:
    """Answer ListParts."""
    marker = call.asked.get("part-number-marker", "") or "0"
    if not marker.isascii() or not marker.isdigit():
        raise ServiceFault("InvalidArgument", "part-number-marker is no number", 400)
    most = count_asked(call, "max-parts")
    after = [each for each in uploads.parts(upload) if each.number > int(marker)]
    shown = after[:most]
    owner = {"ID": "penstock", "DisplayName": "penstock"}
    tree: dict[str, Any] = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "Initiator": owner,
        "Owner": owner,
        "StorageClass": upload.headers.get("x-amz-storage-class", "STANDARD"),
        "PartNumberMarker": int(marker),
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": most,
        "IsTruncated": len(after) > most,
        "ChecksumAlgorithm": upload.algorithm.upper() or None,
        "ChecksumType": upload.checksum_type or None,
        "Part": [
            {
                "PartNumber": each.number,
                "LastModified": moment(each.modified),
                "ETag": f'"{each.md5}"',
                "Size": each.size,
                **_sums(each),
            }
            for each in shown
        ],
    }
    return written("ListPartsResult", tree)


def list_uploads(buckets: Buckets, uploads: Uploads, call: Call, bucket: str) -> Answer:
    """Answer ListMultipartUploads."""
    buckets.demand(bucket)
    asked, write = call.asked, writer(call)
    prefix, most = asked.get("prefix", ""), count_asked(call, "max-uploads")
    after = (asked.get("key-marker", ""), asked.get("upload-id-marker", ""))
    found = [each for each in uploads.listed(bucket) if each.key.startswith(prefix)]
    if after[1]:
        position = next((place for place, each in enumerate(found) if each.id == after[1]), len(found))
        found = found[position + 1 :]
    elif after[0]:
        found = [each for each in found if each.key.encode() > after[0].encode()]
    shown = found[:most]
    more = len(found) > most
    tree: dict[str, Any] = {
        "Bucket": bucket,
        "KeyMarker": write(after[0]),
        "UploadIdMarker": after[1],
        "NextKeyMarker": write(shown[-1].key) if more and shown else None,
        "NextUploadIdMarker": shown[-1].id if more and shown else None,
        "Prefix": write(prefix),
        "EncodingType": asked.get("encoding-type"),
        "MaxUploads": most,
        "IsTruncated": more,
        "Upload": [
            {
                "Key": write(each.key),
                "UploadId": each.id,
                "StorageClass": each.headers.get("x-amz-storage-class", "STANDARD"),
                "Initiated": moment(each.began),
                "ChecksumAlgorithm": each.algorithm.upper() or None,
                "ChecksumType": each.checksum_type or None,
            }
            for each in shown
        ],
    }
    return written("ListMultipartUploadsResult", tree)


def _wanted(uploads: Uploads, upload: Upload, content: bytes) -> list[Part]:
    """Find the parts that the client names. Raises ServiceFault for a list that does not fit what arrived."""
    arrived = {each.number: each for each in uploads.parts(upload)}
    wanted: list[Part] = []
    for row in parsed(content, "CompleteMultipartUpload").findall("Part"):
        number, etag = text_of(row, "PartNumber"), text_of(row, "ETag").strip().strip('"')
        part = arrived.get(int(number)) if number.isascii() and number.isdigit() else None
        stated = {name: text_of(row, f"Checksum{name.upper()}") for name in (part.checksums if part else ())}
        if (
            part is None
            or etag != part.md5
            or any(value and value != part.checksums[name] for name, value in stated.items())
        ):
            message = (
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag."
            )
            details = {"UploadId": upload.id, "PartNumber": number[:20], "ETag": etag[:100]}
            raise ServiceFault("InvalidPart", message, 400, details=details)
        if wanted and part.number <= wanted[-1].number:
            message = "The list of parts was not in ascending order. Parts must be ordered by part number."
            raise ServiceFault("InvalidPartOrder", message, 400, details={"UploadId": upload.id})
        wanted.append(part)
    if not wanted:
        raise malformed()
    for part in wanted[:-1]:
        if part.size < SMALLEST_PART:
            message = "Your proposed upload is smaller than the minimum allowed size"
            details = {"PartNumber": str(part.number), "ProposedSize": str(part.size)}
            raise ServiceFault("EntityTooSmall", message, 400, details=details)
    return wanted


def _summed(upload: Upload, received: Received) -> Received:
    """Add the upload's own checksum where the client left it out."""
    if not upload.algorithm or upload.algorithm in received.checksums:
        return received
    found = sum_of(upload.algorithm)
    with received.path.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            found.update(chunk)
    return replace(received, checksums={**received.checksums, upload.algorithm: encoded(found)})


def _sums(part: Part) -> dict[str, str]:
    return {f"Checksum{name.upper()}": value for name, value in part.checksums.items()}
