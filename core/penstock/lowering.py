"""What one target makes of a graph, and everything that it has against it: announce, lower, validate.

`compile`, `check --target` and the table of a plain `check` all come through here, so that none of them promises
what another one refuses.
"""

from __future__ import annotations

from penstock.capabilities import announce
from penstock.diagnostics import At, Diagnostic, error, has_errors, warning
from penstock.frozen import dataclass
from penstock.ir import Graph
from penstock.provider import Lowered, Problem, Profile, Target


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stages of one target said; each runs only where the ones before found no error.

    Attributes:
        lowered: the documents; `None` where what was announced left nothing to lower.
        announced: features that the target loses or approximates.
        said: what the lowering found on its way.
        faults: what the service's own model has against the documents, at the places of the spec.
    """

    lowered: Lowered | None
    announced: tuple[Diagnostic, ...]
    said: tuple[Diagnostic, ...] = ()
    faults: tuple[Diagnostic, ...] = ()


def lower(graph: Graph, target: Target, profile: Profile | None) -> Outcome:
    """Take a checked graph through the stages of a target. Pure; findings have paths, and no places yet."""
    announced = tuple(announce(target.name, target.capabilities, graph))
    if has_errors(announced):
        return Outcome(None, announced)
    lowered = target.lower(graph, profile)
    if has_errors(lowered.diagnostics):
        return Outcome(lowered, announced, lowered.diagnostics)
    faults = tuple(_finding(each, lowered, target) for each in target.validate(lowered.files))
    return Outcome(lowered, announced, lowered.diagnostics, faults)


def _finding(problem: Problem, lowered: Lowered, target: Target) -> Diagnostic:
    """Show a fault of a document at the part of the spec that it came from."""
    file = problem.file or next(iter(lowered.files))
    path = problem.path
    while path and (file, path) not in lowered.origins:
        path = path[:-1]
    at = At(lowered.origins.get((file, path), ()), key=True)
    make = warning if problem.warning else error
    where = ".".join(map(str, problem.path))
    hint = (
        problem.hint
        or f"change what stands here; `penstock explain {problem.code}` says where it may come from"
    )
    return make(problem.code, problem.message, at, hint, (f"in the {target.name} document: {file}: {where}",))
