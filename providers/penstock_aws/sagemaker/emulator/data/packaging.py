"""Archives as jobs leave and get them: a folder's content as tar.gz, and back.

Equal content gives equal bytes: members are sorted and bear no times, owners or rights beside "executable".

Unpacking goes by rules that are stricter than the data filter of `tarfile`, and does not use it: in Python before
3.11.13 a chain of long links leads it astray, and it asks the disk about every member. Here nothing is written
through a link: they are made last, once all that they could lead to is known.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from penstock.runtime.tree import ArtifactError, printable, refuse_special, scan
from penstock_aws.sagemaker.emulator.data.bounded import Bounded, PackagingFault

__all__ = ["PackagingFault", "pack", "unpack"]

_CHUNK = 1 << 20
_BUFFER = 1 << 18
# Faster than the best by half, and hardly larger.
_LEVEL = 6


def pack(folder: Path, target: Path) -> None:
    """Write the archive of a folder's content; links inside it stay links.

    Raises:
        PackagingFault: a pipe, socket or device; a link that leaves the folder; a file that changes meanwhile.
        OSError: reading or writing failed. No archive is left then.
    """
    root = os.path.realpath(folder)
    shown = printable(folder.name)
    try:
        scan(root)
    except ArtifactError as fault:
        raise PackagingFault(f"{shown!r} cannot be packed: {fault}") from None
    with open(target, "xb") as raw:
        try:
            with (
                gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
                io.BufferedWriter(packed, _BUFFER) as buffer,
                tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar,
            ):
                for name, path, status in _content(root):
                    _add(tar, name, path, status)
        except BaseException:
            os.unlink(target)
            raise


def unpack(archive: Path, folder: Path, *, most_bytes: int, most_files: int) -> None:
    """Write an archive's content below a folder, which is made if it is missing.

    Files are readable, writable and, where the archive says so, executable; owners and times are not kept.

    Args:
        archive: a tar.gz, whoever made it.
        folder: nothing below it may bear a name that the archive has, but for folders.
        most_bytes: of all files together.
        most_files: files, links and folders together.

    Raises:
        PackagingFault: no archive, a damaged or truncated one; one that is too large; a member that is no file,
            folder or link, or whose name or target leads out of the folder. Part of it may be there then, links
            are not.
        OSError: the archive cannot be read or the folder not be written.
    """
    shown = printable(archive.name)
    root = os.path.realpath(folder)
    os.makedirs(root, exist_ok=True)
    with archive.open("rb") as raw, gzip.GzipFile(fileobj=raw, mode="rb") as packed:
        # Each member costs a header of a block, padding of another, and sometimes a long name.
        reader = Bounded(packed, most_bytes + (most_files + 40) * 8 * tarfile.BLOCKSIZE)
        try:
            with tarfile.open(fileobj=reader, mode="r:") as tar:
                _Unpacking(root, most_bytes, most_files).take(tar, reader)
            reader.finish()
        except PackagingFault as fault:
            raise PackagingFault(f"{shown!r} cannot be unpacked: {fault}") from None
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as fault:
            raise PackagingFault(f"{shown!r} is no sound tar.gz archive: {fault}") from None
        except (ValueError, OverflowError, RecursionError, MemoryError) as fault:
            raise PackagingFault(f"{shown!r} is a damaged archive: {fault}") from None


class _Unpacking:
    def __init__(self, root: str, most_bytes: int, most_files: int) -> None:
        self._root = root
        self._bytes = most_bytes
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._members = 0
        self._folders = {""}
        self._files: set[str] = set()
        self._links: dict[str, str] = {}

    def take(self, tar: tarfile.TarFile, reader: Bounded) -> None:
        while (member := tar.next()) is not None:
            self._members += 1
            if self._members > self._most_files:
                raise PackagingFault(f"it holds more than {self._most_files:,} files")
            name = _safe(member.name)
            if member.isdir():
                self._make_folder(name)
            elif not name:
                raise PackagingFault("it has a file without a name")
            elif member.isfile():
                self._write(name, member, tar, reader)
            elif member.issym():
                self._free(name)
                self._links[name] = member.linkname
            elif member.islnk():
                self._link(name, _safe(member.linkname))
            else:
                raise PackagingFault(f"{printable(name)!r} is no file, folder or link")
        self._make_links()

    def _write(self, name: str, member: tarfile.TarInfo, tar: tarfile.TarFile, reader: Bounded) -> None:
        self._bytes -= member.size
        if self._bytes < 0:
            raise PackagingFault(f"it unpacks to more than {self._most_bytes:,} bytes")
        self._free(name)
        mode = 0o755 if member.mode & 0o100 else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(f"{self._root}/{name}", flags, mode)
        self._files.add(name)
        try:
            for chunk in _sparse(member, tar) if member.issparse() else _plain(member, reader):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)

    def _link(self, name: str, other: str) -> None:
        if other not in self._files or other == name:
            raise PackagingFault(
                f"{printable(name)!r} is a link to {printable(other)!r}, which is no file before it"
            )
        self._free(name)
        os.link(f"{self._root}/{other}", f"{self._root}/{name}")
        self._files.add(name)

    def _free(self, name: str) -> None:
        """Make the folder that a name stands in; a later member of the same name takes an earlier one's place."""
        self._make_folder(name.rpartition("/")[0])
        if name in self._folders:
            raise PackagingFault(f"{printable(name)!r} is both a folder and a file")
        self._links.pop(name, None)
        if name in self._files:
            os.unlink(f"{self._root}/{name}")
            self._files.discard(name)

    def _make_folder(self, name: str) -> None:
        if name in self._folders:
            return
        self._make_folder(name.rpartition("/")[0])
        if name in self._files or name in self._links:
            raise PackagingFault(f"{printable(name)!r} is both a folder and a file")
        path = f"{self._root}/{name}"
        try:
            os.mkdir(path)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise
        self._folders.add(name)

    def _make_links(self) -> None:
        made: list[str] = []
        try:
            for name, target in self._links.items():
                os.symlink(target, f"{self._root}/{name}")
                made.append(name)
            if made:
                scan(self._root)
        except BaseException as fault:
            for name in made:
                with suppress(OSError):
                    os.unlink(f"{self._root}/{name}")
            if isinstance(fault, ArtifactError):
                raise PackagingFault(str(fault)) from None
            raise


