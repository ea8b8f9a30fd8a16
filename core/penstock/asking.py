"""What a caller asks for in one run, held against the pipeline: parameters, data, steps, variables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.diagnostics import At, Diagnostic, error
from penstock.diagnostics import Path as SpecPath
from penstock.errors import RunError
from penstock.frozen import dataclass, replace
from penstock.ir import SINGLE_FILES, Dataset, Graph, Nested, Step, Tune
from penstock.parameters import fault_of, read
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import Request, Scalar
from penstock.runtime.tree import ArtifactError, content_digest
from penstock.suggest import nearest
from penstock.used_files import prefix


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller gave for one run, as text or as values; `start` checks it against the pipeline.

    `replace`, `faults`, `select` and `source` are those of `penstock.runtime.offline.Request`; `source` may be any name
    of a run that `Ledger.find_run` takes.
    """

    parameters: Mapping[str, Scalar] | None = None
    datasets: Mapping[str, str | os.PathLike[str]] | None = None
    jobs: int = 0
    cache: bool = True
    rerun: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()
    isolate: bool = False
    as_text: bool = False
    replace: Mapping[str, str | os.PathLike[str]] | None = None
    faults: Mapping[str, tuple[str, int]] | None = None
    select: tuple[str, ...] = ()
    source: str = ""


def request_of(
    graph: Graph, asked: Asked, index: StatIndex, *, foreign: bool = False
) -> tuple[Request, dict[str, Any]]:
    """Hold what the caller gave against the pipeline; everything wrong is said at once.

    Of a document, whose graph has no steps, the emulator checks the names of steps; of a `foreign` one, which has no
    interface either, parameters too.
    """
    found: list[Diagnostic] = []
    parameters = dict(asked.parameters or {}) if foreign else parameters_of(graph, asked, found)
    datasets = _datasets(graph, asked, index, found)
    steps = dict(_steps(graph))
    names = list(steps)
    for name in asked.rerun:
        if names and name not in names:
            found.append(
                error("P418", f"there is no step '{name}' to rerun", hint=nearest(name, names, "steps"))
            )
    found += unset(asked.pass_env, "--pass-env")
    found += _without_optuna(steps.values())
    taken: dict[str, None] = {}
    for step in steps.values():
        for key, name in getattr(step, "env_from", {}).items():
            taken[name] = None
            if name not in os.environ:
                at = At((*step.path, "env", key))
                message = f"step '{step.name}' takes {key} from the variable {name}, which is not set"
                found.append(error("P417", message, at, f"set it: {name}=… penstock run …"))
    if found:
        raise RunError(found)
    request = Request(
        parameters,
        {name: str(Path(path).absolute()) for name, path in (asked.datasets or {}).items()},
        asked.jobs,
        asked.cache,
        asked.rerun,
        asked.pass_env,
        asked.isolate,
        env_from=tuple(taken),
        replace={uri: str(Path(path).absolute()) for uri, path in (asked.replace or {}).items()},
        faults=dict(asked.faults or {}),
        select=asked.select,
        source=asked.source,
    )
    return request, datasets


def _steps(graph: Graph, outer: str = "") -> Iterator[tuple[str, Step]]:
    """Give every step by the name that it has in a run, those of nested pipelines among them."""
    for step in graph.steps:
        yield outer + step.name, step
        if isinstance(step, Nested) and step.graph is not None:
            yield from _steps(step.graph, f"{outer}{step.name}__")


def _data(graph: Graph, outer: str = "", file: SpecPath = ()) -> Iterator[tuple[str, Dataset, SpecPath]]:
    """Give every dataset that a run reads, by its name there and its place: nested pipelines' unbound ones too."""
    for name, dataset in graph.datasets.items():
        yield outer + name, dataset, (*file, "datasets", name)
    for step in graph.steps:
        if isinstance(step, Nested) and step.graph is not None:
            bound = {each.name for each in step.inputs}
            own = {name: each for name, each in step.graph.datasets.items() if name not in bound}
            inside = prefix(step.component.file) if step.component else ()
            yield from _data(replace(step.graph, datasets=own), f"{outer}{step.name}__", inside)


