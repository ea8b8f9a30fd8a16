"""Holding a finished run against what a case expects; every expectation that is not met is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.diagnostics import At, Place
from penstock.diagnostics import Path as SpecPath
from penstock.errors import RunError
from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import metric
from penstock.ir import Graph
from penstock.runtime.results import Run
from penstock.source import Source
from penstock.spec.structure import Scalar
from penstock.testing.contents import beginning, difference, files_in, unmatched
from penstock.testing.keys import holds, read_metric, read_output
from penstock.testing.logs import last_lines
from penstock.testing.observed import Observed
from penstock.testing.result import Failure
from penstock.testing.spec import Case, CountBounds, MetricBounds, OutputExpectation
from penstock.testing.tables import TableError, read_table, tables_in


def failures(name: str, case: Case, run: Run, graph: Graph, source: Source) -> list[Failure]:
    """Find every expectation of a case that a run does not meet.

    Args:
        name: the case's.
        case: as written.
        run: ended.
        graph: what it ran.
        source: the tests file.
    """
    return list(_Held(name, case, Observed(run, graph), source).all())


class _Held:
    def __init__(self, name: str, case: Case, seen: Observed, source: Source) -> None:
        self.path: SpecPath = ("cases", name, "expect")
        self.expect = case.expect
        self.seen = seen
        self.run = seen.run
        self.states = seen.states
        self.source = source
        self.folder = source.path.absolute().parent if source.path else Path.cwd()

    def all(self) -> Iterator[Failure]:
        yield from self.ending()
        for name, wanted in self.expect.steps.items():
            found = self.states.get(name, "pending")
            if found != wanted:
                why = self.run.steps[name].message if name in self.run.steps else ""
                yield self.failure(f"state of {name}", wanted, _with(found, why), "steps", name)
        if self.expect.message is not None:
            yield from self.message(self.expect.message)
        for key, bounds in self.expect.metrics.items():
            yield from self.metric(key, bounds)
        for key, output in self.expect.outputs.items():
            yield from self.output(key, output)
        verdicts = {each["name"]: each for each in self.run.kpis}
        for name, word in self.expect.kpis.items():
            found = _verdict(verdicts.get(name, {}))
            if found.partition(":")[0] != word:
                yield self.failure(f"KPI {name}", word, found, "kpis", name)

    def failure(self, what: str, expected: str, found: str, *path: str | int, key: bool = False) -> Failure:
        return Failure(what, expected, found, self.place(*path, key=key))

    def place(self, *path: str | int, key: bool = False) -> Place:
        return self.source.place(At((*self.path, *path), key=key))

    def ending(self) -> Iterator[Failure]:
        wanted = self.expect.ending
        if self.run.status == wanted:
            return
        implied = "" if self.expect.run else " (as nothing else is written)"
        path = ("run",) if self.expect.run else ()
        found = _with(self.run.status, self.run.record.message)
        yield self.failure("the run", wanted + implied, found, *path, key=not path)

    def message(self, wanted: str) -> Iterator[Failure]:
        failed = self.seen.failed
        whole = self.run.record.message
        said = [whole, *(each.message for each in failed if each.message not in whole)]
        # A script says what is wrong where it can: in what it prints.
        printed = ["\n".join(last_lines(self.run, each.name)) for each in failed]
        if not any(holds(wanted, each) for each in (*said, *printed)):
            yield self.failure("message", wanted, "; ".join(filter(None, said)) or "no message", "message")

    def metric(self, key: str, wanted: MetricBounds | Scalar) -> Iterator[Failure]:
        field = read_metric(key)
        what = f"metrics {key}"
        content = self.seen.metrics(field.step, field.output)
        if content is None:
            found = f"nothing: step '{field.step}' is {self.states.get(field.step, 'pending')}"
            yield self.failure(what, _bounds(wanted), found, "metrics", key, key=True)
            return
        try:
            value = metric(content, field.path)
        except EvaluationError as fault:
            yield self.failure(what, _bounds(wanted), f"nothing: {fault}", "metrics", key, key=True)
            return
        if not _fits(value, wanted):
            yield self.failure(what, _bounds(wanted), _plain(value), "metrics", key)

    def output(self, key: str, wanted: OutputExpectation) -> Iterator[Failure]:
        step, port = read_output(key)
        what, path = f"output {key}", ("outputs", key)
        if not self.seen.has(step, port):
            if wanted.exists is not False:
                found = f"nothing: step '{step}' is {self.states.get(step, 'pending')}"
                yield self.failure(what, "an output", found, *path, key=True)
            return
        if wanted.exists is False:
            yield self.failure(what, "no output", "it was made", *path, "exists")
            return
        try:
            place = self.seen.output(step, port)
        except RunError as fault:
            yield self.failure(what, "an output", fault.diagnostics[0].message, *path, key=True)
            return
        for part, expected, found in self.content(place, wanted):
            yield self.failure(f"{what}: {part[0]}", expected, found, *path, *part, key=len(part) == 1)

    def content(self, place: Path, wanted: OutputExpectation) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Give what does not hold of an output: the key, what was expected, what was found."""
        files = files_in(place)
        if isinstance(wanted.files, int) and wanted.files != len(files):
            yield ("files",), _count(wanted.files, "file"), f"{len(files)}: {_listed(list(files))}"
        elif isinstance(wanted.files, list):
            alone, left = unmatched(wanted.files, list(files))
            if alone or left:
                parts = [f"no {each}" for each in alone] + [f"also {each}" for each in left]
                yield ("files",), _listed(wanted.files), _listed(parts)
        if wanted.columns is not None or wanted.rows is not None:
            yield from self.table(files, wanted)
        if wanted.contains is not None:
            yield from self.texts(files, wanted.contains)
        if wanted.equals is not None:
            found = difference(self.folder / wanted.equals, place)
            if found:
                yield ("equals",), f"the same as {wanted.equals}", found
        if wanted.size is not None:
            size = sum(each.stat().st_size for each in files.values())
            if not _within(size, wanted.size):
                yield ("size",), f"{_range(wanted.size)} bytes", f"{size} bytes"

    def table(
        self, files: dict[str, Path], wanted: OutputExpectation
    ) -> Iterator[tuple[tuple[str, ...], str, str]]:
        first = "columns" if wanted.columns is not None else "rows"
        try:
            tables = {name: read_table(path) for name, path in tables_in(files).items()}
        except TableError as fault:
            yield (first,), "a table", str(fault)
            return
        for name, table in tables.items() if wanted.columns is not None else ():
            lacking = [each for each in wanted.columns or () if each not in table.columns]
            if lacking:
                found = f"{name} lacks {_listed(lacking)}: it has {_listed(list(table.columns))}"
                yield ("columns",), _listed(wanted.columns or []), found
        rows = sum(each.rows for each in tables.values())
        if isinstance(wanted.rows, int) and wanted.rows != rows:
            yield ("rows",), _count(wanted.rows, "row"), _count(rows, "row")
        elif isinstance(wanted.rows, CountBounds) and not _within(rows, wanted.rows):
            yield ("rows",), f"{_range(wanted.rows)} rows", _count(rows, "row")

    def texts(
        self, files: dict[str, Path], wanted: str | dict[str, str]
    ) -> Iterator[tuple[tuple[str, ...], str, str]]:
        if isinstance(wanted, str):
            if not any(holds(wanted, _text(each)) for each in files.values()):
                shown = [f"{name}: {beginning(path)}" for name, path in list(files.items())[:3]]
                yield ("contains",), wanted, "; ".join(shown) or "no files"
            return
        for name, text in wanted.items():
            if name not in files:
                yield ("contains", name), f"{text} in {name}", f"no such file: {_listed(list(files))}"
            elif not holds(text, _text(files[name])):
                yield ("contains", name), f"{text} in {name}", beginning(files[name])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _fits(value: Scalar, wanted: MetricBounds | Scalar) -> bool:
    if not isinstance(wanted, MetricBounds):
        wanted = MetricBounds(value=wanted)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    target = wanted.value
    if target is None:
        if not number or value != value:
            return False
        amount = float(value)
        return not (
            (wanted.at_least is not None and amount < wanted.at_least)
            or (wanted.at_most is not None and amount > wanted.at_most)
        )
    if isinstance(target, str | bool) or not number:
        return type(value) is type(target) and value == target
    allowed = max(wanted.tolerance or 0.0, (wanted.relative or 0.0) * abs(target))
    # 0.97 is 0.02 away from 0.95, also where binary fractions make it a little more.
    return value == target or abs(float(value) - target) <= allowed * (1 + 1e-9)


