"""Names that pipelines have where they are laid flat, `outer__inner`: each has to be one thing's alone."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.ir import Graph, Nested


def names_that_meet(graph: Graph) -> Iterator[Diagnostic]:
    """Report what a nested pipeline brings under the name of something else."""
    nested = [each for each in graph.steps if isinstance(each, Nested)]
    if not nested:
        return
    taken: dict[tuple[str, str], Path] = {
        **{("step", each.name): each.path for each in graph.steps if not isinstance(each, Nested)},
        **{("condition", name): each.path for name, each in graph.conditions.items()},
        **{("dataset", name): ("datasets", name) for name in graph.datasets},
    }
    for step in nested:
        for kind, name in dict.fromkeys(_brought(step, "")):
            if (kind, name) in taken:
                message = f"the pipeline of step '{step.name}' has a {kind} that becomes '{name}', and that is taken"
                at = At(taken[kind, name], key=True)
                yield error("P235", message, at, "rename one of them: what is inside runs as outer__inner")
            taken.setdefault((kind, name), step.path)


def _brought(step: Nested, outer: str) -> Iterator[tuple[str, str]]:
    if step.graph is None:
        return
    start = f"{outer}{step.name}__"
    bound = {each.name for each in step.inputs}
    for each in step.graph.steps:
        if isinstance(each, Nested):
            yield from _brought(each, start)
        else:
            yield "step", start + each.name
    for name in step.graph.conditions:
        yield "condition", start + name
    for name in step.graph.datasets:
        if name not in bound:
            yield "dataset", start + name
