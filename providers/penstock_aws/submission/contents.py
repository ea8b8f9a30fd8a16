"""What has to stand in the bucket before a pipeline can start: objects with their bytes and digests.

Addresses hold digests, so that what stands there needs no second look at its content. Folders become the objects below
a prefix: names and bytes, no links, no permissions.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.bundle_folder import copy_asset
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import dataclass, replace
from penstock.provider import Asset
from penstock.runtime.hashing import StatIndex
from penstock.runtime.tree import ArtifactError, content_digest
from penstock_aws.sagemaker.document import place_of
from penstock_aws.sagemaker.emulator.data.flattening import flatten
from penstock_aws.submission.filling import Filled

_READABLE = re.compile(r"(s3|https)://[^/]+")
"""How an address begins that jobs can read."""


@dataclass(frozen=True, slots=True)
class Content:
    """One object.

    Attributes:
        path: the file with its bytes; of a small one that is made on the way, `body` has them instead.
        digest: SHA-256 of the bytes.
    """

    bucket: str
    key: str
    digest: str
    size: int
    path: str = ""
    body: bytes = b""

    @property
    def address(self) -> str:
        """Where it goes."""
        return f"s3://{self.bucket}/{self.key}"


def contents(filled: Filled, data: dict[str, str], index: StatIndex) -> tuple[list[Content], dict[str, str]]:
    """Give all objects of a submit, and the address of each dataset that the caller brings.

    Args:
        filled: the bundle.
        data: dataset → a path of this machine, or an address, which stays as it is.
        index: spares unchanged files a second reading.

    Raises:
        RunError: a file is gone, or has changed since it was compiled (P459), or an address is none of S3 (P408).
    """
    _refuse_unreadable(data)
    found: dict[str, Content] = {}
    addresses: dict[str, str] = {}
    try:
        for asset in filled.bundle.assets:
            if asset.upload_to:
                folder = filled.bundle.folder or Path()
                found |= _by_address(_of_asset(asset, filled.address(asset.upload_to), folder, index))
        for address, text in filled.uploads.items():
            found |= _by_address([_of_bytes(address, text.encode())])
        for name, place in data.items():
            addresses[name] = place if "://" in place else _data_address(filled, place, index)
            if "://" not in place:
                found |= _by_address(_of_path(Path(place), addresses[name], index))
    except ArtifactError as fault:
        raise _changed(str(fault)) from None
    except OSError as fault:
        raise _changed(f"{fault.filename} cannot be read: {fault.strerror or fault}") from None
    return list(found.values()), addresses


def _refuse_unreadable(data: dict[str, str]) -> None:
    faults = [
        error(
            "P408", f"dataset '{name}': {place} is no address of S3", hint="for example s3://my-ml/cells.csv"
        )
        for name, place in data.items()
        if "://" in place and not _READABLE.match(place)
    ]
    if faults:
        raise RunError(faults)


def _by_address(objects: Iterator[Content] | list[Content]) -> dict[str, Content]:
    return {each.address: each for each in objects}


def _of_asset(asset: Asset, address: str, folder: Path, index: StatIndex) -> Iterator[Content]:
    source = folder / asset.source
    if asset.content is not None:
        yield _of_bytes(address, asset.content)
    elif asset.archive:
        yield _packed(replace(asset, source=str(source)), address)
    elif asset.files or asset.added:
        for name, digest in sorted(asset.files.items()):
            (each,) = _of_path(source / name, f"{address}/{name}", index)
            if each.digest != digest:
                raise _changed(f"{source / name} has changed since it was compiled")
            yield each
        for name, text in sorted(asset.added.items()):
            yield _of_bytes(f"{address}/{name}", text.encode())
    else:
        yield from _of_path(source, address, index)


def _of_bytes(address: str, body: bytes) -> Content:
    return Content(*_parts(address), hashlib.sha256(body).hexdigest(), len(body), body=body)


def _of_path(path: Path, address: str, index: StatIndex) -> Iterator[Content]:
    real = os.path.realpath(path)
    if not os.path.isdir(real):
        status = os.stat(real)
        digest, _ = index.stamped_digest(real, status)
        yield Content(*_parts(address), digest, status.st_size, real)
        return
    for each in flatten(real).files:
        digest, _ = index.stamped_digest(each.path, each.status)
        bucket, key = _parts(f"{address.rstrip('/')}/{each.name}")
        yield Content(bucket, key, digest, each.status.st_size, each.path)


def _packed(asset: Asset, address: str) -> Content:
    """Pack files as the bundle's folder has them: the same content gives the same bytes."""
    with TemporaryDirectory(prefix="penstock-pack-") as draft:
        place = Path(draft) / asset.name
        copy_asset(asset, place)
        return _of_bytes(address, place.read_bytes())


def _data_address(filled: Filled, path: str, index: StatIndex) -> str:
    digest = content_digest(path, index)
    name = os.path.basename(path.rstrip("/"))
    return place_of(filled.profile).address(filled.bundle.pipeline, "data", digest[:16], name)


def _parts(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def _changed(message: str) -> RunError:
    return RunError([error("P459", message, hint="compile it again, or submit the spec itself")])
