from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.account import account_of, chosen, fill

_JOB = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@given(st.text(min_size=1, max_size=64), st.integers(1, 20))
def test_jobs_of_every_step_have_names_that_the_service_takes(step: str, attempt: int) -> None:
    account = account_of("churn", "20261201-000000-abcd")

    name = account.job_name(step, attempt, "run")

    assert _JOB.fullmatch(name)
    assert name == account.job_name(step, attempt, "run")
    assert name != account.job_name(step, attempt + 1, "run")


@given(st.text(min_size=1, max_size=80))
def test_every_pipeline_has_a_name_that_the_service_takes(pipeline: str) -> None:
    account = account_of(pipeline, "run")

    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}", account.pipeline)
    assert re.fullmatch(r"[a-z0-9]{12}", account.execution)
    assert account.execution_arn.startswith(f"{account.pipeline_arn}/execution/")


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_arns_name_the_partition_of_their_region(region: str, partition: str) -> None:
    account = account_of("p", "r", region)

    assert account.arn("model", "M").startswith(f"arn:{partition}:sagemaker:{region}:123456789012:model/M")


def test_placeholders_become_this_accounts_own() -> None:
    filled = fill("s3://<<bucket>>/x <<role>> <<frameworks_registry>>/y <<odd_registry>> <<other>>")

    assert filled == (
        "s3://penstock-offline/x arn:aws:iam::123456789012:role/penstock "
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/y <<odd_registry>> <<other>>"
    )


def test_what_is_chosen_hangs_on_the_seed_alone() -> None:
    assert chosen("a", 12) == chosen("a", 12)
    assert len({chosen(str(each), 12) for each in range(1000)}) == 1000
