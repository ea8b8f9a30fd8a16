"""The tumour pipeline's definition before botocore's own validator, with and without a profile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from tests.sagemaker_for_tests import PROFILES, Compiled, compiled, walk

from penstock.compiler import compile_bundle
from penstock_aws.sagemaker.validation import validate
from penstock_aws.sagemaker.validation.findings import is_list, is_object
from penstock_aws.sagemaker.validation.placeholders import sample
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES

ROOT = Path(__file__).parents[3]


def tumour(folder: Path, profile: str) -> Compiled:
    shutil.copytree(ROOT / "specs" / "tumour", folder, dirs_exist_ok=True)
    (folder / "penstock.yaml").write_text(PROFILES, encoding="utf-8")
    return Compiled(compile_bundle(folder / "pipeline.yaml", "sagemaker", profile))


def plain(value: Any, shape: Any) -> Any:
    """Put a dummy of the member's type in place of every expression."""
    if is_object(value):
        given = cast("dict[str, Any]", value)
        if given.keys() & {"Get", "Std:Join", "Std:JsonGet"}:
            return {"integer": 1, "float": 1.0, "boolean": True}.get(shape.type_name, "x" * 40)
        if shape.type_name == "structure":
            return {key: plain(each, shape.members[key]) for key, each in given.items()}
        return {key: plain(each, shape.value) for key, each in given.items()}
    if is_list(value):
        return [plain(each, shape.member) for each in value]
    return sample(value) if isinstance(value, str) else value


def reports(found: Compiled) -> dict[str, str]:
    """Give what botocore has against each job of a definition, by step; empty where it takes it."""
    pytest.importorskip("botocore")
    model: Any = import_module("botocore.session").get_session().get_service_model("sagemaker")
    validator: Any = import_module("botocore.validate").ParamValidator()
    said: dict[str, str] = {}
    for step in walk(found.definition["Steps"]):
        row = STEP_TYPES[step["Type"]]
        if not row.operation:
            continue
        shape = model.operation_model(row.operation).input_shape
        request = plain(step["Arguments"], shape)
        if row.generated:
            request.setdefault(row.generated, "name")
        said[step["Name"]] = validator.validate(request, shape).generate_report()
    return said


@pytest.mark.parametrize("profile", ["", "dev"])
def test_botocore_takes_every_job_of_the_tumour_pipeline(tmp_path: Path, profile: str) -> None:
    found = tumour(tmp_path, profile)

    assert reports(found) == dict.fromkeys(["prepare", "train", "evaluate", "register"], "")
    assert validate(found.definition) == []


_COMPILE = """
import sys
from penstock.compiler import compile_bundle
compile_bundle(sys.argv[1], "sagemaker", sys.argv[3]).write(sys.argv[2])
"""


def test_the_same_spec_gives_the_same_bytes_in_any_process_and_folder(tmp_path: Path) -> None:
    written: list[dict[str, bytes]] = []
    for seed in ("0", "12345"):
        folder = tmp_path / f"copy-{seed}"
        tumour(folder, "")
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        words = [sys.executable, "-c", _COMPILE, str(folder / "pipeline.yaml"), str(folder / "out"), "dev"]
        subprocess.run(words, env=environment, check=True, timeout=60)
        files = (each for each in sorted((folder / "out").rglob("*")) if each.is_file())
        written.append({str(each.relative_to(folder / "out")): each.read_bytes() for each in files})

    assert len(written[0]) > 8
    assert written[0] == written[1]


@pytest.mark.slow
def test_a_thousand_steps_are_lowered_in_linear_time(tmp_path: Path) -> None:
    def seconds(steps: int) -> float:
        lines = ["steps:", '  s0: {run: "echo ${{ outputs.o }}", outputs: {o: folder}}']
        for each in range(1, steps):
            bound = f'{{i: "${{{{ steps.s{each - 1}.outputs.o }}}}"}}'
            run = '"cp ${{ inputs.i }} ${{ outputs.o }}"'
            lines.append(f"  s{each}: {{run: {run}, inputs: {bound}, outputs: {{o: folder}}}}")
        started = time.perf_counter()
        found = compiled(tmp_path, "\n".join(lines))
        taken = time.perf_counter() - started
        assert len(found.definition["Steps"]) == steps
        return taken

    seconds(10)
    few, many = min(seconds(100), seconds(100)), min(seconds(1000), seconds(1000))

    # Ten times the steps; square time would be a hundred times.
    assert many < 30 * few
