"""The data of a job: a channel or processing input, brought into its folder before the job starts.

    File        files of the job's own, writable
    FastFile    the same names, read-only, and without copying where that is safe
    Pipe        named pipes beside the folder, `<folder>_0`, `<folder>_1` and so on, one an epoch

CompressionType counts in Pipe mode alone, as the service has it. Augmented manifests need Pipe mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock_aws.sagemaker.emulator.data.augmented import lines_of, records
from penstock_aws.sagemaker.emulator.data.layout import arrange, lay_out
from penstock_aws.sagemaker.emulator.data.pipes import Feeder
from penstock_aws.sagemaker.emulator.data.recordio import stream
from penstock_aws.sagemaker.emulator.data.selection import (
    DataFault,
    Source,
    download_fault,
    select,
    share,
    source_of,
)
from penstock_aws.sagemaker.emulator.data.storage import Storage

__all__ = ["Brought", "DataFault", "Feeder", "bring"]


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of an input.

    Attributes:
        mode: File, FastFile or Pipe; in FastFile mode the job is best shown the folder read-only.
        files: how many files, or objects in the pipe.
        size: their bytes.
        feeder: in Pipe mode, what fills the pipes: close it when the job has ended, and look at its `fault`.
    """

    mode: str
    files: int
    size: int
    feeder: Feeder | None = None

    def close(self) -> None:
        """End the pipes, if there are any."""
        if self.feeder is not None:
            self.feeder.close()


def bring(
    source: Mapping[str, Any],
    folder: Path,
    storage: Storage,
    *,
    mode: str = "File",
    hosts: int = 1,
    position: int = 0,
    region: str = "us-east-1",
    role: str = "",
    sealed: bool = False,
) -> Brought:
    """Bring one input to one host.

    Args:
        source: an element of InputDataConfig or ProcessingInputs, or a TransformInput; expressions resolved.
        folder: where it goes; made if it is missing. In Pipe mode it is not made, its parent is.
        storage: where it is from.
        mode: the job's; an element's own mode goes before it.
        hosts: how many there are.
        position: which of them this one is, from 0.
        region: named where nothing is found.
        role: likewise.
        sealed: the job will not be able to write to the folder of a FastFile input: then files of the user's in
            their own place are linked. Else they are copied, and only the store's own files are linked.

    Raises:
        DataFault: the failure reason of the job.
    """
    try:
        wanted = source_of(source, mode)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise DataFault(f"ClientError: an input cannot be read: {fault!r}") from None
    if wanted.data_type == "AugmentedManifestFile":
        return _augmented(wanted, folder, storage, hosts, position)
    if wanted.data_type not in ("S3Prefix", "ManifestFile"):
        raise DataFault(f"ClientError: input '{wanted.name}' has the S3DataType '{wanted.data_type}'")
    named = select(wanted, storage, region=region, role=role)
    if wanted.mode == "Pipe":
        objects = [stored for name, stored in named if name and not name.endswith("/")]

        def epoch(number: int) -> Iterator[bytes]:
            for stored in share(objects, wanted, hosts, position, number):
                yield from stream(stored, storage, gzip=wanted.gzip, wrapped=wanted.wrapped)

        chosen = share(objects, wanted, hosts, position)
        return Brought("Pipe", len(chosen), sum(each.size for each in chosen), Feeder(folder, epoch))
    if wanted.mode not in ("File", "FastFile"):
        raise DataFault(f"ClientError: input '{wanted.name}' has the input mode '{wanted.mode}'")
    # Marks of folders are no data, and no host's share.
    marks = [each for each in named if not each.name or each.name.endswith("/")]
    files = [each for each in named if each.name and not each.name.endswith("/")]
    arranged = arrange([*marks, *share(files, wanted, hosts, position)])
    lay_out(arranged, folder, storage, linked=wanted.mode == "FastFile", sealed=sealed)
    return Brought(wanted.mode, len(arranged.files), sum(each.size for each in arranged.files.values()))


def _augmented(source: Source, folder: Path, storage: Storage, hosts: int, position: int) -> Brought:
    if source.mode != "Pipe":
        raise download_fault(
            f"Channel '{source.name}' is an AugmentedManifestFile, which needs the input mode Pipe."
        )
    lines = lines_of(source, storage)

    def epoch(number: int) -> Iterator[bytes]:
        for line in share(lines, source, hosts, position, number):
            yield from records(line, source, storage)

    chosen = share(lines, source, hosts, position)
    return Brought("Pipe", len(chosen), sum(len(each) for each in chosen), Feeder(folder, epoch))
