"""Graph → local document: simpler kinds in the place of those that need no form of their own; files become assets."""

from __future__ import annotations

import os
from collections.abc import Mapping

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.frozen import replace
from penstock.ir import Code, Command, Graph, Map, Native, Nested, Predict, Register, Step, Train, Tune
from penstock.provider import Asset, Lowered, Profile
from penstock_local.local.document import DOCUMENT, write


def lower(graph: Graph, profile: Profile | None) -> Lowered:
    """Write a graph down. Pure."""
    found: list[Diagnostic] = []
    if any(isinstance(step, Nested) for step in graph.steps):
        # What makes simpler steps is imported where there is something to simplify: a cached run lowers too.
        from penstock.simplify.flatten import flatten

        graph = flatten(graph)
    graph = _simple(graph, found)
    overrides: Mapping[str, str] = profile.datasets if profile else {}
    assets: dict[str, Asset] = {}
    steps = tuple(_step(step, assets) for step in graph.steps)
    datasets = dict(graph.datasets)
    for name, each in graph.datasets.items():
        if name in overrides:
            datasets[name] = replace(each, path=overrides[name], digest="")
        elif each.digest:
            asset = Asset(os.path.basename(each.path), each.digest, source=each.path)
            assets[asset.path] = asset
            datasets[name] = replace(each, path=asset.path)
    document = write(replace(graph, steps=steps, datasets=datasets))
    origins: dict[tuple[str, Path], Path] = {(DOCUMENT, ()): ()}
    for position, step in enumerate(graph.steps):
        origins[DOCUMENT, ("graph", "steps", position)] = step.path
    return Lowered({DOCUMENT: document}, tuple(assets.values()), origins=origins, diagnostics=tuple(found))


def _simple(graph: Graph, found: list[Diagnostic]) -> Graph:
    """Put commands in the place of maps, batch inference, and of what only a cloud has."""
    return replace(graph, steps=tuple(_as_run(step, found) for step in graph.steps))


def _as_run(step: Step, found: list[Diagnostic]) -> Step:
    match step:
        case Map():
            from penstock.simplify.commands import map_command

            return map_command(step)
        case Predict():
            from penstock.simplify.commands import predict_command

            return predict_command(step)
        case Train(run=None, stand_in=stand_in) | Native(stand_in=stand_in) if stand_in is not None:
            return replace(stand_in, needs=step.needs, guards=step.guards, after=step.after)
        case Train():
            return replace(step, stand_in=None)
        case Native():
            message = f"step '{step.name}' has no stand-in for local, which has no such step of its own"
            hint = "add local: {run: …}, a command with the same inputs and outputs"
            found.append(error("P354", message, At(step.path, key=True), hint))
            return Command(step.name, step.path)
        case _:
            return step


def _step(step: Step, assets: dict[str, Asset]) -> Step:
    match step:
        case Command() | Train() | Tune():
            return replace(step, code=_code(step.code, assets))
        case Register(serving=serving) if serving:
            return replace(step, serving=replace(serving, code=_code(serving.code, assets)))
        case _:
            return step


def _code(code: Code | None, assets: dict[str, Asset]) -> Code | None:
    if code is None or not code.digest:
        return code
    asset = Asset("code", code.digest, source=code.path, files=code.files, added=code.added)
    assets[asset.path] = asset
    return replace(code, path=asset.path)
