"""Options, images, addresses, machines and native bodies are keyed by target: the key has to be one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock import discovery
from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.errors import PenstockError
from penstock.frozen import replace
from penstock.ir import Graph, Native, Nested
from penstock.suggest import nearest
from penstock.used_files import prefix


def target_names(graph: Graph) -> list[Diagnostic]:
    """Find keys that no installed target has, in pipelines inside too."""
    keyed = [(path, mapping) for path, mapping in _keyed(graph) if any(mapping)]
    if not keyed:
        return []
    try:
        known = discovery.targets()
    except PenstockError as broken:
        # An installation that cannot name its targets is told, and not at a line of the spec.
        return [replace(each, at=At(file="installed packages")) for each in broken.diagnostics]
    return [
        error(
            "P218",
            f"there is no target '{name}'",
            At((*path, name), key=True),
            nearest(name, known, "targets"),
        )
        for path, mapping in keyed
        for name in mapping
        if name and name not in known
    ]


def _keyed(graph: Graph, inside: Path = ()) -> Iterator[tuple[Path, Mapping[str, object]]]:
    yield (*inside, "options"), graph.options
    for name, dataset in graph.datasets.items():
        yield (*inside, "datasets", name, "uri"), dataset.uri
    for name, environment in graph.environments.items():
        yield (*inside, "environments", name, "image"), environment.image
    for step in graph.steps:
        path = (*inside, *step.path)
        yield (*path, "options"), step.options
        compute = getattr(step, "compute", None)
        if compute is not None:
            yield (*path, "compute", "instance"), compute.instance
        if isinstance(step, Native):
            yield path, step.bodies
        if isinstance(step, Nested) and step.graph is not None and step.component is not None:
            yield from _keyed(step.graph, prefix(step.component.file))
