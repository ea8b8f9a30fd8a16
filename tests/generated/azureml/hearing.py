"""One changed job run offline, and what comes of it: what is said, what its nodes did, made, measured, printed."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tests.generated.mutating import Mutation, apply, nodes, others

import penstock
from penstock.diagnostics import Path as DocumentPath
from penstock.errors import PenstockError
from penstock.models.registry import ModelRegistry
from penstock.runtime.events import Event, Notice
from penstock.runtime.ledger import Ledger
from penstock.runtime.project import Project
from penstock.runtime.results import Run

HERE = Path(__file__).parent
JOB = "job.yml"
_MOST_CHANGES = 6
_CHOICES = [
    ["ro_mount", "download", "direct"],
    ["rw_mount", "upload"],
    ["uri_file", "uri_folder"],
    ["string", "integer", "number", "boolean"],
    ["pytorch", "mpi", "tensorflow"],
    ["grid", "random", "sobol", "bayesian"],
    ["choice", "randint"],
    ["uniform", "loguniform", "normal"],
    ["quniform", "qloguniform", "qnormal"],
    ["maximize", "minimize"],
    ["bandit", "median_stopping", "truncation_selection"],
    ["python=3.11", "python=3.12"],
    ["hello", "bye"],
    ["INFO", "DEBUG", "WARNING"],
    ["true", "false"],
    ["b", "a"],
    ["./rows", "./more"],
    ["./rows/a.csv", "./rows/b.csv"],
    ["./src", "./other"],
    ["batch.py", "other.py"],
]
"""Words of which one may stand for another."""
_TIMES = re.compile(r"^(started|ended|seconds|pid|time|timestamp|duration)$")
_PORTS = re.compile(r"127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Subject:
    """A job and how it is run.

    Attributes:
        documents: by file; `job.yml` is run, the others are components.
        again: whether it is run twice in one project, so that its caching shows.
        only: the part that is changed: a pattern that `file:path` begins with.
    """

    documents: Mapping[str, dict[str, Any]]
    again: bool = False
    only: str = ""


@dataclass
class Heard:
    """A subject in a folder of its own, where it is changed and run.

    Attributes:
        folder: an empty one.
    """

    subject: Subject
    folder: Path
    runs: int = 0
    base: Any = field(init=False)

    def __post_init__(self) -> None:
        shutil.copytree(
            HERE / "given", self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        # What stands beside code and its entry module, to be named in their place.
        entry = self.folder / "src" / "batch.py"
        entry.with_name("other.py").write_text(entry.read_text(encoding="utf-8").replace('"init"', '"other"'))
        shutil.copytree(self.folder / "src", self.folder / "other")
        (self.folder / "other" / "mark.txt").touch()
        self.base = self.seen()

    def fields(self) -> Iterator[tuple[str, DocumentPath, object]]:
        """Give every field of the part in question, of the job and its components."""
        yield from fields(self.subject)

    def silent(self, file: str, path: DocumentPath, value: object) -> str:
        """Change one field in several ways; say which of them ran as if nothing had been changed, where all did.

        A change that is refused shows that checking reads the field, and not that the emulator does.
        """
        changes = [Mutation(file, path, "change", each) for each in _others(value)]
        deaf = ""
        for each in [*islice(changes, _MOST_CHANGES), Mutation(file, path, "delete")]:
            seen = self.seen(each)
            if seen == self.base:
                deaf = deaf or str(each)
            elif "refused" not in seen:
                return ""
        return deaf

    def seen(self, mutation: Mutation | None = None) -> Any:
        """Run the job, changed or not: what it left, without times and the names that each run has anew."""
        for name, each in self.subject.documents.items():
            document = each
            if mutation is not None and mutation.file == name:
                document = deepcopy(each)
                apply(document, mutation)
            (self.folder / name).write_text(json.dumps(document), encoding="utf-8")
        self.runs += 1
        project = self.folder / f"project-{self.runs}"
        project.mkdir()
        try:
            found = self._ran(project)
            if "refused" in found:
                return found
            if self.subject.again:
                found = {"first": found, "second": self._ran(project)}
            return _without_names(found, project)
        finally:
            shutil.rmtree(project)

    def _ran(self, project: Path) -> dict[str, Any]:
        notices: list[str] = []

        def watch(event: Event) -> None:
            if isinstance(event, Notice):
                notices.append(f"{event.step}: {event.message}")

        try:
            run = penstock.run(self.folder / JOB, project=project, watch=watch)
        except PenstockError as refused:
            return {"refused": [(each.code, each.severity, each.message) for each in refused.diagnostics]}
        return {
            "pipeline": run.record.pipeline,
            "status": str(run.record.status),
            "message": run.record.message,
            "notices": sorted(notices),
            "parameters": run.record.parameters,
            "outputs": run.record.outputs,
            "steps": {name: _step(run, name) for name in run.steps},
            "stores": _files(run.folder / "datastores"),
            "workspace": _files(project / ".penstock" / "azureml"),
            "registered": _registered(project),
        }


def fields(subject: Subject) -> Iterator[tuple[str, DocumentPath, object]]:
    """Give every node below the roots of a subject's documents that its `only` names."""
    for file, document in subject.documents.items():
        for path, value in nodes(document):
            if re.match(subject.only, named(file, path)):
                yield file, path, value


