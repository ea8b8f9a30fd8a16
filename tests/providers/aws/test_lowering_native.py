"""Native steps: the body as it was written, references filled in, its outputs found by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_for_tests import Compiled, compiled, excerpts, refused

from penstock_aws.sagemaker.validation import validate

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"
NATIVE = """
parameters: {p: {type: string, default: x}, n: {type: integer, default: 2}}
datasets: {d: {type: file, path: data/cells.csv}}
steps:
  a: {run: "a ${{ outputs.r }} ${{ outputs.f }}", outputs: {r: {type: metrics, file: report.json}, f: folder}}
  n:
    kind: native
    inputs:
      r: ${{ steps.a.outputs.r }}
      f: ${{ steps.a.outputs.f }}
      d: ${{ datasets.d }}
      k: 5
      p: ${{ parameters.p }}-1
    outputs: %s
%s
"""
CALLBACK = """
    after: [z]
    display_name: Wait for the review
    sagemaker:
      Type: Callback
      SqsQueueUrl: https://sqs.eu-west-1.amazonaws.com/123456789012/q
      OutputParameters: [{OutputName: data, OutputType: String}, {OutputName: recall, OutputType: Float}]
      Description: written in the body
      Arguments:
        report: ${{ inputs.r }}
        folder: ${{ inputs.f }}
        data: ${{ inputs.d }}
        number: ${{ inputs.k }}
        text: ${{ inputs.p }}
        run: run ${{ run.id }} of ${{ parameters.n }} with ${{ inputs.k }}
        list: [plain, "${{ parameters.n }}", {deep: "$${{ kept }}"}]
  z: {run: echo z}
