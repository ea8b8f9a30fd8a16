"""Checks of single values: text and its forms, numbers, choices."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml.snapshot import RawField
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.report import SCHEMA, Report, shown


def number(value: object) -> float | None:
    """Read a number, written as such or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _is_integer(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return True
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value) is not None


def _is_number(value: object) -> bool:
    read = number(value)
    return read is not None and isfinite(read)


def _is_boolean(value: object) -> bool:
    if isinstance(value, str):
        return value.lower() in {"true", "t", "on", "y", "yes", "1", "false", "f", "off", "n", "no", "0"}
    return isinstance(value, bool) or (isinstance(value, int | float) and value in {0, 1})


def is_text(value: object) -> bool:
    """Tell text."""
    return isinstance(value, str)


def _begins(prefix: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value.startswith(prefix) and len(value) > len(prefix)


def _matches(pattern: str) -> Callable[[object], bool]:
    match = re.compile(pattern).match
    return lambda value: isinstance(value, str) and match(value) is not None


def _is_asset(value: object) -> bool:
    return (
        isinstance(value, str) and value.startswith("azureml:") and value[8:].strip(":@ ") == value[8:] != ""
    )


_SCALARS: dict[str, tuple[Callable[[object], bool], str]] = {
    "string": (is_text, "text"),
    "integer": (_is_integer, "an integer"),
    "number": (_is_number, "a number"),
    "boolean": (_is_boolean, "true or false"),
    "any": (lambda value: True, "anything"),
    # Whether a path exists is not asked: the document may be checked on another machine than it is sent from.
    "path": (is_text, "a path"),
    "url": (_matches(r"[a-zA-Z][a-zA-Z0-9+.-]*://."), "an address"),
    "git": (_begins("git+"), "git+…"),
    "binding": (_matches(r".*\$\{\{"), "an expression ${{…}}"),
    "version": (lambda value: isinstance(value, str | int | float), "text or a number"),
    "number_version": (_matches(r"\d+(\.\d+)*$"), "numbers joined by dots, in quotes"),
    "asset": (_is_asset, "azureml:NAME:VERSION or azureml:NAME@latest"),
    "resource": (_begins("azureml:"), "azureml:NAME"),
    "registry": (_matches("azureml://(registries|feeds)/."), "azureml://registries/…"),
    "file": (is_text, "the path of a component file"),
    "component_name": (is_text, "text"),
    "node_name": (is_text, "text"),
}


def _snake(word: str) -> str:
    word = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", word)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", word).lower()


_CASES: dict[str, Callable[[str], str]] = {"lower": str.lower, "snake": _snake, "exact": lambda word: word}


def stands_for_anything(value: object, binds: bool) -> bool:
    """Tell whether a value is not yet known: an expression where those may stand, or a placeholder."""
    return isinstance(value, str) and ((binds and "${{" in value) or is_placeholder(value))


def report_null(path: Path, report: Report, expected: str) -> None:
    """Report a key that stands without a value."""
    report.error(path, SCHEMA, f"{report.place(path)} is empty", f"give {expected}, or leave the key out")


class Scalar:
    """One value that is neither a list nor a mapping."""

    def __init__(self, raw: RawField) -> None:
        self.values: list[str] = raw.get("values", [])
        if raw["type"] == "enum":
            fold, allowed = _CASES[raw.get("case", "exact")], frozenset(self.values)
            self.accepts: Callable[[object], bool] = lambda value: (
                isinstance(value, str) and fold(value) in allowed
            )
            self.expected = (
                f"'{self.values[0]}'" if len(self.values) == 1 else f"one of {', '.join(self.values)}"
            )
        else:
            self.accepts, self.expected = _SCALARS[raw["type"]]
        self.null = raw.get("null", False)
        self.low, self.high = raw.get("min"), raw.get("max")

    def run(self, value: object, path: Path, report: Report, binds: bool) -> None:
        """See Check."""
        if value is None:
            if not self.null:
                report_null(path, report, self.expected)
        elif self.accepts(value):
            if self.low is not None and self.high is not None:
                self._bounds(value, self.low, self.high, path, report)
        elif not stands_for_anything(value, binds):
            hint = nearest(value, self.values, "allowed") if self.values and isinstance(value, str) else ""
            report.error(
                path, SCHEMA, f"{report.place(path)} must be {self.expected}, not {shown(value)}", hint
            )

    def _bounds(self, value: object, low: float, high: float, path: Path, report: Report) -> None:
        read = number(value)
        if read is None or not low <= read <= high:
            asked = f"must lie from {low:g} to {high:g}, not {shown(value)}"
            report.error(path, SCHEMA, f"{report.place(path)} {asked}")
