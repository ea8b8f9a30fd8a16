from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.submission.cloud_for_tests import BUCKET, Cloud
from tests.same_as_local_for_tests import differences

import penstock
from penstock.asking import Asked
from penstock.errors import RunError, SpecError
from penstock.runtime.events import Event, StepChanged
from penstock.submitting import submit

LONG = 100
"""Tenths of a second that a step takes which is interrupted: its follower looks once in a while."""


def test_a_submitted_pipeline_gives_what_a_local_run_gives(cloud: Cloud) -> None:
    spec = cloud.small()
    local = penstock.run(spec, project=cloud.shop.folder, parameters={"words": "good day", "times": 3})

    remote = cloud.submit(spec, parameters={"words": "good day", "times": 3})

    assert differences(local, remote) == []
    assert remote.output("again", "copy").read_text() == "good day"
    assert remote.states["rarely"] == "skipped"
    assert remote.record.remote["execution"] == cloud.executions(cloud.prefix)[0]["PipelineExecutionArn"]


@pytest.mark.slow
def test_lineage_tells_where_each_input_came_from(cloud: Cloud) -> None:
    run = cloud.submit(cloud.small())

    parts = run.steps["again"].key_parts
    (made,) = [each.digest for each in run.steps["say"].outputs if each.port == "made"]
    assert parts["input"]["made"] == {"digest": made, "step": "say"}
    assert len(run.steps["say"].key_parts["code"]) == 64


@pytest.mark.slow
def test_a_second_submit_uploads_nothing_and_updates_nothing(cloud: Cloud) -> None:
    spec = cloud.small()
    assert [action for action, _ in cloud.plan(spec)].count("create") == 1
    cloud.submit(spec)
    before = {key: each for key, each in cloud.keys().items() if "/assets/" in key}
    pipeline = cloud.sagemaker.describe_pipeline(PipelineName=cloud.prefix)

    planned = cloud.plan(spec)
    cloud.submit(spec)

    assert [action for action, _ in planned] == ["keep", "keep", "start"]
    assert {key: each for key, each in cloud.keys().items() if "/assets/" in key} == before
    after = cloud.sagemaker.describe_pipeline(PipelineName=cloud.prefix)
    assert after["LastModifiedTime"] == pipeline["LastModifiedTime"]


def test_a_dry_run_sends_nothing(cloud: Cloud) -> None:
    planned = cloud.plan(cloud.small(), parameters={"times": 4})

    assert ("create", f"pipeline {cloud.prefix}") in planned
    assert any(action == "upload" and what.endswith("/say.py") for action, what in planned)
    assert cloud.keys() == {}
    assert not _exists(cloud)
    assert not (cloud.shop.folder / ".penstock" / "runs").exists()


@pytest.mark.slow
def test_only_what_changed_is_sent_again(cloud: Cloud) -> None:
    spec = cloud.small()
    cloud.submit(spec)
    cloud.shop.file("src/say.py", (cloud.shop.folder / "src" / "say.py").read_text() + "# changed\n")

    planned = cloud.plan(spec)

    assert [action for action, _ in planned].count("upload") == 1
    assert ("update", f"pipeline {cloud.prefix}") in planned
    cloud.submit(spec)
    assert [action for action, _ in cloud.plan(spec)] == ["keep", "keep", "start"]


