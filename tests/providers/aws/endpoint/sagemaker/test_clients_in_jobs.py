from __future__ import annotations

from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest
from tests.providers.aws.endpoint.sagemaker.api_for_tests import definition, processing, wait_for
from tests.providers.aws.endpoint.sagemaker.test_with_boto3 import create, endpoint, status


@pytest.mark.slow
def test_a_job_finds_this_endpoint_alone_and_in_the_name_of_its_role(tmp_path: Path) -> None:
    looking = "env > /opt/ml/processing/out/env; cat $AWS_CONFIG_FILE; cat $SAGEMAKER_USER_CONFIG_OVERRIDE"
    alone = processing("alone", looking)
    alone["Arguments"]["NetworkConfig"] = {"EnableNetworkIsolation": True}
    with endpoint(tmp_path) as client:
        s3, sagemaker, own = client("s3"), client("sagemaker"), client("sts").meta.endpoint_url
        create(sagemaker, "Looking", definition(processing("look", looking), alone))
        arn = sagemaker.start_pipeline_execution(PipelineName="Looking")["PipelineExecutionArn"]
        wait_for(lambda: status(sagemaker, arn) in ("Succeeded", "Failed"))

        def seen(step: str) -> dict[str, str]:
            text = s3.get_object(Bucket="results", Key=f"{step}/env")["Body"].read().decode()
            return dict(line.partition("=")[::2] for line in text.splitlines())

        found = seen("look")
        assert found["AWS_ENDPOINT_URL"] == own
        session = import_module("boto3").Session(
            found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], found["AWS_SESSION_TOKEN"]
        )
        with closing(session.client("sts", endpoint_url=own)) as sts:
            assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/probe/SageMaker")
        # The one that may use no network could not be answered.
        assert not [name for name in seen("alone") if "SECRET" in name or "ENDPOINT" in name]
