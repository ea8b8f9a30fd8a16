"""Profiles: what an account fills in, and settings that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.sagemaker_for_tests import PROFILES, compiled, excerpts, refused, spec

from penstock.compiler import compile_bundle
from penstock.errors import PenstockError

TEXT = 'steps: {a: {run: "echo ${{ outputs.o }}", code: src, outputs: {o: folder}}}'


def test_a_profile_leaves_nothing_open(tmp_path: Path) -> None:
    found = compiled(tmp_path, TEXT, "dev")
    text = found.bundle.texts["pipeline.json"]

    assert found.bundle.placeholders == ()
    assert "<<" not in text
    assert found.arguments("a")["RoleArn"] == "arn:aws:iam::123456789012:role/ml"
    assert ".dkr.ecr.eu-west-1.amazonaws.com/" in text
    assert all(
        each.upload_to.startswith("s3://my-ml/teams/churn/probe/assets/") for each in found.bundle.assets
    )


def test_without_a_profile_what_is_open_is_listed(tmp_path: Path) -> None:
    found = compiled(tmp_path, TEXT)

    assert {"bucket", "region", "role"} < set(found.bundle.placeholders)
    open_ = set(re.findall("<<(.+?)>>", found.bundle.texts["pipeline.json"]))
    assert {"bucket", "role"} < open_ <= set(found.bundle.placeholders)


@pytest.mark.parametrize(
    ("written", "wrong", "place"),
    [
        ("region: eu-west-1", "region: Ireland", "Ireland"),
        ("arn:aws:iam::123456789012:role/ml", "ml-role", '"ml-role"'),
        ("bucket: my-ml", "bucket: My_ML", "My_ML"),
        ("prefix: teams/churn", "prefix: /churn/", "/churn/"),
        ("prefix: teams/churn", "prefx: churn", "churn"),
        ("    bucket: my-ml\n", "", "dev:"),
    ],
)
def test_a_wrong_setting_is_told_at_its_place(tmp_path: Path, written: str, wrong: str, place: str) -> None:
    path = spec(tmp_path, TEXT)
    (tmp_path / "penstock.yaml").write_text(PROFILES.replace(written, wrong), encoding="utf-8")
    with pytest.raises(PenstockError) as caught:
        compile_bundle(path, "sagemaker", "dev")

    assert excerpts(tuple(caught.value.diagnostics), "P131") == [place]


def test_a_profile_replaces_data_images_and_instances(tmp_path: Path) -> None:
    path = spec(
        tmp_path,
        """
        datasets: {cells: {type: file, path: data/cells.csv}}
        environments: {e: {packages: [pandas]}}
        steps:
          a: {run: "cat ${{ inputs.c }}", inputs: {c: "${{ datasets.cells }}"}, environment: e}
        """,
    )
    more = """    datasets: {cells: "s3://theirs/cells.csv"}
    images: {e: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"}
    instance: ml.c5.xlarge
"""
    (tmp_path / "penstock.yaml").write_text(PROFILES + more, encoding="utf-8")
    text = compile_bundle(path, "sagemaker", "dev").texts["pipeline.json"]

    assert '"DefaultValue": "s3://theirs/cells.csv"' in text
    assert '"ImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"' in text
    assert '"InstanceType": "ml.c5.xlarge"' in text


def test_an_unknown_image_is_told_at_its_environment(tmp_path: Path) -> None:
    text = 'environments: {e: {image: {sagemaker: "builtin:%s"}}}\nsteps: {a: {run: echo, environment: e}}'

    for wrong in ("nothing:1", "xgboost:0.0-0"):
        assert excerpts(refused(tmp_path, text % wrong, "dev"), "P394") != []
