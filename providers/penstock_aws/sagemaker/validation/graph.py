"""How the steps hang together: names, dependencies, branches, cycles."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.diagnostics import Path
from penstock_aws.sagemaker.validation.document import Document, Step
from penstock_aws.sagemaker.validation.findings import (
    DEPTH,
    LIMIT,
    REFERENCE,
    STRUCTURE,
    Findings,
    bare,
    is_list,
    shown,
)

_MOST_SHOWN = 40


def check(document: Document, findings: Findings) -> None:
    """Check the graph. Runs after the steps, which have noted what they refer to."""
    for path in document.too_deep:
        said = f"the definition nests conditions more than {DEPTH} levels deep, which are not followed"
        findings.add(path, LIMIT, said)
    _names(document, findings)
    for step in document.steps:
        _depends_on(step, document, findings)
        if step.condition is not None:
            document.depend(step, step.condition.name, step.path)
    for step in document.steps:
        _both_branches(step, document, findings)
    _cycles(document, findings)


def _names(document: Document, findings: Findings) -> None:
    for step in document.steps:
        first = document.by_name.get(step.name)
        if first is None or first is step:
            continue
        if first.condition is step.condition and first.branch == step.branch:
            said = f"two steps are named {shown(step.name)}; names are unique in the whole definition"
        else:
            said = (
                f"step {shown(step.name)} stands both {_where(first)} and {_where(step)}; it may stand once"
            )
        findings.add((*step.path, "Name"), STRUCTURE, said)


def _where(step: Step) -> str:
    return (
        "at the top level" if step.condition is None else f"in {step.branch} of {shown(step.condition.name)}"
    )


def _depends_on(step: Step, document: Document, findings: Findings) -> None:
    names = step.body.get("DependsOn")
    for index, name in enumerate(names if is_list(names) else ()):
        path: Path = (*step.path, "DependsOn", index)
        if not isinstance(name, str):
            continue
        other = document.by_name.get(name)
        if other is None:
            hint = findings.did_you_mean(name, document.by_name, "steps")
            said = f"step {shown(step.name)} depends on {shown(name)}, which does not exist"
            findings.add(path, REFERENCE, said, hint)
            continue
        document.depend(step, name, path)
        if other.type == "Condition" and other is not step:
            said = f"step {shown(step.name)} depends on {shown(name)}, a condition, which the service refuses"
            hint = "depend on a step inside a branch, or move the step into one"
            findings.add(path, STRUCTURE, said, hint, warning=True)
        elif other.type == "Fail" and other is not step:
            said = f"step {shown(step.name)} depends on {shown(name)}, which ends the run, so that it never starts"
            findings.add(path, STRUCTURE, said, warning=True)


def _both_branches(step: Step, document: Document, findings: Findings) -> None:
    """Warn of a step that waits for both branches of a condition, of which only one runs."""
    taken = dict(step.branches())
    sources = dict.fromkeys(taken, "itself")
    for name, path in document.needs.get(step.name, {}).items():
        other = document.by_name.get(name)
        for condition, branch in other.branches() if other is not None and other is not step else ():
            if taken.setdefault(condition, branch) != branch:
                said = f"{sources[condition]} and {shown(name)} stand in different branches of {shown(condition)}"
                findings.add(path, STRUCTURE, f"step {shown(step.name)} never starts: {said}", warning=True)
                return
            sources.setdefault(condition, shown(name))


def _cycles(document: Document, findings: Findings) -> None:
    for cycle in cycles({name: list(needs) for name, needs in document.needs.items()}):
        first, second = cycle[0], cycle[1 % len(cycle)]
        drawn = " → ".join(
            [*map(bare, cycle[:_MOST_SHOWN]), *(["…"] if len(cycle) > _MOST_SHOWN else []), bare(first)]
        )
        if len(cycle) == 1:
            said = f"step {shown(first)} waits for itself"
        else:
            said = f"steps wait for each other in a cycle: {drawn}"
        findings.add(document.needs[first][second], STRUCTURE, said, "an arrow means: waits for")


def cycles(needs: dict[str, list[str]]) -> Iterator[list[str]]:
    """Find cycles: one for each knot at least, each node reported once. Iterative and linear in the edges."""
    state: dict[str, int] = {}
    reported: set[str] = set()
    for root in needs:
        if root in state:
            continue
        trail: list[str] = [root]
        position = {root: 0}
        waiting = [iter(needs[root])]
        state[root] = 1
        while waiting:
            node = next(waiting[-1], None)
            if node is None:
                waiting.pop()
                done = trail.pop()
                del position[done]
                state[done] = 2
            elif node not in state:
                state[node] = 1
                position[node] = len(trail)
                trail.append(node)
                waiting.append(iter(needs.get(node, ())))
            elif state[node] == 1 and node not in reported and trail[-1] not in reported:
                cycle = trail[position[node] :]
                reported.update(cycle)
                yield cycle