@pytest.mark.slow
def test_a_bundle_without_a_profile_is_filled_and_gives_the_same(cloud: Cloud) -> None:
    spec = cloud.small()
    folder = penstock.compile(spec, "sagemaker").write(cloud.shop.folder / "bundle")
    local = penstock.run(spec, project=cloud.shop.folder)

    remote = cloud.submit(folder)

    assert differences(local, remote) == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"parameters": {"times": 601}}, "P407"),
        ({"parameters": {"time": 1}}, "P407"),
        ({"datasets": {"rows": "s3://my-ml/rows"}}, "P408"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    cloud: Cloud, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(RunError) as fault:
        cloud.submit(cloud.small(), **asked)

    assert [each.code for each in fault.value.diagnostics] == [code]
    assert cloud.keys() == {}


def test_a_profile_that_is_not_there_is_told(cloud: Cloud) -> None:
    with pytest.raises(SpecError) as fault:
        penstock.submit(cloud.small(), "prod", project=cloud.shop.folder)

    assert [each.code for each in fault.value.diagnostics] == ["P130"]


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_told_and_not_made(cloud: Cloud) -> None:
    cloud.write_profile(bucket="nobodys-bucket")

    with pytest.raises(RunError) as fault:
        cloud.submit(cloud.small())

    assert [each.code for each in fault.value.diagnostics] == ["P455"]
    assert "nobodys-bucket" in str(fault.value)
    assert [each["Name"] for each in cloud.s3.list_buckets()["Buckets"]] == [BUCKET]


def test_a_failure_is_told_in_the_service_s_words_and_what_hangs_on_it_does_not_run(cloud: Cloud) -> None:
    spec = cloud.small()
    spec.write_text(spec.read_text().replace("cp ${{ inputs.made }}/said.txt", "false"))

    run = cloud.submit(spec)

    assert run.status == "failed"
    assert run.steps["again"].message.startswith("AlgorithmError")
    assert run.record.message == f"again: {run.steps['again'].message}"
    assert run.states["say"] == "succeeded" and run.metrics["say"]["report"] == {"said": 2}


@pytest.mark.slow
def test_a_run_that_nobody_follows_is_followed_by_resume(cloud: Cloud) -> None:
    spec = cloud.small()
    left = cloud.submit(spec, wait=False, parameters={"times": 5})
    assert left.status == "detached"

    run = cloud.shop.resume(left.id)

    assert run.id == left.id and run.status == "succeeded"
    assert run.metrics["say"]["report"] == {"said": 5}
    assert len(cloud.executions(cloud.prefix)) == 1


def interrupted(cloud: Cloud, spec: Path, *, stops: bool) -> penstock.Run:
    """Submit, and interrupt once a step runs."""
    stop = threading.Event()

    def watch(event: Event) -> None:
        cloud.shop.events.append(event)
        if isinstance(event, StepChanged) and event.step.status == "running":
            stop.set()

    return submit(
        spec,
        to="dev",
        asked=Asked({"times": LONG}),
        project=cloud.shop.project,
        watch=watch,
        stop=stop,
        stops=lambda: stops,
    )


@pytest.mark.slow
def test_an_interrupted_follower_leaves_the_execution_which_another_follows(cloud: Cloud) -> None:
    run = interrupted(cloud, cloud.small(), stops=False)
    assert run.status == "detached"
    assert cloud.executions(cloud.prefix)[0]["PipelineExecutionStatus"] == "Executing"

    ended = cloud.shop.resume()

    assert ended.status == "succeeded" and ended.metrics["say"]["report"] == {"said": LONG}
    assert len(cloud.executions(cloud.prefix)) == 1


@pytest.mark.slow
def test_an_interrupted_follower_stops_the_execution_where_that_is_wanted(cloud: Cloud) -> None:
    run = interrupted(cloud, cloud.small(), stops=True)

    assert run.status == "stopped"
    assert run.states["say"] == "stopped"
    assert cloud.executions(cloud.prefix)[0]["PipelineExecutionStatus"] == "Stopped"


@pytest.mark.slow
def test_resuming_what_was_stopped_has_the_service_try_again(cloud: Cloud) -> None:
    stopped = interrupted(cloud, cloud.small(), stops=True)

    run = cloud.shop.resume(stopped.id)

    assert run.status == "succeeded" and run.metrics["say"]["report"] == {"said": LONG}
    assert len(cloud.executions(cloud.prefix)) == 1


@pytest.mark.slow
def test_remote_runs_stand_beside_local_ones(cloud: Cloud) -> None:
    spec = cloud.small()
    local = penstock.run(spec, project=cloud.shop.folder)
    remote = cloud.submit(spec)

    listed = {each["id"]: each for each in json.loads(cloud.shop.cli("runs", "list", "--json").stdout)}
    shown = cloud.shop.cli("runs", "show", remote.id).stdout
    compared = json.loads(cloud.shop.cli("runs", "diff", local.id, remote.id, "--json").stdout)

    assert listed[local.id]["where"] == "local" and listed[remote.id]["where"] == "remote"
    assert remote.record.remote["execution"] in shown and "by profile dev" in shown
    assert not [each for each in compared if "output" in each["what"] or "metric" in each["what"]]


@pytest.mark.slow
def test_the_command_line_sends_follows_and_says_so(cloud: Cloud) -> None:
    cloud.small()

    planned = cloud.shop.cli("submit", "pipeline.yaml", "--to", "dev", "--dry-run", "--json")
    done = cloud.shop.cli("submit", "pipeline.yaml", "--to", "dev", "--wait", "-p", "times=1")
    left = cloud.shop.cli("submit", "pipeline.yaml", "--to", "dev")

    assert json.loads(planned.stdout)["changes"][-1]["action"] == "start"
    assert done.returncode == 0 and "✓ said" in done.stdout
    assert left.returncode == 0 and "penstock resume" in left.stdout
    assert cloud.shop.cli("resume").returncode == 0


@pytest.mark.slow
def test_data_of_this_machine_goes_up_and_is_what_the_jobs_read(cloud: Cloud) -> None:
    spec = cloud.shop.write(
        f"""penstock: v1
kind: pipeline
name: {cloud.prefix}
datasets: {{rows: {{type: file, path: rows.csv}}}}
steps:
  read:
    run: cp ${{{{ inputs.rows }}}} ${{{{ outputs.seen }}}}
    inputs: {{rows: "${{{{ datasets.rows }}}}"}}
    outputs: {{seen: {{type: file, file: seen.csv}}}}
"""
    )
    cloud.shop.file("rows.csv", "spec's own\n")
    mine = cloud.shop.file("mine.csv", "mine\n")
    cloud.s3.put_object(Bucket=BUCKET, Key=f"{cloud.prefix}/far.csv", Body=b"far\n")

    own = cloud.submit(spec)
    brought = cloud.submit(spec, datasets={"rows": mine})
    far = cloud.submit(spec, datasets={"rows": f"s3://{BUCKET}/{cloud.prefix}/far.csv"})

    seen = [each.output("read", "seen").read_text() for each in (own, brought, far)]
    assert seen == ["spec's own\n", "mine\n", "far\n"]
    assert brought.record.datasets["rows"]["path"] == str(mine)


def _exists(cloud: Cloud) -> bool:
    names = [each["PipelineName"] for each in cloud.sagemaker.list_pipelines()["PipelineSummaries"]]
    return cloud.prefix in names
