"""What a sandbox costs: the start of `true` in one, each way that works here, against `unshare -m true`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import Command, Pair, in_turn

from penstock.runtime.sandbox import Mount, Sandbox, Way, enclose, found_way, interpreter_paths

_MOST = 50.0
_WAYS: tuple[Way, ...] = ("bubblewrap", "namespaces")


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure each way."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        yield Row("a sandboxed `true`", "left out: `unshare -m` needs root and util-linux")
        return
    keep = interpreter_paths(Path(sys.executable))
    for way in _WAYS:
        os.environ["PENSTOCK_SANDBOX"] = way
        if found_way() is None:
            yield Row(f"a sandboxed `true`, {way}", "left out: not to be had here")
            continue
        mounts = (Mount(folder, "/opt/job"), Mount(folder, "/tmp"))
        sandbox = Sandbox(mounts, "/opt/job", keep, way=way)
        commands = [
            Command(enclose(sandbox, ["true"]), folder),
            Command((unshare, "-m", "true"), folder),
        ]
        ours, theirs = in_turn(commands, 11 if quick else 41)
        pair = Pair(ours, theirs)
        to_hold, holds = held((ours.wall - theirs.wall) * 1000, _MOST, "ms on top")
        yield Row(
            f"a sandboxed `true`, {way}",
            f"{seconds(ours.cpu)} cpu, {seconds(ours.wall)}",
            f"`unshare -m true`: {seconds(theirs.cpu)} cpu, {seconds(theirs.wall)}",
            both(pair.cpu, pair.wall),
            to_hold,
            holds,
        )
    os.environ.pop("PENSTOCK_SANDBOX", None)