def named(file: str, path: DocumentPath) -> str:
    """Name a field."""
    return f"{file}:{'.'.join(map(str, path))}"


def _others(value: object) -> list[object]:
    if isinstance(value, str):
        for choices in _CHOICES:
            if value in choices:
                return [each for each in choices if each != value]
        if value.startswith("${{"):
            # One reference in the place of another is a change that another field tells.
            return [f"x {value}"]
    return [] if isinstance(value, dict | list) else others(value, [])


def _step(run: Run, name: str) -> dict[str, Any]:
    record = run.steps[name]
    details = {
        key: record.details.get(key) for key in ("values", "outcome", "metrics", "registered", "models")
    }
    return {
        "kind": record.kind,
        "status": str(record.status),
        "message": record.message,
        "attempt": record.attempt,
        "exit": (record.exit_code, record.signal),
        "cache": (record.cache, record.cache_reason),
        "outputs": [asdict(each) for each in record.outputs],
        "metrics": _timeless(record.metrics),
        "search": _timeless(record.search),
        "details": _timeless(details),
        "logs": _logs(run, name),
    }


def _logs(run: Run, step: str) -> dict[str, list[str]]:
    # Processes of one node print beside each other.
    logs = sorted((run.folder / "logs").glob(f"{step}*.txt"))
    return {
        each.name: sorted(each.read_text(encoding="utf-8", errors="replace").splitlines()) for each in logs
    }


def _files(folder: Path) -> list[str]:
    """Name the files below a folder."""
    return sorted(
        os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names
    )


def _registered(project: Path) -> Any:
    with Ledger.open(Project(project).ledger) as ledger:
        registry = ModelRegistry(ledger.database)
        found = [each.to_json() for model in registry.list_models() for each in registry.versions(model.name)]
    return [{key: each[key] for key in ("name", "description", "metrics", "tags")} for each in found]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if not _TIMES.search(key)}  # pyright: ignore
    return [_timeless(each) for each in value] if isinstance(value, list) else value  # pyright: ignore


def _without_names(found: Any, project: Path) -> Any:
    """Put the same names in the place of those that hang on the ids of runs, and on where they ran."""
    text = json.dumps(found, default=str)
    with Ledger.open(Project(project).ledger) as ledger:
        runs = ledger.runs(10)
    for each in runs:
        text = text.replace(each.id, "RUN")
    return json.loads(_PORTS.sub("HOST", text.replace(str(project), "PROJECT")))
