from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock_aws.sagemaker.emulator.caching import by_content, compared, expiry
from penstock_aws.sagemaker.emulator.data.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with StatIndex(None) as index:
        yield Storage(ArtifactStore(tmp_path / "artifacts"), index)


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        (None, 0),
        ({"Enabled": False, "ExpireAfter": "P30D"}, 0),
        ({"Enabled": True}, None),
        ({"Enabled": True, "ExpireAfter": "P30D"}, 30 * 86400),
        ({"Enabled": True, "ExpireAfter": "30d"}, 30 * 86400),
        ({"Enabled": True, "ExpireAfter": "PT1H30M"}, 5400),
        ({"Enabled": True, "ExpireAfter": "T12H"}, 43200),
        ({"Enabled": True, "ExpireAfter": "P1DT1S"}, 86401),
        ({"Enabled": True, "ExpireAfter": "p1w"}, 7 * 86400),
    ],
)
def test_results_serve_as_long_as_the_configuration_says(config: Any, seconds: int | None) -> None:
    assert expiry(config) == seconds


def machines(count: int, kind: str, volume: int) -> dict[str, Any]:
    return {"ClusterConfig": {"InstanceCount": count, "InstanceType": kind, "VolumeSizeInGB": volume}}


def processing(input: str, output: str, **more: Any) -> dict[str, Any]:
    return {
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["sh"]},
        "ProcessingInputs": [
            {"InputName": "i", "S3Input": {"S3Uri": input, "LocalPath": "/opt/ml/processing/i"}}
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "o",
                    "S3Output": {
                        "S3Uri": output,
                        "LocalPath": "/opt/ml/processing/o",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "RoleArn": "role",
        **more,
    }


def test_equal_contents_are_equal_wherever_they_stand(storage: Storage, tmp_path: Path) -> None:
    for name, text in (("one", "x"), ("two", "x"), ("three", "y")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.txt").write_text(text, encoding="utf-8")
        storage.put(f"s3://b/{name}", folder)

    one, two, three = (
        by_content("Processing", processing(f"s3://b/{each}", f"s3://b/out/{each}"), storage)
        for each in ("one", "two", "three")
    )

    assert one == two
    assert one != three


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"Environment": {"A": "1"}}, True),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 1}}, True),
        ({"RoleArn": "another"}, False),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, False),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 2, "InstanceType": "x", "VolumeSizeInGB": 1}
                }
            },
            True,
        ),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "x", "VolumeSizeInGB": 9}
                }
            },
            False,
        ),
    ],
)
def test_what_a_job_can_see_counts_and_nothing_else(
    storage: Storage, change: dict[str, Any], counts: bool
) -> None:
    before = by_content("Processing", processing("s3://b/i", "s3://b/o"), storage)

    after = by_content("Processing", processing("s3://b/i", "s3://b/o", **change), storage)

    assert (before != after) is counts


def test_a_files_name_counts_and_its_folder_does_not(storage: Storage, tmp_path: Path) -> None:
    for key in ("x/a.csv", "y/a.csv", "x/b.csv"):
        path = tmp_path / "file"
        path.write_text("1", encoding="utf-8")
        storage.put(f"s3://b/{key}", path)

    first, same, other = (
        by_content("Processing", processing(f"s3://b/{key}", "s3://b/o"), storage)
        for key in ("x/a.csv", "y/a.csv", "x/b.csv")
    )

    assert first == same
    assert first != other


def test_the_service_compares_what_its_page_lists() -> None:
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": {"TrainingImage": "i"},
        "HyperParameters": {"a": "1"},
        "InputDataConfig": [],
        "OutputDataConfig": {"S3OutputPath": "s3://b"},
        "ResourceConfig": {"InstanceCount": 1},
        "RoleArn": "r",
    }

    assert set(compared("Training", arguments)) == {
        "AlgorithmSpecification",
        "HyperParameters",
        "InputDataConfig",
    }
    tuned: dict[str, Any] = {
        "HyperParameterTuningJobConfig": {"Strategy": "Grid"},
        "TrainingJobDefinition": arguments,
    }
    assert set(compared("Tuning", tuned)["TrainingJobDefinition"]) == {
        "AlgorithmSpecification",
        "InputDataConfig",
    }
