"""Which of S3's operations a call is, by its method, path and query; every other file here does one kind of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from penstock_aws.endpoint.buckets import Buckets
from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3 import listing, multipart, objects
from penstock_aws.endpoint.s3.conditions import writing
from penstock_aws.endpoint.s3.documents import malformed, moment, parsed, text_of, written
from penstock_aws.endpoint.s3.headers import kept_headers, metadata_of, tags_of
from penstock_aws.endpoint.s3.names import check_bucket_name, not_implemented, target_of
from penstock_aws.endpoint.s3.receiving import Received
from penstock_aws.endpoint.s3.settings import ABSENT, EMPTY, KEPT, Settings
from penstock_aws.endpoint.s3.uploads import Uploads

_MOST_DELETED = 1000
# What every client may add to a call without changing what it is.
_PLAIN = frozenset({"x-id", "versionId", "partNumber", "uploadId"})
_OWNER = {"ID": "penstock", "DisplayName": "penstock"}


class Front:
    """Answers S3's calls, which are signed and read by then."""

    def __init__(self, buckets: Buckets, folder: Path, region: str, account: str) -> None:
        self._buckets = buckets
        self._uploads = Uploads(buckets, folder)
        self._settings = Settings(buckets)
        self._region = region
        self._account = account

    def draft_for(self, call: Call) -> Path | None:
        """Name the file that a call's body is to be written to; None where it is to be read whole.

        Raises:
            ServiceFault: the body is of no use: no such bucket, no such upload, headers that will not do.
        """
        bucket, key = target_of(call)
        if call.method != "PUT" or not key or "x-amz-copy-source" in call.headers:
            return None
        asked = {name for name, _ in call.pairs}
        if "uploadId" in asked:
            multipart.part_number(call)
            return self._uploads.place(self._uploads.find(call.asked["uploadId"], bucket, key))
        if _subresource(call):
            return None
        self._check_owner(call)
        self._buckets.demand(bucket)
        kept_headers(call)
        metadata_of(call)
        if check := writing(call, key):
            check(self._buckets.get(bucket, key))
        return self._buckets.draft()

    def answer(self, call: Call, content: bytes, received: Received | None) -> Answer:
        """Do what a call asks.

        Args:
            call: the request.
            content: its body, where it was read whole.
            received: else where it was written.

        Raises:
            ServiceFault: whatever the service would refuse.
        """
        self._check_owner(call)
        bucket, key = target_of(call)
        if not bucket:
            return self._list_buckets(call)
        if not key:
            return self._bucket(call, bucket, content)
        return self._object(call, bucket, key, content, received)

    def _check_owner(self, call: Call) -> None:
        for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
            if call.header(name, self._account) != self._account:
                raise ServiceFault("AccessDenied", "Access Denied", 403)

    def _list_buckets(self, call: Call) -> Answer:
        if call.method != "GET":
            raise _not_allowed(call)
        prefix = call.asked.get("prefix", "")
        rows = [
            {"Name": name, "CreationDate": moment(created), "BucketRegion": self._region}
            for name, created in self._buckets.listed()
            if name.startswith(prefix)
        ]
        return written("ListAllMyBucketsResult", {"Buckets": {"Bucket": rows}, "Owner": _OWNER})

    def _bucket(self, call: Call, bucket: str, content: bytes) -> Answer:
        what = _subresource(call)
        match call.method, what:
            case "PUT", "":
                return self._create(call, bucket, content)
            case "HEAD", "":
                self._buckets.demand(bucket)
                return Answer(200, b"", {"x-amz-bucket-region": self._region})
            case "GET", "":
                if call.asked.get("list-type") == "2":
                    return listing.list_v2(self._buckets, call, bucket)
                return listing.list_v1(self._buckets, call, bucket)
            case "DELETE", "":
                self._buckets.delete(bucket)
                return Answer(204)
            case "GET", "versions":
                return listing.list_versions(self._buckets, call, bucket)
            case "GET", "uploads":
                return multipart.list_uploads(self._buckets, self._uploads, call, bucket)
            case "GET", "location":
                self._buckets.demand(bucket)
                region = "" if self._region == "us-east-1" else self._region
                # Alone among the answers, its text stands in the root itself.
                body = written("LocationConstraint", {}).content.replace(
                    b"><", b">" + region.encode() + b"<", 1
                )
                return Answer(200, body, {"content-type": "application/xml"})
            case "GET", "acl":
                self._buckets.demand(bucket)
                return _private_acl()
            case "POST", "delete":
                return self._delete_many(bucket, content)
            case "GET", _ if what in KEPT or what in EMPTY or what in ABSENT:
                return self._settings.read(bucket, what)
            case "PUT", _ if what in KEPT:
                return self._settings.write(bucket, what, content)
            case "DELETE", _ if what in KEPT or what in ABSENT:
                return self._settings.remove(bucket, what)
            case _:
                raise not_implemented(f"{call.method} of '{what}'") if what else _not_allowed(call)

    def _create(self, call: Call, bucket: str, content: bytes) -> Answer:
        check_bucket_name(bucket)
        kept_headers(call)
        if call.header("x-amz-bucket-object-lock-enabled").lower() == "true":
            raise not_implemented("object lock")
        if content:
            parsed(content, "CreateBucketConfiguration")
        # In its oldest region the service lets an owner make a bucket twice.
        if not self._buckets.create(bucket) and self._region != "us-east-1":
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise ServiceFault("BucketAlreadyOwnedByYou", message, 409, details={"BucketName": bucket})
        return Answer(200, b"", {"location": f"/{bucket}"})

    def _delete_many(self, bucket: str, content: bytes) -> Answer:
        self._buckets.demand(bucket)
        tree = parsed(content, "Delete")
        rows: list[Element] = tree.findall("Object")
        if not 0 < len(rows) <= _MOST_DELETED:
            raise malformed()
        deleted: list[dict[str, Any]] = []
        for row in rows:
            key, version = text_of(row, "Key"), text_of(row, "VersionId")
            if version in ("", "null"):
                self._buckets.remove(bucket, key)
            deleted.append({"Key": key, "VersionId": version or None})
        quiet = text_of(tree, "Quiet").strip() == "true"
        return written("DeleteResult", {"Deleted": [] if quiet else deleted})

    def _object(self, call: Call, bucket: str, key: str, content: bytes, received: Received | None) -> Answer:
        what = _subresource(call)
        upload_id = call.asked.get("uploadId")
        if upload_id is not None and not what:
            return self._part(call, bucket, key, upload_id, content, received)
        match call.method, what:
            case (("GET" | "HEAD"), ""):
                return objects.read(self._buckets, call, bucket, key)
            case "PUT", "" if received is not None:
                return objects.put(self._buckets, call, bucket, key, received)
            case "PUT", "":
                self._buckets.demand(bucket)
                return objects.copy(self._buckets, call, bucket, key)
            case "DELETE", "":
                return objects.delete(self._buckets, call, bucket, key)
            case "POST", "uploads":
                return multipart.begin(self._uploads, call, bucket, key)
            case "GET", "attributes":
                return objects.attributes(self._buckets, call, bucket, key)
            case "GET", "acl":
                objects.demand(self._buckets, bucket, key)
                return _private_acl()
            case "GET", "tagging":
                tags = tags_of(dict(objects.demand(self._buckets, bucket, key).headers))
                return written(
                    "Tagging", {"TagSet": {"Tag": [{"Key": name, "Value": value} for name, value in tags]}}
                )
            case "PUT", "tagging":
                rows = parsed(content, "Tagging").iter("Tag")
                pairs = [(text_of(row, "Key"), text_of(row, "Value")) for row in rows]
                objects.tagging(self._buckets, bucket, key, pairs)
                return Answer(200)
            case "DELETE", "tagging":
                objects.tagging(self._buckets, bucket, key, [])
                return Answer(204)
            case _:
                raise not_implemented(f"{call.method} of '{what}'") if what else _not_allowed(call)

    def _part(
        self, call: Call, bucket: str, key: str, upload_id: str, content: bytes, received: Received | None
    ) -> Answer:
        self._buckets.demand(bucket)
        upload = self._uploads.find(upload_id, bucket, key)
        match call.method:
            case "PUT" if received is not None:
                return multipart.put_part(self._uploads, call, upload, received)
            case "PUT":
                return multipart.copy_part(self._buckets, self._uploads, call, upload)
            case "POST":
                return multipart.complete(self._uploads, call, upload, content)
            case "GET":
                return multipart.list_parts(self._uploads, call, upload)
            case "DELETE":
                self._uploads.forget(upload)
                return Answer(204)
            case _:
                raise _not_allowed(call)


