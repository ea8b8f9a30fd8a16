"""Where findings about a job stand: at the spec's line for what Penstock compiled, else in the document itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath

from penstock.bundle import Bundle
from penstock.diagnostics import At, Diagnostic, Path, Place
from penstock.frozen import replace
from penstock.source import Source, read_source


def located(found: Iterable[tuple[str, Path, Diagnostic]], bundle: Bundle) -> Iterator[Diagnostic]:
    """Give findings, each with its document and the path in it, their places."""
    sources: dict[str, Source] = {}
    for file, path, each in found:
        lines = bundle.source_map.get(file, {})
        shown = ".".join(map(str, path))
        told = replace(each, details=(f"in {file}: {shown}",)) if shown else each
        if bundle.interface.get("results"):
            yield _by_lines(told, path, lines)
            continue
        if file not in sources and lines.get(""):
            sources[file] = read_source(FilePath(lines[""].rsplit(":", 2)[0]))
        source = sources.get(file)
        yield each.placed(source.place(At(path))) if source is not None else told


def _by_lines(found: Diagnostic, path: Path, lines: Mapping[str, str]) -> Diagnostic:
    while True:
        pointer = "".join(f"/{str(each).replace('~', '~0').replace('/', '~1')}" for each in path)
        if pointer in lines:
            file, line, column = lines[pointer].rsplit(":", 2)
            return found.placed(Place(file, int(line), int(column)))
        if not path:
            return found
        path = path[:-1]
