"""Where findings about a definition stand: at the spec's line for what Penstock compiled, else in the file itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from penstock.bundle import Bundle
from penstock.diagnostics import Diagnostic, Place
from penstock.frozen import replace
from penstock_aws.sagemaker.native import Written
from penstock_aws.sagemaker.validation.findings import place


def located(found: Iterable[tuple[str, Diagnostic]], bundle: Bundle) -> Iterator[Diagnostic]:
    """Give findings, each with the JSON pointer that it is about, their places."""
    lines = bundle.source_map.get(bundle.document, {})
    written: Written | None = None
    for pointer, each in found:
        told = replace(each, details=(f"in the definition: {place(_path(pointer))}",))
        if bundle.interface:
            yield _by_lines(told, pointer, lines)
            continue
        if written is None and lines.get(""):
            written = Written.read(Path(lines[""].rsplit(":", 2)[0]))
        yield written.placed(told, pointer) if written is not None else told


def _path(pointer: str) -> tuple[str | int, ...]:
    return tuple(int(each) if each.isdecimal() else each for each in pointer.split("/")[1:])


def _by_lines(found: Diagnostic, pointer: str, lines: Mapping[str, str]) -> Diagnostic:
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    if not pointer:
        return found
    file, line, column = lines[pointer].rsplit(":", 2)
    return found.placed(Place(file, int(line), int(column)))
