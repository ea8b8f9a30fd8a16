"""Inputs that are no longer what a step was given: which, and who can have changed them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.runtime.offline import OfflineRun
from penstock.runtime.tree import ArtifactError, content_digest
from penstock_local.local.emulator.bound import Bound
from penstock_local.local.emulator.copies import Copy
from penstock_local.local.emulator.readers import Reading

_MOST_NAMED = 3


def changed_input(
    inputs: Mapping[str, Bound], copies: Mapping[str, Copy], reading: Reading, run: OfflineRun
) -> str:
    """Say which input changed while a step ran, empty where none did; a spoilt artifact leaves the store."""
    for name, bound in inputs.items():
        if bound.artifact is not None and run.store.check_unmodified(bound.artifact):
            run.store.discard(bound.artifact.digest)
            return f"{_while_read(name, reading)}: what it was given left the store, and is made anew [P413]"
        if bound.path is None or not bound.digest:
            continue
        if name in copies:
            if not copies[name].holds(bound.digest):
                return f"it changed its input '{name}' [P413]"
        elif not holds(bound.path, bound.digest, run):
            return f"{_while_read(name, reading)}: {no_longer(bound.path)} [P413]"
    return ""


def holds(path: Path, digest: str, run: OfflineRun) -> bool:
    """Tell whether data is what it was when the run began."""
    try:
        return content_digest(path, run.index) == digest
    except (ArtifactError, OSError):
        return False


def no_longer(path: Path) -> str:
    """Say of data that it has changed."""
    return f"{path} is no longer what it was when the run began"


def _while_read(name: str, reading: Reading) -> str:
    beside = sorted(reading.beside.get(name, ()))
    if not beside:
        return f"its input '{name}' changed while it alone was reading it"
    named = [f"'{each}'" for each in beside[:_MOST_NAMED]]
    if len(beside) > _MOST_NAMED:
        named.append(f"{len(beside) - _MOST_NAMED} more")
    *first, last = named
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"its input '{name}' changed while it was reading it beside {listed}"
