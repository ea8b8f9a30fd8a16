"""Sweep nodes and sweep jobs: what is drawn, what trials report, which is best, and which ends early."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.providers.azure.emulator.jobs_for_tests import PLAIN, command, log, pipeline, ran
from tests.same_as_local_for_tests import differences
from tests.searches_for_tests import DRAWN, GRID, table
from tests.specs_for_tests import Shop

import penstock

# What mlflow.log_metric sends, without mlflow.
REPORT = """
import http.client, json, os, sys, time
name, pause, *values = sys.argv[1:]
host = os.environ["MLFLOW_TRACKING_URI"].removeprefix("http://")
known = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
for step, value in enumerate(values):
    sent = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": name, "value": float(value), "timestamp": step, "step": step}
    link = http.client.HTTPConnection(host)
    link.request("POST", "/api/2.0/mlflow/runs/log-metric", json.dumps(sent), known)
    assert link.getresponse().status == 200
    link.close()
    time.sleep(float(pause))
"""


def sweep(text: str, space: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a sweep node with an inline trial."""
    return {
        "type": "sweep",
        "trial": {"command": text, "code": "./src", "environment": PLAIN},
        "search_space": space,
        "sampling_algorithm": "grid",
        "objective": {"goal": "maximize", "primary_metric": "acc"},
        "limits": {"max_total_trials": 8, "max_concurrent_trials": 2},
        "compute": "azureml:cpu",
        **more,
    }


def choice(*values: Any) -> dict[str, Any]:
    return {"type": "choice", "values": [*values]}


def values(run: penstock.Run, name: str, step: str) -> list[Any]:
    return [each["values"][name] for each in table(run, step)]


def test_the_best_trials_outputs_are_the_nodes(tmp_path: Path) -> None:
    trial = {
        "type": "command",
        "name": "trial",
        "code": "./src",
        "environment": PLAIN,
        "inputs": {"x": {"type": "number"}, "data": {"type": "uri_file"}},
        "outputs": {"model": {"type": "uri_folder"}},
        "command": "python report.py acc 0 0.9 0.${{inputs.x}}\n"
        "cat ${{inputs.data}} > ${{outputs.model}}/m; echo ${{inputs.x}} >> ${{outputs.model}}/m",
    }
    node = sweep("", {"x": choice(3, 7)})
    node |= {"trial": "./trial.yml", "inputs": {"data": "${{parent.inputs.data}}"}}
    after = command("cat ${{inputs.m}}/m", inputs={"m": "${{parent.jobs.tune.outputs.model}}"})
    data = {"type": "uri_file", "path": "d.txt"}

    run = ran(
        tmp_path,
        {
            "job.yml": pipeline({"tune": node, "after": after}, inputs={"data": data}),
            "trial.yml": trial,
            "src/report.py": REPORT,
            "d.txt": "data\n",
        },
    )

    assert run.succeeded, run.record.message
    assert log(run, "after") == "data\n7\n"
    found = run.steps["tune"]
    assert found.search["best"] == {"number": 1, "values": {"x": 7}, "objective": 0.7}
    assert found.message.startswith("best of 2 trials: number 1 (x=7) with acc = 0.7")
    assert [each["status"] for each in table(run, "tune")] == ["succeeded"] * 2


@pytest.mark.slow
def test_a_sweep_job_searches_by_itself_and_failed_trials_count_as_such(tmp_path: Path) -> None:
    job = sweep(
        "python report.py ${{search_space.name}} 0 0.5; test ${{search_space.name}} != bad"
        "; echo ${{inputs.n}} > ${{outputs.out}}/n",
        {"name": choice("acc", "bad", "other")},
        inputs={"n": 4},
        outputs={"out": {"type": "uri_folder"}},
    )

    run = ran(tmp_path, {"job.yml": job, "src/report.py": REPORT})

    assert run.succeeded, run.record.message
    assert (run.output("job", "out") / "n").read_text() == "4\n"
    assert [each["status"] for each in table(run, "job")] == ["succeeded", "failed", "failed"]
    assert "P423" in table(run, "job")[2]["message"]


def test_a_search_in_which_nothing_succeeds_fails_and_keeps_its_table(tmp_path: Path) -> None:
    run = ran(tmp_path, {"job.yml": sweep("exit 3", {"x": choice(1, 2)}), "src/a": ""})

    assert run.status == "failed"
    assert run.steps["job"].message.startswith("none of 2 trials succeeded; trial 0 (x=1): Execution failed.")
    assert [each["status"] for each in table(run, "job")] == ["failed", "failed"]


