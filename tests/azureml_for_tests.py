"""Specs written as text and compiled for Azure ML, their documents taken apart, and run as the service would."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType
from typing import Any, cast

import pytest
import yaml

from penstock.bundle import Bundle
from penstock.compiler import compile_bundle
from penstock.diagnostics import Diagnostic
from penstock.errors import PenstockError

HEAD = "penstock: v1\nkind: pipeline\nname: probe\n"
_FILES = ("uri_file",)
# What the service's driver does in each of its processes: arguments of its own stand on both sides.
_DRIVER = """
import importlib, json, os, sys
script, batches, rows, *words = sys.argv[1:]
sys.argv = ["amlbi_main.py", "--output", "/its/own", *words, "--mini_batch_size", "1"]
sys.path.insert(0, os.getcwd())
entry = importlib.import_module(script[:-3])
entry.init()
failed = lost = 0
for batch in json.loads(batches):
    try:
        done = entry.run(batch)
        lost += len(batch) - len(done)
        if rows:
            with open(rows, "a") as file:
                file.writelines(each + chr(10) for each in done)
    except Exception as fault:
        print("call failed:", fault)
        failed, lost = failed + 1, lost + len(batch)
getattr(entry, "shutdown", lambda: None)()
print(json.dumps([failed, lost]))
"""


@dataclass(frozen=True)
class Compiled:
    """A bundle for Azure ML and its documents."""

    bundle: Bundle

    @property
    def job(self) -> dict[str, Any]:
        return self.read("pipeline.yml")

    def read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.bundle.texts[path])
        return found

    def node(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.job["jobs"][name]
        return found

    def component(self, name: str) -> dict[str, Any]:
        return self.read(f"components/{name}.yml")

    def command(self, name: str) -> list[str]:
        """Give the lines of a component's command behind the first, which sets how bash runs it."""
        first, *rest = self.component(name)["command"].splitlines()
        assert first == "set -euo pipefail"
        return list(rest)

    def codes(self) -> list[str]:
        return [each.code for each in self.bundle.diagnostics]


def write(folder: Path, text: str, name: str = "pipeline.yaml") -> Path:
    """Write a spec; the head is put in front where the text has none."""
    body = dedent(text).lstrip("\n")
    path = folder / name
    path.write_text(body if body.startswith("penstock:") else HEAD + body, encoding="utf-8")
    return path


def compiled(folder: Path, text: str, profile: str = "") -> Compiled:
    """Compile a spec; validation has no findings, or the compile itself would fail or warn."""
    made = Compiled(compile_bundle(write(folder, text), "azureml", profile))
    assert not [each for each in made.bundle.diagnostics if each.code.startswith("P39")]
    return made


def refused(folder: Path, text: str, profile: str = "") -> list[Diagnostic]:
    """Give what is said against a spec that cannot be compiled."""
    with pytest.raises(PenstockError) as caught:
        compile_bundle(write(folder, text), "azureml", profile)
    return list(caught.value.diagnostics)


@dataclass
class Ran:
    """What a run of a bundle left.

    Attributes:
        codes: node → its exit code; nodes behind a failed one are missing.
        outputs: node → output → path.
        said: node → what it printed, both streams.
    """

    codes: dict[str, int] = field(default_factory=dict[str, int])
    outputs: dict[str, dict[str, Path]] = field(default_factory=dict[str, dict[str, Path]])
    said: dict[str, str] = field(default_factory=dict[str, str])

    def text(self, node: str, output: str) -> str:
        return self.outputs[node][output].read_bytes().decode()


