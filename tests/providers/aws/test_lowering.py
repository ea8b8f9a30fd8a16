"""What each feature of the language becomes in a pipeline definition: the proofs of the capability table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.sagemaker_for_tests import compiled, excerpts, refused
from tests.specs_for_tests import Shop

import penstock

ONE = """
steps:
  a: {run: "echo ${{ outputs.o }}", outputs: {o: folder}%s}
"""
TRAIN = """
datasets: {d: {type: folder, uri: "s3://b/d/"}}
steps:
  t:
    kind: train
    run: train ${{ inputs.d }} ${{ outputs.m }}
    inputs: {d: "${{ datasets.d }}"}
    outputs: {m: model}
"""


def test_a_command_step_is_a_processing_job(tmp_path: Path) -> None:
    found = compiled(tmp_path, "steps: {a: {run: echo hello}}")
    arguments = found.arguments("a")

    assert found.step("a")["Type"] == "Processing"
    assert arguments["AppSpecification"]["ContainerEntrypoint"] == [
        "/bin/bash",
        "/opt/ml/processing/input/run/run.sh",
    ]
    assert "ProcessingOutputConfig" not in arguments
    assert found.scripts().endswith("echo hello\n")
    assert found.bundle.launcher == ()


def test_a_train_step_is_a_training_job(tmp_path: Path) -> None:
    found = compiled(tmp_path, TRAIN)
    arguments = found.arguments("t")

    assert found.step("t")["Type"] == "Training"
    assert [each["ChannelName"] for each in arguments["InputDataConfig"]] == ["d", "run"]
    assert arguments["AlgorithmSpecification"]["ContainerArguments"] == [
        "/opt/ml/input/data/d",
        "/opt/ml/model",
    ]
    assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


def test_a_register_step_is_a_model_package(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        TRAIN
        + "  r: {kind: register, model: '${{ steps.t.outputs.m }}', name: trees, tags: {team: imaging}}\n",
    )
    arguments = found.arguments("r")

    assert found.step("r")["Type"] == "RegisterModel"
    assert arguments["ModelPackageGroupName"] == "trees"
    assert arguments["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = arguments["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == {"Get": "Steps.t.ModelArtifacts.S3ModelArtifacts"}
    assert "Tags" not in arguments
    assert arguments["CustomerMetadataProperties"]["team"] == "imaging"


def test_a_model_of_a_command_step_is_registered_as_a_folder(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        steps:
          a: {run: "fit ${{ outputs.m }}", outputs: {m: model}}
          r: {kind: register, model: "${{ steps.a.outputs.m }}", name: trees}
        """,
    )
    (container,) = found.arguments("r")["InferenceSpecification"]["Containers"]

    assert "ModelDataUrl" not in container
    source = container["ModelDataSource"]["S3DataSource"]
    assert source["S3DataType"] == "S3Prefix"
    assert source["CompressionType"] == "None"
    assert source["S3Uri"]["Std:Join"]["Values"][-1] == ""


def test_a_fail_step_says_its_message(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        "parameters: {p: {type: integer, default: 1}}\nsteps: {s: {kind: fail, message: 'p is ${{ parameters.p }}'}}",
    )

    assert found.step("s")["Type"] == "Fail"
    message = found.arguments("s")["ErrorMessage"]
    assert message == {"Std:Join": {"On": "", "Values": ["p is ", {"Get": "Parameters.p"}]}}


