"""Steps in an order in which each stands behind all that it needs; a circle is drawn whole."""

from __future__ import annotations

from penstock.diagnostics import At, Diagnostic, error
from penstock.expressions.nodes import ConditionRef, Expression, MetricRef, OutputRef
from penstock.expressions.references import references
from penstock.frozen import replace
from penstock.ir import Graph, Step
from penstock.passes.sites import step_sites

_LONGEST_DRAWN = 40


def order_steps(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Fill `needs` of steps and conditions, and sort the steps; the written order is kept where it is free."""
    position = {step.name: index for index, step in enumerate(graph.steps)}
    conditions = {
        name: replace(each, needs=_read_by(each.expression, position))
        for name, each in graph.conditions.items()
    }
    graph = replace(graph, conditions=conditions)
    needs = {step.name: _needs(step, graph, position) for step in graph.steps}
    found = _circles(graph, needs)
    if found:
        return graph, found
    order = _sorted(graph, needs)
    rank = {name: index for index, name in enumerate(order)}
    by_name = {step.name: step for step in graph.steps}
    steps = tuple(
        replace(by_name[name], needs=tuple(sorted(needs[name], key=rank.__getitem__))) for name in order
    )
    conditions = {
        name: replace(each, needs=tuple(sorted(each.needs, key=rank.__getitem__)))
        for name, each in graph.conditions.items()
    }
    return replace(graph, steps=steps, conditions=conditions), []


def _read_by(expression: Expression, known: dict[str, int]) -> tuple[str, ...]:
    read = (each.step for each in references(expression) if isinstance(each, OutputRef | MetricRef))
    return tuple(dict.fromkeys(name for name in read if name in known))


def read_by_step(step: Step, graph: Graph) -> set[str]:
    """Name the steps whose results a step reads, itself or by its conditions; not those that it only waits for."""
    known = {each.name: 0 for each in graph.steps}
    return set(_needs(replace(step, after=()), graph, known))


def _needs(step: Step, graph: Graph, known: dict[str, int]) -> dict[str, str]:
    """Give each needed step with the words that say how it is needed."""
    needs: dict[str, str] = {}
    for guard in step.guards:
        condition = graph.conditions.get(guard.condition)
        for name in condition.needs if condition else ():
            needs.setdefault(name, f"when: {condition.name}" if condition and condition.written else "when")
    for site in step_sites(step, commands=False):
        for reference in references(site.expression):
            if isinstance(reference, OutputRef | MetricRef) and reference.step in known:
                needs.setdefault(reference.step, f"{'.'.join(map(str, site.path[2:]))}")
            elif isinstance(reference, ConditionRef) and reference.name in graph.conditions:
                for name in graph.conditions[reference.name].needs:
                    needs.setdefault(name, f"conditions.{reference.name}")
    for name in step.after:
        if name in known:
            needs.setdefault(name, "after")
    return needs


def _circles(graph: Graph, needs: dict[str, dict[str, str]]) -> list[Diagnostic]:
    """Find each circle once, by taking away what has nothing left to wait for and walking what remains."""
    left = {name: set(each) for name, each in needs.items()}
    users: dict[str, list[str]] = {name: [] for name in left}
    for name, each in left.items():
        for need in each:
            users[need].append(name)
    ready = [name for name, each in left.items() if not each]
    while ready:
        done = ready.pop()
        left.pop(done)
        for user in users[done]:
            if user in left:
                left[user].discard(done)
                if not left[user]:
                    ready.append(user)
    found: list[Diagnostic] = []
    seen: set[str] = set()
    paths = {step.name: step.path for step in graph.steps}
    for start in needs:
        if start not in left or start in seen:
            continue
        trail: list[str] = []
        here = start
        while here not in trail and here not in seen:
            trail.append(here)
            # A step that remains waits for at least one that remains: the walk always goes on.
            here = next(each for each in needs[here] if each in left)
        if here not in seen:
            circle = trail[trail.index(here) :]
            found.append(_draw(circle, needs, paths))
        seen.update(trail)
    return found


def _draw(
    circle: list[str], needs: dict[str, dict[str, str]], paths: dict[str, tuple[str | int, ...]]
) -> Diagnostic:
    first = circle[0]
    if len(circle) == 1:
        return error(
            "P230", f"step '{first}' needs itself", At(paths[first], key=True), "take the reference out"
        )
    drawn = [
        f"{name} ← {need}  ({name}.{needs[name][need]})"
        for name, need in zip(circle, [*circle[1:], first], strict=True)
    ]
    names = [*circle, first]
    if len(names) > _LONGEST_DRAWN:
        names[20:-3] = drawn[20:-3] = [f"… {len(names) - 23} more …"]
    message = f"steps need each other in a circle: {' ← '.join(names)}"
    return error(
        "P230", message, At(paths[first], key=True), "one of these references has to go", tuple(drawn)
    )


def _sorted(graph: Graph, needs: dict[str, dict[str, str]]) -> list[str]:
    """Depth first in the written order, without recursion: a chain may be any length."""
    order: list[str] = []
    state: dict[str, int] = {}
    for step in graph.steps:
        stack = [step.name]
        while stack:
            name = stack[-1]
            if state.get(name) == 2:
                stack.pop()
                continue
            state[name] = 1
            waiting = [each for each in needs[name] if state.get(each) != 2]
            if waiting:
                stack.extend(reversed(waiting))
            else:
                state[name] = 2
                order.append(name)
                stack.pop()
    return order