class Service:
    """Runs a bundle's job by the runtime contract: textual substitution, `bash -c`, a copy of the code folder.

    Attributes:
        python: what the driver of parallel nodes runs with; commands take theirs from PATH.
        variables: what every node's environment has besides.
    """

    python: str = sys.executable
    variables: Mapping[str, str] = MappingProxyType({})

    def __init__(self, made: Compiled, folder: Path, given: dict[str, Any] | None = None) -> None:
        root = made.bundle.write(folder / "bundle")
        self._open(root / "pipeline.yml", folder / "work", given or {})

    def _open(self, file: Path, work: Path, given: dict[str, Any]) -> None:
        self.root, self.work = file.parent, work
        self.job: dict[str, Any] = yaml.safe_load(file.read_bytes())
        inputs = self.job.get("inputs", {})
        unset = {name for name, each in inputs.items() if isinstance(each, dict) and "optional" in each}
        self.given = {name: self._literal(each) for name, each in inputs.items() if name not in unset}
        self.given |= {name: as_text(each) for name, each in given.items()}
        self.ran = Ran()

    def _literal(self, declared: Any) -> str:
        if not isinstance(declared, dict):
            return as_text(declared)
        found = cast("dict[str, Any]", declared)
        return str(self.root / found["path"]) if "path" in found else as_text(found.get("default", ""))

    def run(self) -> Ran:
        """Run every node whose producers ended well, in an order in which they stand before it."""
        left: dict[str, Any] = dict(self.job["jobs"])
        while ready := [name for name, node in left.items() if producers(node) <= self.ran.codes.keys()]:
            for name in ready:
                node = left.pop(name)
                if all(self.ran.codes[each] == 0 for each in producers(node)):
                    self._run(name, node)
        return self.ran

    def _bound(self, value: Any) -> str:
        if isinstance(value, dict):
            found = cast("dict[str, Any]", value)
            return self._bound(found["path"])
        text = as_text(value)
        if match := re.fullmatch(r"\$\{\{parent\.inputs\.(\w+)\}\}", text):
            return self.given[match[1]]
        if match := re.fullmatch(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.(\w+)\}\}", text):
            return str(self.ran.outputs[match[1]][match[2]])
        assert "${{" not in text, text
        return text

    def _run(self, name: str, node: dict[str, Any]) -> None:
        # A native node has no component: it declares what it binds.
        component: dict[str, Any] = node
        file = self.root / "components" / "native.yml"
        if "component" in node:
            file = self.root / node["component"]
            component = yaml.safe_load(file.read_bytes())
        # An optional input of the pipeline that is unset leaves those bound to it unset.
        bound = {key: each for key, each in node.get("inputs", {}).items() if self._is_set(each)}
        inputs = {key: self._bound(value) for key, value in bound.items()}
        declared_inputs: dict[str, Any] = component.get("inputs", {})
        spare = {"optional", "default"}
        needed = {
            key for key, each in declared_inputs.items() if not (isinstance(each, dict) and spare & {*each})
        }
        assert needed <= inputs.keys() <= declared_inputs.keys()
        if node.get("type") == "pipeline":
            self._run_nested(name, file, inputs)
            return
        place = self.work / name
        code = place / "code"
        source = component.get("task", component).get("code")
        if source:
            shutil.copytree((file.parent / source).resolve(), code)
        else:
            code.mkdir(parents=True)
        outputs: dict[str, Path] = {}
        for key, declared in component.get("outputs", {}).items():
            outputs[key] = place / "outputs" / key
            outputs[key].parent.mkdir(parents=True, exist_ok=True)
            if isinstance(declared, str):
                declared = self.job["outputs"][declared.split(".")[-1].rstrip("}")]
            if declared["type"] not in _FILES:
                outputs[key].mkdir()
        texts = {f"inputs.{key}": value for key, value in inputs.items()}
        texts |= {f"outputs.{key}": str(value) for key, value in outputs.items()}
        variables = {key: self._bound(value) for key, value in node.get("environment_variables", {}).items()}
        known = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}

        def filled(text: str) -> str:
            segment = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
            text = segment.sub(
                lambda found: found[1] if {*re.findall(r"\{\{([\w.]+)", found[1])} <= texts.keys() else "",
                text,
            )
            # One pass, as text: what a value holds is not looked at again.
            return re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", lambda found: texts[found[1]], text)

        command = (
            self._parallel(component | node, filled)
            if "task" in component
            else ["bash", "-c", filled(component["command"])]
        )
        ended = subprocess.run(
            command,
            cwd=code,
            env={**known, **self.variables, "AZUREML_ROOT_RUN_ID": "brave_sky_1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
        if "task" in component and ended.returncode == 0:
            ended.returncode = exceeded(component | node, ended.stdout.decode().splitlines()[-1])
        self.ran.codes[name] = ended.returncode
        self.ran.outputs[name] = outputs
        self.ran.said[name] = ended.stdout.decode()
        if ended.returncode == 0:
            missing = [key for key, path in outputs.items() if not path.exists()]
            assert not missing, f"{name} did not write {missing}"

    def _is_set(self, value: Any) -> bool:
        found = re.fullmatch(r"\$\{\{parent\.inputs\.(\w+)\}\}", as_text(value))
        return found is None or found[1] in self.given

    def _run_nested(self, name: str, file: Path, inputs: dict[str, str]) -> None:
        inner = Service.__new__(Service)
        inner._open(file, self.work / name, inputs)
        inner.python, inner.variables = self.python, self.variables
        ran = inner.run()
        self.ran.codes[name] = max(ran.codes.values())
        self.ran.said[name] = "".join(ran.said.values())
        self.ran.outputs[name] = {
            bound.removeprefix("${{parent.outputs.").removesuffix("}}"): ran.outputs[each][output]
            for each, node in inner.job["jobs"].items()
            for output, bound in node.get("outputs", {}).items()
            if isinstance(bound, str) and each in ran.outputs
        }

    def _parallel(self, node: dict[str, Any], filled: Callable[[str], str]) -> list[str]:
        """Give the command that plays the service's driver: every file handed out, a few at a time."""
        task, size = node["task"], int(node["mini_batch_size"])
        folder = Path(filled(node["input_data"]))
        files = [str(each) for each in sorted(folder.rglob("*")) if each.is_file()]
        batches = [files[start : start + size] for start in range(0, len(files), size)]
        words = [os.path.expandvars(each) for each in shlex.split(filled(task["program_arguments"]))]
        rows = filled(task.get("append_row_to", ""))
        return [self.python, "-c", _DRIVER, task["entry_script"], json.dumps(batches), rows, *words]


def exceeded(node: dict[str, Any], counts: str) -> int:
    """Give the exit code of a parallel node: 1 where more failed than may, calls or files."""
    limits = (node["mini_batch_error_threshold"], node["error_threshold"])
    return int(any(-1 < limit < count for count, limit in zip(json.loads(counts), limits, strict=True)))


def as_text(value: Any) -> str:
    """Write a literal as the service substitutes it: booleans as Python prints them."""
    return str(value)


def producers(node: dict[str, Any]) -> set[str]:
    """Name the nodes that a node takes data from."""
    return set(re.findall(r"parent\.jobs\.(\w+)\.outputs", str(node.get("inputs", {}))))


def run(folder: Path, text: str, **given: Any) -> Ran:
    """Compile a spec and run it."""
    return Service(compiled(folder, text), folder, given).run()
