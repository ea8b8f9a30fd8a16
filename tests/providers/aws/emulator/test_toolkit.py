"""Script mode: the words and variables that a v2 estimator's script is started with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.images.toolkit import (
    Script,
    distribution,
    encoded,
    is_script_mode,
    processing_variables,
    script_mode,
    toolkit_failure,
    training_variables,
)

RESOURCES: dict[str, Any] = {
    "current_host": "algo-2",
    "hosts": ["algo-1", "algo-2"],
    "current_instance_type": "ml.m5.large",
    "current_group_name": "homogeneousCluster",
    "instance_groups": [
        {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.m5.large",
            "hosts": ["algo-1", "algo-2"],
        }
    ],
    "network_interface_name": "eth0",
}
INPUTS = {
    "train": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"},
    "test": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"},
}
HYPERPARAMETERS = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"',
    "sagemaker_container_log_level": "20",
    "sagemaker_job_name": '"fit-1"',
    "sagemaker_region": '"eu-west-1"',
    "_tuning_objective_metric": "validation:rmse",
    "batch-size": "128",
    "lr": "0.1",
    "k": '"v"',
    "flag": "true",
    "nothing": "null",
    "layers": "[1, 2]",
    "grid": '{"b": 2, "a": 1}',
    "raw": "not json",
    "sagemaker_mpi_enabled": "false",
}


def started(hyperparameters: dict[str, str] | None = None, **settings: Any) -> Script:
    usual: dict[str, Any] = {
        "resources": RESOURCES,
        "input_config": INPUTS,
        "job_name": "fit-1",
        "region": "eu-west-1",
        "framework": "sklearn",
        "cpus": 4,
    }
    return script_mode(
        HYPERPARAMETERS if hyperparameters is None else hyperparameters, **{**usual, **settings}
    )


ARGUMENTS = (
    *("--batch-size", "128", "--flag", "True", "--grid", "a=1,b=2", "-k", "v", "--layers", "[1, 2]"),
    *("--lr", "0.1", "--nothing", "", "--raw", "not json"),
)


def test_hyperparameters_become_arguments_by_name() -> None:
    assert started().argv == ("python", "train.py", *ARGUMENTS)
    assert started().cwd == "/opt/ml/code"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SM_HOSTS", '["algo-1","algo-2"]'),
        ("SM_CURRENT_HOST", "algo-2"),
        ("SM_CURRENT_INSTANCE_TYPE", "ml.m5.large"),
        ("SM_CURRENT_INSTANCE_GROUP", "homogeneousCluster"),
        ("SM_CURRENT_INSTANCE_GROUP_HOSTS", '["algo-1","algo-2"]'),
        ("SM_INSTANCE_GROUPS", '["homogeneousCluster"]'),
        ("SM_DISTRIBUTION_INSTANCE_GROUPS", "[]"),
        ("SM_IS_HETERO", "false"),
        ("SM_NETWORK_INTERFACE_NAME", "eth0"),
        ("SM_USER_ENTRY_POINT", "train.py"),
        ("SM_MODULE_NAME", "train"),
        ("SM_MODULE_DIR", "s3://bucket/code/sourcedir.tar.gz"),
        ("SM_FRAMEWORK_MODULE", "sagemaker_sklearn_container.training:main"),
        ("SM_FRAMEWORK_PARAMS", '{"sagemaker_mpi_enabled":false}'),
        ("SM_LOG_LEVEL", "20"),
        ("SM_CHANNELS", '["test","train"]'),
        ("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"),
        ("SM_CHANNEL_TEST", "/opt/ml/input/data/test"),
        ("SM_INPUT_DIR", "/opt/ml/input"),
        ("SM_INPUT_CONFIG_DIR", "/opt/ml/input/config"),
        ("SM_OUTPUT_DIR", "/opt/ml/output"),
        ("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"),
        ("SM_OUTPUT_INTERMEDIATE_DIR", "/opt/ml/output/intermediate"),
        ("SM_MODEL_DIR", "/opt/ml/model"),
        ("SM_NUM_CPUS", "4"),
        ("SM_NUM_GPUS", "0"),
        ("SM_NUM_NEURONS", "0"),
        ("SM_HP_BATCH-SIZE", "128"),
        ("SM_HP_LR", "0.1"),
        ("SM_HP_K", "v"),
        ("SM_HP_FLAG", "true"),
        ("SM_HP_NOTHING", ""),
        ("SM_HP_GRID", '{"a":1,"b":2}'),
        ("SM_USER_ARGS", json.dumps(ARGUMENTS, separators=(",", ":"))),
        ("SAGEMAKER_JOB_NAME", "fit-1"),
        ("SAGEMAKER_REGION", "eu-west-1"),
        ("CURRENT_HOST", "algo-2"),
    ],
)
def test_a_script_sees_the_toolkits_variables_in_its_encoding(name: str, value: str) -> None:
    assert started().env[name] == value


def test_structures_are_json_and_what_is_the_toolkits_own_is_not_the_scripts() -> None:
    env = started().env

    assert json.loads(env["SM_RESOURCE_CONFIG"]) == RESOURCES
    assert json.loads(env["SM_INPUT_DATA_CONFIG"]) == INPUTS
    assert set(json.loads(env["SM_HPS"])) == {
        each
        for each in HYPERPARAMETERS
        if not each.startswith("sagemaker_") and each != "_tuning_objective_metric"
    }
    assert "SM_TOPOLOGY" not in env
    assert "SM_JOB_NAME" not in env


def test_the_training_env_holds_everything_at_once() -> None:
    found = json.loads(started().env["SM_TRAINING_ENV"])

    assert found["job_name"] == "fit-1"
    assert found["is_master"] is False
    assert found["master_hostname"] == "algo-1"
    assert found["channel_input_dirs"] == {
        "test": "/opt/ml/input/data/test",
        "train": "/opt/ml/input/data/train",
    }
    assert found["hyperparameters"]["lr"] == 0.1
    assert found["additional_framework_parameters"] == {"sagemaker_mpi_enabled": False}


@pytest.mark.parametrize(
    ("program", "package", "argv"),
    [
        ('"train.py"', False, ("python", "train.py", "--aa", "1 2")),
        ("train.py", False, ("python", "train.py", "--aa", "1 2")),
        ('"train.py"', True, ("python", "-m", "train", "--aa", "1 2")),
        ('"pkg.train"', True, ("python", "-m", "pkg.train", "--aa", "1 2")),
        ('"train.sh"', False, ("/bin/sh", "-c", "./train.sh --aa '1 2'")),
        ('"train.sh"', True, ("/bin/sh", "-c", "./train.sh --aa '1 2'")),
        ('"my train"', False, ("/bin/sh", "-c", "'./my train' --aa '1 2'")),
    ],
)
def test_the_entry_points_name_says_how_it_starts(program: str, package: bool, argv: tuple[str, ...]) -> None:
    assert started({"sagemaker_program": program, "aa": "1 2"}, package=package).argv == argv


def test_the_jobs_environment_may_name_the_script() -> None:
    environment = {"SAGEMAKER_PROGRAM": "own.py"}

    found = started({"lr": "1"}, environment=environment, framework="")

    assert is_script_mode({}, environment)
    assert found.argv == ("python", "own.py", "--lr", "1")
    assert found.env["SM_FRAMEWORK_MODULE"] == ""
    assert found.env["SM_MODULE_DIR"] == "/opt/ml/code"


def test_script_mode_is_known_by_the_program() -> None:
    assert is_script_mode(HYPERPARAMETERS)
    assert not is_script_mode({"max_depth": "5"})


def test_a_distribution_is_named_and_its_hosts_are_told() -> None:
    spread = {**HYPERPARAMETERS, "sagemaker_torch_distributed_enabled": "true"}

    assert distribution(HYPERPARAMETERS) == ""
    assert distribution(spread) == "torchrun"
    assert started(spread).env["SM_DISTRIBUTION_INSTANCE_GROUPS"] == '["homogeneousCluster"]'


def test_another_root_moves_every_path() -> None:
    found = started(root="/jobs/1/ml")

    assert found.cwd == "/jobs/1/ml/code"
    assert not [name for name, value in found.env.items() if "/opt/ml" in value]


def test_a_script_reads_back_what_it_was_told(tmp_path: Path) -> None:
    """Start a real script with the words and variables."""
    (tmp_path / "train.py").write_text(
        "import argparse, json, os\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--lr', type=float)\n"
        "parser.add_argument('--data', default=os.environ['SM_CHANNEL_TRAIN'])\n"
        "print(json.dumps([vars(parser.parse_args()), json.loads(os.environ['SM_HPS'])]))\n",
        encoding="utf-8",
    )
    found = started({"sagemaker_program": '"train.py"', "lr": "0.5"}, python=sys.executable)

    ended = subprocess.run(
        found.argv,
        cwd=tmp_path,
        env={**os.environ, **found.env},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ended.stdout) == [{"lr": 0.5, "data": "/opt/ml/input/data/train"}, {"lr": 0.5}]


STDERR = """starting
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    raise ValueError("no rows")
ValueError: no rows
ValueError: no rows
"""


def test_the_failure_names_the_error_the_exit_code_and_the_command() -> None:
    found = toolkit_failure(3, STDERR, ("python", "train.py", "--lr", "0.1"))

    assert found == (
        "ExecuteUserScriptError:\nExitCode 3\n"
        'ErrorMessage "raise ValueError("no rows")\n ValueError: no rows"\n'
        'Command "python train.py --lr 0.1"'
    )


def test_a_killed_script_is_said_to_have_run_out_of_memory() -> None:
    found = toolkit_failure(137, "", ("python", "train.py"))

    assert 'ErrorMessage ""' in found
    assert "OutOfMemory" in found


def test_the_services_own_variables_are_named_after_the_kind_of_job() -> None:
    assert training_variables("t", "arn:t", "eu-west-1") == {
        "TRAINING_JOB_NAME": "t",
        "TRAINING_JOB_ARN": "arn:t",
        "AWS_REGION": "eu-west-1",
    }
    assert set(processing_variables("p", "arn:p", "eu-west-1")) == {
        "PROCESSING_JOB_NAME",
        "PROCESSING_JOB_ARN",
        "AWS_REGION",
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_any_hyperparameters_can_be_told(values: dict[str, Any]) -> None:
    found = started(
        {**{name: json.dumps(each) for name, each in values.items()}, "sagemaker_program": "t.py"}
    )

    assert all(isinstance(each, str) for each in (*found.argv, *found.env, *found.env.values()))


@given(st.text())
def test_texts_are_encoded_as_themselves(text: str) -> None:
    assert encoded(text) == text


@given(st.text(), st.integers())
def test_any_log_gives_a_failure(tail: str, code: int) -> None:
    assert f"ExitCode {code}" in toolkit_failure(code, tail, ["x"])
