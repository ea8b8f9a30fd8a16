"""What a step's result depends on, and whether an earlier result serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.expressions.nodes import RunRef
from penstock.expressions.references import references, render
from penstock.frozen import replace
from penstock.ir import Command, Train, Tune, Word
from penstock.ir import Shell as ShellCommand
from penstock.runtime.cache import ask, cache_key, is_rerun
from penstock.runtime.offline import OfflineRun
from penstock.runtime.records import StepRecord
from penstock_local.local.emulator.bound import Bound, is_sound


def key_parts(
    step: Command | Train | Tune,
    inputs: Mapping[str, Bound],
    sources: Mapping[str, dict[str, Any]],
    env: Mapping[str, str],
    environment: str,
) -> dict[str, Any]:
    """Gather the parts. Of variables taken from the caller only the names count: a value may be a secret."""
    bound: dict[str, Any] = {}
    for each in step.inputs:
        row = dict(sources[each.name])
        handed = inputs[each.name]
        if handed.artifact is not None:
            row |= {"digest": handed.artifact.digest, "name": handed.name}
        elif handed.path is not None:
            row |= {"digest": handed.digest, "name": handed.path.name}
        else:
            row["value"] = handed.scalar
        if each.at or each.packed:
            row |= {"at": each.at, "packed": each.packed}
        bound[each.name] = row
    parts = {
        "command": _command(step),
        "code": step.code.digest if step.code else "",
        "environment": environment,
        "input": bound,
        "output": {each.name: [each.type, each.file] for each in step.outputs},
        "env": {**env, **{name: f"from {source}" for name, source in step.env_from.items()}},
    }
    return {**parts, "search": _search(step)} if isinstance(step, Tune) else parts


def _search(step: Tune) -> dict[str, Any]:
    """Gather what decides which trials there are, and which of them is best."""
    objective = step.objective
    parts: dict[str, Any] = {
        "space": [
            [each.name, each.type, each.minimum, each.maximum, each.scale, list(each.enum)]
            for each in step.space
        ],
        "sampling": step.sampling,
        "objective": [objective.source, objective.output, list(objective.path), objective.regex],
        "goal": objective.goal,
        "trials": step.trials,
        # They may have left trials out, which other limits would let end.
        "timeout": step.timeout,
        "trial_timeout": step.trial_timeout,
    }
    if step.sampling != "grid":
        parts["seed"] = step.seed
    if step.sampling == "bayesian":
        parts["parallel"] = step.parallel
    return parts


def _command(step: Command | Train | Tune) -> list[str]:
    """Write the command as in the spec, in words that people can compare; different commands never look alike."""
    if isinstance(step.run, ShellCommand):
        return ["bash", _written(step.run.parts)]
    return [_written(each) for each in step.run.arguments] if step.run else []


def _written(parts: Iterable[str | Word]) -> str:
    return "".join(
        each.replace("${{", "$${{") if isinstance(each, str) else f"${{{{ {render(each.value)} }}}}"
        for each in parts
    )


def key_of(parts: Mapping[str, Any]) -> str:
    """Digest the parts; where an input came from does not matter, what it holds does."""
    inputs = {
        name: {key: value for key, value in row.items() if key not in ("step", "dataset")}
        for name, row in parts["input"].items()
    }
    return cache_key({**parts, "input": inputs})


def look_up(step: Command | Train | Tune, record: StepRecord, run: OfflineRun) -> StepRecord:
    """Ask the cache; the record comes back with the answer and its reason, and on a hit with the result."""
    off = _why_off(step, run)
    if off and not step.cache.enabled:
        record = replace(record, key="")
    return ask(
        record,
        run,
        off=off,
        expires=step.cache.expires,
        serves=lambda found: all(is_sound(each, run.store) for each in found.outputs),
    )


def _why_off(step: Command | Train | Tune, run: OfflineRun) -> str:
    if not step.cache.enabled:
        return "cache: false"
    if reads_run(step):
        return "it uses the run's id or start"
    if is_rerun(step.name, run.request.rerun):
        return "--rerun"
    return "" if run.request.cache else "--no-cache"


def reads_run(step: Command | Train | Tune) -> bool:
    """Tell whether `run.id` or `run.started_at` reaches the step: its result then belongs to one run alone."""
    values = [*step.env.values(), *(each.value for each in step.inputs)]
    if step.run is not None:
        run = step.run
        parts = (
            run.parts if isinstance(run, ShellCommand) else [part for each in run.arguments for part in each]
        )
        values += [part.value for part in parts if isinstance(part, Word)]
    return any(isinstance(each, RunRef) for value in values for each in references(value))
