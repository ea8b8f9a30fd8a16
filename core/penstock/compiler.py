"""From a spec to a bundle, stage by stage.

    load          YAML → spec           reads one file; says what has the wrong form
    build, passes spec → graph          pure; says what has the wrong meaning
    snapshot      files → digests       reads code and data; says what is missing
    announce      capabilities          pure; says what the target cannot keep
    lower         graph → documents     pure; no SDK, no file, no clock
    validate      documents             against the service's own model; no SDK

Every stage says all it can find. Later stages run only where the earlier ones left something to run on, and a
bundle is made only where no error was found at all.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from penstock import discovery
from penstock.bundle import Bundle
from penstock.diagnostics import At, Diagnostic, error, has_errors
from penstock.echoes import without_echoes
from penstock.errors import PenstockError, SpecError
from penstock.files import Files
from penstock.frozen import dataclass, replace
from penstock.inherited import at_their_origin
from penstock.interface import interface_of
from penstock.ir import Graph
from penstock.library import Library
from penstock.loader import load, unrelated
from penstock.lowering import lower
from penstock.passes import run_passes
from penstock.passes.build_graph import build_graph
from penstock.profiles import faults_beside, find_profile
from penstock.provider import Asset, Lowered, Profile, Target
from penstock.runtime.hashing import StatIndex
from penstock.secrets import find_secrets
from penstock.snapshot import take_snapshot
from penstock.source import Source
from penstock.spec.pipeline import PipelineSpec
from penstock.suggest import nearest
from penstock.target_names import target_names
from penstock.used_files import MARK

if TYPE_CHECKING:
    from penstock.portability import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline that was read and checked.

    `graph` is `None` where it has no usable form; `resolved` is the same graph before files were looked at.
    `used` names the other files that were read, with the digests of their bytes.
    """

    source: Source
    folder: Path
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]
    resolved: Graph | None = None
    used: tuple[tuple[str, str], ...] = ()

    @property
    def usable(self) -> Graph:
        """The graph. Raises SpecError with every finding where there are errors."""
        if self.graph is None or has_errors(self.diagnostics):
            raise SpecError(self.diagnostics)
        return self.graph


def plan(
    path: str | os.PathLike[str],
    *,
    index: StatIndex | None = None,
    data: bool = True,
    replaced: Collection[str] = (),
) -> Plan:
    """Read and check a spec.

    Args:
        path: the YAML file.
        index: remembers file digests between calls; without one, files are read afresh.
        data: digest datasets too; checking alone does not need it.
        replaced: datasets that the caller brings, whose own paths need not exist.
    """
    loaded = load(path)
    files = Files(loaded.folder, index or StatIndex(None), data, replaced)
    library = Library(loaded.folder, loaded.source.path.name if loaded.source.path else "")
    if loaded.spec is None:
        found = list(loaded.diagnostics)
        if loaded.remains is not None:
            # The rest is checked all the same, so that one call says everything.
            resolved, more = _meaning(loaded.remains.spec, loaded.source, library)
            _, missing = take_snapshot(resolved, replace(files, data=False))
            more = [*more, *at_their_origin(missing, documents(loaded.source))]
            more = loaded.source.located(loaded.remains.keep(more))
            found += unrelated(more, loaded.source.diagnostics)
        return Plan(loaded.source, loaded.folder, None, in_order(found, loaded.source.file))
    resolved, found = _meaning(loaded.spec, loaded.source, library)
    graph, missing = take_snapshot(resolved, files)
    missing = at_their_origin(missing, documents(loaded.source))
    found = [*loaded.diagnostics, *loaded.source.located([*found, *missing])]
    return Plan(
        loaded.source,
        loaded.folder,
        graph,
        in_order(found, loaded.source.file),
        resolved,
        tuple(library.digests()),
    )


def in_order(found: Iterable[Diagnostic], file: str = "") -> tuple[Diagnostic, ...]:
    """Sort findings by place, those of `file` first, each said once."""

    def order(each: Diagnostic) -> tuple[bool, str, int, int]:
        place = each.place
        if place is None:
            return False, "", 0, 0
        return place.file != file, place.file if place.file != file else "", place.line, place.column

    return tuple(sorted(dict.fromkeys(found), key=order))


def _meaning(spec: PipelineSpec, source: Source, library: Library) -> tuple[Graph, list[Diagnostic]]:
    gathered = list(library.gather(spec))
    source.used = library.sources()
    graph, found = build_graph(spec, library)
    found = [*gathered, *found]
    graph, more = run_passes(graph)
    every = documents(source)
    found = without_echoes(at_their_origin([*found, *more, *target_names(graph)], every), every, library.lost)
    return graph, [*found, *find_secrets(every)]


def documents(source: Source) -> dict[str, object]:
    """Give a document with every used one, each under the first part of the paths that lead into it."""
    return {**(source.value or {}), **{mark: each.value for mark, each in source.used.items()}}


def check(path: str | os.PathLike[str], target: str = "", profile: str = "") -> list[Diagnostic]:
    """Find everything that is wrong with a spec, and with a target what that target cannot keep.

    Nothing is raised for what a user can cause: an unknown target or profile is among the findings.
    """
    return examine(path, target, profile)[0]


def examine(
    path: str | os.PathLike[str], target: str = "", profile: str = ""
) -> tuple[list[Diagnostic], Plan]:
    """Check a spec; also give what was read, so that who needs more of it executes no file again."""
    checked = plan(path, data=False)
    return _findings(checked, Path(path), target, profile), checked


