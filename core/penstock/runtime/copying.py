"""Making a file appear in a second place, as cheaply as the file system allows.

A *reflink* shares the blocks until either file is written (btrfs, XFS, bcachefs, ZFS); a *link* is the same
file under a second name, so that a write through one is seen through the other; a *copy* is a copy.
"""

from __future__ import annotations

import errno
import os
import sys
from enum import IntEnum

from penstock.runtime.hashing import CHUNK

# linux/fs.h: _IOW(0x94, 9, int)
_FICLONE = 0x40049409

_NO_REFLINKS = {errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EXDEV, errno.EPERM}

# Across devices or bind mounts; too many links to one inode; no links at all; protected_hardlinks.
_NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}

# Pairs of devices (from, to) that refused a reflink: asking again for every file would cost more than a link.
_REFUSED: set[tuple[int, int]] = set()


class Way(IntEnum):
    """How a file came to its place; the greatest of several is what its reader must reckon with."""

    REFLINK = 1
    COPY = 2
    LINK = 3


def copy_file(source: str, target: str, mode: int) -> Way:
    """Make a file of its own, by reflink where the file system can. Links are followed.

    Raises:
        FileExistsError: the target is there already.
        OSError: anything else that reading and writing may meet; no partial target stays behind.
    """
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return copy_descriptor(reading, target, mode)
    finally:
        os.close(reading)


def copy_descriptor(reading: int, target: str, mode: int) -> Way:
    """Do what `copy_file` does, from a file that is open for reading and at its start."""
    writing = _create(target)
    try:
        way = Way.REFLINK if _reflink(reading, writing) else _copy_bytes(reading, writing)
        # Set here and not at creation, where the umask would take bits away.
        os.fchmod(writing, mode)
    except BaseException:
        os.unlink(target)
        raise
    finally:
        os.close(writing)
    return way


def reflink_file(source: str, target: str) -> Way | None:
    """Make a file that shares its blocks, mode 0600; None, and no file, where that is not to be had.

    Raises:
        FileExistsError: the target is there already (unless reflinks are known not to work there).
    """
    if sys.platform != "linux":
        return None
    if (os.stat(source).st_dev, os.stat(os.path.dirname(target)).st_dev) in _REFUSED:
        return None
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writing = _create(target)
        try:
            if _reflink(reading, writing):
                return Way.REFLINK
        finally:
            os.close(writing)
    finally:
        os.close(reading)
    os.unlink(target)
    return None


def link_file(source: str, target: str) -> Way | None:
    """Give a file a second name; None where the file system refuses that and a copy is called for.

    Raises:
        FileExistsError: the target is there already.
    """
    try:
        os.link(source, target)
    except OSError as refused:
        if refused.errno in _NO_LINKS:
            return None
        raise
    return Way.LINK


def _create(target: str) -> int:
    return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _reflink(reading: int, writing: int) -> bool:
    if sys.platform != "linux":
        return False
    devices = (os.fstat(reading).st_dev, os.fstat(writing).st_dev)
    if devices in _REFUSED:
        return False
    import fcntl

    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError as refused:
        # EINVAL speaks of these two files alone, such as checksums switched off for one of them.
        if refused.errno in _NO_REFLINKS:
            _REFUSED.add(devices)
        elif refused.errno != errno.EINVAL:
            raise
        return False
    return True


def _copy_bytes(reading: int, writing: int) -> Way:
    step = min(os.fstat(reading).st_size + 1, CHUNK)
    while chunk := os.read(reading, step):
        view = memoryview(chunk)
        while view:
            view = view[os.write(writing, view) :]
    return Way.COPY
