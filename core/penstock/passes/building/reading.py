"""Texts of a spec as expressions and commands; what cannot be read is said, and something harmless stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from penstock.diagnostics import At, Diagnostic, Path, error, occurrences, warning
from penstock.expressions.constructors import template
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import (
    DatasetRef,
    Expression,
    Literal,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    Scalar,
    Template,
)
from penstock.expressions.parser import parse_value
from penstock.expressions.salvage import salvage_argument, salvage_run, salvage_value
from penstock.expressions.segments import nested_segment
from penstock.expressions.shell import parse_argument, parse_run
from penstock.ir import Argv, Segment, Shell, Word

T = TypeVar("T")

_HINTS: dict[object, str] = {
    OutputRef: "write ${{ steps.STEP.outputs.OUTPUT }}",
    OwnOutputRef: "write ${{ outputs.NAME }}",
    ParameterRef: "write a number, or ${{ parameters.NAME }}",
    DatasetRef | OutputRef: "write ${{ datasets.NAME }} or ${{ steps.STEP.outputs.OUTPUT }}",
}
_BARE = re.compile(r"(steps|parameters|datasets|conditions|inputs|outputs)(\.[A-Za-z][A-Za-z0-9_]*)+")


class Reader:
    """Reads expressions, and gathers what is wrong with them in `found`."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def expression(self, text: str, path: Path) -> Expression:
        """Read text with expressions inside."""
        try:
            return parse_value(text)
        except ExpressionError:
            kept, faults = salvage_value(text)
            self._say(faults, text, path)
            return template(kept)

    def scalar(self, value: Scalar, path: Path) -> Expression:
        """Read a value; only text can hold expressions."""
        return self.expression(value, path) if isinstance(value, str) else Literal(value)

    def condition(self, text: str, path: Path) -> Expression:
        """Read an expression that has to be a condition; plain text is refused."""
        before = len(self.found)
        found = self.expression(text, path)
        if len(self.found) > before:
            return Literal(True) if isinstance(found, Literal) else found
        if isinstance(found, Template) or (isinstance(found, Literal) and text.strip()[:3] != "${{"):
            hint = as_expression(text) or "write one: ${{ steps.evaluate.outputs.report.recall >= 0.9 }}"
            self.found.append(error("P210", f"'{short(text)}' is text, not a condition", At(path), hint))
            return Literal(True)
        return found

    def reference(self, text: str, path: Path, kind: Any, what: str) -> Any:
        """Read a reference of one kind, or of a union of kinds; `None` where it is something else."""
        found = self.expression(text, path)
        if isinstance(found, kind):
            return found
        if not self.found or self.found[-1].at.path != path:
            hint = as_expression(text) or _HINTS[kind]
            self.found.append(error("P219", f"'{short(text)}' is not {what}", At(path), hint))
        return None

    def run(self, run: str | list[str | list[str]] | None, path: Path) -> Shell | Argv | None:
        """Read a command, in either form."""
        if run is None:
            return None
        if isinstance(run, str):
            if not run.strip():
                self.found.append(error("P202", "'run' is empty", At(path), "write the command"))
            try:
                return parse_run(run)
            except ExpressionError as fault:
                shell, faults = salvage_run(run)
                self._say(faults or [fault], run, path)
                return shell
        if not run:
            hint = "write the program and its arguments"
            self.found.append(error("P202", "'run' is empty", At(path), hint))
        return self._argv(run, path)

    def _argv(self, run: list[str | list[str]], path: Path) -> Argv:
        arguments: list[tuple[str | Word, ...]] = []
        segments: list[Segment] = []
        for position, entry in enumerate(run):
            first, here, broken = len(arguments), (*path, position), False
            for inner, text in enumerate([entry] if isinstance(entry, str) else entry):
                place = here if isinstance(entry, str) else (*here, inner)
                try:
                    arguments.append(parse_argument(text))
                except ExpressionError as fault:
                    parts, faults = salvage_argument(text)
                    arguments.append(parts)
                    self._say(faults or [fault], text, place)
                    broken = True
            if not isinstance(entry, str) and not broken:
                try:
                    segments.append(nested_segment(first, arguments[first:]))
                except ExpressionError as fault:
                    self.found.append(error("P225", fault.message, At(here), fault.hint))
        return Argv(tuple(arguments), tuple(segments))

    def _say(self, faults: Iterable[ExpressionError], text: str, path: Path) -> None:
        self.found += [unreadable(each, path, text) for each in faults]


def unreadable(fault: ExpressionError, path: Path, text: str) -> Diagnostic:
    """Say why an expression in a text cannot be read."""
    hint = fault.hint or "`penstock explain P210` shows how expressions are written"
    at = At(path, needle=fault.needle, skip=occurrences(text[: fault.offset], fault.needle))
    return error("P210", fault.message, at, hint)


def as_expression(text: str) -> str:
    """Suggest `${{ }}` around a text that is an expression without them."""
    bare = text.strip()
    if "${{" in bare or not re.search(_BARE, bare):
        return ""
    try:
        parse_value(f"${{{{ {bare} }}}}")
    except ExpressionError:
        return ""
    return f"write ${{{{ {bare} }}}}"


def bare_reference(text: str, path: Path) -> list[Diagnostic]:
    """Warn of a text that reads like a reference: without `${{ }}` it is handed over as it stands."""
    if not _BARE.fullmatch(text.strip()):
        return []
    return [warning("P224", f"'{short(text)}' is text, not a reference", At(path), as_expression(text))]


def short(text: str) -> str:
    """Cut a text for the middle of a sentence."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:57] + "…"
