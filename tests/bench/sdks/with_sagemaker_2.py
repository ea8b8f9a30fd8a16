"""A chain of processing steps and its definition, by SageMaker SDK 2: `with_sagemaker_2.py STEPS FILE`."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# mypy: ignore-errors
# (it runs where the SDK is; the type checkers have none)
from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def main() -> None:
    """Build, and write."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="my-ml")
        from sagemaker.processing import (
            ProcessingInput,
            ProcessingOutput,
            Processor,
        )
        from sagemaker.workflow.pipeline import Pipeline
        from sagemaker.workflow.pipeline_context import (
            PipelineSession,
        )
        from sagemaker.workflow.steps import ProcessingStep

        session = PipelineSession(boto_session=boto3.Session(), default_bucket="my-ml")
        made: list[Any] = []
        for number in range(int(sys.argv[1])):
            processor = Processor(
                role="arn:aws:iam::123456789012:role/ml",
                image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/py:1",
                instance_count=1,
                instance_type="ml.m5.large",
                entrypoint=["python3", "step.py", str(number)],
                sagemaker_session=session,
            )
            inputs: list[Any] = []
            if made:
                uri = made[-1].properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri
                inputs.append(
                    ProcessingInput(input_name="i", source=uri, destination="/opt/ml/processing/input/i")
                )
            outputs = [
                ProcessingOutput(
                    output_name="out",
                    source="/opt/ml/processing/output/out",
                    destination=f"s3://my-ml/out/{number}",
                )
            ]
            made.append(ProcessingStep(f"s{number}", step_args=processor.run(inputs=inputs, outputs=outputs)))
        Path(sys.argv[2]).write_text(Pipeline("chain", steps=made, sagemaker_session=session).definition())


if __name__ == "__main__":
    main()
