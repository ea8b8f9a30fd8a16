"""Uploading: several objects at once, large ones in parts, and nothing that is there already.

An object carries the digest of its bytes as metadata, and the service checks it as the bytes arrive. Of a large object
whose upload was cut short, the parts that arrived stay, and the next attempt sends the others.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import Any

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock_aws.client import Clients, calling
from penstock_aws.submission.contents import Content
from penstock_aws.submission.standing import DIGEST, stands

AT_ONCE = 8
PART = 8 << 20
"""Bytes of a part; what is larger than four goes in parts."""
_MOST_PARTS = 10_000


class Upload:
    """Sends objects.

    Args:
        clients: of the account.
        stop: once set, nothing more is begun.
        part: bytes of a part; the service takes no smaller one than 5 MiB, but for the last.
    """

    def __init__(self, clients: Clients, stop: Event, *, part: int = PART) -> None:
        self.clients = clients
        self.stop = stop
        self.part = part

    def send(self, objects: Sequence[Content], done: Callable[[Content], None]) -> bool:
        """Send objects, and call `done` with each that has arrived. Tell whether all of them did.

        Raises:
            RunError: one cannot be sent. Those that are under way are brought to their end first.
        """
        fault: BaseException | None = None
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = {pool.submit(self._one, each): each for each in objects}
            for future in as_completed(waiting):
                if future.cancelled():
                    continue
                if fault is None and (fault := future.exception()) is not None:
                    for each in waiting:
                        each.cancel()
                elif fault is None and future.result():
                    done(waiting[future])
        if fault is not None:
            raise fault
        return not self.stop.is_set()

    def _one(self, content: Content) -> bool:
        if self.stop.is_set():
            return False
        with calling("upload", about=content.address):
            try:
                if content.size > 4 * self.part:
                    return self._in_parts(content)
                self._whole(content)
            except OSError as fault:
                if type(fault).__module__.startswith("botocore"):
                    raise
                message = f"{content.path} cannot be read: {fault.strerror or fault}"
                raise RunError([error("P459", message, hint="submit it again")]) from None
        return True

    def _whole(self, content: Content) -> None:
        body = content.body
        if content.path:
            with open(content.path, "rb") as opened:
                body = opened.read()
            if hashlib.sha256(body).hexdigest() != content.digest:
                raise _changed(content)
        self.clients.s3.put_object(
            Bucket=content.bucket,
            Key=content.key,
            Body=body,
            Metadata={DIGEST: content.digest},
            ChecksumSHA256=b64encode(bytes.fromhex(content.digest)).decode(),
        )

    def _in_parts(self, content: Content, *, anew: bool = False) -> bool:
        s3, place = self.clients.s3, {"Bucket": content.bucket, "Key": content.key}
        size = max(self.part, -(-content.size // _MOST_PARTS))
        upload, there = ("", dict[int, dict[str, Any]]()) if anew else self._begun(content)
        if not upload:
            upload = s3.create_multipart_upload(
                **place, Metadata={DIGEST: content.digest}, ChecksumAlgorithm="SHA256"
            )["UploadId"]
        whole, parts = hashlib.sha256(), list[dict[str, Any]]()
        with open(content.path, "rb") as opened:
            for number in range(1, -(-content.size // size) + 1):
                if self.stop.is_set():
                    return False
                body = opened.read(size)
                whole.update(body)
                checksum = b64encode(hashlib.sha256(body).digest()).decode()
                known = there.get(number, {})
                etag = known.get("ETag")
                if known.get("Size") != len(body) or known.get("ChecksumSHA256") != checksum:
                    etag = s3.upload_part(
                        **place, UploadId=upload, PartNumber=number, Body=body, ChecksumSHA256=checksum
                    )["ETag"]
                parts.append({"PartNumber": number, "ETag": etag, "ChecksumSHA256": checksum})
        if whole.hexdigest() != content.digest:
            s3.abort_multipart_upload(**place, UploadId=upload)
            raise _changed(content)
        s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
        # What was gone on with may have been begun by somebody else, without the digest.
        return stands(self.clients, content) or anew or self._in_parts(content, anew=True)

    def _begun(self, content: Content) -> tuple[str, dict[int, dict[str, Any]]]:
        """Find the latest upload of this object that was cut short, and the parts of it that arrived."""
        s3 = self.clients.s3
        found = s3.list_multipart_uploads(Bucket=content.bucket, Prefix=content.key).get("Uploads") or ()
        own = [each for each in found if each["Key"] == content.key]
        if not own:
            return "", {}
        upload = str(max(own, key=lambda each: each["Initiated"])["UploadId"])
        pages = s3.get_paginator("list_parts").paginate(
            Bucket=content.bucket, Key=content.key, UploadId=upload
        )
        return upload, {int(each["PartNumber"]): each for page in pages for each in page.get("Parts") or ()}


def _changed(content: Content) -> RunError:
    name = os.path.basename(content.path)
    return RunError([error("P459", f"{name} changed while it was sent", hint="submit it again")])
