"""The view that a sandbox will give, drawn as a tree before anything is mounted.

A folder is either *shown*, which is to say that a folder of the host is seen there, or it lies *in memory*. A
shown folder that has to gain an entry, and may not on the host, is shadowed: it turns into one in memory, with
what the host has in it shown one by one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from penstock.runtime.sandbox.description import SandboxFault
from penstock.runtime.sandbox.operations import Point

_LINKS = 40
"""Links on the way to one path, as many as Linux follows."""

Filling = Literal["plain", "writable", "devices", "proc"]


class LinkEntry:
    """A symbolic link."""

    def __init__(self, points_to: str) -> None:
        self.points_to = points_to


class FileEntry:
    """A file of the host, or whatever else there is that is no folder: a socket, a device."""

    def __init__(self, source: Path, read_only: bool, *, optional: bool = False) -> None:
        self.source = source
        self.read_only = read_only
        self.optional = optional


class HostsEntry:
    """The file of host names."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names


class FolderEntry:
    """A folder.

    Attributes:
        source: the host's folder that is shown; `None` in memory.
        mounted: whether it is bound for itself; else it is seen through the one above.
        filling: what lies in memory there.
        children: in memory, all there is; in a shown folder, what is not as on the host or leads there.
    """

    def __init__(
        self,
        source: Path | None = None,
        *,
        read_only: bool = True,
        mounted: bool = False,
        optional: bool = False,
        filling: Filling = "plain",
    ) -> None:
        self.source = source
        self.read_only = read_only
        self.mounted = mounted
        self.optional = optional
        self.filling: Filling = filling
        self.children: dict[str, Entry] = {}


Entry = FolderEntry | FileEntry | LinkEntry | HostsEntry


class Tree:
    """What is seen from the root on; `points` collects what must be made in writable folders of the host."""

    def __init__(self, root: FolderEntry) -> None:
        self.root = root
        self.points: list[Point] = []

    def put(self, target: str, entry: Entry) -> None:
        """Lay something at an absolute path, over what is there; a link there is followed, unless it gets one.

        Raises:
            SandboxFault: there can be nothing at this path.
        """
        holder, name = self._reach(target, follow=not isinstance(entry, LinkEntry))
        there = self._find(holder, name)
        if holder.source is None or _is_alike(there, entry):
            holder.children[name] = entry
        elif holder.read_only:
            self._shadow(holder)
            holder.children[name] = entry
        elif there is None:
            self._point(holder.source / name, entry)
            if not isinstance(entry, LinkEntry):
                holder.children[name] = entry
        else:
            found = "a folder" if isinstance(there, FolderEntry) else "a file"
            raise SandboxFault(f"nothing of another kind can lie over {target}: {found} is there")

    def shows(self, path: Path, source: Path) -> bool:
        """Tell whether something of the host is seen at a path, and cannot be written there."""
        try:
            holder, name = self._reach(str(path), follow=False)
        except SandboxFault:
            return False
        there = self._find(holder, name)
        if isinstance(there, FolderEntry | FileEntry):
            return there.source == source and there.read_only
        return isinstance(there, LinkEntry) and holder.source == source.parent and holder.read_only

    def _reach(self, target: str, *, follow: bool) -> tuple[FolderEntry, str]:
        """Give the folder that holds the last part of a path, all links on the way followed."""
        if not target.startswith("/") or "\0" in target:
            raise SandboxFault(f"{target!r} is not an absolute path")
        stack, todo, links = [self.root], _parts(target), 0
        while todo:
            name = todo.pop()
            if name == "..":
                stack = stack[:-1] or [self.root]
                continue
            child = self._find(stack[-1], name)
            if isinstance(child, LinkEntry) and (todo or follow):
                links += 1
                if links > _LINKS:
                    raise SandboxFault(f"the links on the way to {target} lead in a circle")
                if child.points_to.startswith("/"):
                    stack = [self.root]
                todo += _parts(child.points_to)
            elif not todo:
                return stack[-1], name
            else:
                stack.append(self._enter(stack[-1], name, child, target))
        raise SandboxFault(f"nothing can lie over {target}: it is the root, or leads back to a folder above")

    def _enter(self, holder: FolderEntry, name: str, child: Entry | None, target: str) -> FolderEntry:
        if isinstance(child, FolderEntry):
            if child.filling == "proc":
                raise SandboxFault(f"nothing can lie at {target}, below /proc")
            holder.children[name] = child
            return child
        if child is not None:
            raise SandboxFault(f"nothing can lie at {target}: on the way there, '{name}' is not a folder")
        made = FolderEntry()
        if holder.source is not None and not holder.read_only:
            made = FolderEntry(holder.source / name, read_only=False)
            self._point(holder.source / name, made)
        elif holder.source is not None:
            self._shadow(holder)
        holder.children[name] = made
        return made

    def _find(self, holder: FolderEntry, name: str) -> Entry | None:
        if name in holder.children or holder.source is None:
            return holder.children.get(name)
        return _of_host(holder.source / name, holder.read_only)

    def _shadow(self, holder: FolderEntry) -> None:
        assert holder.source is not None
        for name, entry in entries_of(holder.source, holder.read_only):
            there = holder.children.setdefault(name, entry)
            if isinstance(there, FolderEntry):
                # What was seen through this folder is bound for itself from now on.
                there.mounted = there.mounted or there.source is not None
        holder.source = None

    def _point(self, path: Path, entry: Entry) -> None:
        if isinstance(entry, LinkEntry):
            self.points.append(Point("link", path, entry.points_to))
        else:
            self.points.append(Point("folder" if isinstance(entry, FolderEntry) else "file", path))


def entries_of(folder: Path, read_only: bool = True) -> Iterator[tuple[str, Entry]]:
    """Give what a folder of the host has in it, each to be bound for itself."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as fault:
        raise SandboxFault(f"the folder {folder} cannot be listed: {fault.strerror}") from fault
    for name in names:
        entry = _of_host(folder / name, read_only)
        if isinstance(entry, FolderEntry):
            entry.mounted = True
        if entry is not None:
            yield name, entry


def _of_host(path: Path, read_only: bool) -> Entry | None:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return LinkEntry(os.readlink(path))
    except OSError:
        # Not there, or not for this user: a mount of another user's answers so.
        return None
    if stat.S_ISDIR(mode):
        return FolderEntry(path, read_only=read_only, optional=True)
    return FileEntry(path, read_only, optional=True)


def _is_alike(there: Entry | None, entry: Entry) -> bool:
    """Tell whether one can be mounted over the other: folders over folders, files over files."""
    if there is None or isinstance(there, LinkEntry) or isinstance(entry, LinkEntry):
        return False
    return isinstance(there, FolderEntry) == isinstance(entry, FolderEntry)


def _parts(path: str) -> list[str]:
    """Give the parts of a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
