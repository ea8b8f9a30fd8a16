"""Jobs that Penstock did not write run as the service would run them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.providers.azure.emulator.jobs_for_tests import command, component, log, pipeline, ran

import penstock

SAY = component(
    "echo ${{inputs.n}} $[[--word ${{inputs.word}}]] > ${{outputs.out}}/said",
    inputs={
        "n": {"type": "integer", "default": 3},
        "word": {"type": "string", "optional": True},
    },
    outputs={"out": {"type": "uri_folder"}},
)


def test_nodes_run_in_the_order_of_their_data_and_not_of_the_file(tmp_path: Path) -> None:
    last = command("cat ${{inputs.d}}/said", inputs={"d": "${{parent.jobs.first.outputs.out}}"})
    first = {"type": "command", "component": "./say.yml", "inputs": {"n": "${{parent.inputs.n}}"}}

    run = ran(
        tmp_path, {"job.yml": pipeline({"last": last, "first": first}, inputs={"n": 5}), "say.yml": SAY}
    )

    assert run.states == {"first": "succeeded", "last": "succeeded"}
    assert log(run, "last") == "5\n"


@pytest.mark.parametrize(
    ("given", "said"), [({}, "3\n"), ({"word": "hi"}, "3 --word hi\n"), ({"n": 4}, "4\n")]
)
def test_what_is_unset_is_a_default_or_a_segment_that_goes(
    given: dict[str, object], said: str, tmp_path: Path
) -> None:
    node = {"type": "command", "component": "./say.yml", "inputs": given}

    run = ran(tmp_path, {"job.yml": pipeline({"one": node}), "say.yml": SAY})

    assert (run.output("one", "out") / "said").read_text() == said


def test_pipelines_inside_of_pipelines_are_opened(tmp_path: Path) -> None:
    def wrapped(file: str) -> dict[str, object]:
        inner = {
            "type": file.partition("/")[0],
            "component": file.partition("/")[2],
            "inputs": {"n": "${{parent.inputs.n}}"},
            "outputs": {"out": "${{parent.outputs.out}}"},
        }
        ports = {"inputs": {"n": {"type": "integer"}}, "outputs": {"out": {"type": "uri_folder"}}}
        return {"type": "pipeline", "name": "p", **ports, "jobs": {"inner": inner}}

    up = {"outputs": {"out": "${{parent.outputs.made}}"}}
    nodes = {
        "outer": {"type": "pipeline", "component": "./outer.yml", "inputs": {"n": 8}, **up},
        "read": command("cat ${{inputs.d}}/said", inputs={"d": "${{parent.jobs.outer.outputs.out}}"}),
    }
    run = ran(
        tmp_path,
        {
            "job.yml": pipeline(nodes, outputs={"made": {"type": "uri_folder"}}),
            "outer.yml": wrapped("pipeline/./inner/inner.yml"),
            "inner/inner.yml": wrapped("command/../say.yml"),
            "say.yml": SAY,
        },
    )

    assert run.states == {"outer.inner.inner": "succeeded", "read": "succeeded"}
    assert log(run, "read") == "8\n"
    assert (run.outputs["made"] / "said").read_text() == "8\n"


def test_a_job_may_be_one_command_or_one_component(tmp_path: Path) -> None:
    alone = command("echo ${{inputs.x}} $(cat ${{inputs.f}})", compute="azureml:cpu")
    alone["inputs"] = {"x": True, "f": {"type": "uri_file", "path": "f.txt"}}

    one = ran(tmp_path, {"job.yml": alone, "f.txt": "text"})
    other = ran(tmp_path, {"say.yml": SAY}, parameters={"n": 9})
    whole = {"type": "pipeline", "component": "./p.yml", "inputs": {"n": 2}, "compute": "serverless"}
    inner: dict[str, object] = {"type": "command", "component": "./say.yml"}
    inner["inputs"] = {"n": "${{parent.inputs.n}}"}
    declared = {"inputs": {"n": {"type": "integer"}}, "outputs": {"out": {"type": "uri_folder"}}}
    inner["outputs"] = {"out": "${{parent.outputs.out}}"}
    third = ran(
        tmp_path,
        {
            "whole.yml": whole,
            "p.yml": {"type": "pipeline", "name": "p", **declared, "jobs": {"in": inner}},
            "say.yml": SAY,
        },
    )

    assert log(one, "job") == "True text\n"
    assert (other.output("made", "out") / "said").read_text() == "9\n"
    assert (third.outputs["out"] / "said").read_text() == "2\n"


def test_the_working_folder_keeps_outputs_and_logs(tmp_path: Path) -> None:
    node = command("ls -A; echo x > outputs/x; echo y > logs/y; echo z > here", code="./src")

    run = ran(
        tmp_path,
        {
            "job.yml": pipeline({"one": node}),
            "src/a.txt": "",
            "src/b.bin": "",
            "src/.amlignore": "*.bin\n",
            "src/.gitignore": "a.txt\n",
        },
    )

    assert log(run, "one").split() == [".amlignore", ".gitignore", "a.txt", "logs", "outputs"]
    kept = run.output("one", "artifacts")
    assert sorted(str(each.relative_to(kept)) for each in kept.glob("*/*")) == ["logs/y", "outputs/x"]
    assert not (tmp_path / "src" / "here").exists()


def test_a_failure_is_told_in_the_services_words_and_stops_what_is_behind_it(tmp_path: Path) -> None:
    bad = command("echo no >&2; exit 3", outputs={"o": {"type": "uri_folder"}})
    behind = command("true", inputs={"d": "${{parent.jobs.bad.outputs.o}}"})
    nodes = {"bad": bad, "behind": behind, "aside": command("true")}
    settings = {"default_compute": "azureml:cpu", "continue_on_step_failure": True}

    stopped = ran(tmp_path / "a", {"job.yml": pipeline(nodes)}, jobs=1)
    went_on = ran(tmp_path / "b", {"job.yml": {**pipeline(nodes), "settings": settings}}, jobs=1)

    assert stopped.states == {"bad": "failed", "behind": "upstream_failed", "aside": "pending"}
    assert went_on.states == {"bad": "failed", "behind": "upstream_failed", "aside": "succeeded"}
    assert went_on.status == "failed"
    told = stopped.steps["bad"].message
    assert told.startswith("Execution failed. User process 'bash' exited with status code 3")


def test_nothing_is_reused_that_says_so(tmp_path: Path) -> None:
    unsure = {**SAY, "is_deterministic": False}
    nodes = {each: {"type": "command", "component": f"./{each}.yml"} for each in ("sure", "unsure")}
    files = {"job.yml": pipeline(nodes), "sure.yml": SAY, "unsure.yml": unsure}
    forced = pipeline(nodes)
    forced["settings"] = {**forced["settings"], "force_rerun": True}

    runs = [ran(tmp_path, files), ran(tmp_path, files), ran(tmp_path, {**files, "job.yml": forced})]

    assert [run.steps["sure"].cache for run in runs] == ["miss", "hit", "off"]
    assert [run.steps["unsure"].cache for run in runs] == ["off", "off", "off"]


@pytest.mark.parametrize("kind", ["automl", "spark", "import"])
def test_what_the_service_alone_does_is_refused_before_anything_runs(kind: str, tmp_path: Path) -> None:
    bodies = {
        "automl": {
            "type": "automl",
            "task": "classification",
            "primary_metric": "accuracy",
            "training_data": "${{parent.inputs.d}}",
            "target_column_name": "y",
        },
        "spark": {
            "type": "spark",
            "code": "./src",
            "entry": {"file": "a.py"},
            "resources": {"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
            "conf": {
                "spark.driver.cores": 1,
                "spark.driver.memory": "2g",
                "spark.executor.cores": 1,
                "spark.executor.memory": "2g",
                "spark.executor.instances": 1,
            },
        },
        "import": {
            "type": "import",
            "source": {"type": "azuresqldb", "query": "x", "connection": "azureml:c"},
            "output": {"type": "mltable"},
        },
    }
    nodes = {"first": command("touch ran"), "other": bodies[kind]}

    with pytest.raises(penstock.PenstockError) as fault:
        ran(
            tmp_path,
            {"job.yml": pipeline(nodes, inputs={"d": {"type": "mltable", "path": "src"}}), "src/a.py": ""},
        )

    assert not (tmp_path / ".penstock" / "runs").exists()
    assert [each.code for each in fault.value.diagnostics] == ["P431"], fault.value
    assert fault.value.diagnostics[0].place is not None


def test_remote_data_is_refused_with_what_stands_in_for_it(tmp_path: Path) -> None:
    data = {"type": "uri_file", "path": "https://host/x.csv"}
    node = command("cat ${{inputs.d}}", inputs={"d": "${{parent.inputs.rows}}"})
    files = {"job.yml": pipeline({"one": node}, inputs={"rows": data}), "mine.csv": "1,2\n"}

    with pytest.raises(penstock.PenstockError) as fault:
        ran(tmp_path, files)
    by_name = ran(tmp_path, files, datasets={"rows": tmp_path / "mine.csv"})
    by_address = ran(tmp_path, files, replace={"https://host/x.csv": tmp_path / "mine.csv"})

    (told,) = fault.value.diagnostics
    assert told.code == "P433"
    assert "-d rows=PATH" in told.hint and "--replace https://host/x.csv=PATH" in told.hint
    assert log(by_name, "one") == "1,2\n"
    assert by_address.steps["one"].cache == "hit"


def test_a_reused_node_says_whose_result_it_has(tmp_path: Path) -> None:
    files = {"job.yml": pipeline({"one": {"type": "command", "component": "./say.yml"}}), "say.yml": SAY}

    first, second, third = ran(tmp_path, files), ran(tmp_path, files), ran(tmp_path, files)

    made, *reused = (each.steps["one"].details["child"] for each in (first, second, third))
    assert (made["runType"], made["properties"]["azureml.isreused"]) == ("azureml.StepRun", "false")
    assert [each["properties"]["azureml.isreused"] for each in reused] == ["true", "true"]
    assert {each["properties"]["azureml.reusedrunid"] for each in reused} == {made["runId"]}
    assert len({made["runId"], *(each["runId"] for each in reused)}) == 3
