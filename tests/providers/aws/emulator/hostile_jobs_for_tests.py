"""A project whose jobs do what they should not, beside files that nobody may touch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.generated.offline.definitions import document, laid_out, left, processing, training

import penstock
from penstock.runtime.results import Run

OUT = "/opt/ml/processing/out"


class Bench:
    """A folder with a project, and beside it what nobody may touch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = laid_out(folder / "work")
        self.kept = folder / "kept"
        for name in ("out/precious", "data/precious", "model/precious", "message", "failure"):
            (self.kept / name).parent.mkdir(parents=True, exist_ok=True)
            (self.kept / name).write_text(f"secret {name}", encoding="utf-8")

    def definition(self, *steps: dict[str, Any]) -> Path:
        path = self.project / "probe.json"
        path.write_text(json.dumps(document(*steps)), encoding="utf-8")
        return path

    def run(self, *steps: dict[str, Any], **asked: Any) -> Run:
        given = {"s3://given": self.project / "given"}
        return penstock.run(self.definition(*steps), project=self.project, replace=given, **asked)

    def log(self, run: Run, step: str = "job") -> str:
        path = self.project / ".penstock" / run.steps[step].log
        return path.read_text(encoding="utf-8", errors="replace")

    def processing(self, script: str, **arguments: Any) -> dict[str, Any]:
        outputs = {"ProcessingOutputConfig": {"Outputs": [left("out", OUT)]}}
        return processing("job", arguments={**self._script(script), **outputs, **arguments})

    def training(self, script: str, **arguments: Any) -> dict[str, Any]:
        self._script(script)
        specification = {
            "TrainingImage": "probe",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["bash", "/opt/ml/input/data/code/hostile.sh"],
        }
        return training("job", arguments={"AlgorithmSpecification": specification, **arguments})

    def _script(self, script: str) -> dict[str, Any]:
        (self.project / "given" / "code" / "hostile.sh").write_text(script, encoding="utf-8")
        entrypoint = ["bash", "/opt/ml/processing/code/hostile.sh"]
        return {"AppSpecification": {"ImageUri": "probe", "ContainerEntrypoint": entrypoint}}

    def untouched(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.kept)): path.read_text(encoding="utf-8")
            for path in sorted(self.kept.rglob("*"))
            if path.is_file()
        }
