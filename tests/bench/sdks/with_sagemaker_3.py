"""A chain of processing steps and its definition, by SageMaker SDK 3: `with_sagemaker_3.py STEPS FILE`."""

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
    "SAGEMAKER_VALIDATE_ROLE": "false",
}


def main() -> None:
    """Build, and write."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="my-ml")
        from sagemaker.core import processing, shapes
        from sagemaker.core.workflow.pipeline_context import (
            PipelineSession,
        )
        from sagemaker.mlops.workflow import pipeline, steps

        session = PipelineSession(boto_session=boto3.Session(), default_bucket="my-ml")
        made: list[Any] = []
        for number in range(int(sys.argv[1])):
            processor = processing.Processor(
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
                place = shapes.ProcessingS3Input(
                    s3_uri=uri,
                    local_path="/opt/ml/processing/input/i",
                    s3_data_type="S3Prefix",
                    s3_input_mode="File",
                )
                inputs.append(shapes.ProcessingInput(input_name="i", s3_input=place))
            output = shapes.ProcessingS3Output(
                s3_uri=f"s3://my-ml/out/{number}",
                local_path="/opt/ml/processing/output/out",
                s3_upload_mode="EndOfJob",
            )
            outputs = [shapes.ProcessingOutput(output_name="out", s3_output=output)]
            made.append(
                steps.ProcessingStep(f"s{number}", step_args=processor.run(inputs=inputs, outputs=outputs))
            )
        found = pipeline.Pipeline("chain", steps=made, sagemaker_session=session)
        Path(sys.argv[2]).write_text(found.definition())


if __name__ == "__main__":
    main()
