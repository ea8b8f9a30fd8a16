"""Cache keys: what a step's result depends on, and in words why an earlier result does or does not serve."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from penstock.frozen import replace
from penstock.runtime.records import StepRecord

if TYPE_CHECKING:
    from penstock.runtime.offline import OfflineRun

Parts = Mapping[str, Any]

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def cache_key(parts: Parts) -> str:
    """Digest the parts; equal parts give equal keys whatever their order."""
    return hashlib.sha256(_canonical(parts).encode("utf-8", "surrogatepass")).hexdigest()


def ask(
    record: StepRecord,
    run: OfflineRun,
    *,
    off: str,
    expires: float | None,
    serves: Callable[[StepRecord], bool],
) -> StepRecord:
    """Ask the cache about a step; the record comes back with the answer and its reason, and on a hit with the result.

    Args:
        record: with its key and what that is made of.
        run: that the step belongs to.
        off: why nothing is to be reused; empty where something may.
        expires: seconds for which a result serves; `None` for ever.
        serves: tells whether an earlier result is there and sound.
    """
    if off:
        return replace(record, cache="off", cache_reason=off)
    found = run.ledger.cache_lookup([record.key]).get(record.key)
    if found is None:
        before = run.ledger.last_step_like(run.record.pipeline, record.name, besides=run.record.id)
        return replace(record, cache="miss", cache_reason=why_missed(record.key_parts, before))
    if expires is not None and (found.ended or 0) + expires < time.time():
        return replace(record, cache="miss", cache_reason=f"the result of {found.run} has expired")
    if not serves(found):
        return replace(record, cache="miss", cache_reason=f"the artifacts of {found.run} are gone or damaged")
    if (found.run, found.name) == (record.run, record.name):
        # An earlier attempt at this very run made it: the record of who made it has to stay.
        return found
    source = found.source_run or found.run
    return replace(
        record,
        status=found.status,
        cache="hit",
        cache_reason=f"same as in {source}",
        source_run=source,
        message=found.message,
        outputs=found.outputs,
        metrics=found.metrics,
        log=found.log,
        search=found.search,
        details=found.details,
    )


def is_rerun(step: str, asked: Iterable[str]) -> bool:
    """Tell whether `--rerun` names a step, or the pipeline or map that it is a part of."""
    return any(step == each or step.startswith(f"{each}__") for each in asked)


def why_missed(parts: Parts, before: StepRecord | None) -> str:
    """Compare with the last record of the same step and name what changed."""
    if before is None or not before.key_parts:
        return "first run of this step"
    changed = _changes(parts, before.key_parts)
    if not changed:
        return "no result of an equal step has been kept"
    return f"changed since {before.run}: {', '.join(changed)}"


def _changes(now: Parts, then: Parts) -> list[str]:
    found: list[str] = []
    for name in dict.fromkeys([*now, *then]):
        new, old = now.get(name), then.get(name)
        if new == old:
            continue
        if isinstance(new, dict) and isinstance(old, dict):
            inner = cast("dict[str, Any]", new)
            outer = cast("dict[str, Any]", old)
            found += [
                f"{name} {key}" for key in dict.fromkeys([*inner, *outer]) if inner.get(key) != outer.get(key)
            ]
        else:
            found.append(name)
    return found
