"""Scripts with generation 3 of SageMaker's SDK, and with nothing of Penstock in them, run against the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.running_scripts_for_tests import Scripts, scripts_running


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    with scripts_running(Path(__file__).parent / "scripts", tmp_path_factory.mktemp("scripts")) as running:
        yield running


def test_executions_fail_are_retried_stopped_and_run_in_part(scripts: Scripts) -> None:
    found = scripts.told("paths")

    reason = "AlgorithmError: See job logs for more information, exit code: 3"
    assert found["failed"] == {
        "execution": "Step failure: One or multiple steps failed.",
        "step": reason,
        "job": ["Failed", reason],
    }
    assert found["wait"].startswith("Waiter PipelineExecutionComplete failed")
    assert "no such flag" in scripts.said("paths")
    assert found["retried"] == ["Succeeded", True, True]
    assert found["stopped"] == ["Stopped", {"draw": "Succeeded", "check": "Stopped"}, "Stopped"]
    assert (found["selected"], found["source"]) == (["Succeeded", True], True)
    assert found["refused"] == ["Failed", "it is not good enough"]
    assert "unheard" in found["unknown"]


def test_jobs_run_without_a_pipeline_and_a_model_is_approved(scripts: Scripts) -> None:
    found = scripts.told("jobs")

    assert found["account"] == "123456789012"
    assert (found["processing"], found["training"]) == ("Completed", "Completed")
    assert found["model"].endswith("/output/model.tar.gz")
    assert (found["trials"], found["best"], found["created"]) == (2, True, "direct")
    assert found["scored"] == found["tested"] == 75
    assert found["approval"] == ["PendingManualApproval", "Approved", "it finds what it should"]
    assert found["listed"] == [1]
    assert "level is direct" in scripts.said("jobs")


def test_a_pipeline_of_every_kind_of_step_is_followed_to_its_results(scripts: Scripts) -> None:
    found = scripts.told("cancer")

    assert found["bucket"] == "sagemaker-us-east-1-123456789012"
    assert found["pipelines"] == ["arn:aws:sagemaker:us-east-1:123456789012:pipeline/cancer"] * 2
    assert found["display"] == "nightly"
    assert found["parameters"] == {"rows": "400", "floor": "0.8"}
    steps = ("Prepare", "Train", "Tune", "Evaluate", "Good", "Register", "Create", "Score")
    assert found["states"] == dict.fromkeys(steps, "Succeeded")
    assert found["outcome"] == "True"
    assert found["metrics"]["train:recall"] > 0.9
    assert "model.joblib" in found["model"]
    assert found["report"]["classes"][0]["recall.value"] > 0.9
    assert len(found["scored"]) == 100
    assert set(found["scored"]) == {"0", "1"}
    assert found["package"] == ["PendingManualApproval", 1]
    assert found["statistics"] == "evaluation.json"
    assert (found["trials"], found["executions"]) == (2, 1)
    assert "level is info on sklearn" in scripts.said("cancer")


def test_functions_are_steps_and_give_each_other_their_results(scripts: Scripts) -> None:
    found = scripts.told("functions")

    assert found["states"] == {"fit": "Succeeded", "good": "Succeeded", "tell": "Succeeded"}
    assert found["fit"]["rows"] == 569
    assert found["tell"] == f"recall {found['fit']['recall']:.4f}"
