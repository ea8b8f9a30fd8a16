"""A plan as bubblewrap's arguments, and the words with which `inside.wrapping` starts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from penstock.runtime.sandbox import operations as op

# The mark says that everything before worked; only then the command gets its standard error.
_SHELL = 'printf + >&2; exec 2>&3 3>&-; exec "$@"'
_NAMESPACES = (
    *("--unshare-pid", "--unshare-ipc", "--new-session", "--die-with-parent"),
    *("--info-fd", "4"),
)
_HOSTS = "5"
_BINDS = {"read": "--ro-bind", "write": "--bind", "device": "--dev-bind"}


def words(plan: op.Plan, argv: Sequence[str], program: str) -> list[str]:
    """Give the names of hosts, bubblewrap, its arguments, and the command in a shell that lets it begin."""
    names = " ".join(name for each in plan.operations if isinstance(each, op.Hosts) for name in each.names)
    network = () if plan.network else ("--unshare-net",)
    called = ("--unshare-uts", "--hostname", plan.hostname) if plan.hostname else ()
    laid = [word for each in plan.operations for word in _words(each)]
    return [
        names,
        program,
        *_NAMESPACES,
        *network,
        *called,
        *laid,
        "--chdir",
        plan.cwd,
        "--",
        "/bin/sh",
        "-c",
        _SHELL,
        "sh",
        *argv,
    ]


def _words(operation: op.Operation) -> Iterator[str]:
    match operation:
        case op.Tmpfs("/"):
            # The root that bubblewrap begins with.
            return
        case op.Tmpfs(target, mode):
            yield from ("--perms", f"{mode:04o}", "--tmpfs", target)
        case op.Folder(target):
            yield from ("--dir", target)
        case op.Bind(source, target, access, optional):
            yield from (_BINDS[access] + ("-try" if optional else ""), str(source), target)
        case op.Link(points_to, target):
            yield from ("--symlink", points_to, target)
        case op.Proc(target, fresh):
            yield from ("--proc", target) if fresh else ("--bind", "/proc", target)
        case op.Devices(target):
            yield from ("--dev", target, "--perms", "1777", "--tmpfs", f"{target}/shm")
        case op.Hosts(_, target):
            yield from ("--perms", "0644", "--ro-bind-data", _HOSTS, target)
        case op.ReadOnly(target):
            yield from ("--remount-ro", target)
        case _:
            assert_never(operation)
