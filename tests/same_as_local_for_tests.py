"""What a run on `local` and a run of the compiled document have to agree in; what they need not is listed with why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import penstock
from penstock.runtime.records import StepRecord

NOT_COMPARED = {
    "condition": "a condition is a step of the definition, and no step of the spec",
    "model": "batch inference begins with a Model step",
    "_pack": "a model that is a folder is packed by a step of its own before batch inference",
    "__": "an item of a map is a step where few items are unrolled; the map as a whole is compared",
    "lambda, callback": "on local a stand-in takes the place of a native step: its state is compared",
    "message": "what is said of a step is in the words of the target; those of `fail` and `register` are compared",
    "log, times, attempts, processes, cache key": "they belong to one run",
}
"""What is not compared → why: steps that only the definition has, by kind or name, and parts of a record."""


def differences(local: penstock.Run, compiled: penstock.Run) -> list[str]:
    """Say everything in which two runs of one pipeline differ."""
    return [*_of_runs(local, compiled), *_of_steps(local, compiled), *_only_compiled(local, compiled)]


def told(step: StepRecord) -> dict[str, Any]:
    """Give what is compared of a step."""
    outputs = {
        each.port: (each.type, each.kind, each.name, each.size, each.files, each.digest)
        for each in step.outputs
    }
    search = {key: each for key, each in step.search.items() if key != "trials"}
    if trials := step.search.get("trials"):
        compared = ("number", "values", "status", "objective")
        search["trials"] = [{key: each[key] for key in compared} for each in trials]
    found = {"state": str(step.status), "outputs": outputs, "metrics": step.metrics, "search": search}
    return {**found, "message": step.message} if _says_the_same(step) else found


def _says_the_same(step: StepRecord) -> bool:
    return (step.kind, str(step.status)) in (("fail", "failed"), ("register", "succeeded"))


def _of_runs(local: penstock.Run, compiled: penstock.Run) -> Iterator[str]:
    ended_by_fail = any(each.kind == "fail" and each.status == "failed" for each in local.steps.values())
    for what in ("status", "kpis", "outputs", "parameters", "message"):
        one, other = getattr(local.record, what), getattr(compiled.record, what)
        if one != other and (what != "message" or ended_by_fail):
            yield f"the run's {what}: {one} on local, {other} compiled"


def _of_steps(local: penstock.Run, compiled: penstock.Run) -> Iterator[str]:
    for name, step in local.steps.items():
        if name not in compiled.steps:
            yield f"{name}: it is on local alone"
            continue
        one, other = told(step), told(compiled.steps[name])
        native = compiled.steps[name].kind in ("lambda", "callback")
        for what in ("state",) if native else one:
            if one[what] != other.get(what):
                said = compiled.steps[name].message
                yield f"{name}: its {what}: {one[what]} on local, {other.get(what)} compiled ({said})"


def _only_compiled(local: penstock.Run, compiled: penstock.Run) -> Iterator[str]:
    for name, step in compiled.steps.items():
        if name in local.steps or step.kind in NOT_COMPARED:
            continue
        if name.removesuffix("_pack") not in local.steps and name.rpartition("__")[0] not in local.steps:
            yield f"{name}: it is in the definition alone, for no reason that is known"
