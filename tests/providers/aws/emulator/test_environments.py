"""What images mean offline: which packages stand for them, and what penstock.yaml may say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.runtime.requirements import current_python, digest, parse_package, python_specifier
from penstock.runtime.versions import parse_version, satisfies
from penstock_aws.sagemaker.emulator.images.environments import (
    ImageFault,
    offline_image,
    table_of_environments,
)
from penstock_aws.sagemaker.images import registry_host, table

HOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
DEEP = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{HOST}/sagemaker-scikit-learn:1.4-2-cpu-py3"
PYTHON = parse_version(current_python()).release[:2]


def packages(
    uri: str, overrides: Mapping[str, Mapping[str, Any]] | None = None, *extra: str
) -> dict[str, str]:
    """Give the packages that stand for an image, by name."""
    found = offline_image(uri, overrides or {}, extra).requirements.packages
    return {parse_package(each).name: each for each in found}


def test_every_first_party_image_of_a_framework_has_packages_that_this_python_can_have() -> None:
    images = [each for each in table()["images"].values() if each["package"]]
    for image in images:
        for repository in (image["training"], image.get("serving", image["training"])):
            for version in repository["versions"].values():
                host = registry_host(image["registry"], "eu-west-1")
                tag = version["tag"].replace("{processor}", "cpu")

                found = offline_image(f"{host}/{repository['repository']}:{tag}", {})

                assert found.framework
                assert satisfies(current_python(), python_specifier(found.requirements.python))
                assert parse_package(found.requirements.packages[0]).name == image["package"]
                assert digest(found.requirements)


@pytest.mark.skipif(PYTHON >= (3, 13), reason="these releases have no wheels for this Python")
@pytest.mark.parametrize(
    ("repository", "tag", "pinned"),
    [
        ("sagemaker-scikit-learn", "1.4-2-cpu-py3", "scikit-learn==1.4.2"),
        ("sagemaker-scikit-learn", "1.4-2-py312-cpu-py3", "scikit-learn==1.4.2"),
        ("pytorch-training", "2.4.0-gpu-py311-cu124-ubuntu22.04-sagemaker", "torch==2.4.0"),
        ("huggingface-pytorch-training", "2.3.0-transformers4.48.0-gpu-py311", "transformers==4.48.0"),
        ("tensorflow-training", "2.19.0-cpu-py312", "tensorflow==2.19.0"),
    ],
)
def test_a_tag_names_the_release_that_is_installed(repository: str, tag: str, pinned: str) -> None:
    host = HOST if repository.startswith("sagemaker") else DEEP

    found = offline_image(f"{host}/{repository}:{tag}", {})

    assert pinned in found.requirements.packages
    assert found.note == ""


@pytest.mark.skipif(PYTHON != (3, 11), reason="what stands in depends on the Python")
@pytest.mark.parametrize(
    ("repository", "tag", "pinned", "noted"),
    [
        ("sagemaker-xgboost", "1.0-1-cpu-py3", "xgboost==1.0.0", ""),
        ("sagemaker-xgboost", "0.90-2-cpu-py3", "xgboost==0.90", ""),
        ("sagemaker-xgboost", "1.7-1", "xgboost==1.7.4", ""),
        ("sagemaker-xgboost", "3.0-5", "xgboost==3.0.5", ""),
        ("sagemaker-scikit-learn", "0.23-1-cpu-py3", "scikit-learn==1.1.3", "0.23.2, which has no wheels"),
        ("sagemaker-scikit-learn", "1.0-1-cpu-py3", "scikit-learn==1.1.3", "1.0.2, which has no wheels"),
        ("sagemaker-scikit-learn", "1.2-1-cpu-py3", "scikit-learn==1.2.1", ""),
        ("sagemaker-scikit-learn", "1.9-0-cpu-py3", "scikit-learn==1.9.0", ""),
        ("sagemaker-scikit-learn", "latest", "scikit-learn==1.7.2", "version is not known"),
    ],
)
def test_a_release_without_wheels_is_stood_in_for_by_the_nearest_with_a_note(
    repository: str, tag: str, pinned: str, noted: str
) -> None:
    found = offline_image(f"{HOST}/{repository}:{tag}", {})

    assert pinned in found.requirements.packages
    assert noted in found.note
    assert bool(found.note) == bool(noted)


@pytest.mark.parametrize(
    ("uri", "toolkit", "algorithm", "framework"),
    [
        (f"{HOST}/sagemaker-xgboost:1.0-1-cpu-py3", True, "xgboost", "xgboost"),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", False, "xgboost", "xgboost"),
        (f"{DEEP}/pytorch-inference:2.4.0-cpu-py311", False, "", "pytorch"),
        ("<<frameworks_registry>>/sagemaker-scikit-learn:1.9-0-cpu-py3", True, "", "sklearn"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1", False, "", ""),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/own@sha256:00", False, "", ""),
        ("own", False, "", ""),
    ],
)
def test_an_address_tells_what_an_image_can_do(
    uri: str, toolkit: bool, algorithm: str, framework: str
) -> None:
    found = offline_image(uri, {})

    assert (found.toolkit, found.algorithm, found.framework) == (toolkit, algorithm, framework)


def test_a_copy_in_another_account_counts_as_the_image_and_says_so() -> None:
    found = offline_image(f"123456789012.{SKLEARN.partition('.')[2]}", {})

    assert found.framework == "sklearn"
    assert "copy" in found.note


def test_an_unknown_image_has_the_packages_asked_for_and_a_note_how_to_map_it() -> None:
    found = offline_image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:3", {}, ["pandas==2.2.3"])

    assert found.requirements.packages == ("pandas==2.2.3",)
    assert "not known" in found.note
    assert "images: {own:" in found.note


@pytest.mark.parametrize(
    "uri",
    [
        "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
        "<<algorithms_registry>>/kmeans:1",
        f"{HOST}/sagemaker-model-monitor-analyzer",
        f"{HOST}/sagemaker-spark-processing:3.5-cpu-py39-v1.0",
    ],
)
def test_what_nothing_stands_for_is_refused_with_the_way_out(uri: str) -> None:
    with pytest.raises(ImageFault) as caught:
        offline_image(uri, {})

    assert "no stand-in" in caught.value.message
    assert "penstock.yaml" in caught.value.hint


def test_a_command_in_penstock_yaml_stands_for_an_algorithm() -> None:
    uri = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"

    found = offline_image(
        uri, {"linear-learner": {"run": "python 'my stand in.py' train", "packages": ["numpy"]}}
    )

    assert found.run == ("python", "my stand in.py", "train")
    assert found.requirements.packages == ("numpy",)


def test_a_users_own_image_of_an_algorithms_name_is_not_that_algorithm() -> None:
    found = offline_image("123456789012.dkr.ecr.us-east-1.amazonaws.com/pca:1", {})

    assert "not known" in found.note


@pytest.mark.parametrize(
    ("keys", "wins"),
    [
        (["sagemaker-scikit-learn"], "sagemaker-scikit-learn"),
        (["sagemaker-scikit-learn", "sagemaker-scikit-learn:1"], "sagemaker-scikit-learn:1"),
        (["sagemaker-scikit-learn:1.4-2", "sagemaker-scikit-learn:1.4"], "sagemaker-scikit-learn:1.4-2"),
        (["sagemaker-scikit-learn:1.4-2", f"{HOST}/sagemaker-scikit-learn"], "sagemaker-scikit-learn:1.4-2"),
        (["sagemaker-scikit-learn:1.4-2-cpu-py3", SKLEARN], SKLEARN),
        (["sagemaker-scikit-learn:1.4-20", "sagemaker-scikit-learn:1.3", "scikit-learn"], ""),
        (["123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn"], ""),
    ],
)
def test_the_most_specific_key_of_penstock_yaml_wins(keys: list[str], wins: str) -> None:
    overrides = {key: {"packages": [f"key=={at}"]} for at, key in enumerate(keys)}

    found = packages(SKLEARN, overrides)

    assert found.get("key", "") == (f"key=={keys.index(wins)}" if wins else "")


def test_penstock_yaml_may_say_the_python_alone_or_the_packages_alone() -> None:
    own = offline_image(SKLEARN, {}).requirements

    python = offline_image(SKLEARN, {"sagemaker-scikit-learn": {"python": "3.12"}}).requirements
    emptied = offline_image(SKLEARN, {"sagemaker-scikit-learn": {"packages": []}}).requirements

    assert (python.python, python.packages) == ("3.12", own.packages)
    assert (emptied.python, emptied.packages) == ("", ())


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"pakages": []}, "pakages"),
        ({"packages": "pandas"}, "packages"),
        ({"packages": ["pandas=1"]}, "pandas=1"),
        ({"python": 3.11}, "number"),
        ({"python": "three"}, "three"),
        ({"run": ""}, "run"),
        ({"run": "'open"}, "run"),
        ({"toolkit": "yes"}, "toolkit"),
        (["pandas"], "mapping"),
    ],
)
def test_a_malformed_entry_of_penstock_yaml_is_told_with_its_key(said: Any, word: str) -> None:
    with pytest.raises(ImageFault) as caught:
        offline_image(SKLEARN, {"sagemaker-scikit-learn": said})

    assert word in caught.value.message
    assert "sagemaker-scikit-learn" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("extra", "name", "result"),
    [
        ("pandas", "pandas", "pandas==1"),
        ("Pandas>=0.5", "pandas", "pandas==1"),
        ("pandas>=2", "pandas", "pandas>=2"),
        ("pandas[sql]", "pandas", "pandas[sql]"),
        ("pandas @ https://h/p.whl", "pandas", "pandas @ https://h/p.whl"),
        ("mlflow==3", "mlflow", "mlflow==3"),
        ("bounded>=2", "bounded", "bounded>=2"),
        ("bounded", "bounded", "bounded<3"),
    ],
)
def test_packages_on_top_change_what_the_image_does_not_satisfy(extra: str, name: str, result: str) -> None:
    overrides = {"sagemaker-scikit-learn": {"packages": ["pandas==1", "bounded<3"]}}

    assert packages(SKLEARN, overrides, extra)[name] == result


def test_a_malformed_package_on_top_is_a_fault() -> None:
    with pytest.raises(ImageFault, match="pandas=1"):
        offline_image(SKLEARN, {}, ["pandas=1"])


def test_rows_of_the_shipped_table_rise_and_can_be_read() -> None:
    for build in table_of_environments()["builds"].values():
        releases = [parse_version(row["release"]) for row in build["rows"]]
        assert releases == sorted(releases)
        for row in build["rows"]:
            assert python_specifier(row["python"])
            assert [parse_package(each) for each in (*row["beside"], *build["also"])]


def test_the_shipped_table_has_no_repository_that_no_build_stands_for() -> None:
    path = Path(__file__).parents[4] / "providers/penstock_aws/sagemaker/emulator/images/environments.json"
    shipped = json.loads(path.read_text(encoding="utf-8"))

    assert {each["build"] for each in shipped["repositories"].values()} == set(shipped["builds"])
    assert {each["registry"] for each in shipped["repositories"].values()} <= set(table()["registries"])
