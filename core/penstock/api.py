"""The public functions; `import penstock` gives them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock import compiler, discovery, running
from penstock.asking import Asked
from penstock.bundle import Bundle
from penstock.checking import check_document
from penstock.diagnostics import Diagnostic, error, has_errors
from penstock.errors import RunError, SpecError
from penstock.loader import load as load_file
from penstock.runtime.events import Watch, ignore
from penstock.runtime.offline import Scalar
from penstock.runtime.project import Project, find_project
from penstock.runtime.results import Run
from penstock.spec.pipeline import PipelineSpec

AnyPath = str | os.PathLike[str]


def load(path: AnyPath) -> PipelineSpec:
    """Read a spec and check its form; `check` looks at its meaning too.

    Raises:
        SpecError: the file cannot be read as a spec; `diagnostics` holds every finding.
    """
    loaded = load_file(path)
    if loaded.spec is None or has_errors(loaded.diagnostics):
        raise SpecError(loaded.diagnostics)
    return loaded.spec


def check(path: AnyPath | Bundle, target: str = "", profile: str = "") -> list[Diagnostic]:
    """Find everything that is wrong with a spec; with a target, also what that target cannot keep.

    Of a bundle, such as `from_sdk` gives, it tells what was found when it was made; of a bundle's folder, or a document
    of a cloud's own, what a run would say of it before anything runs.
    """
    if isinstance(path, Bundle):
        return list(path.diagnostics)
    found = check_document(Path(path), target, profile)
    return compiler.check(path, target, profile) if found is None else found


def compile(path: AnyPath, target: str, profile: str = "") -> Bundle:
    """Compile a spec to a target's native documents; `Bundle.write` lays them out in a folder.

    Raises:
        SpecError: the spec has errors, or holds what the target cannot keep.
    """
    return compiler.compile_bundle(path, target, profile)


def from_sdk(pipeline: object) -> Bundle:
    """Take a pipeline that was made with a service's own Python SDK as a document, to check, run and submit it.

    Raises:
        SpecError: its definition has errors; `diagnostics` holds every finding.
        RunError: it is no pipeline of any SDK that Penstock knows (P438).
    """
    for target in discovery.targets().values():
        bridge = target.bridge()
        found = bridge.from_sdk(pipeline) if bridge is not None else None
        if found is not None:
            return found
    kind = f"{type(pipeline).__module__}.{type(pipeline).__qualname__}"
    raise RunError([error("P438", f"a {kind} is not a pipeline of any SDK that Penstock knows")])


def run(
    path: AnyPath | Bundle,
    *,
    on: str = "",
    parameters: Mapping[str, Scalar] | None = None,
    datasets: Mapping[str, AnyPath] | None = None,
    jobs: int = 0,
    cache: bool = True,
    rerun: Sequence[str] = (),
    pass_env: Sequence[str] = (),
    isolate: bool = False,
    replace: Mapping[str, AnyPath] | None = None,
    faults: Mapping[str, tuple[str, int]] | None = None,
    select: Sequence[str] = (),
    source: str = "",
    project: AnyPath | None = None,
    watch: Watch = ignore,
) -> Run:
    """Run a pipeline offline and give the run, also where a step failed: ask `Run.succeeded`.

    Args:
        path: the spec; or a bundle or its folder, or a document of a service's own.
        on: the target whose compiled document is run; by default `local`, and a document's own.
        parameters: values for parameters, in place of their defaults.
        datasets: dataset → path, in place of the spec's own.
        jobs: steps at once; 0 for as many as there are cores.
        cache: whether earlier results may be reused.
        rerun: steps that run even where an earlier result would do.
        pass_env: variables of this process that every step gets; masked in logs.
        isolate: run the steps without a network; refused where that cannot be had.
        replace: address that a document reads from → path of what stands for it.
        faults: step → (code, how many of its attempts meet that fault of the service).
        select: steps that run, with all others as the run `source` (by default the last) left them.
        source: a run's id.
        project: the folder that holds `.penstock/`; by default it is looked for from the current one upwards.
        watch: receives events as they happen.

    Raises:
        SpecError: the spec has errors.
        RunError: parameters or datasets do not fit, or the run cannot start.
    """
    asked = Asked(
        parameters,
        datasets,
        jobs,
        cache,
        tuple(rerun),
        tuple(pass_env),
        isolate,
        replace=replace,
        faults=faults,
        select=tuple(select),
        source=source,
    )
    return running.start(path, on=on, asked=asked, project=_project(project), watch=watch)


def submit(
    path: AnyPath | Bundle,
    to: str,
    *,
    parameters: Mapping[str, Scalar] | None = None,
    datasets: Mapping[str, AnyPath] | None = None,
    wait: bool = True,
    project: AnyPath | None = None,
    watch: Watch = ignore,
) -> Run:
    """Send a pipeline to the service of a profile, start it there, follow it and fetch its results.

    Args:
        path: the spec; or a bundle or its folder, or a document of the service's own.
        to: the profile in penstock.yaml.
        parameters: values for parameters, in place of their defaults.
        datasets: dataset → address, or path of this machine.
        wait: follow it to its end; else it is left once it has started, and `resume` follows it.
        project: the folder that holds `.penstock/`; by default it is looked for from the current one upwards.
        watch: receives events as they happen.

    Raises:
        SpecError: the spec or the profile has errors.
        RunError: parameters or datasets do not fit, or something stands in the way; `resume` goes on.
    """
    from penstock import submitting

    asked = Asked(parameters, datasets)
    return submitting.submit(path, to=to, asked=asked, wait=wait, project=_project(project), watch=watch)


def resume(name: str = "last", *, project: AnyPath | None = None, watch: Watch = ignore) -> Run:
    """Take up a run that was stopped, killed or failed, or follow one that was submitted. Raises RunError."""
    return running.resume(name, project=_project(project), watch=watch)


def _project(folder: AnyPath | None) -> Project:
    return Project(Path(folder).absolute()) if folder is not None else find_project(Path.cwd())
