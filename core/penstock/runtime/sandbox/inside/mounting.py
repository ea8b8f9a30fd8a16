"""Carrying a plan out by mounting, in a mount namespace that nobody else is in.

A first file system in memory takes the place of the root and holds two folders: the new root, and the old one,
where all sources are seen whatever the new root hides.
"""

from __future__ import annotations

import os
from errno import EINVAL, ENOSYS, EPERM

from penstock.runtime.sandbox.inside import hosts, kernel

_OLD, _NEW = "/old", "/new"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_STREAMS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_ACCESS = {
    "read": kernel.READ_ONLY | kernel.NO_SETUID | kernel.NO_DEVICES,
    "write": kernel.NO_SETUID | kernel.NO_DEVICES,
    "device": kernel.NO_SETUID,
}
_MEMORY = kernel.NO_SETUID | kernel.NO_DEVICES
_ARITY = {
    "tmpfs": 2,
    "folder": 1,
    "bind": 2,
    "bind-optional": 2,
    "link": 2,
    "proc": 1,
    "devices": 1,
    "hosts": 2,
    "read-only": 1,
}
_FLAGS_BY_NAME = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "nodiratime": 2048}
_RELATIVE_TIMES = 1 << 21


def carry_out(words: list[str]) -> None:
    """Mount everything that the words say, and make it the root of this process. Leaves it in the new root."""
    kernel.mount("none", "/", flags=kernel.RECURSIVE | kernel.SLAVE)
    # Any folder would do: the host's comes to light again as soon as this has become the root.
    kernel.mount("tmpfs", "/usr", "tmpfs", _MEMORY, "mode=0755")
    os.chdir("/usr")
    os.mkdir("old")
    os.mkdir("new")
    kernel.pivot_root(".", "old")
    os.chdir("/")
    place = 0
    while place < len(words):
        name, _, access = words[place].partition(":")
        given = words[place + 1 : place + 1 + _ARITY[name]]
        place += 1 + len(given)
        _lay(name, access, given)
    kernel.unmount(_OLD)
    os.chdir(_NEW)
    # The same place twice: the root before comes to lie over the new one, and is taken off.
    kernel.pivot_root(".", ".")
    kernel.unmount(".")
    os.chdir("/")


def _lay(name: str, access: str, given: list[str]) -> None:
    target = _NEW + given[-1]
    if name == "tmpfs":
        _make_place(target, folder=True)
        kernel.mount("tmpfs", target, "tmpfs", _MEMORY, f"mode={given[0]}")
    elif name == "folder":
        os.mkdir(target)
    elif name == "bind":
        _bind(_OLD + given[0], target, access)
    elif name == "bind-optional":
        _bind_if_there(_OLD + given[0], target, access)
    elif name == "link":
        os.symlink(given[0], target)
    elif name == "proc":
        _lay_proc(target, access == "fresh")
    elif name == "devices":
        _lay_devices(target)
    elif name == "hosts":
        _lay_hosts(given[0].split(), target)
    elif name == "read-only":
        kernel.mount("none", target, flags=kernel.BIND | kernel.REMOUNT | kernel.READ_ONLY | _MEMORY)


def _make_place(target: str, folder: bool) -> None:
    if os.path.lexists(target):
        return
    if folder:
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def _bind(source: str, target: str, access: str) -> None:
    _make_place(target, os.path.isdir(source))
    kernel.mount(source, target, flags=kernel.BIND | kernel.RECURSIVE)
    _restrict(target, _ACCESS[access])


def _bind_if_there(source: str, target: str, access: str) -> None:
    try:
        _bind(source, target, access)
    except (FileNotFoundError, PermissionError):
        return


def _restrict(target: str, flags: int) -> None:
    try:
        kernel.restrict_mounts(target, flags)
    except OSError as fault:
        # Filters of containers answer "not permitted" to calls that they do not know.
        if fault.errno not in (ENOSYS, EPERM, EINVAL):
            raise
        _restrict_one_by_one(target, flags)


def _restrict_one_by_one(target: str, flags: int) -> None:
    """Do it for kernels before 5.12, which set the flags of one mount at a time, and all of them anew."""
    for point, found in _mounts(f"{_OLD}/proc/self/mountinfo"):
        if point == target or point.startswith(target + "/"):
            try:
                kernel.mount("none", point, flags=kernel.BIND | kernel.REMOUNT | found | flags)
            except OSError:
                # One that this user cannot reach, or that lies hidden below another: nobody inside can either.
                if point == target:
                    raise


def _mounts(path: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    with open(path, "rb") as file:
        for line in file:
            point, options = line.split(b" ")[4:6]
            flags = 0
            for option in options.decode().split(","):
                flags |= _FLAGS_BY_NAME.get(option, 0)
            if b"relatime" in options.split(b","):
                flags |= _RELATIVE_TIMES
            for escape in (b"\\040", b"\\011", b"\\012", b"\\134"):
                point = point.replace(escape, bytes([int(escape[1:], 8)]))
            found.append((os.fsdecode(point), flags))
    return found


def _lay_proc(target: str, fresh: bool) -> None:
    if fresh:
        os.mkdir(target)
        kernel.mount("proc", target, "proc", _MEMORY | kernel.NO_EXEC)
    else:
        _bind(f"{_OLD}/proc", target, "write")


def _lay_devices(target: str) -> None:
    os.mkdir(target)
    kernel.mount("tmpfs", target, "tmpfs", kernel.NO_SETUID, "mode=0755")
    for name in _DEVICES:
        if os.path.exists(f"{_OLD}/dev/{name}"):
            _bind(f"{_OLD}/dev/{name}", f"{target}/{name}", "device")
    for name, points_to in _STREAMS.items():
        os.symlink(points_to, f"{target}/{name}")
    os.mkdir(f"{target}/shm")
    kernel.mount("tmpfs", f"{target}/shm", "tmpfs", _MEMORY, "mode=1777")
    os.mkdir(f"{target}/pts")
    _lay_terminals(f"{target}/pts")


def _lay_terminals(target: str) -> None:
    options = "newinstance,ptmxmode=0666,mode=0620"
    try:
        kernel.mount("devpts", target, "devpts", kernel.NO_SETUID | kernel.NO_EXEC, options)
    except OSError:
        # Few programs open terminals; the folder is there, and empty.
        return


def _lay_hosts(names: list[str], target: str) -> None:
    place = "/hosts"
    with open(place, "wb") as file:
        file.write(hosts.with_names(f"{_OLD}/etc/hosts", names))
    os.chmod(place, 0o644)
    _make_place(target, folder=False)
    kernel.mount(place, target, flags=kernel.BIND)
    _restrict(target, _ACCESS["read"])
