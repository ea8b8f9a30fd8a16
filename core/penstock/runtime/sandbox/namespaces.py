"""A plan as the words that `inside.entering` carries out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from penstock.runtime.sandbox import operations as op


def words(plan: op.Plan, argv: Sequence[str]) -> list[str]:
    """Give what the script gets: working folder, network, name of the host, operations, and the command after `--`."""
    network = "network" if plan.network else "no-network"
    laid = [word for each in plan.operations for word in _words(each)]
    return [plan.cwd, network, plan.hostname, *laid, "--", *argv]


def _words(operation: op.Operation) -> Iterator[str]:
    match operation:
        case op.Tmpfs(target, mode):
            yield from ("tmpfs", f"{mode:o}", target)
        case op.Folder(target):
            yield from ("folder", target)
        case op.Bind(source, target, access, optional):
            name = "bind-optional" if optional else "bind"
            yield from (f"{name}:{access}", str(source), target)
        case op.Link(points_to, target):
            yield from ("link", points_to, target)
        case op.Proc(target, fresh):
            yield from ("proc:fresh" if fresh else "proc", target)
        case op.Devices(target):
            yield from ("devices", target)
        case op.Hosts(names, target):
            yield from ("hosts", " ".join(names), target)
        case op.ReadOnly(target):
            yield from ("read-only", target)
        case _:
            assert_never(operation)
