"""Jobs of a compiled definition, run as the service would: a private /opt/ml, and the container's own command.

A small stand-in for the service's contract, written against the published one and not against the lowering: keys
begin with a prefix, objects bear no permissions, training jobs leave two archives.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from tests.sagemaker_for_tests import Compiled

from penstock.bundle_folder import copy_asset

# /tmp is private too: it is where the launcher unpacks.
_SCRIPT = """set -e
mount -t tmpfs none /opt && mkdir /opt/ml && mount --bind "$1" /opt/ml && mount -t tmpfs none /tmp
cd / && shift && exec "$@"
"""


@cache
def namespaces() -> tuple[str, ...]:
    """Give the words that start a private file system; the test is skipped where there are none."""
    for words in (("unshare", "-m"), ("unshare", "-rm")):
        probe = [*words, "bash", "-c", _SCRIPT, "job", "/usr", "true"]
        if (
            shutil.which("unshare")
            and subprocess.run(probe, capture_output=True, check=False).returncode == 0
        ):
            return words
    return ()


@dataclass
class Service:
    """Storage, parameters, and what steps that ran have left."""

    folder: Path
    compiled: Compiled
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if not namespaces() or sys.prefix.startswith("/tmp"):
            pytest.skip("this machine gives no private /opt/ml")
        for each in self.compiled.definition.get("Parameters", ()):
            if "DefaultValue" in each:
                self.values.setdefault(each["Name"], each["DefaultValue"])
        for asset in self.compiled.bundle.assets:
            place = self.place(asset.upload_to)
            place.parent.mkdir(parents=True, exist_ok=True)
            if asset.content is not None:
                place.write_bytes(asset.content)
            elif not place.exists():
                spec_folder = self.compiled.bundle.folder or Path()
                copy_asset(asset, spec_folder / place)
            for path in place.rglob("*") if place.is_dir() else [place]:
                if path.is_file():
                    path.chmod(0o644)

    def place(self, uri: str) -> Path:
        return self.folder / "s3" / uri.removeprefix("s3://")

    def value(self, given: Any) -> Any:
        """Resolve an expression."""
        if not isinstance(given, dict):
            return given
        ((form, body),) = cast("dict[str, Any]", given).items()
        if form == "Get":
            return self.get(body)
        assert form == "Std:Join"
        return str(body["On"]).join(str(self.value(each)) for each in body["Values"])

    def get(self, path: str) -> Any:
        if path.startswith("Parameters."):
            return self.values[path.removeprefix("Parameters.")]
        if path.startswith("Execution."):
            return {"PipelineExecutionId": "abcdefghijkl", "StartDateTime": "2026-01-01T00:00:00Z"}[
                path.split(".")[1]
            ]
        matched = re.fullmatch(r"Steps\.(\w+)\.(.+)", path)
        assert matched
        step, rest = matched.groups()
        arguments = self.compiled.arguments(step)
        if output := re.fullmatch(r"ProcessingOutputConfig\.Outputs\['(\w+)'\]\.S3Output\.S3Uri", rest):
            outputs = arguments["ProcessingOutputConfig"]["Outputs"]
            return self.value(
                next(each for each in outputs if each["OutputName"] == output[1])["S3Output"]["S3Uri"]
            )
        if rest.startswith("BestTrainingJob."):
            return {"BestTrainingJob.TrainingJobName": f"job-{step}"}[rest]
        if rest == "TrainingJobDefinition.OutputDataConfig.S3OutputPath":
            return self.value(arguments["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"])
        root = self.value(arguments["OutputDataConfig"]["S3OutputPath"])
        known = {
            "ModelArtifacts.S3ModelArtifacts": f"{root}/job-{step}/output/model.tar.gz",
            "OutputDataConfig.S3OutputPath": root,
            "TrainingJobName": f"job-{step}",
        }
        return known[rest]

    def run(self, name: str, *, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one step to its end, and keep its outputs where the service would."""
        step, job = self.compiled.step(name), self.folder / "jobs" / name
        shutil.rmtree(job, ignore_errors=True)
        job.mkdir(parents=True)
        run = self._processing if step["Type"] == "Processing" else self._training
        ended = run(step["Arguments"], job, name)
        if succeeds:
            assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def trial(
        self, name: str, drawn: dict[str, str], *, succeeds: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one trial of a search, as a training job whose image has the toolkit; it becomes the best one."""
        definition, job = self.compiled.arguments(name)["TrainingJobDefinition"], self.folder / "jobs" / name
        shutil.rmtree(job, ignore_errors=True)
        job.mkdir(parents=True)
        static = {key: str(self.value(each)) for key, each in definition["StaticHyperParameters"].items()}
        words, variables = toolkit({**static, **drawn, "_tuning_objective_metric": "any"})
        with tarfile.open(self.place(json.loads(static["sagemaker_submit_directory"]))) as tar:
            tar.extractall(job / "code", filter="data")
        (job / "input" / "config").mkdir(parents=True)
        given = json.dumps({**static, **drawn})
        (job / "input" / "config" / "hyperparameters.json").write_text(given, encoding="utf-8")
        program = f"/opt/ml/code/{json.loads(static['sagemaker_program'])}"
        container = {"ContainerEntrypoint": ["python", program, *words]}
        environment = {**definition.get("Environment", {}), **variables, "TRAINING_JOB_NAME": f"job-{name}"}
        arguments = {**definition, "AlgorithmSpecification": container, "Environment": environment}
        ended = self._training(arguments, job, name)
        if succeeds:
            assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def _processing(self, arguments: dict[str, Any], job: Path, _: str) -> subprocess.CompletedProcess[str]:
        for each in arguments["ProcessingInputs"]:
            self._download(each["S3Input"]["S3Uri"], job / _inside(each["S3Input"]["LocalPath"]))
        # Machines share the outputs' addresses, and here the folders too; they run one after another.
        hosts = [f"algo-{each + 1}" for each in range(self._machines(arguments))]
        (job / "config").mkdir()
        ended = None
        for host in hosts:
            resources = json.dumps({"current_host": host, "hosts": hosts})
            (job / "config" / "resourceconfig.json").write_text(resources, encoding="utf-8")
            ended = self._container(arguments["AppSpecification"], arguments, job)
        assert ended is not None
        for each in arguments.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            source = job / _inside(each["S3Output"]["LocalPath"])
            if source.exists():
                shutil.copytree(source, self.place(self.value(each["S3Output"]["S3Uri"])), dirs_exist_ok=True)
        return ended

    def _machines(self, arguments: dict[str, Any]) -> int:
        return int(self.value(arguments["ProcessingResources"]["ClusterConfig"]["InstanceCount"]))

    def _training(self, arguments: dict[str, Any], job: Path, name: str) -> subprocess.CompletedProcess[str]:
        for folder in ("model", "output", "input/config"):
            (job / folder).mkdir(parents=True, exist_ok=True)
        for each in arguments["InputDataConfig"]:
            source = each["DataSource"]["S3DataSource"]["S3Uri"]
            self._download(source, job / "input" / "data" / each["ChannelName"])
        ended = self._container(arguments["AlgorithmSpecification"], arguments, job)
        root = (
            self.place(self.value(arguments["OutputDataConfig"]["S3OutputPath"])) / f"job-{name}" / "output"
        )
        root.mkdir(parents=True, exist_ok=True)
        for folder, archive in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
            if (job / folder).is_dir() and any((job / folder).iterdir()):
                with tarfile.open(root / archive, "w:gz") as tar:
                    for each in sorted((job / folder).iterdir()):
                        tar.add(each, each.name)
        return ended

    def _container(
        self, container: dict[str, Any], arguments: dict[str, Any], job: Path
    ) -> subprocess.CompletedProcess[str]:
        words = [*container["ContainerEntrypoint"], *container.get("ContainerArguments", ())]
        variables = {key: str(self.value(each)) for key, each in arguments.get("Environment", {}).items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin{os.pathsep}/usr/sbin"
        return subprocess.run(
            [
                *namespaces(),
                "bash",
                "-c",
                _SCRIPT,
                "job",
                str(job),
                *(str(self.value(each)) for each in words),
            ],
            env={"PATH": path, "LANG": "C.UTF-8", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _download(self, uri: Any, folder: Path) -> None:
        """Bring every object whose key begins with the address; one object alone keeps its name."""
        source = self.place(self.value(uri))
        folder.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copyfile(source, folder / source.name)
            return
        parent = source if source.is_dir() else source.parent
        assert parent.is_dir(), f"nothing stands at {self.value(uri)}"
        for beside in source.parent.iterdir():
            assert beside == source or not beside.name.startswith(source.name), (
                "a prefix brings another folder along"
            )
        shutil.copytree(source, folder, dirs_exist_ok=True)


def toolkit(given: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Give the words and the environment that a training toolkit makes of hyperparameters, which it decodes."""
    decoded: dict[str, Any] = {}
    for key, text in sorted(given.items()):
        if not key.startswith(("sagemaker_", "_")):
            try:
                decoded[key] = json.loads(text)
            except ValueError:
                decoded[key] = text
    words = [
        word
        for key, each in decoded.items()
        for word in (f"--{key}" if len(key) > 1 else f"-{key}", str(each))
    ]
    variables = {f"SM_HP_{key.upper()}": str(each) for key, each in decoded.items()}
    return words, {**variables, "SM_HPS": json.dumps(decoded), "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config"}


def _inside(path: str) -> str:
    assert path.startswith("/opt/ml/"), path
    return path.removeprefix("/opt/ml/")
