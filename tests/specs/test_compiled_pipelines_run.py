"""The ready-to-run pipelines, node by node from the compiled documents, give what a local run gives."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests import azureml_for_tests as azureml

import penstock
from penstock.compiler import compile_bundle
from penstock.runtime.environments import Requirements, default_root, resolve

ROOT = Path(__file__).parents[2]
SPECS = {path.parent.name: path for path in sorted((ROOT / "specs").glob("*/pipeline.*"))}
STAND_INS = str(ROOT / "tests" / "stand_ins")
LONG = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give runs on local, one for each pipeline however many tests ask."""

    @cache
    def ran(name: str) -> penstock.Run:
        return penstock.run(SPECS[name], project=tmp_path_factory.mktemp(name))

    return ran


@pytest.fixture(scope="module")
def python() -> Path:
    """Give the Python of the pipelines' environment, which is the same in all of them."""
    wanted = Requirements(">=3.11", ("scikit-learn==1.8.0", "pandas==2.3.3"))
    return resolve(wanted, default_root(), print).bin / "python"


def files(path: Path) -> dict[str, bytes]:
    """Read a file, whatever it is called, or a folder."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {
        str(each.relative_to(path)): each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["digits", pytest.param("cultivar", marks=LONG), pytest.param("screening", marks=LONG)]
)
def test_on_azure_ml_every_node_gives_what_the_local_step_gives(
    name: str, local: Any, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: penstock.Run = local(name)
    monkeypatch.setenv("PATH", f"{python.parent}:/usr/bin:/bin")
    service = azureml.Service(azureml.Compiled(compile_bundle(SPECS[name], "azureml")), tmp_path)
    service.python, service.variables = str(python), {"PYTHONPATH": STAND_INS}

    ran = service.run()

    assert set(ran.codes.values()) == {0}, ran.said
    compared = 0
    for step, outputs in wanted.artifacts.items():
        # A nested pipeline's own nodes are compared by what it gives.
        outer, _, inner = step.partition("__")
        if inner:
            continue
        for port, path in outputs.items():
            assert files(ran.outputs[outer][port]) == files(path), f"{step}.{port}"
            compared += 1
    assert compared
    if "register" in ran.said:
        assert f'"registered": "{name}", "uri": "runs:/brave_sky_7/model"' in ran.said["register"]