def _without_optuna(steps: Iterable[Step]) -> list[Diagnostic]:
    """Say now, and not when its turn comes, that a search cannot be made."""
    learning = [each for each in steps if isinstance(each, Tune) and each.sampling == "bayesian"]
    if not learning:
        return []
    from importlib.util import find_spec

    if find_spec("optuna") is not None:
        return []
    return [
        error(
            "P422",
            f"step '{each.name}' samples by bayesian, which needs optuna, and that is not installed",
            At((*each.path, "sampling")),
            "pip install 'penstock[tune]'",
        )
        for each in learning
    ]


def unset(names: Iterable[str], taker: str) -> list[Diagnostic]:
    """Name the caller's variables that a run takes and that are not set."""
    return [
        error(
            "P417",
            f"{taker} takes the variable {name}, which is not set",
            hint=f"set it: {name}=… penstock …",
        )
        for name in names
        if name not in os.environ
    ]


def parameters_of(graph: Graph, asked: Asked, found: list[Diagnostic]) -> dict[str, Scalar]:
    """Give the value of every parameter, defaults included; what is wrong with one is added to `found`."""
    values: dict[str, Scalar] = {}
    for name, value in (asked.parameters or {}).items():
        parameter = graph.parameters.get(name)
        if parameter is None:
            hint = nearest(name, graph.parameters, "parameters")
            found.append(error("P407", f"there is no parameter '{name}'", hint=hint))
            continue
        try:
            given = read(parameter, value) if asked.as_text and isinstance(value, str) else value
        except ValueError as unread:
            found.append(error("P407", f"parameter '{name}' {unread}", hint=f"-p {name}=VALUE"))
            continue
        if parameter.type == "number" and isinstance(given, int) and not isinstance(given, bool):
            given = float(given)
        fault = fault_of(parameter, given)
        if fault:
            found.append(error("P407", f"the value of parameter '{name}' {fault}"))
        values[name] = given
    for name, parameter in graph.parameters.items():
        if name in values or name in (asked.parameters or {}):
            continue
        if parameter.default is None:
            message = f"parameter '{name}' has no default and was not given"
            found.append(error("P407", message, At(("parameters", name), key=True), f"-p {name}=VALUE"))
        else:
            values[name] = parameter.default
    return values


def brought(name: str, dataset: Dataset, given: str | os.PathLike[str], index: StatIndex) -> dict[str, Any]:
    """Give the ledger's row of data that the caller brings from this machine. Raises RunError (P408)."""
    # As a path it would be the folder that the caller stands in, and all that is in there would be taken.
    if not os.fspath(given):
        raise RunError([error("P408", f"dataset '{name}' was given no path")])
    path = Path(given).absolute()
    single = dataset.type in SINGLE_FILES
    # os.path answers False for a name that no file can have, where Path's methods raise.
    if not os.path.exists(path):
        raise RunError([error("P408", f"dataset '{name}': there is no file or folder {given}")])
    if os.path.isfile(path) != single:
        wanted = "a file" if single else "a folder"
        message = f"dataset '{name}' is a {dataset.type}: it takes {wanted}, and {given} is not"
        raise RunError([error("P408", message)])
    try:
        digest = content_digest(path, index)
    except (ArtifactError, OSError) as fault:
        raise RunError([error("P408", f"dataset '{name}': {given} cannot be taken: {fault}")]) from None
    return {"path": str(path), "digest": digest, "given": True, "version": ""}


def _datasets(graph: Graph, asked: Asked, index: StatIndex, found: list[Diagnostic]) -> dict[str, Any]:
    datasets: dict[str, Any] = {}
    known = {name: (dataset, path) for name, dataset, path in _data(graph)}
    for name, given in (asked.datasets or {}).items():
        if name not in known:
            hint = nearest(name, known, "datasets")
            found.append(error("P408", f"there is no dataset '{name}'", hint=hint))
            continue
        dataset, _ = known[name]
        try:
            datasets[name] = brought(name, dataset, given, index)
        except RunError as fault:
            found += fault.diagnostics
    for name, (dataset, place) in known.items():
        if name in (asked.datasets or {}):
            continue
        if dataset.digest and not dataset.path:
            # It stands in the bundle.
            continue
        if dataset.digest:
            datasets[name] = {"path": dataset.path, "digest": dataset.digest, "version": dataset.version}
        elif not dataset.optional:
            at = At(place, key=True)
            where = "stands on a cloud alone" if dataset.uri else "has no path"
            message = f"dataset '{name}' {where} and was not given"
            found.append(error("P409", message, at, f"-d {name}=PATH"))
    return datasets
