"""The shipped instance types."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sagemaker_for_tests import excerpts, refused

from penstock.ir import Compute
from penstock_aws.sagemaker.catalogue import TRAINING_ONLY, Use, lacks, pick, sizes

USES: list[tuple[str, Use]] = [
    ("TrainingInstanceType", "training"),
    ("ProcessingInstanceType", "processing"),
    ("TransformInstanceType", "transform"),
]


@pytest.mark.parametrize(("shape", "use"), USES)
def test_every_type_is_one_of_the_services(shape: str, use: Use) -> None:
    pytest.importorskip("botocore")
    model: Any = import_module("botocore.session").get_session().get_service_model("sagemaker")
    known = set(model.shape_for(shape).enum)

    assert all(lacks(use, each["name"]) == (each["name"] not in known) for each in sizes())


def test_a_processing_job_is_not_given_a_type_that_it_cannot_have() -> None:
    large = Compute(cpu=90, memory=1000 * 1024, gpu=8)

    assert pick(large) in TRAINING_ONLY
    assert pick(large, "processing") == ""


@given(
    st.builds(
        Compute,
        cpu=st.integers(0, 200),
        memory=st.integers(0, 1200).map(lambda each: each * 1024),
        gpu=st.integers(0, 9),
    )
)
def test_a_pick_has_enough_and_nothing_smaller_does(compute: Compute) -> None:
    def enough(cpu: int, memory: int, gpu: int) -> bool:
        kept = cpu >= compute.cpu and memory * 1024 >= compute.memory and gpu >= compute.gpu
        return kept and bool(gpu) == bool(compute.gpu)

    fitting = [each for each in sizes() if enough(each["cpu"], each["memory"], each["gpu"])]
    picked = pick(compute)

    assert bool(picked) == bool(fitting)
    if picked:
        (chosen,) = [each for each in fitting if each["name"] == picked]
        smaller = [
            each["name"]
            for each in fitting
            if each["cpu"] < chosen["cpu"]
            and each["memory"] < chosen["memory"]
            and each["gpu"] <= chosen["gpu"]
        ]
        assert smaller == []


def test_what_no_machine_has_is_told_at_its_place(tmp_path: Path) -> None:
    found = refused(tmp_path, "steps: {a: {run: echo, compute: {cpu: 500}}}")

    assert ["{cpu: 500}" in each for each in excerpts(found, "P395")] == [True]
