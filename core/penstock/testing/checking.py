"""Holding the names in a tests file against the pipeline: steps, outputs, parameters, data, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from penstock import discovery
from penstock.diagnostics import At, Diagnostic, error
from penstock.diagnostics import Path as SpecPath
from penstock.files import Files, find
from penstock.ir import SINGLE_FILES, Graph, Output
from penstock.parameters import fault_of
from penstock.suggest import nearest
from penstock.testing.keys import pattern_of, read_metric, read_output
from penstock.testing.narrowing import narrow, outputs_of
from penstock.testing.observed import inner_steps, measured
from penstock.testing.selection import Selection
from penstock.testing.spec import Case, OutputExpectation, TestsSpec

_TABLES = ("file", "folder", "table")


def check_targets(tests: TestsSpec) -> list[Diagnostic]:
    """Find targets that are not installed."""
    known = discovery.targets()
    return [
        error(
            "P506", f"there is no target '{each}'", At(("targets", position)), nearest(each, known, "targets")
        )
        for position, each in enumerate(tests.targets)
        if each not in known
    ]


def check_case(
    name: str, case: Case, graph: Graph, written: Mapping[str, str], files: Files
) -> tuple[Selection | None, list[Diagnostic]]:
    """Resolve one case.

    Args:
        name: the case's.
        case: as written.
        graph: of the whole pipeline, resolved and ordered.
        written: step → the text of its `when`.
        files: of the folder that the case's paths start from.

    Returns:
        What it runs, or `None` where it cannot be told; and everything that is wrong.
    """
    return _Check(name, case, graph, files).run(written)


class _Check:
    def __init__(self, name: str, case: Case, graph: Graph, files: Files) -> None:
        self.path: SpecPath = ("cases", name)
        self.case = case
        self.graph = graph
        self.files = files
        self.found: list[Diagnostic] = []
        self.outputs = {step.name: outputs_of(step) for step in graph.steps}
        # What stands inside pipeline steps can be looked at, and neither run alone nor given.
        self.inner = {name: (outer, outputs_of(step)) for name, (outer, step) in inner_steps(graph).items()}

    def run(self, written: Mapping[str, str]) -> tuple[Selection | None, list[Diagnostic]]:
        datasets = self._datasets()
        given = self._given()
        steps = self._steps({step for step, _ in given})
        told = len(self.found)
        self._expected(steps)
        if told:
            self._parameters(())
            return None, self.found
        graph, lacking = narrow(self.graph, steps, given, written)
        for each in lacking:
            reader = f"condition '{each.condition}' of step" if each.condition else "step"
            message = (
                f"{reader} '{each.reader}' reads {each.output} of '{each.step}', which the case does not run"
            )
            hint = f"add {each.step}.{each.output} to 'given'"
            if self.case.steps is not None:
                hint += f", or {each.step} to 'steps'"
            self.found.append(error("P508", message, self._reader(each.reader), hint))
        needed = graph.parameters if not lacking else {}
        self._parameters(needed)
        if lacking:
            return None, self.found
        self._kpis(graph)
        added = frozenset(graph.datasets.keys() - self.graph.datasets.keys())
        for name, dataset in graph.datasets.items():
            if not dataset.path and not dataset.optional and name not in datasets:
                message = f"dataset '{name}' has no path of its own and the case does not bring it"
                hint = f"add it: datasets: {{{name}: PATH}}"
                self.found.append(error("P504", message, At(self.path, key=True), hint))
        used = {name: path for name, path in datasets.items() if name in graph.datasets}
        return Selection(graph, used, added, frozenset(steps)), self.found

    def _reader(self, step: str) -> At:
        for position, name in enumerate(self.case.steps or ()):
            if name == step:
                return At((*self.path, "steps", position))
        return At((*self.path, "given"), key=True)

    def _say(self, code: str, message: str, *path: str | int, hint: str, key: bool = True) -> None:
        self.found.append(error(code, message, At((*self.path, *path), key=key), hint))

    def _datasets(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, written in self.case.datasets.items():
            dataset = self.graph.datasets.get(name)
            if dataset is None:
                hint = nearest(name, self.graph.datasets, "datasets")
                self._say("P504", f"there is no dataset '{name}'", "datasets", name, hint=hint)
                continue
            path = self._file(written, ("datasets", name), dataset.type, f"dataset '{name}'")
            if path is not None:
                found[name] = str(path)
        return found

    def _file(self, written: str, path: SpecPath, type_: str, what: str) -> Path | None:
        at = At((*self.path, *path))
        place = find(written, at, self.files, self.found)
        if place is None:
            return None
        single = type_ in SINGLE_FILES
        if place.is_file() != single:
            is_, wanted = ("folder", "file") if single else ("file", "folder")
            message = f"{what} takes a {wanted}, and '{written}' is a {is_}"
            self.found.append(error("P505", message, at, f"name a {wanted}"))
            return None
        return place

    def _given(self) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for key, written in self.case.given.items():
            output = self._output(key, ("given", key), self.outputs)
            if output is None:
                continue
            step, port = read_output(key)
            path = self._file(written, ("given", key), output.type, f"output '{port}' of step '{step}'")
            if path is not None:
                found[step, port] = str(path)
        return found

    @property
    def seen(self) -> dict[str, dict[str, Output]]:
        """The outputs of every step that an expectation can name."""
        return self.outputs | {name: outputs for name, (_, outputs) in self.inner.items()}

    def _output(self, key: str, path: SpecPath, known: dict[str, dict[str, Output]]) -> Output | None:
        try:
            step, port = read_output(key)
        except ValueError as fault:
            self._say("P512", f"'{key:.60}' names no output", *path, hint=str(fault))
            return None
        return self._port(step, port, path, known)

    def _port(
        self, step: str, port: str, path: SpecPath, known: dict[str, dict[str, Output]]
    ) -> Output | None:
        if step not in known:
            self._say("P501", f"there is no step '{step}'", *path, hint=nearest(step, known, "steps"))
            return None
        if port not in known[step]:
            hint = nearest(port, known[step], f"outputs of '{step}'")
            self._say("P502", f"step '{step}' has no output '{port}'", *path, hint=hint)
            return None
        return known[step][port]

    def _steps(self, given: set[str]) -> set[str]:
        if self.case.steps is None:
            return {name for name in self.outputs if name not in given}
        for position, name in enumerate(self.case.steps):
            where = ("steps", position)
            if name not in self.outputs:
                hint = nearest(name, self.outputs, "steps")
                self._say("P501", f"there is no step '{name}'", *where, hint=hint, key=False)
            elif name in given:
                hint = "take it out of 'steps' or of 'given'"
                self._say("P509", f"step '{name}' is both run and given", *where, hint=hint, key=False)
        return set(self.case.steps)

    def _parameters(self, needed: Iterable[str]) -> None:
        known = self.graph.parameters
        for name, value in self.case.parameters.items():
            where = ("parameters", name)
            if name not in known:
                hint = nearest(name, known, "parameters")
                self._say("P503", f"there is no parameter '{name}'", *where, hint=hint)
            elif fault := fault_of(known[name], value):
                hint = f"it is of type {known[name].type}"
                self._say("P503", f"the value of parameter '{name}' {fault}", *where, hint=hint, key=False)
        for name in needed:
            if known[name].default is None and name not in self.case.parameters:
                message = f"parameter '{name}' has no default and the case does not set it"
                self._say("P503", message, hint=f"add it: parameters: {{{name}: VALUE}}")

    def _kpis(self, graph: Graph) -> None:
        known, judged = measured(self.graph), measured(graph)
        for name in self.case.expect.kpis:
            where = ("expect", "kpis", name)
            if name not in known:
                self._say("P507", f"there is no KPI '{name}'", *where, hint=nearest(name, known, "KPIs"))
            elif name not in judged:
                message = f"KPI '{name}' is not measured: it reads a step that the case does not run"
                self._say("P510", message, *where, hint="add that step to 'steps', or remove the expectation")

    def _expected(self, steps: set[str]) -> None:
        expect, seen = self.case.expect, self.seen
        for name in expect.steps:
            where: SpecPath = ("expect", "steps", name)
            if name not in seen:
                hint = nearest(name, seen, "steps")
                self._say("P501", f"there is no step '{name}'", *where, hint=hint)
            else:
                self._runs(name, steps, where)
        for key in expect.metrics:
            where = ("expect", "metrics", key)
            try:
                field = read_metric(key)
            except ValueError as fault:
                self._say("P512", f"'{key:.60}' names no metrics field", *where, hint=str(fault))
                continue
            output = self._port(field.step, field.output, where, seen)
            if output is not None and output.type != "metrics":
                message = f"output '{field.output}' of step '{field.step}' is a {output.type}, not metrics"
                hint = "expect something of the file: outputs: {STEP.OUTPUT: {contains: …}}"
                self._say("P511", message, *where, hint=hint)
            elif output is not None:
                self._runs(field.step, steps, where)
        for key, wanted in expect.outputs.items():
            where = ("expect", "outputs", key)
            output = self._output(key, where, seen)
            if output is not None:
                self._runs(read_output(key)[0], steps, where)
                self._suits(wanted, output, where)
        if expect.message is not None:
            self._pattern(expect.message, ("expect", "message"))

    def _runs(self, step: str, steps: set[str], where: SpecPath) -> None:
        outer, _ = self.inner.get(step, (step, {}))
        if outer not in steps:
            hint = f"add {outer} to 'steps', or remove the expectation"
            self._say("P510", f"step '{step}' does not run in this case", *where, hint=hint)

    def _suits(self, wanted: OutputExpectation, output: Output, where: SpecPath) -> None:
        for key in ("columns", "rows"):
            if getattr(wanted, key) is not None and output.type not in _TABLES:
                hint = (
                    "expect fields of it under 'metrics'" if output.type == "metrics" else f"remove '{key}'"
                )
                message = f"output '{output.name}' is a {output.type}, which has no {key}"
                self._say("P511", message, *where, key, hint=hint)
        if output.type in SINGLE_FILES and isinstance(wanted.contains, dict):
            message = f"output '{output.name}' is one file: it holds no files to name"
            self._say("P511", message, *where, "contains", hint="write the text alone: contains: TEXT")
        for path, text in _patterns(wanted):
            self._pattern(text, (*where, *path))
        if wanted.equals is not None:
            self._file(wanted.equals, (*where, "equals"), output.type, f"output '{output.name}'")

    def _pattern(self, text: str, where: SpecPath) -> None:
        try:
            pattern_of(text)
        except ValueError as fault:
            hint = "text between slashes is a regular expression: escape what it should take as it stands"
            self._say("P512", f"'{text:.60}' cannot be read: {fault}", *where, hint=hint, key=False)


def _patterns(wanted: OutputExpectation) -> Iterator[tuple[SpecPath, str]]:
    if isinstance(wanted.contains, str):
        yield ("contains",), wanted.contains
    elif wanted.contains is not None:
        yield from ((("contains", name), text) for name, text in wanted.contains.items())