def test_text_is_joined_from_parameters(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        parameters: {p: {type: string, default: x}}
        steps: {a: {run: "echo ${{ inputs.i }}", inputs: {i: "p=${{ parameters.p }}!"}}}
        """,
    )

    (word,) = found.arguments("a")["AppSpecification"]["ContainerArguments"]
    assert word == {"Std:Join": {"On": "", "Values": ["p=", {"Get": "Parameters.p"}, "!"]}}


def test_after_becomes_depends_on(tmp_path: Path) -> None:
    found = compiled(tmp_path, "steps: {a: {run: echo a}, b: {run: echo b, after: [a]}}")

    assert found.step("b")["DependsOn"] == ["a"]
    assert "DependsOn" not in found.step("a")


def test_platform_faults_are_retried_by_the_service(tmp_path: Path) -> None:
    found = compiled(tmp_path, ONE % ", retry: {attempts: 3, delay: 10s, backoff: 2}")
    (policy,) = found.step("a")["RetryPolicies"]

    assert (policy["MaxAttempts"], policy["IntervalSeconds"], policy["BackoffRate"]) == (2, 10, 2)
    assert "SageMaker.JOB_INTERNAL_ERROR" in policy["ExceptionType"]
    assert found.bundle.launcher == ()


def test_any_error_is_retried_by_the_launcher(tmp_path: Path) -> None:
    found = compiled(tmp_path, ONE % ", retry: {attempts: 3, delay: 10s, backoff: 2, errors: any}")
    entrypoint = found.arguments("a")["AppSpecification"]["ContainerEntrypoint"]

    assert entrypoint[:2] == ["python3", "/opt/ml/processing/input/run/launcher.py"]
    assert entrypoint[entrypoint.index("--attempts") + 1] == "3"
    assert [(each.step, each.reason) for each in found.bundle.launcher] == [("a", "retries on any error")]


def test_a_timeout_is_a_stopping_condition(tmp_path: Path) -> None:
    assert compiled(tmp_path, ONE % ", timeout: 2h").arguments("a")["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 7200
    }


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ("true", {"Enabled": True, "ExpireAfter": "P30D"}),
        ("{expires: 7d}", {"Enabled": True, "ExpireAfter": "P7D"}),
        ("{expires: 90m}", {"Enabled": True, "ExpireAfter": "PT1H30M"}),
        ("false", None),
    ],
)
def test_the_cache_has_an_expiry(tmp_path: Path, cache: str, expected: object) -> None:
    assert compiled(tmp_path, ONE % f", cache: {cache}").step("a").get("CacheConfig") == expected


def test_spot_is_managed_spot_training(tmp_path: Path) -> None:
    found = compiled(tmp_path, TRAIN + "    timeout: 1h\n    compute: {spot: true}\n")
    arguments = found.arguments("t")

    assert arguments["EnableManagedSpotTraining"] is True
    assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert "P315" in found.codes()


def test_a_checkpoint_is_a_checkpoint_config(tmp_path: Path) -> None:
    text = TRAIN.replace(
        "outputs: {m: model}",
        "outputs: {m: model, state: folder}\n    checkpoint: {path: '${{ outputs.state }}'}",
    )
    found = compiled(
        tmp_path, text + "  use: {run: 'ls ${{ inputs.s }}', inputs: {s: '${{ steps.t.outputs.state }}'}}\n"
    )
    config = found.arguments("t")["CheckpointConfig"]

    assert config["LocalPath"] == "/opt/ml/checkpoints"
    assert {"Get": "Execution.PipelineExecutionId"} in config["S3Uri"]["Std:Join"]["Values"]
    assert found.arguments("use")["ProcessingInputs"][0]["S3Input"]["S3Uri"] == {
        "Get": "Steps.t.CheckpointConfig.S3Uri"
    }


def test_the_number_of_machines_may_be_a_parameter(tmp_path: Path) -> None:
    text = "parameters: {n: {type: integer, default: 2}}" + ONE
    by_parameter = compiled(tmp_path, text % ', compute: {count: "${{ parameters.n }}"}').arguments("a")
    by_number = compiled(tmp_path, ONE % ", compute: {count: 3}").arguments("a")

    assert by_parameter["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == {"Get": "Parameters.n"}
    assert by_number["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 3


def test_an_accelerator_picks_an_instance_that_has_one(tmp_path: Path) -> None:
    found = compiled(tmp_path, ONE % ", compute: {cpu: 4, gpu: 1}").arguments("a")

    assert found["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.g4dn.xlarge"


def test_modes_of_inputs(tmp_path: Path) -> None:
    text = TRAIN.replace(
        'inputs: {d: "${{ datasets.d }}"}', 'inputs: {d: {value: "${{ datasets.d }}", mode: %s}}'
    )
    channels = {
        mode: compiled(tmp_path, text % mode).arguments("t")["InputDataConfig"][0].get("InputMode")
        for mode in ("mount", "stream", "download")
    }
    direct = compiled(tmp_path, text % "direct").arguments("t")

    assert channels == {"mount": "FastFile", "stream": "Pipe", "download": None}
    assert direct["AlgorithmSpecification"]["ContainerArguments"][0] == {"Get": "Parameters.d"}
    assert [each["ChannelName"] for each in direct["InputDataConfig"]] == ["run"]


def test_a_channel_announces_its_content_type(tmp_path: Path) -> None:
    text = TRAIN.replace(
        '{d: "${{ datasets.d }}"}', '{d: {value: "${{ datasets.d }}", content_type: text/csv}}'
    )

    assert compiled(tmp_path, text).arguments("t")["InputDataConfig"][0]["ContentType"] == "text/csv"


def test_an_input_may_be_sharded(tmp_path: Path) -> None:
    text = TRAIN.replace('{d: "${{ datasets.d }}"}', '{d: {value: "${{ datasets.d }}", shard: true}}')
    command = compiled(tmp_path, text.replace("kind: train", "kind: command")).arguments("t")
    (channel, _) = compiled(tmp_path, text).arguments("t")["InputDataConfig"]

    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"
    assert command["ProcessingInputs"][0]["S3Input"]["S3DataDistributionType"] == "ShardedByS3Key"


def test_variables_become_the_jobs_environment(tmp_path: Path) -> None:
    text = "parameters: {p: {type: integer, default: 2}}" + ONE
    found = compiled(tmp_path, text % ', env: {LEVEL: high, N: "${{ parameters.p }}"}')

    assert found.arguments("a")["Environment"] == {
        "LEVEL": "high",
        "N": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.p"}]}},
    }


def test_parameters_keep_type_default_and_enum(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        parameters:
          s: {type: string, default: low, enum: [low, high]}
          n: {type: number, default: 0.5, minimum: 0}
          i: {type: integer, default: 2, enum: [1, 2]}
          b: {type: boolean, default: false}
          required: {type: string}
        steps:
          a:
            run: ["echo", "${{ inputs.s }}", "${{ inputs.n }}", "${{ inputs.i }}", "${{ inputs.b }}", "${{ inputs.r }}"]
            inputs:
              s: ${{ parameters.s }}
              n: ${{ parameters.n }}
              i: ${{ parameters.i }}
              b: ${{ parameters.b }}
              r: ${{ parameters.required }}
        """,
    )

    assert found.definition["Parameters"] == [
        {"Name": "s", "Type": "String", "DefaultValue": "low", "EnumValues": ["low", "high"]},
        {"Name": "n", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "i", "Type": "Integer", "DefaultValue": 2},
        {"Name": "b", "Type": "Boolean", "DefaultValue": False},
        {"Name": "required", "Type": "String"},
    ]
    # What is not held there is announced: the bound, and the list of numbers.
    assert sorted({"P327", "P328"} & set(found.codes())) == ["P327", "P328"]


