"""The system calls that the standard library does not have; each raises OSError with what it was about."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
NEW_NAMES = 0x4000000
READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8
REMOUNT, BIND, RECURSIVE, SLAVE = 32, 4096, 16384, 1 << 19
DETACH = 2

_MOUNT_SETATTR = 442
"""Number of the system call, which the C library names only since glibc 2.36; the same on all machines."""
_SET_NO_NEW_PRIVILEGES, _SET_DEATH_SIGNAL, _DROP_FROM_BOUNDS = 38, 1, 24
_CAPABILITIES_VERSION = 0x20080522
_CAPABILITIES = 64
_AT_RECURSIVE = 0x8000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_INET, _DATAGRAM = 2, 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, about: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about)


def unshare(flags: int) -> None:
    """Put this process, or its next children, into new namespaces."""
    _check(_libc.unshare(flags), "new namespaces")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, bind or remount."""
    words = (os.fsencode(source), os.fsencode(target), os.fsencode(kind) or None)
    data = os.fsencode(options) or None
    _check(_libc.mount(*words, ctypes.c_ulong(flags), data), target)


def unmount(target: str) -> None:
    """Take a mount, with all that is mounted below it, out of sight at once."""
    _check(_libc.umount2(os.fsencode(target), DETACH), target)


def pivot_root(new: str, old: str) -> None:
    """Make a mount the root, and lay the root before over a folder of it."""
    _check(_libc.pivot_root(os.fsencode(new), os.fsencode(old)), new)


def restrict_mounts(target: str, attributes: int) -> None:
    """Set flags of a mount and of all below it. Linux has had this call since 5.12."""
    wanted = ctypes.create_string_buffer(struct.pack("=QQQQ", attributes, 0, 0, 0))
    words = (-100, os.fsencode(target), _AT_RECURSIVE, wanted, ctypes.c_size_t(32))
    _check(_libc.syscall(ctypes.c_long(_MOUNT_SETATTR), *words), target)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies."""
    _check(_libc.prctl(_SET_DEATH_SIGNAL, ctypes.c_ulong(9), 0, 0, 0), "the signal of the parent's death")


def give_up_privileges(kept: int) -> None:
    """Let no program gain anything by being started, and drop all capabilities but those in a mask."""
    _check(_libc.prctl(_SET_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), 0, 0, 0), "no new privileges")
    for number in range(_CAPABILITIES):
        if not kept >> number & 1:
            # Fails past the last one that this kernel knows, and where there were none to drop.
            _libc.prctl(_DROP_FROM_BOUNDS, ctypes.c_ulong(number), 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITIES_VERSION, 0))
    held = ctypes.create_string_buffer(24)
    _check(_libc.capget(header, held), "capabilities")
    _, low, _, _, high, _ = struct.unpack("=6I", held.raw[:24])
    low, high = low & kept, high & kept >> 32
    _check(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)), "capabilities")


def set_hostname(name: str) -> None:
    """Call this machine something else, in a namespace of names."""
    word = os.fsencode(name)
    _check(_libc.sethostname(word, ctypes.c_size_t(len(word))), "the name of the host")


def raise_loopback() -> None:
    """Switch the loopback of a new network namespace on."""
    descriptor = _libc.socket(_INET, _DATAGRAM, 0)
    _check(descriptor, "the loopback")
    try:
        asked = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(descriptor, _GET_FLAGS, asked))[1]
        fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("16sH22x", b"lo", flags | _UP))
    finally:
        os.close(descriptor)