"""
OUTPUTS = "{data: {type: folder, from: \"OutputParameters['data']\"}}"
FOLDER = {"Get": "Steps.a.ProcessingOutputConfig.Outputs['f'].S3Output.S3Uri"}


def callback(outputs: str = OUTPUTS, more: str = "") -> str:
    return NATIVE % (outputs, CALLBACK + more)


def errors(folder: Path, text: str) -> list[str]:
    return [each.code for each in refused(folder, text) if str(each.severity) == "error"]


def body(sagemaker: str, outputs: str = "{}") -> str:
    return NATIVE % (outputs, f"    sagemaker: {sagemaker}")


def last(found: Compiled) -> dict[str, Any]:
    return found.step("n")


def test_a_body_goes_in_as_it_is(tmp_path: Path) -> None:
    found = compiled(tmp_path, callback())
    step = last(found)

    assert step["Type"] == "Callback"
    assert step["SqsQueueUrl"] == QUEUE
    assert step["OutputParameters"][0] == {"OutputName": "data", "OutputType": "String"}
    assert (step["DisplayName"], step["Description"]) == ("Wait for the review", "written in the body")
    # What is referred to is waited for anyhow.
    assert step["DependsOn"] == ["z"]
    assert "CacheConfig" not in step
    report = "Steps.a.ProcessingOutputConfig.Outputs['r'].S3Output.S3Uri"
    assert step["Arguments"] == {
        "report": {"Std:Join": {"On": "/", "Values": [{"Get": report}, "report.json"]}},
        "folder": FOLDER,
        "data": {"Get": "Parameters.d"},
        "number": 5,
        "text": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.p"}, "-1"]}},
        "run": {
            "Std:Join": {
                "On": "",
                "Values": [
                    "run ",
                    {"Get": "Execution.PipelineExecutionId"},
                    " of ",
                    {"Get": "Parameters.n"},
                    " with ",
                    "5",
                ],
            }
        },
        "list": ["plain", {"Get": "Parameters.n"}, {"deep": "${{ kept }}"}],
    }
    assert validate(found.definition) == []


def test_a_step_that_the_body_does_not_mention_is_waited_for(tmp_path: Path) -> None:
    found = compiled(
        tmp_path, body(f"{{Type: Lambda, FunctionArn: '{ARN}', Arguments: {{d: '${{{{ inputs.d }}}}'}}}}")
    )

    assert last(found)["DependsOn"] == ["a"]
    assert validate(found.definition) == []


@pytest.mark.parametrize(
    "written",
    [
        f"{{Type: Lambda, FunctionArn: '{ARN}', OutputParameters: [{{OutputName: o, OutputType: String}}]}}",
        "{Type: EMR, Arguments: {ClusterId: j-1, StepConfig: {HadoopJarStep: {Jar: '${{ inputs.d }}', Args: [a]}}}}",
        "{Type: QualityCheck, CheckType: DATA_QUALITY, SkipCheck: false, Arguments: {RoleArn: "
        "'arn:aws:iam::123456789012:role/ml', AppSpecification: {ImageUri: i}, ProcessingResources: {ClusterConfig: "
        "{InstanceCount: 1, InstanceType: ml.m5.large, VolumeSizeInGB: 20}}}}",
        "{Type: Model, Arguments: {PrimaryContainer: {Image: i, ModelDataUrl: '${{ inputs.f }}'}}}",
        "{Type: Transform, Arguments: {ModelName: m, TransformInput: {DataSource: {S3DataSource: {S3DataType: "
        "S3Prefix, S3Uri: '${{ inputs.f }}'}}}, TransformOutput: {S3OutputPath: 's3://b/o'}, TransformResources: "
        "{InstanceType: ml.m5.large, InstanceCount: '${{ parameters.n }}'}}}",
        f"{{Type: Lambda, FunctionArn: '{ARN}', NewerThanTheTable: {{a: '${{{{ inputs.f }}}}'}}}}",
        "{Type: HubContent, Arguments: {a: '${{ inputs.f }}'}}",
    ],
)
def test_every_type_of_the_service_may_be_written(tmp_path: Path, written: str) -> None:
    found = compiled(tmp_path, body(written))

    assert not [each for each in validate(found.definition) if not each.warning]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("{Type: Lambda, FunctionArn: nothing}", "n:"),
        ("{Type: Callback}", "n:"),
        ("{Type: Condition}", "n:"),
        ("{Type: Condition, Arguments: {Conditions: [], IfSteps: [{Type: Fail}, 3], ElseSteps: x}}", "n:"),
        ("{Type: Condition, Arguments: [1]}", "n:"),
        (f"{{Type: Lambda, FunctionArn: '{ARN}', DependsOn: a, Arguments: {{a: [{{Get: 3}}]}}}}", "n:"),
        (f"{{Type: Lambda, FunctionArn: '{ARN}', DependsOn: [{{a: b}}], CacheConfig: 3}}", "n:"),
        ("{Type: Transform, Arguments: {ModelNme: m}}", "n:"),
    ],
)
def test_a_body_that_the_service_would_refuse_is_refused(tmp_path: Path, written: str, place: str) -> None:
    said = refused(tmp_path, body(written))

    assert excerpts(said, "P390")[0].startswith(place)


def test_a_stand_in_is_left_out(tmp_path: Path) -> None:
    found = compiled(
        tmp_path, callback(more="").replace("    after:", "    local: {run: exit 3}\n    after:")
    )

    assert "exit 3" not in found.scripts()
    assert "local" not in last(found)
    assert "P355" in found.codes()


def test_a_step_without_a_body_is_refused(tmp_path: Path) -> None:
    text = NATIVE % (
        "{data: {type: folder, from: x}}",
        "    azureml: {type: command}\n    local: {run: 'true'}",
    )

    assert errors(tmp_path, text) == ["P354"]
    assert errors(tmp_path, body("{Arguments: {}}")) == ["P354"]
    assert errors(tmp_path, body(f"{{Type: Lambda, Name: other, FunctionArn: '{ARN}'}}")) == ["P354"]


def test_a_body_does_not_calculate(tmp_path: Path) -> None:
    text = body(f"{{Type: Lambda, FunctionArn: '{ARN}', Arguments: {{a: '${{{{ parameters.n + 1 }}}}'}}}}")

    said = refused(tmp_path, text)

    assert excerpts(said, "P307") == ["'${{ parameters.n + 1 }}'}}"]


def test_outputs_are_properties_of_the_step(tmp_path: Path) -> None:
    outputs = """
      data: {type: folder, from: "OutputParameters['data']"}
      one: {type: file, file: one.csv, from: "OutputParameters['data']"}
    """
    reader = '  e: {run: "e ${{ inputs.d }} ${{ inputs.o }}", inputs: {d: "%s", o: "%s"}}'
    read = reader % ("${{ steps.n.outputs.data }}", "${{ steps.n.outputs.one }}")
    found = compiled(tmp_path, callback(outputs, read))
    arguments = found.arguments("e")

    addresses = [each["S3Input"]["S3Uri"] for each in arguments["ProcessingInputs"][:2]]
    assert addresses == [{"Get": "Steps.n.OutputParameters['data']"}] * 2
    # The property holds a file's own address, whatever that file is called.
    assert "--one-file" in arguments["AppSpecification"]["ContainerEntrypoint"]
    assert validate(found.definition) == []


def test_the_model_of_a_native_training_job_is_unpacked(tmp_path: Path) -> None:
    training = (
        "{Type: Training, Arguments: {AlgorithmSpecification: {TrainingImage: i, TrainingInputMode: File}, RoleArn: "
        "'arn:aws:iam::123456789012:role/ml', OutputDataConfig: {S3OutputPath: 's3://b/o'}, StoppingCondition: "
        "{MaxRuntimeInSeconds: 60}, ResourceConfig: {InstanceType: ml.m5.large, InstanceCount: 1, VolumeSizeInGB: 9}}}"
    )
    outputs = "{m: {type: model, from: ModelArtifacts.S3ModelArtifacts}, "
    outputs += "fit: {type: metrics, from: FinalMetricDataList}}"
    more = """
  e: {run: "e ${{ inputs.m }}", inputs: {m: "${{ steps.n.outputs.m }}"}}
  f: {kind: fail, when: "${{ steps.n.outputs.fit.rmse > 1 }}", message: no}
