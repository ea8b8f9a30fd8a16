"""`Pipeline`: a pipeline written in Python, part by part; every method is a section of the YAML."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from penstock.authoring.callsites import NAME, VALUE, caller
from penstock.authoring.draft import Draft, DraftSource, given, plain
from penstock.authoring.functions import StepFunction
from penstock.authoring.refusal import refuse
from penstock.authoring.shapes import (
    ArtifactType,
    Defaults,
    Hypothesis,
    Kpi,
    Options,
    RunOptions,
    Scalar,
    ScalarType,
)
from penstock.authoring.steps import StepKinds, types_of
from penstock.authoring.values import Output, Step, StepOutputs, Value
from penstock.diagnostics import Diagnostic
from penstock.errors import RunError, SpecError
from penstock.expressions.nodes import ConditionRef, DatasetRef, ParameterRef
from penstock.suggest import nearest

if TYPE_CHECKING:
    from penstock.bundle import Bundle
    from penstock.runtime.results import Run
    from penstock.spec.pipeline import PipelineSpec


class Parameter(Value):
    """A parameter of a pipeline, as steps and conditions refer to it."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: str) -> None:
        super().__init__(ParameterRef(name))
        self.name = name
        self.type = type


class Dataset(Value):
    """A dataset of a pipeline, for a step's inputs."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: str) -> None:
        super().__init__(DatasetRef(name))
        self.name = name
        self.type = type


class Pipeline(StepKinds):
    """One machine-learning pipeline, for every target.

    Relative paths start from the folder of the file that makes it. `penstock check|run|compile FILE.py` takes the
    one that the file holds.

    Args:
        name: letters, digits, `_` and `-`.
        version: the pipeline's own.
        defaults: what every step has unless it says otherwise.
    """

    def __init__(
        self,
        name: str,
        *,
        version: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        owner: str | None = None,
        tags: Mapping[str, str] | None = None,
        defaults: Defaults | None = None,
        options: Options | None = None,
    ) -> None:
        head = given(
            version=version,
            display_name=display_name,
            description=description,
            owner=owner,
            tags=tags,
            defaults=defaults,
            options=options,
        )
        site = caller(("name",))
        self.draft = Draft({"penstock": "v1", "kind": "pipeline", "name": plain(name), **plain(head)})
        self.functions: dict[str, StepFunction[..., object]] = {}
        self.file = Path(site.file) if site and os.path.isfile(site.file) else None
        if site is not None:
            self.draft.sites[()] = site

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> Self:
        """Take up a YAML spec, to look at or to go on with.

        Raises:
            SpecError: its form has errors.
        """
        from penstock.diagnostics import has_errors
        from penstock.loader import load

        loaded = load(path)
        if loaded.spec is None or has_errors(loaded.diagnostics):
            raise SpecError(loaded.diagnostics)
        made = cls.__new__(cls)
        made.draft = Draft(copy.deepcopy(dict(loaded.source.value or {})), loaded.source)
        made.functions = {}
        made.file = Path(path).absolute()
        return made

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return str(self.draft.document["name"])

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from, absolute."""
        return self.file.absolute().parent if self.file else Path.cwd()

    def goal(
        self, statement: str, *, kpis: Sequence[Kpi] = (), hypotheses: Sequence[Hypothesis] = ()
    ) -> None:
        """Say what the pipeline is for; every run checks the KPIs."""
        lists = {key: each for key, each in (("kpis", kpis), ("hypotheses", hypotheses)) if each}
        self.draft.note(("goal",), {"statement": statement, **lists}, ("statement",))

    def parameter(
        self,
        name: str,
        type: ScalarType,
        *,
        default: Scalar | None = None,
        enum: Sequence[Scalar] | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        pattern: str | None = None,
        description: str | None = None,
        display_name: str | None = None,
    ) -> Parameter:
        """Add a scalar that the caller may set at start; without a default the caller must."""
        rest = given(
            default=default,
            enum=enum,
            minimum=minimum,
            maximum=maximum,
            pattern=pattern,
            description=description,
            display_name=display_name,
        )
        self.draft.put("parameters", name, {"type": type, **rest}, (NAME, "type"))
        return Parameter(name, type)

    def dataset(
        self,
        name: str,
        type: ArtifactType,
        *,
        path: str | os.PathLike[str] | None = None,
        uri: str | Mapping[str, str] | None = None,
        version: str | None = None,
        optional: bool | None = None,
        description: str | None = None,
        display_name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Add data from outside; without `path` and `uri` a slot that the caller fills."""
        rest = given(
            path=os.fspath(path) if path is not None else None,
            uri=uri,
            version=version,
            optional=optional,
            description=description,
            display_name=display_name,
            tags=tags,
        )
        self.draft.put("datasets", name, {"type": type, **rest}, (NAME, "type"))
        return Dataset(name, type)

    def environment(
        self,
        name: str,
        *,
        python: str | None = None,
        packages: Sequence[str] | None = None,
        requirements: str | None = None,
        conda: str | None = None,
        image: str | Mapping[str, str] | None = None,
        description: str | None = None,
    ) -> str:
        """Add an environment and give its name, for `environment=` of a step."""
        body = given(
            python=python,
            packages=packages,
            requirements=requirements,
            conda=conda,
            image=image,
            description=description,
        )
        self.draft.put("environments", name, body)
        return name

    def condition(self, name: str, expression: Value | str) -> Value:
        """Name a condition, for `when=` of steps: `when=good`, `when=~good`."""
        self.draft.put("conditions", name, expression, (NAME, VALUE))
        return Value(ConditionRef(name))

    def output(self, name: str, value: Value | str) -> None:
        """Add an output of the pipeline."""
        self.draft.put("outputs", name, value, (NAME, VALUE))

    def __getitem__(self, step: str) -> Step:
        """Give a step by its name, as that of a pipeline read from YAML. Raises SpecError (P143)."""
        steps: dict[str, Any] = self.draft.document.get("steps") or {}
        if step not in steps:
            refuse("P143", f"there is no step '{step}'", nearest(step, steps, "steps"))
        body = steps[step]
        default = {"predictions": "folder"} if body.get("kind") == "predict" else {}
        types = types_of(body.get("outputs", default), body.get("kind") == "map")
        return Step(step, StepOutputs(step, None if "uses" in body else types))

    def steps(self) -> list[str]:
        """Give the names of the steps, in the order in which they were added."""
        return list(self.draft.document.get("steps") or {})

    def source(self) -> DraftSource:
        """Give the document as the loader takes it; the code of function steps is written out.

        Raises:
            SpecError: functions that cannot be shipped (P145, P147); all of them at once.
            RunError: the folder for it cannot be written (P480).
        """
        document = copy.deepcopy(self.draft.document)
        said: dict[Diagnostic, None] = {}
        if self.functions:
            from penstock.authoring.shipping import Gathered, code_folder
            from penstock.runtime.project import find_project

            wrong: list[Diagnostic] = []
            gathered: Gathered = {}
            laid_out: dict[str, Path] = {}
            for step, function in self.functions.items():
                home = find_project(self.folder).create_home()
                try:
                    shipped = code_folder(function.function, gathered)
                    if shipped.name not in laid_out:
                        laid_out[shipped.name] = shipped.write(home / "functions")
                    code = laid_out[shipped.name]
                except OSError as fault:
                    from penstock.diagnostics import error

                    message = f"the code of step '{step}' cannot be written: {fault.strerror or fault}"
                    raise RunError([error("P480", message, hint=f"make {home} writable")]) from None
                except SpecError as fault:
                    wrong += fault.diagnostics
                    continue
                said |= dict.fromkeys(shipped.left)
                body = document["steps"][step]
                relative = os.path.relpath(code, self.folder).replace(os.sep, "/")
                document["steps"][step] = {**body, "code": relative}
            if wrong:
                raise SpecError(dict.fromkeys(wrong))
        file = self.file or Path.cwd() / f"{self.name}.py"
        return DraftSource(self.draft, document, file, tuple(said))

    def to_spec(self) -> PipelineSpec:
        """Give the models that the YAML gives.

        Raises:
            SpecError: what was said has the wrong form; every finding, at the line of its call.
        """
        from penstock.diagnostics import has_errors
        from penstock.loader import load_source

        loaded = load_source(self.source())
        if loaded.spec is None or has_errors(loaded.diagnostics):
            raise SpecError(loaded.diagnostics)
        return loaded.spec

    def to_yaml(self) -> str:
        """Write the pipeline as YAML that loads to an equal spec. Raises SpecError as `to_spec` does."""
        from penstock.authoring.compact import compact
        from penstock.authoring.yaml_text import write

        return write(compact(self.to_spec()))

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the YAML, and beside it, in `functions/`, the code of function steps.

        Paths are made relative to the new file. Raises SpecError as `to_spec` does, and OSError.
        """
        from penstock.authoring.compact import compact
        from penstock.authoring.moving import moved
        from penstock.authoring.yaml_text import write

        file = Path(path).absolute()
        document = compact(self.to_spec())
        own: dict[str, str] = {}
        if self.functions:
            from penstock.authoring.shipping import code_folder

            for step, function in self.functions.items():
                own[step] = (
                    f"functions/{code_folder(function.function).write(file.parent / 'functions').name}"
                )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(write(moved(document, self.folder, file.parent, own)), encoding="utf-8")
        return file

    def check(self, target: str = "", profile: str = "") -> list[Diagnostic]:
        """Find everything that is wrong; with a target, also what that target cannot keep."""
        from penstock import compiler
        from penstock.authoring.script import offering

        with offering(self) as path:
            return compiler.check(path, target, profile)

    def compile(self, target: str, profile: str = "") -> Bundle:
        """Compile to a target's native documents. Raises SpecError."""
        from penstock import compiler
        from penstock.authoring.script import offering

        with offering(self) as path:
            return compiler.compile_bundle(path, target, profile)

    def run(self, **asked: Unpack[RunOptions]) -> Run:
        """Run offline, as `penstock.run` does and with its arguments."""
        from penstock import api
        from penstock.authoring.script import offering

        with offering(self) as path:
            return api.run(path, **asked)

    def __repr__(self) -> str:
        return f"<pipeline {self.name}>"


__all__ = ["Dataset", "Output", "Parameter", "Pipeline"]
