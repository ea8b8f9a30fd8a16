"""Files beside a module that its code opens: only Python travels with a step."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

from penstock.authoring.callsites import line_place, shown
from penstock.authoring.driver import names
from penstock.diagnostics import Diagnostic, Place, warning

_OWN = {"__file__", "files"}
"""Names that lead to the module's own folder: its file, and `importlib.resources.files`."""


def left_behind(tree: ast.Module, file: Path) -> Iterator[Diagnostic]:
    """Warn of what the code of a shipped module names and what lies beside it (P148).

    Seen are paths that begin with `__file__`, or with a name made from it, and texts that are the first argument of a
    call, such as `open("codes.csv")`. Whether a function that is a step gets there is not asked.
    """
    folder = file.parent
    own = set(_OWN)
    told: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _leads_home(statement, own):
            own.update(names(statement, ast.Store))
        for written, line in _paths(statement, own):
            place = folder / written
            if written not in told and not os.path.isabs(written) and _is_data(place):
                told.add(written)
                name = Path(written).stem.replace("-", "_")
                kind = "file" if place.is_file() else "folder"
                yield warning(
                    "P148",
                    f"'{written}' lies beside {shown(str(file))} and does not travel with a step",
                    hint=f"give it as an input: pipeline.dataset('{name}', '{kind}', path='{written}')",
                ).placed(_place(file, line, written))


def _paths(statement: ast.stmt, own: set[str]) -> Iterator[tuple[str, int]]:
    inside: set[int] = set()
    for node in ast.walk(statement):
        if id(node) in inside:
            continue
        if isinstance(node, ast.BinOp | ast.Call) and _leads_home(node, own):
            # What `files` takes is a package, not a part of the path.
            apart = {each for call in ast.walk(node) if _is_files(call) for each in ast.walk(call)}
            texts = [each for each in ast.walk(node) if isinstance(each, ast.Constant) and each not in apart]
            parts = [(each.value, each) for each in texts if isinstance(each.value, str) and each.value]
            if isinstance(node, ast.Call) and not _joins(node):
                continue
            inside |= set(map(id, ast.walk(node)))
            parts.sort(key=lambda part: (part[1].lineno, part[1].col_offset))
            if parts:
                yield "/".join(text for text, _ in parts), parts[0][1].lineno
        elif isinstance(node, ast.Call) and not _joins(node) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value:
                yield first.value, first.lineno


def _is_files(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "files"


def _joins(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("join", "joinpath")


def _leads_home(node: ast.AST, own: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in own for each in ast.walk(node))


def _is_data(place: Path) -> bool:
    try:
        if place.is_dir():
            return not place.samefile(place.parent) and not any(place.rglob("*.py"))
        return place.is_file() and place.suffix != ".py"
    except (OSError, ValueError):
        # Text that is no path at all: too long, or with a zero in it.
        return False


def _place(file: Path, line: int, written: str) -> Place:
    place = line_place(str(file), line)
    first = written.partition("/")[0]
    column = place.excerpt.find(first)
    return line_place(str(file), line, column + 1, len(first)) if column >= 0 else place