"""
    found = compiled(tmp_path, body(training, outputs) + more)

    assert "--unpack" in found.arguments("e")["AppSpecification"]["ContainerEntrypoint"]
    (condition,) = found.arguments("when_f")["Conditions"]
    assert condition["LeftValue"] == {"Get": "Steps.n.FinalMetricDataList['rmse'].Value"}
    assert validate(found.definition) == []


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("OutputParameters['recall']", {"Get": "Steps.n.OutputParameters['recall']"}),
        ("OutputParameters", {"Get": "Steps.n.OutputParameters['recall']"}),
        (
            "OutputParameters['data']",
            {"Std:JsonGet": {"S3Uri": {"Get": "Steps.n.OutputParameters['data']"}, "Path": "recall"}},
        ),
    ],
)
def test_metrics_of_a_native_step_decide(tmp_path: Path, source: str, left: dict[str, Any]) -> None:
    outputs = f'{{m: {{type: metrics, from: "{source}"}}}}'
    stop = '  f: {kind: fail, when: "${{ steps.n.outputs.m.recall < 0.9 }}", message: no}'
    found = compiled(tmp_path, callback(outputs, stop))

    (condition,) = found.arguments("when_f")["Conditions"]
    assert condition["LeftValue"] == left
    assert found.step("when_f")["DependsOn"] == ["n"]
    assert validate(found.definition) == []


def test_a_native_step_stands_in_its_branch(tmp_path: Path) -> None:
    text = callback().replace("    after: [z]\n", "    when: ${{ parameters.n > 1 }}\n")

    found = compiled(tmp_path, text)

    inside = found.arguments("when_n")["IfSteps"]
    assert [each["Name"] for each in inside] == ["n"]
