"""One changed definition run offline, and what comes of it: what is said, what the steps did, made, printed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tests.generated.mutating import Mutation, apply, nodes, others
from tests.generated.offline.definitions import Subject, laid_out

import penstock
from penstock.diagnostics import Path as DocumentPath
from penstock.errors import PenstockError
from penstock.models.registry import ModelRegistry
from penstock.runtime.events import Event, Notice
from penstock.runtime.ledger import Ledger
from penstock.runtime.project import Project
from penstock.runtime.results import Run
from penstock_aws.sagemaker.emulator.account import account_of
from penstock_aws.sagemaker.validation.findings import is_list, is_object

_MOST_CHANGES = 6
_CHOICES = [
    ["File", "FastFile", "Pipe"],
    ["S3Prefix", "ManifestFile", "AugmentedManifestFile"],
    ["FullyReplicated", "ShardedByS3Key"],
    ["EndOfJob", "Continuous"],
    ["None", "Gzip", "GZIP", "NONE", "RecordIO", "Line", "Input"],
    ["String", "Integer", "Float", "Boolean"],
    ["Linear", "Logarithmic", "ReverseLogarithmic", "Auto", "Off"],
    ["Random", "Grid", "Bayesian"],
    ["Minimize", "Maximize"],
    ["MultiRecord", "SingleRecord"],
    ["PendingManualApproval", "Approved", "Rejected"],
    ["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"],
    ["Processing", "Training", "Fail"],
    ["probe", "probe-run", "probe-script", "unknown"],
    ["Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"],
    ["P30D", "PT0S"],
    ["ml.m5.large", "ml.m5.xlarge", "ml.g4dn.xlarge"],
    ["true", "True"],
    ["on", "off"],
    ["hello", "bye"],
    ["0.9", "0.8"],
    ['"a"', '"c"'],
]
"""Words of which one may stand for another."""
_TIMES = re.compile(r"Timestamp|Time$|TimeInSeconds$|^started$|^ended$|^seconds$|^CallbackToken$")


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
        laid_out(self.folder)
        self.base = self.seen()

    def fields(self) -> Iterator[tuple[DocumentPath, object]]:
        """Give every field of the part in question: those that hold one value, empty ones, and whole maps and lists."""
        for path, value in nodes(self.subject.document):
            if re.match(self.subject.only, ".".join(map(str, path))):
                yield path, value

    def silent(self, path: DocumentPath, value: object) -> str:
        """Change one field in several ways; say which of them ran as if nothing had been changed, where all did.

        A change that is refused shows that checking reads the field, and not that the emulator does.
        """
        changes = [Mutation("", path, "change", each) for each in self._others(value)]
        deaf = ""
        for each in [*islice(changes, _MOST_CHANGES), Mutation("", path, "delete")]:
            seen = self.seen(each)
            if seen == self.base:
                deaf = deaf or str(each)
            elif "refused" not in seen:
                return ""
        return deaf

    def _others(self, value: object) -> list[object]:
        if isinstance(value, str):
            for choices in _CHOICES:
                if value in choices:
                    return [each for each in choices if each != value]
        if isinstance(value, dict | list):
            return []
        return others(value, [])

    def seen(self, mutation: Mutation | None = None) -> Any:
        """Run the definition, changed or not: what it left, without times and the names that each run has anew."""
        document = deepcopy(self.subject.document)
        if mutation is not None:
            apply(document, mutation)
        definition = self.folder / "probe.json"
        definition.write_text(json.dumps(document), encoding="utf-8")
        self.runs += 1
        project = self.folder / f"project-{self.runs}"
        project.mkdir()
        try:
            found = self._ran(definition, project, document)
            if "refused" in found:
                return found
            if self.subject.again:
                found = {"first": found, "second": self._ran(definition, project, document)}
            return _without_names(found, project)
        finally:
            shutil.rmtree(project)

    def _ran(self, definition: Path, project: Path, document: dict[str, Any]) -> dict[str, Any]:
        notices: list[str] = []

        def watch(event: Event) -> None:
            if isinstance(event, Notice):
                notices.append(f"{event.step}: {event.message}")

        given = {"s3://given": self.folder / "given"}
        try:
            run = penstock.run(
                definition, replace=given, faults=self.subject.faults, project=project, watch=watch
            )
        except PenstockError as refused:
            return {"refused": [(each.code, each.severity, each.message) for each in refused.diagnostics]}
        return {
            "status": str(run.record.status),
            "message": run.record.message,
            "notices": sorted(notices),
            "parameters": run.record.parameters,
            "steps": {name: _step(run, name, _arguments(document, name)) for name in run.steps},
            "registered": _registered(project),
        }


def _step(run: Run, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    record = run.steps[name]
    response: dict[str, Any] = record.details.get("response") or {}
    # What a request says comes back in the record of its job, also where nobody else reads it. What is registered is
    # a record, and nothing else.
    told = {key: each for key, each in response.items() if key not in arguments or record.kind == "register"}
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
        "told": _timeless(told),
        "logs": _logs(run, name),
    }


def _logs(run: Run, step: str) -> dict[str, str]:
    logs = sorted((run.folder / "logs").glob(f"{step}*.txt"))
    return {each.name: each.read_text(encoding="utf-8", errors="replace") for each in logs}


def _registered(project: Path) -> Any:
    with Ledger.open(Project(project).ledger) as ledger:
        registry = ModelRegistry(ledger.database)
        found = [each.to_json() for model in registry.list_models() for each in registry.versions(model.name)]
    return [
        {key: each[key] for key in ("name", "description", "metrics", "serving", "approval", "tags")}
        for each in found
    ]


def _arguments(document: Any, name: str) -> Mapping[str, Any]:
    for path, value in nodes(document):
        if path[-1] == "Name" and value == name:
            step: Any = document
            for part in path[:-1]:
                step = step[part]
            found: Any = step.get("Arguments") if "Type" in step else None
            if is_object(found):
                return found
    return {}


def _timeless(value: Any) -> Any:
    if is_object(value):
        return {key: _timeless(each) for key, each in value.items() if not _TIMES.search(key)}
    return [_timeless(each) for each in value] if is_list(value) else value


def _without_names(found: Any, project: Path) -> Any:
    """Put the same names in the place of those that hang on the ids of runs."""
    text = json.dumps(found, default=str)
    with Ledger.open(Project(project).ledger) as ledger:
        runs = ledger.runs(10)
    for each in runs:
        execution = account_of(each.pipeline, each.id).execution
        text = re.sub(
            rf"({execution}-[A-Za-z0-9-]*?)-[a-z0-9]{{10}}(?:(-\d{{3}})-[a-z0-9]{{8}})?\b", r"\1-JOB\2", text
        )
        text = text.replace(each.id, "RUN").replace(execution, "EXECUTION")
    return json.loads(text)
