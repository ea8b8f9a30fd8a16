"""How long a run really took: without the time between a stop and the `resume` that took it up again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from penstock.runtime.records import AttemptRecord, RunRecord, RunStatus


def is_plain(run: RunRecord) -> bool:
    """Tell whether a run took as long as lies between its start and its end; at a service, nothing stops it."""
    return bool(run.remote) or (not run.resumes and run.status is not RunStatus.INTERRUPTED)


def time_spent(run: RunRecord, attempts: Iterable[AttemptRecord], now: float) -> float:
    """Add up the stretches in which a run was under way, in seconds.

    Nothing tells when a killed run was killed: it counts up to the last that it wrote of a step. A resumed stretch
    counts from its first attempt at a step.
    """
    if is_plain(run):
        return (now if run.ended is None else run.ended) - run.started
    seen: dict[int, list[float]] = defaultdict(list)
    for each in attempts:
        seen[each.resume] += [when for when in (each.started, each.ended) if when is not None]
    seen[0].append(run.started)
    if run.status is not RunStatus.INTERRUPTED and seen[run.resumes]:
        seen[run.resumes].append(now if run.ended is None else run.ended)
    return sum(max(moments) - min(moments) for moments in seen.values() if moments)