def test_every_dataset_is_a_parameter(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        datasets: {cells: {type: file, path: data/cells.csv}, slot: {type: folder}, far: {type: folder, uri: "s3://b/far"}}
        steps:
          a:
            run: ["cat", "${{ inputs.c }}", "${{ inputs.s }}", "${{ inputs.f }}"]
            inputs: {c: "${{ datasets.cells }}", s: "${{ datasets.slot }}", f: "${{ datasets.far }}"}
        """,
    )

    assert found.parameter("cells")["DefaultValue"].endswith("/cells.csv")
    assert "DefaultValue" not in found.parameter("slot")
    assert found.parameter("far")["DefaultValue"] == "s3://b/far"


def test_the_run_is_an_execution_variable(tmp_path: Path) -> None:
    found = compiled(tmp_path, 'steps: {a: {run: "echo ${{ run.id }} ${{ run.started_at }}"}}').arguments("a")

    assert found["AppSpecification"]["ContainerArguments"] == [
        {"Get": "Execution.PipelineExecutionId"},
        {"Get": "Execution.StartDateTime"},
    ]


def test_a_builtin_algorithm_needs_no_command(tmp_path: Path) -> None:
    text = """
    parameters: {rounds: {type: integer, default: 10}}
    datasets: {d: {type: folder, uri: "s3://b/d/"}}
    environments: {xgb: {%s}}
    steps:
      t:
        kind: train
        environment: xgb
        inputs: {train: "${{ datasets.d }}", num_round: "${{ parameters.rounds }}"}
        outputs: {m: model}
    """
    found = compiled(tmp_path, text % 'image: {sagemaker: "builtin:xgboost:1.7-1"}', "dev").arguments("t")
    other = refused(tmp_path, text % "packages: [xgboost]")

    assert "sagemaker-xgboost:1.7-1" in found["AlgorithmSpecification"]["TrainingImage"]
    assert "ContainerEntrypoint" not in found["AlgorithmSpecification"]
    assert list(found["HyperParameters"]) == ["num_round"]
    assert [each["ChannelName"] for each in found["InputDataConfig"]] == ["train"]
    assert [each[:2] for each in excerpts(other, "P202")] == ["t:"]


def test_goals_leave_no_trace(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        goal: {statement: Good., kpis: [{name: recall, value: "${{ steps.e.outputs.r.recall }}", target: ">= 0.9"}]}
        steps: {e: {run: "judge ${{ outputs.r }}", outputs: {r: metrics}}}
        outputs: {report: "${{ steps.e.outputs.r }}"}
        """,
    )

    assert "PropertyFiles" not in found.step("e")
    assert list(found.definition) == ["Version", "Metadata", "Steps"]
    assert {"P337", "P339"} <= set(found.codes())


