"""What a sandbox is to show: the data that callers write down."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from penstock.frozen import dataclass

Way = Literal["bubblewrap", "namespaces"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the host, shown at a place of the caller's choice.

    Attributes:
        source: an existing file or folder of the host.
        target: absolute path inside; neither it nor its parents need to exist on the host.
        read_only: whether writing to it fails.
    """

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One view of the file system for one command.

    A mount below a *writable* mount needs a place in that one's source. Where it has none, an empty one is made
    there and taken away at the end; who runs two sandboxes at once over one such folder makes the places first.
    Below anything else nothing of the host is touched.

    Attributes:
        mounts: later ones lie over earlier ones.
        cwd: the working folder, as seen inside.
        keep: host paths that stay visible, read-only, at their own place even where something hides them. One
            that is a link stays that link. One that does not exist is passed over.
        network: without it there is a loopback and nothing else.
        hosts: names that mean 127.0.0.1 inside.
        hostname: what the machine is called inside; by default as outside.
        fault_file: a file of the host, shown by no mount, that is made where the sandbox cannot be set up, and says
            why: by it that is told from a command which ends with the same code.
        way: how the sandbox is made; `None` for the way that `found_way` gives.
    """

    mounts: tuple[Mount, ...]
    cwd: str
    keep: tuple[Path, ...] = ()
    network: bool = True
    hosts: tuple[str, ...] = ()
    hostname: str = ""
    fault_file: Path | None = None
    way: Way | None = None


class SandboxFault(Exception):
    """Raised inside this package where a sandbox asks for what cannot be; `enclose` makes a message of it."""
