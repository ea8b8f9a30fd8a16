"""First-party images: one for every region that has any, and what cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sagemaker_for_tests import compiled, excerpts, refused

SPEC = "environments: {e: {%s}}\nsteps: {a: {run: echo, environment: e}}"


def image(folder: Path, environment: str) -> str:
    specification = compiled(folder, SPEC % environment, "dev").arguments("a")["AppSpecification"]
    return str(specification["ImageUri"])


@pytest.mark.parametrize(
    ("environment", "repository"),
    [
        ("packages: [pandas]", "sagemaker-scikit-learn"),
        ("packages: [torch]", "pytorch-training"),
        ('image: {sagemaker: "builtin:xgboost:1.7-1"}', "sagemaker-xgboost"),
    ],
)
def test_an_image_follows_from_the_environment(tmp_path: Path, environment: str, repository: str) -> None:
    found = image(tmp_path, environment)

    assert ".dkr.ecr.eu-west-1.amazonaws.com/" in found
    assert found.rsplit("/", 1)[-1].split(":")[0] == repository


def test_a_given_image_is_taken_as_it_is(tmp_path: Path) -> None:
    assert image(tmp_path, 'image: {sagemaker: "registry.example/own:1"}') == "registry.example/own:1"


@pytest.mark.parametrize("wrong", ["builtin:nothing:1", "builtin:xgboost:0.0-0"])
def test_an_unknown_first_party_image_is_refused_at_its_place(tmp_path: Path, wrong: str) -> None:
    found = refused(tmp_path, SPEC % f'image: {{sagemaker: "{wrong}"}}', "dev")

    assert len(excerpts(found, "P394")) == 1
