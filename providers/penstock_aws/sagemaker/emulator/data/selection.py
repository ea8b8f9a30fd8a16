"""Which objects a channel or a processing input names, and which of them each host gets.

How objects are named below the channel's folder, for the address `s3://b/train`:

    train/a/b.csv           a/b.csv                 what stands below the address loses it
    train                   train                   a single object keeps its last name
    train_labels/c.csv      train_labels/c.csv      a prefix is text and brings this along; relative to its last `/`

The last line is documented by the service only in so far as these objects come too; their names are our reading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, TypeVar, cast

from penstock.frozen import dataclass
from penstock_aws.sagemaker.emulator.data.keys import StorageFault, Stored, parse_uri
from penstock_aws.sagemaker.emulator.data.storage import Storage

_T = TypeVar("_T")

_DOWNLOAD = "ClientError: Data download failed:Failed to download data."


class DataFault(Exception):
    """Raised when a job cannot get its data; the message is the job's failure reason."""


@dataclass(frozen=True, slots=True)
class Source:
    """A channel, a processing input or a transform's input, in one form.

    Attributes:
        mode: File, FastFile or Pipe.
        data_type: S3Prefix, ManifestFile or AugmentedManifestFile.
        sharded: each host gets a part.
        attributes: what is read of each line of an augmented manifest, in this order.
        wrapped: each object becomes a RecordIO record; in Pipe mode.
        seed: shuffles by it, where there is one.
        operation: the call that refuses a channel in which nothing is.
    """

    name: str
    uri: str
    mode: str
    data_type: str
    sharded: bool
    attributes: tuple[str, ...]
    gzip: bool
    wrapped: bool
    seed: int | None
    operation: str


class Named(NamedTuple):
    """An object and its name below the channel's folder; folders' names end with `/`."""

    name: str
    stored: Stored


def download_fault(reason: str) -> DataFault:
    """Make the fault of a download that failed for a reason."""
    return DataFault(f"{_DOWNLOAD} {reason}")


def source_of(given: Mapping[str, Any], mode: str) -> Source:
    """Read an element of InputDataConfig, one of ProcessingInputs, or a TransformInput.

    Args:
        given: with all expressions resolved.
        mode: the job's; an element's own mode goes before it.

    Raises:
        DataFault: a source that has no offline counterpart.
    """
    name = str(given.get("ChannelName") or given.get("InputName") or "input")
    if "DatasetDefinition" in given:
        raise DataFault(
            f"ClientError: input '{name}' is a DatasetDefinition, and neither Athena nor Redshift are to be had offline"
        )
    if "S3Input" in given:
        return _source(name, given["S3Input"], given["S3Input"], "S3InputMode", mode, "CreateProcessingJob")
    places = given.get("DataSource", {})
    if "FileSystemDataSource" in places:
        raise DataFault(
            f"ClientError: channel '{name}' reads a FileSystemDataSource, and no file system of a network is to be"
            " had offline; give it an S3DataSource"
        )
    if "S3DataSource" not in places:
        raise DataFault(f"ClientError: input '{name}' names no S3 data")
    return _source(name, places["S3DataSource"], given, "InputMode", mode, "CreateTrainingJob")


def _source(
    name: str, place: Mapping[str, Any], given: Mapping[str, Any], key: str, mode: str, operation: str
) -> Source:
    shuffle = given.get("ShuffleConfig")
    return Source(
        name=name,
        uri=str(place.get("S3Uri", "")),
        mode=str(given.get(key) or mode),
        data_type=str(place.get("S3DataType") or "S3Prefix"),
        sharded=place.get("S3DataDistributionType") == "ShardedByS3Key",
        attributes=tuple(str(each) for each in place.get("AttributeNames") or ()),
        gzip="Gzip" in (given.get("CompressionType"), given.get("S3CompressionType")),
        wrapped=given.get("RecordWrapperType") == "RecordIO",
        seed=None if shuffle is None else int(shuffle["Seed"]),
        operation=operation,
    )


def select(source: Source, storage: Storage, *, region: str, role: str) -> list[Named]:
    """Find the objects of an S3Prefix or a ManifestFile, in the service's order.

    Args:
        source: what is asked for.
        storage: where it is.
        region: named by the fault where nothing is found.
        role: likewise.

    Raises:
        DataFault: nothing is there, or the manifest is none.
    """
    try:
        bucket, address = parse_uri(source.uri)
        if source.data_type == "ManifestFile":
            return _manifest(source.uri, storage)
        found = storage.below(source.uri)
    except StorageFault as fault:
        raise download_fault(f"{fault}") from None
    if not found:
        raise DataFault(
            f"ClientError: Failed to invoke sagemaker:{source.operation}. Error Details: No S3 objects found under"
            f' S3 URL "{source.uri}" given in input data source. Please ensure that the bucket exists in the selected'
            f' region ({region}), that objects exist under that S3 prefix, and that the role "{role}" has'
            f' "s3:ListBucket" permissions on bucket "{bucket}".'
        )
    if source.mode == "FastFile":
        _refuse_part(address, found)
    return [Named(name_of(each.key, address), each) for each in found]


def name_of(key: str, address: str) -> str:
    """Name an object below the channel's folder; empty for the mark of the folder itself."""
    if key == address:
        return key[key.rfind("/") + 1 :]
    if not address or address.endswith("/"):
        return key.removeprefix(address)
    if key.startswith(f"{address}/"):
        return key[len(address) + 1 :]
    return key[address.rfind("/") + 1 :]


def share(items: Sequence[_T], source: Source, hosts: int, position: int, epoch: int = 0) -> list[_T]:
    """Give what one host gets: shuffled anew for each epoch where the source asks for it, then every n-th."""
    chosen = list(items)
    if source.seed is not None:
        Random(f"{source.seed} {epoch}").shuffle(chosen)
    return chosen[position::hosts] if source.sharded else chosen


def _refuse_part(address: str, found: Sequence[Stored]) -> None:
    if not address or address.endswith("/"):
        return
    for stored in found:
        if stored.key != address and not stored.key.startswith(f"{address}/"):
            raise download_fault(
                "For FastFile mode, partial S3 prefix is not supported. S3 prefix has to end with a full file or"
                " folder. Add a trailing '/' to the S3 prefix if it ends with a folder name that is also a prefix"
                f" for other folders. Current S3 prefix: [{address}], found S3 object: [{stored.key}]."
            )


def _manifest(uri: str, storage: Storage) -> list[Named]:
    try:
        parsed: Any = json.loads(storage.read(uri))
    except (ValueError, RecursionError) as fault:
        raise download_fault(f"The manifest {uri} is not JSON: {fault}") from None
    rows: Sequence[Any] = cast("Sequence[Any]", parsed) if isinstance(parsed, list) else ()
    first: Any = rows[0] if rows else None
    prefix: Any = cast("dict[str, Any]", first).get("prefix") if isinstance(first, dict) else None
    if not isinstance(prefix, str) or not all(isinstance(each, str) for each in rows[1:]):
        raise download_fault(
            f'The manifest {uri} is not of the form [{{"prefix": "s3://bucket/some/prefix/"}}, "a", "b"].'
        )
    address = parse_uri(prefix)[1]
    found: list[Named] = []
    for each in rows[1:]:
        stored = storage.get(prefix + each)
        if stored is None:
            raise download_fault(f"The manifest {uri} names {prefix + each}, and there is no such object.")
        found.append(Named(name_of(stored.key, address), stored))
    if not found:
        raise download_fault(f"The manifest {uri} names no object.")
    return found
