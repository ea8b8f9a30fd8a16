"""From a sandbox and what the host looks like to an ordered plan. Reads the host, changes nothing."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import assert_never

from penstock.runtime.sandbox import operations as op
from penstock.runtime.sandbox.description import Mount, Sandbox, SandboxFault
from penstock.runtime.sandbox.tree import (
    Entry,
    FileEntry,
    FolderEntry,
    HostsEntry,
    LinkEntry,
    Tree,
    entries_of,
)

_EMPTY = ("/home", "/root", "/run/user")
_PRIVATE = ("/tmp", "/var/tmp")
_SYSTEM = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys", "usr"}
)
"""Folders of the root that hide no one's home, though some users of the system have theirs there."""
_COMMANDING = ("sys", "sysrq-trigger", "irq", "bus", "fs")
"""Parts of /proc that are about the whole machine, and obey root even without capabilities."""
_GRAPHICS = ("nvidia", "dri", "kfd", "dxg")
"""What the names of devices for computing begin with."""


def make_plan(sandbox: Sandbox, *, fresh_proc: bool = True) -> op.Plan:
    """Plan one sandbox.

    Raises:
        SandboxFault: it asks for what cannot be: a mount without a source, at a relative path, below a file.
    """
    tree = Tree(FolderEntry())
    tree.root.children.update(entries_of(Path("/")))
    tree.root.children["proc"] = FolderEntry(filling="proc")
    tree.root.children["dev"] = _devices()
    _hide(tree)
    for path in sandbox.keep:
        _keep(tree, path)
    if sandbox.hosts:
        tree.put("/etc/hosts", HostsEntry(_checked_names(sandbox.hosts)))
    kept = [(path, os.path.normpath(path)) for path in sandbox.keep]
    for mount in sandbox.mounts:
        tree.put(mount.target, _entry(mount))
        above = f"{os.path.normpath(mount.target)}/"
        for path, plain in kept:
            if plain.startswith(above):
                _keep(tree, path)
    laid = tuple(_laid(tree.root, "/", in_memory=False, fresh_proc=fresh_proc))
    closed = tuple(
        op.ReadOnly(each.target)
        for each in reversed(laid)
        if isinstance(each, op.Devices) or (isinstance(each, op.Tmpfs) and each.mode == op.Tmpfs("").mode)
    )
    hostname = _checked_names((sandbox.hostname,))[0] if sandbox.hostname else ""
    return op.Plan(laid + closed, tuple(tree.points), sandbox.cwd, sandbox.network, hostname)


def _hide(tree: Tree) -> None:
    for path in _PRIVATE:
        if path == "/tmp" or os.path.isdir(path):
            tree.put(path, FolderEntry(filling="writable"))
    homes = {os.environ.get("HOME", "")}
    with suppress(KeyError):
        homes.add(pwd.getpwuid(os.getuid()).pw_dir)
    # A home below one of the empty folders is there again, as an empty folder that can be entered.
    for path in (*_EMPTY, *sorted(filter(_is_hidden_home, homes))):
        if os.path.isdir(path):
            tree.put(path, FolderEntry())


def _is_hidden_home(path: str) -> bool:
    parts = Path(path).parts
    return os.path.isabs(path) and len(parts) > 2 and parts[1] not in _SYSTEM


def _keep(tree: Tree, path: Path) -> None:
    try:
        mode = os.lstat(path).st_mode
        real = Path(os.path.realpath(path.parent)) / path.name
        if tree.shows(path, real):
            return
        if stat.S_ISLNK(mode):
            tree.put(str(path), LinkEntry(os.readlink(path)))
        elif stat.S_ISDIR(mode):
            tree.put(str(path), FolderEntry(real, mounted=True))
        else:
            tree.put(str(path), FileEntry(real, read_only=True))
    except FileNotFoundError:
        return
    except OSError as fault:
        raise SandboxFault(f"{path} cannot be kept: {fault.strerror}") from fault


def _entry(mount: Mount) -> Entry:
    try:
        source = mount.source.resolve(strict=True)
    except (OSError, RuntimeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "links in a circle"
        raise SandboxFault(f"{mount.source} cannot be shown at {mount.target}: {why}") from fault
    if source.is_dir():
        return FolderEntry(source, read_only=mount.read_only, mounted=True)
    return FileEntry(source, mount.read_only)


def _devices() -> FolderEntry:
    devices = FolderEntry(filling="devices")
    # These are laid by the executors; here they only say that mounts may lie over them.
    devices.children["shm"] = FolderEntry(filling="devices")
    try:
        names = sorted(os.listdir("/dev"))
    except OSError:
        return devices
    for name in names:
        if name.startswith(_GRAPHICS):
            path = Path("/dev", name)
            folder = path.is_dir()
            devices.children[name] = (
                FolderEntry(path, read_only=False, mounted=True, optional=True)
                if folder
                else FileEntry(path, read_only=False, optional=True)
            )
    return devices


def _checked_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not name or any(each.isspace() or each in "#\0" for each in name):
            raise SandboxFault(f"{name!r} is not the name of a host")
    return names


def _laid(entry: Entry, path: str, *, in_memory: bool, fresh_proc: bool) -> Iterator[op.Operation]:
    match entry:
        case LinkEntry():
            yield op.Link(entry.points_to, path)
        case HostsEntry():
            yield op.Hosts(entry.names, path)
        case FileEntry():
            yield _bound(entry, path, entry.source)
        case FolderEntry():
            yield from _laid_folder(entry, path, in_memory, fresh_proc)
            for name, child in entry.children.items():
                below = f"{path.rstrip('/')}/{name}"
                yield from _laid(child, below, in_memory=entry.source is None, fresh_proc=fresh_proc)
        case _:
            assert_never(entry)


def _laid_folder(entry: FolderEntry, path: str, in_memory: bool, fresh_proc: bool) -> Iterator[op.Operation]:
    if entry.source is not None:
        if entry.mounted:
            yield _bound(entry, path, entry.source)
    elif entry.filling == "proc":
        yield op.Proc(path, fresh_proc)
        for name in _COMMANDING:
            yield op.Bind(Path("/proc", name), f"{path}/{name}", optional=True)
    elif entry.filling == "devices":
        if path == "/dev":
            yield op.Devices(path)
    elif entry.filling == "writable":
        yield op.Tmpfs(path, 0o1777)
    elif in_memory:
        yield op.Folder(path)
    else:
        yield op.Tmpfs(path)


def _bound(entry: FolderEntry | FileEntry, path: str, source: Path) -> op.Bind:
    if entry.read_only:
        return op.Bind(source, path, "read", entry.optional)
    return op.Bind(source, path, "device" if source.parts[1:2] == ("dev",) else "write", entry.optional)
