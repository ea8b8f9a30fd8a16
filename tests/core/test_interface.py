from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.codec import CodecError
from penstock.compiler import compile_bundle
from penstock.interface import read_interface

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="module", params=["cultivar", "progression", "screening", "tumour"])
def written(request: pytest.FixtureRequest) -> dict[str, Any]:
    bundle = compile_bundle(SPECS / request.param / "pipeline.yaml", "sagemaker")
    found: dict[str, Any] = json.loads(json.dumps(bundle.interface))
    return found


def test_an_interface_reads_back_as_what_the_pipeline_is_from_outside(written: dict[str, Any]) -> None:
    interface = read_interface(written)

    assert interface.pipeline.steps == ()
    assert interface.pipeline.goal is not None
    assert all(each.path == "" for each in interface.pipeline.datasets.values())
    ports = {(step, each.name) for step, face in interface.steps.items() for each in face.outputs}
    assert all((each.step, each.output) in ports for each in interface.pipeline.outputs.values())
    for kpi in interface.pipeline.goal.kpis:
        assert kpi.threshold is not None


def test_every_output_of_every_step_has_a_place(written: dict[str, Any]) -> None:
    interface = read_interface(written)

    for step, face in interface.steps.items():
        placed = interface.results.get(step, {}).get("outputs", {})
        assert set(placed) == {each.name for each in face.outputs}, step


def test_an_interface_names_no_folder_of_this_machine(written: dict[str, Any]) -> None:
    assert str(SPECS) not in json.dumps(written)


def _another_format(data: dict[str, Any]) -> None:
    data["format"] = 99


def _no_pipeline(data: dict[str, Any]) -> None:
    del data["pipeline"]


def _parameters_as_a_list(data: dict[str, Any]) -> None:
    data["pipeline"]["parameters"] = []


def _steps_as_a_number(data: dict[str, Any]) -> None:
    data["steps"] = 7


def _an_unknown_key(data: dict[str, Any]) -> None:
    data["pipeline"]["odd"] = 1


@pytest.mark.parametrize(
    "damage", [_another_format, _no_pipeline, _parameters_as_a_list, _steps_as_a_number, _an_unknown_key]
)
def test_a_damaged_interface_is_refused(
    written: dict[str, Any], damage: Callable[[dict[str, Any]], None]
) -> None:
    data = json.loads(json.dumps(written))
    damage(data)

    with pytest.raises(CodecError):
        read_interface(data)
