"""The plan of a sandbox as data: what is mounted where, in order, from an empty root on.

Two executors carry a plan out: `bubblewrap` writes it as bwrap's arguments, `namespaces` as words for the script
that makes the system calls. Targets are absolute paths inside; none of their parents is a link.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from penstock.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """An empty file system in memory over an existing folder, or in a new one."""

    target: str
    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Folder:
    """A new folder in the memory that lies there already."""

    target: str


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the host with all that is mounted below it.

    Attributes:
        source: a real path: none of its parents is a link.
        target: made where its parent lies in memory.
        access: what may be done with it; `device` is writable too, and its device files work.
        optional: whether it is left out where it went away meanwhile, as entries of system folders may.
    """

    source: Path
    target: str
    access: Literal["read", "write", "device"] = "read"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A new symbolic link."""

    points_to: str
    target: str


@dataclass(frozen=True, slots=True)
class Proc:
    """The processes inside; where the kernel refuses a fresh one, the host's, through which they see the others."""

    target: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Devices:
    """A /dev with the few devices that every program may use, and a private `shm`."""

    target: str


@dataclass(frozen=True, slots=True)
class Hosts:
    """The host's /etc/hosts with more names for 127.0.0.1."""

    names: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """An end to writing in memory that an earlier operation laid there."""

    target: str


Operation = Tmpfs | Folder | Bind | Link | Proc | Devices | Hosts | ReadOnly


@dataclass(frozen=True, slots=True)
class Point:
    """An empty place for a mount that is missing in a writable folder of the host: made before, removed after."""

    kind: Literal["folder", "file", "link"]
    path: Path
    points_to: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the executors need to know."""

    operations: tuple[Operation, ...]
    points: tuple[Point, ...]
    cwd: str
    network: bool
    hostname: str = ""