def _findings(checked: Plan, path: Path, target: str, profile: str) -> list[Diagnostic]:
    if any(each.code == "P500" for each in checked.diagnostics):
        from penstock.testing.suite import load_suite_source

        return list(load_suite_source(checked.source, path).diagnostics)
    if any(each.code == "P116" for each in checked.diagnostics):
        from penstock.lone_component import check_component

        return list(in_order(check_component(checked.source, checked.folder), checked.source.file))
    found = list(checked.diagnostics)
    try:
        if profile and not target:
            target = find_profile(checked.folder, profile).target
        into = discovery.target(target) if target else None
        settings = _profile(checked, target, profile) if profile else None
        found += faults_beside(checked.folder, profile) if profile else []
    except PenstockError as fault:
        said = {(each.code, each.message) for each in found}
        return [*found, *(each for each in fault.diagnostics if (each.code, each.message) not in said)]
    if into is None or checked.graph is None or has_errors(found):
        return found
    checked = _with_data(replace(checked, diagnostics=tuple(found)))
    if not has_errors(checked.diagnostics):
        _, lost = _lower(checked, into, settings)
        return [*checked.diagnostics, *lost]
    return list(checked.diagnostics)


def _with_data(checked: Plan) -> Plan:
    """Look at the data too: the document holds content addresses of it, so lowering needs its digests."""
    assert checked.resolved is not None, "what has a graph was resolved"
    graph, missing = take_snapshot(checked.resolved, Files(checked.folder, StatIndex(None), True))
    located = checked.source.located(at_their_origin(missing, documents(checked.source)))
    found = in_order([*checked.diagnostics, *located], checked.source.file)
    return replace(checked, graph=graph, diagnostics=found)


def portable(checked: Plan) -> list[Row]:
    """Tell how every cloud carries each step of a spec; nothing where the spec has errors, or is no pipeline."""
    from penstock.portability import portability

    if checked.graph is None or has_errors(checked.diagnostics):
        return []
    try:
        clouds = {name: each for name, each in discovery.targets().items() if name != discovery.OFFLINE}
    except PenstockError:
        return []
    return portability(checked.graph, clouds) if clouds else []


def compile_bundle(
    path: str | os.PathLike[str], target: str, profile: str = "", index: StatIndex | None = None
) -> Bundle:
    """Compile a spec for a target.

    Raises:
        SpecError: the spec has errors, or holds what the target cannot keep; with every diagnostic.
    """
    return compile_plan(plan(path, index=index), target, profile)


def compile_plan(checked: Plan, target: str, profile: str | Profile = "") -> Bundle:
    """Compile what was already read and checked, for a profile of that name or one that was read. Raises SpecError."""
    graph = checked.usable
    into = discovery.target(target)
    lowered, found = _lower(checked, into, _profile(checked, target, profile))
    if lowered is None or has_errors(found):
        raise SpecError([*checked.diagnostics, *found])
    texts = {name: into.serialise(name, document) for name, document in lowered.files.items()}
    return Bundle(
        target=target,
        pipeline=graph.name,
        document=into.document,
        texts=texts,
        assets=tuple(sorted(_distinct(lowered), key=lambda each: (each.path, each.upload_to))),
        launcher=lowered.launcher,
        placeholders=lowered.placeholders,
        uploads=lowered.uploads,
        interface=interface_of(graph, lowered.results) if lowered.results else {},
        source_map=_source_map(lowered, checked.source),
        diagnostics=(*checked.diagnostics, *found),
    )


def _distinct(lowered: Lowered) -> Iterable[Asset]:
    """Drop assets that are named twice; equal content that is uploaded to two places stays twice."""
    return {(each.path, each.upload_to): each for each in lowered.assets}.values()


def _profile(checked: Plan, target: str, given: str | Profile) -> Profile | None:
    if not given:
        return None
    profile = find_profile(checked.folder, given) if isinstance(given, str) else given
    name = profile.name
    if profile.target != target:
        message = f"profile '{name}' is for {profile.target}, not for {target}"
        raise SpecError([error("P133", message, hint=f"compile with --target {profile.target}")])
    graph = checked.usable
    overrides = [("dataset", list(profile.datasets), list(graph.datasets))]
    overrides.append(("environment", list(profile.images), list(graph.environments)))
    unknown = [(kind, each, known) for kind, names, known in overrides for each in names if each not in known]
    if unknown:
        raise SpecError(
            error(
                "P131",
                f"profile '{name}' overrides the {kind} '{each}', which the spec does not have",
                hint=nearest(each, known, f"{kind}s"),
            )
            for kind, each, known in unknown
        )
    return profile


def _lower(checked: Plan, target: Target, profile: Profile | None) -> tuple[Lowered | None, list[Diagnostic]]:
    graph = checked.usable
    outcome = lower(graph, target, profile)
    every = documents(checked.source)
    # Where a step has from its component what is announced, or options that do not fit, the component's lines show it.
    found = checked.source.located(at_their_origin(outcome.announced, every))
    found += checked.source.located(outcome.said)
    found += checked.source.located(at_their_origin(outcome.faults, every))
    return outcome.lowered, found


def _source_map(lowered: Lowered, source: Source) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    # The file's own name alone: the same spec compiled from another folder gives the same bytes.
    name = source.path.name if source.path else source.file
    for (file, path), origin in lowered.origins.items():
        place = source.place(At(origin, key=True))
        used = str(origin[0]) if origin else ""
        written_in = used.removeprefix(MARK) if used in source.used else name
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
        found.setdefault(file, {})[pointer] = f"{written_in}:{place.line}:{place.column}"
    return found
