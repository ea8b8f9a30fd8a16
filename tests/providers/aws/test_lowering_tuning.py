"""A search as a Tuning step: its limits, its ranges, and where the best trial's outputs are found."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.test_oracle import plain
from tests.sagemaker_for_tests import Compiled, compiled, refused

from penstock_aws.sagemaker.validation import validate

SPACE = (
    "{depth: {type: integer, minimum: 2, maximum: 12}, rate: {minimum: 0.001, maximum: 0.3, scale: log}, "
    "loss: [log, exp]}"
)
SEARCH = """
parameters: {folds: {type: integer, default: 5}, title: {type: string, default: it's}}
datasets: {d: {type: folder, uri: "s3://b/d/"}}
environments: {e: %(environment)s}
steps:
  t:
    kind: tune
    run: >-
      python work.py ${{ inputs.d }} ${{ inputs.depth }} ${{ inputs.rate }} ${{ inputs.loss }} ${{ inputs.folds }}
      ${{ inputs.title }} "${{ inputs.label }}" ${{ outputs.m }} ${{ outputs.report }}
    code: src
    environment: e
    inputs: {d: "${{ datasets.d }}", folds: "${{ parameters.folds }}", title: "${{ parameters.title }}", label: a "b"}
    outputs: {m: model, report: {type: metrics, file: report.json}}
    search_space: %(space)s
    sampling: %(sampling)s
    objective: %(objective)s
    limits: %(limits)s
%(more)s
"""
GRID = "{depth: {type: integer, minimum: 2, maximum: 4}, rate: {enum: [0.1, 1]}, loss: [log, exp]}"
READER = '  e: {run: "%s", inputs: {i: "${{ steps.t.outputs.%s }}"}}\n'


def search(more: str = "", **changed: str) -> str:
    """Write the spec of a search with one thing changed; `more` are keys of the step and steps after it."""
    usual = {
        "environment": "{packages: [scikit-learn]}",
        "space": SPACE,
        "sampling": "bayesian",
        "objective": "{metric: recall, goal: maximize}",
        "limits": "{trials: 20, parallel: 4}",
    }
    return SEARCH % {**usual, **changed, "more": more}


def config(found: Compiled) -> dict[str, Any]:
    shown: dict[str, Any] = found.arguments("t")["HyperParameterTuningJobConfig"]
    return shown


def trial(found: Compiled) -> dict[str, Any]:
    shown: dict[str, Any] = found.arguments("t")["TrainingJobDefinition"]
    return shown


def messages(folder: Path, text: str, code: str, profile: str = "") -> list[str]:
    return [each.message for each in refused(folder, text, profile) if each.code == code]


def test_a_search_is_a_tuning_job(tmp_path: Path) -> None:
    found = compiled(tmp_path, search("    seed: 7\n    timeout: 6h\n"))

    assert found.step("t")["Type"] == "Tuning"
    assert config(found) == {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "recall"},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": 20,
            "MaxParallelTrainingJobs": 4,
            "MaxRuntimeInSeconds": 21600,
        },
        "ParameterRanges": {
            "IntegerParameterRanges": [
                {"Name": "depth", "MinValue": "2", "MaxValue": "12", "ScalingType": "Linear"}
            ],
            "ContinuousParameterRanges": [
                {"Name": "rate", "MinValue": "0.001", "MaxValue": "0.3", "ScalingType": "Logarithmic"}
            ],
            "CategoricalParameterRanges": [{"Name": "loss", "Values": ['"log"', '"exp"']}],
        },
        "TrainingJobEarlyStoppingType": "Off",
        "RandomSeed": 7,
    }
    assert trial(found)["AlgorithmSpecification"]["MetricDefinitions"] == [
        {"Name": "recall", "Regex": "penstock_metric recall=([^;]+);"}
    ]
    assert [each["ChannelName"] for each in trial(found)["InputDataConfig"]] == ["d", "code", "run"]
    assert found.step("t")["CacheConfig"]["Enabled"] is True


def test_trials_start_in_the_toolkits_script_mode(tmp_path: Path) -> None:
    found = compiled(tmp_path, search(), "dev")
    static = trial(found)["StaticHyperParameters"]
    (archive,) = (each for each in found.bundle.assets if each.name == "sourcedir.tar.gz")

    assert static["sagemaker_program"] == '"penstock_trial.py"'
    assert static["sagemaker_submit_directory"] == f'"{archive.upload_to}"'
    assert static["sagemaker_region"] == '"eu-west-1"'
    assert static["label"] == '"a \\"b\\""'
    assert static["title"] == {"Get": "Parameters.title"}
    assert list(archive.added) == ["penstock_trial.py"]
    assert "starts a trial" in found.bundle.launcher[-1].reason
    assert "ContainerEntrypoint" not in trial(found)["AlgorithmSpecification"]


def test_a_grid_has_categorical_ranges(tmp_path: Path) -> None:
    found = compiled(tmp_path, search(space=GRID, sampling="grid", limits="{trials: 12}"))

    assert config(found)["Strategy"] == "Grid"
    assert config(found)["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 12
    assert "RandomSeed" not in config(found)
    assert config(found)["ParameterRanges"] == {
        "CategoricalParameterRanges": [
            {"Name": "depth", "Values": ["2", "3", "4"]},
            {"Name": "rate", "Values": ["0.1", "1.0"]},
            {"Name": "loss", "Values": ['"log"', '"exp"']},
        ]
    }


def test_a_grid_ends_when_all_its_points_are_tried(tmp_path: Path) -> None:
    found = compiled(tmp_path, search(space=GRID, sampling="grid", limits="{trials: 50}"))

    assert config(found)["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 12
    assert "P294" in found.codes()


def test_early_stopping_is_the_services_own(tmp_path: Path) -> None:
    stopping = "    early_stopping: {policy: median}\n"
    objective = "{metric: recall, goal: maximize, source: log, regex: 'recall=([0-9.]+)'}"
    found = compiled(tmp_path, search(stopping, objective=objective))
    late = compiled(tmp_path / "late", search(stopping))

    assert config(found)["TrainingJobEarlyStoppingType"] == "Auto"
    assert [each.severity.value for each in found.bundle.diagnostics if each.code == "P345"] == ["note"]
    said = [each for each in late.bundle.diagnostics if each.code == "P345"]
    assert any("ends none early" in each.message and "source: log" in each.hint for each in said)


def test_a_trial_has_its_time_limit(tmp_path: Path) -> None:
    found = compiled(tmp_path, search(limits="{trials: 2, trial_timeout: 30m}"))
    spot = compiled(
        tmp_path / "spot",
        search("    compute: {spot: true}\n", limits="{trials: 2, trial_timeout: 30m}"),
    )

    assert trial(found)["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert trial(spot)["EnableManagedSpotTraining"] is True
    assert trial(spot)["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 3600}


def test_an_objective_from_the_log_keeps_its_regex(tmp_path: Path) -> None:
    objective = "{metric: loss, goal: minimize, source: log, regex: 'loss=([0-9.]+)'}"
    found = compiled(tmp_path, search(objective=objective))

    assert config(found)["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "loss"}
    definitions = trial(found)["AlgorithmSpecification"]["MetricDefinitions"]
    assert definitions == [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
    assert [each.reason for each in found.bundle.launcher] == [
        "starts a trial: tuning jobs take no container command"
    ]


def test_scales_and_single_values_have_their_own_form(tmp_path: Path) -> None:
    space = (
        "{depth: {type: integer, minimum: 1, maximum: 64, scale: log}, loss: [true, false], "
        "rate: {minimum: 0.5, maximum: 0.999, scale: reverse_log}, fixed: {minimum: 0.5, maximum: 0.5}}"
    )
    found = config(compiled(tmp_path, search(space=space, sampling="random")))

    ranges = found["ParameterRanges"]
    assert found["Strategy"] == "Random"
    assert [each["ScalingType"] for each in ranges["IntegerParameterRanges"]] == ["Logarithmic"]
    assert [each["ScalingType"] for each in ranges["ContinuousParameterRanges"]] == ["ReverseLogarithmic"]
    assert ranges["CategoricalParameterRanges"] == [
        {"Name": "loss", "Values": ["true", "false"]},
        {"Name": "fixed", "Values": ["0.5"]},
    ]


def test_the_best_trials_outputs_are_found_by_its_job(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        search(READER % ("cat ${{ inputs.i }}", "report"))
        + "  r: {kind: register, model: '${{ steps.t.outputs.m }}', name: trees}\n",
    )
    place: list[Any] = [
        {"Get": "Steps.t.TrainingJobDefinition.OutputDataConfig.S3OutputPath"},
        {"Get": "Steps.t.BestTrainingJob.TrainingJobName"},
    ]
    (read, *_) = found.arguments("e")["ProcessingInputs"]
    (container,) = found.arguments("r")["InferenceSpecification"]["Containers"]

    assert read["S3Input"]["S3Uri"]["Std:Join"]["Values"] == [*place, "output/output.tar.gz"]
    assert container["ModelDataUrl"]["Std:Join"]["Values"] == [*place, "output/model.tar.gz"]
    assert "unpacks an archive" in found.bundle.launcher[-1].reason
    words = found.arguments("e")["AppSpecification"]["ContainerArguments"]
    assert words == ["/tmp/penstock/i/report/report.json"]


def test_conditions_read_the_objective_of_the_best_trial(tmp_path: Path) -> None:
    stop = "  s: {kind: fail, when: '${{ steps.t.outputs.report%s < 0.5 }}', message: low}\n"
    found = compiled(tmp_path, search(stop % ".recall"))
    (condition,) = found.arguments("when_s")["Conditions"]

    value = "Steps.t.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value"
    assert condition["LeftValue"] == {"Get": value}
    (message,) = messages(tmp_path / "other", search(stop % ".precision"), "P335")
    assert "'precision'" in message


def test_nested_names_of_an_objective_are_joined_by_dots(tmp_path: Path) -> None:
    found = compiled(tmp_path, search(objective="{metric: \"['macro avg'].f1\", goal: maximize}"))

    (definition,) = trial(found)["AlgorithmSpecification"]["MetricDefinitions"]
    assert definition["Name"] == "macro avg.f1"


BUILTIN = """
penstock: v1
kind: component
name: linear
version: "1"
inputs: {train: folder, epochs: integer, form: string, rate: number, loss: string}
outputs: {m: model}
step: {kind: train, environment: x}
"""


def test_a_builtin_algorithm_is_tuned_without_a_script(tmp_path: Path) -> None:
    (tmp_path / "linear.yaml").write_text(BUILTIN, encoding="utf-8")
    found = compiled(
        tmp_path,
        """
        datasets: {d: {type: folder, uri: "s3://b/d/"}}
        environments: {x: {image: {sagemaker: "builtin:linear-learner:1"}}}
        steps:
          t:
            kind: tune
            uses: linear.yaml
            inputs: {train: "${{ datasets.d }}", epochs: 3, form: wide}
            search_space: {rate: {minimum: 0.1, maximum: 0.3}, loss: [log, exp]}
            objective: {metric: "validation:objective_loss", goal: minimize, source: log, regex: "x=(.*)"}
            limits: {trials: 2}
        """,
    )

    assert trial(found)["StaticHyperParameters"] == {"epochs": "3", "form": "wide"}
    assert "MetricDefinitions" not in trial(found)["AlgorithmSpecification"]
    assert [each["ChannelName"] for each in trial(found)["InputDataConfig"]] == ["train"]
    assert config(found)["ParameterRanges"]["CategoricalParameterRanges"][0]["Values"] == ["log", "exp"]
    assert "P347" in found.codes()


@pytest.mark.parametrize(
    "image",
    [
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
        "builtin:kmeans:1",
    ],
)
def test_an_image_without_the_toolkit_starts_no_trials(tmp_path: Path, image: str) -> None:
    (message,) = messages(tmp_path, search(environment=f'{{image: {{sagemaker: "{image}"}}}}'), "P342")

    assert "toolkit" in message


@pytest.mark.parametrize(
    "image",
    ["141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3", "builtin:xgboost"],
)
def test_a_framework_image_of_the_services_starts_trials(tmp_path: Path, image: str) -> None:
    found = compiled(tmp_path, search(environment=f'{{image: {{sagemaker: "{image}"}}}}'), "dev")

    assert "P342" not in found.codes()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"space": GRID, "sampling": "grid", "limits": "{trials: 5}"}, "all 12 points"),
        (
            {
                "space": GRID.replace("4}", "40}"),
                "sampling": "grid",
                "limits": "{trials: 200}",
            },
            "30 values in a list, and 'depth' has 39",
        ),
        ({"limits": "{trials: 800}"}, "750 trials"),
        ({"limits": "{trials: 400, parallel: 200}"}, "100 trials at once"),
        ({"more": "    timeout: 60s\n"}, "120 to"),
        ({"space": SPACE[:-1] + ", sagemaker_loss: [1]}"}, "'sagemaker_loss'"),
        ({"space": SPACE.replace("exp", "x" * 255)}, "'loss' has a value"),
        ({"objective": "{metric: a, goal: maximize, source: log, regex: '(%s)'}" % ("a" * 499)}, "500"),
        ({"space": SPACE[:-1] + "".join(f", v{n}: [1, 2]" for n in range(28)) + "}"}, "varies 30 values"),
    ],
)
def test_limits_of_the_service_are_told(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    found = messages(tmp_path, search(**changed), "P393")

    assert any(said in each for each in found), found


def test_quotas_that_may_be_raised_are_warnings(tmp_path: Path) -> None:
    found = compiled(tmp_path, search(sampling="random", limits="{trials: 800, parallel: 20}"))

    assert found.codes().count("P393") == 2


def test_checkpoints_belong_to_one_trial(tmp_path: Path) -> None:
    outputs = "    outputs: {m: model, report: {type: metrics, file: report.json}"
    more = outputs + ', ckpt: folder}\n    checkpoint: {path: "${{ outputs.ckpt }}"}\n'
    text = search().replace(outputs + "}\n", more)
    text = text.replace("${{ outputs.m }} ${{", "${{ outputs.m }} ${{ outputs.ckpt }} ${{")
    found = compiled(tmp_path, text)
    (archive,) = (each for each in found.bundle.assets if each.name == "sourcedir.tar.gz")

    assert trial(found)["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert '["/opt/ml/checkpoints", "checkpoint"]' in archive.added["penstock_trial.py"]
    found_too = messages(tmp_path / "read", text + READER % ("ls ${{ inputs.i }}", "ckpt"), "P316")
    assert any("no output of the best one" in each for each in found_too)


@pytest.mark.parametrize("profile", ["", "dev"])
def test_botocore_takes_the_request(tmp_path: Path, profile: str) -> None:
    pytest.importorskip("botocore")
    model: Any = import_module("botocore.session").get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateHyperParameterTuningJob").input_shape
    found = compiled(
        tmp_path, search("    env: {A: b}\n    tags: {team: x}\n    retry: {attempts: 3}\n"), profile
    )
    request = {"HyperParameterTuningJobName": "name", **plain(found.arguments("t"), shape)}

    report: str = (
        import_module("botocore.validate").ParamValidator().validate(request, shape).generate_report()
    )

    assert report == ""
    assert validate(found.definition) == []
    assert found.step("t")["RetryPolicies"][0]["MaxAttempts"] == 2
    assert found.arguments("t")["Tags"] == [{"Key": "team", "Value": "x"}]
    assert trial(found)["Environment"] == {"A": "b"}