def _subresource(call: Call) -> str:
    """Give the name in a query that makes a call another operation; names with values are arguments."""
    named = [
        name
        for name, value in call.pairs
        if not value
        and name not in _PLAIN
        and name not in _ARGUMENTS
        and not name.startswith(("X-Amz-", "response-"))
    ]
    return named[0] if named else ""


_ARGUMENTS = frozenset(
    {
        "prefix",
        "delimiter",
        "marker",
        "max-keys",
        "encoding-type",
        "start-after",
        "continuation-token",
        "fetch-owner",
        "list-type",
        "key-marker",
        "version-id-marker",
        "upload-id-marker",
        "max-uploads",
        "max-parts",
        "part-number-marker",
        "max-buckets",
        "bucket-region",
    }
)


def _private_acl() -> Answer:
    # The type of a grantee is an attribute, the only one in all of S3's answers.
    grant = (
        '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
        "<ID>penstock</ID><DisplayName>penstock</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>"
    )
    body = written("AccessControlPolicy", {"Owner": _OWNER, "AccessControlList": ""})
    content = body.content.replace(b"<AccessControlList></", f"<AccessControlList>{grant}</".encode())
    return Answer(200, content, {"content-type": "application/xml"})


def _not_allowed(call: Call) -> ServiceFault:
    message = "The specified method is not allowed against this resource."
    return ServiceFault("MethodNotAllowed", message, 405, details={"Method": call.method[:20]})