def _bounds(wanted: MetricBounds | Scalar) -> str:
    if not isinstance(wanted, MetricBounds):
        return _plain(wanted)
    if wanted.value is not None:
        parts = [_plain(wanted.value)]
        if wanted.tolerance is not None:
            parts.append(f"± {wanted.tolerance:g}")
        if wanted.relative is not None:
            parts.append(f"± {wanted.relative:g} of it")
        return " ".join(parts)
    return _range(wanted)


def _range(wanted: MetricBounds | CountBounds) -> str:
    parts: list[str] = []
    for words, bound in (("at least", wanted.at_least), ("at most", wanted.at_most)):
        if bound is not None:
            whole = isinstance(bound, float) and bound.is_integer() and abs(bound) < 1e15
            parts.append(f"{words} {int(bound) if whole else bound}")
    return " and ".join(parts)


def _within(number: int, bounds: CountBounds) -> bool:
    low, high = bounds.at_least, bounds.at_most
    return (low is None or number >= low) and (high is None or number <= high)


def _verdict(kpi: dict[str, Any]) -> str:
    if not kpi or kpi["value"] is None:
        return _with("not measured", str(kpi.get("why", "")))
    word = "met" if kpi["met"] else "missed"
    return f"{word}: {_plain(kpi['value'])}, target {kpi['target']}"


def _with(word: str, why: str) -> str:
    return f"{word}: {why}" if why else word


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else str(value)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return shown or "none"