def _plain(member: tarfile.TarInfo, reader: Bounded) -> Iterator[bytes]:
    left = member.size
    while left:
        chunk = reader.read(min(left, _CHUNK))
        if not chunk:
            raise PackagingFault("it is truncated")
        left -= len(chunk)
        yield chunk


def _sparse(member: tarfile.TarInfo, tar: tarfile.TarFile) -> Iterator[bytes]:
    opened = tar.extractfile(member)
    assert opened is not None
    with opened:
        while chunk := opened.read(_CHUNK):
            yield chunk


def _safe(name: str) -> str:
    """Give a member's name without what means nothing; refuse one that leads anywhere else."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise PackagingFault(f"{printable(name)!r} leads out of the folder")
    return "/".join(parts)


def _content(root: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """Give names, paths and states, sorted name by name; a folder comes before what is in it."""
    pending = [("", root)]
    while pending:
        name, path = pending.pop()
        status = os.lstat(path)
        if name:
            yield name, path, status
        if stat.S_ISDIR(status.st_mode):
            start = f"{name}/" if name else ""
            children = sorted(os.listdir(path), key=os.fsencode, reverse=True)
            pending += [(start + child, f"{path}/{child}") for child in children]


def _add(tar: tarfile.TarFile, name: str, path: str, status: os.stat_result) -> None:
    member = tarfile.TarInfo(name)
    if stat.S_ISDIR(status.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)
    elif stat.S_ISLNK(status.st_mode):
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, os.readlink(path)
        tar.addfile(member)
    else:
        refuse_special(name, status)
        member.mode = 0o755 if status.st_mode & 0o100 else 0o644
        with open(path, "rb") as opened:
            member.size = os.fstat(opened.fileno()).st_size
            try:
                tar.addfile(member, opened)
            except OSError as fault:
                # What `tarfile` says of a file that became shorter has no number.
                if fault.errno is None:
                    raise PackagingFault(f"{printable(name)!r} changed while it was packed") from None
                raise