def test_packages_are_installed_at_start(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text("dependencies: [libx, {pip: ['pandas>=2']}]\n", encoding="utf-8")
    found = compiled(
        tmp_path, "environments: {e: {conda: conda.yaml}}\nsteps: {a: {run: echo, environment: e}}"
    )

    assert "pip install" in found.scripts()
    assert "'pandas>=2'" in found.scripts()
    assert "P338" in found.codes()


def test_tags_reach_the_jobs(tmp_path: Path) -> None:
    found = compiled(tmp_path, "tags: {team: imaging}" + ONE % ", tags: {cost: 'a*b'}")

    assert found.arguments("a")["Tags"] == [
        {"Key": "team", "Value": "imaging"},
        {"Key": "cost", "Value": "a_b"},
    ]


def test_options_are_merged_and_validated(tmp_path: Path) -> None:
    good = ONE % ", options: {sagemaker: {Arguments: {NetworkConfig: {EnableNetworkIsolation: true}}}}"
    bad = refused(tmp_path, ONE % ", options: {sagemaker: {Arguments: {NetworkConfig: {Nothing: true}}}}")

    assert compiled(tmp_path, good).arguments("a")["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert [each.code for each in bad if str(each.severity) == "error"] == ["P390"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (
            "conditions: {c: '${{ steps.e.outputs.r.x + 1 > 2 }}'}\nsteps:\n"
            "  e: {run: 'e ${{ outputs.r }}', outputs: {r: metrics}}\n"
            "  s: {kind: fail, when: '${{ conditions.c }}', message: no}",
            "P306",
            "'${{ steps",
        ),
        (
            "parameters: {p: {type: integer, default: 1}}\n"
            "steps: {a: {run: 'echo ${{ inputs.i }}', inputs: {i: '${{ parameters.p + 1 }}'}}}",
            "P307",
            "'${{ parameters",
        ),
        ("steps: {a: {run: echo, env: {TOKEN: {from_env: MINE}}}}", "P326", "TOKEN"),
        (
            TRAIN
            + "  r: {kind: register, model: '${{ steps.t.outputs.m }}', name: x, approval: '${{ parameters.ok }}'}\n"
            "parameters: {ok: {type: boolean, default: true}}",
            "P333",
            "'${{ parameters.ok",
        ),
    ],
)
def test_what_is_not_to_be_had_is_announced_at_its_place(
    tmp_path: Path, text: str, code: str, place: str
) -> None:
    found = excerpts(refused(tmp_path, text), code)

    assert [each.startswith(place) for each in found] == [True], found


def test_owner_and_version_are_tags_of_the_pipeline(shop: Shop) -> None:
    shop.write("owner: blue team\nversion: '2.1'\ntags: {owner: mine}\nsteps: {a: {run: 'true'}}")

    bundle = penstock.compile(shop.folder / "pipeline.yaml", "sagemaker")

    request = json.loads(bundle.texts["create-pipeline.json"])
    assert {each["Key"]: each["Value"] for each in request["Tags"]} == {"owner": "mine", "version": "2.1"}
    (step,) = json.loads(bundle.texts["pipeline.json"])["Steps"]
    assert step["Arguments"]["Tags"] == [{"Key": "owner", "Value": "mine"}]