@pytest.mark.slow
def test_a_trial_that_is_too_far_behind_ends_early(tmp_path: Path) -> None:
    # The second trial would take a minute after its first report.
    job = sweep(
        "python report.py acc $(( 60 * (${{search_space.x}} < 9) )) 0.${{search_space.x}}",
        {"x": choice(9, 1)},
        early_termination={"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1},
        limits={"max_total_trials": 2, "max_concurrent_trials": 1},
    )

    run = ran(tmp_path, {"job.yml": job, "src/report.py": REPORT})

    assert run.succeeded
    assert [each["status"] for each in table(run, "job")] == ["succeeded", "stopped"]
    assert table(run, "job")[1]["message"] == "bandit ended it: acc = 0.1 after 1 reports"


@pytest.mark.slow
def test_trials_that_were_made_are_not_made_again(tmp_path: Path) -> None:
    job = sweep(
        "python report.py acc 0 0.${{search_space.x}}",
        {"x": choice(1, 2, 3)},
        limits={"max_total_trials": 2},
    )
    files = {"src/report.py": REPORT}

    ran(tmp_path, {"job.yml": job, **files})
    more = ran(tmp_path, {"job.yml": {**job, "limits": {"max_total_trials": 3}}, **files})

    assert [each["cached"] for each in table(more, "job")] == [True, True, False]
    assert more.steps["job"].search["best"]["objective"] == 0.3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"search_space": {"x": {"type": "uniform", "min_value": 0, "max_value": 1}}}, "no end of values"),
        ({"search_space": {"x": {"type": "choice", "values": []}}}, "no values to choose from"),
        ({"limits": {"max_concurrent_trials": 2}, "sampling_algorithm": "random"}, "max_total_trials"),
    ],
)
def test_what_cannot_be_searched_is_told_before_anything_runs(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(penstock.PenstockError, match=said):
        ran(tmp_path, {"job.yml": {**sweep("true", {}), **change}, "src/a": ""})

    assert not (tmp_path / ".penstock" / "runs").exists()


SAME = {
    "a grid": GRID.replace("COUNT", "/dev/null").replace("BAD", "5").replace("SLEEP", "0"),
    "numbers by chance": DRAWN.replace("SAMPLING", "random").replace("trials: 12", "trials: 4"),
    "what learns": DRAWN.replace("SAMPLING", "bayesian"),
    "all kinds of dimensions": """
    steps:
      tune:
        kind: tune
        run: |
          echo "{\\"loss\\": {\\"a\\": ${{ inputs.rate }}}}" > ${{ outputs.m }}
          echo ${{ inputs.depth }} ${{ inputs.deep }} ${{ inputs.flag }} > ${{ outputs.o }}
          echo ${{ inputs.items }} ${{ inputs.size }} >> ${{ outputs.o }}
        outputs: {m: metrics, o: file}
        search_space:
          rate: {type: number, minimum: 0.001, maximum: 0.3, scale: log}
          depth: {type: integer, minimum: 2, maximum: 9}
          deep: {type: integer, minimum: 1, maximum: 8, scale: log}
          flag: {enum: [true, false]}
          items: {enum: [a, "true", "5"]}
          size: {enum: [0.5, 2.0]}
        sampling: random
        seed: 3
        objective: {metric: loss.a, goal: minimize}
        limits: {trials: 4, parallel: 2}
""",
    "behind a closed condition": """
    parameters: {go: {type: boolean, default: false}}
    steps:
      tune:
        kind: tune
        when: ${{ parameters.go }}
        run: |
          echo "{\\"loss\\": ${{ inputs.x }}}" > ${{ outputs.m }}
        outputs: {m: metrics}
        search_space: {x: {enum: [1, 2]}}
        sampling: grid
        objective: {metric: loss, goal: minimize}
        limits: {trials: 2}
      after: {run: "cat ${{ inputs.m }}", inputs: {m: "${{ steps.tune.outputs.m }}"}}
""",
}


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] if each != "a grid" else []) for each in SAME]
)
def test_a_search_of_penstocks_own_finds_what_it_finds_on_local(name: str, tmp_path: Path) -> None:
    local, compiled = (Shop(tmp_path / on).run(SAME[name], on=on) for on in ("local", "azureml"))

    assert local.succeeded, local.record.message
    assert differences(local, compiled) == []
