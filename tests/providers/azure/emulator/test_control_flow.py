"""Nodes that steer others: which block runs, how often a body does, and what comes out of the rounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.providers.azure.emulator.jobs_for_tests import command, component, log, pipeline, ran

import penstock

FLAG = {"flag": {"type": "boolean", "is_control": True}}


ASK = component(
    "echo ${{inputs.word}} > ${{outputs.flag}}", inputs={"word": {"type": "string"}}, outputs=FLAG
)


def decides(word: str) -> dict[str, Any]:
    """Give a node that writes a control output."""
    return {"type": "command", "component": "./ask.yml", "inputs": {"word": word}}


def chosen(condition: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "if_else",
        "condition": condition,
        "true_block": "${{parent.jobs.yes}}",
        "false_block": "${{parent.jobs.no}}",
        **more,
    }


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("${{parent.jobs.ask.outputs.flag}}", "skipped", "succeeded"),
        (True, "succeeded", "skipped"),
        ("${{parent.inputs.go}}", "succeeded", "skipped"),
    ],
)
def test_a_condition_runs_one_of_two_blocks(condition: Any, yes: str, no: str, tmp_path: Path) -> None:
    out = {"o": {"type": "uri_folder"}}
    nodes = {
        "choose": chosen(condition),
        "behind": command("ls ${{inputs.d}}", inputs={"d": "${{parent.jobs.yes.outputs.o}}"}),
        "yes": command("touch ${{outputs.o}}/x", outputs=out),
        "no": command("true"),
        "ask": decides("False"),
    }

    run = ran(tmp_path, {"job.yml": pipeline(nodes, inputs={"go": True}), "ask.yml": ASK})

    assert run.succeeded, run.record.message
    states = {each: run.steps[each].status for each in ("choose", "yes", "no", "behind")}
    assert states == {"choose": "succeeded", "yes": yes, "no": no, "behind": yes}


def test_a_value_reaches_who_reads_it_as_text(tmp_path: Path) -> None:
    nodes = {
        "ask": {"type": "command", "component": "./count.yml", "inputs": {"n": 6}},
        "say": {
            "type": "command",
            "component": "./say.yml",
            "inputs": {"n": "${{parent.jobs.ask.outputs.next}}"},
        },
    }
    say = component("echo got ${{inputs.n}}", inputs={"n": {"type": "integer"}})

    run = ran(tmp_path, {"job.yml": pipeline(nodes), "say.yml": say, "count.yml": counting(9)})

    assert log(run, "say") == "got 7\n"


def test_what_is_no_truth_decides_nothing(tmp_path: Path) -> None:
    nodes = {
        "ask": decides("maybe"),
        "choose": chosen("${{parent.jobs.ask.outputs.flag}}"),
        "yes": command("true"),
        "no": command("true"),
    }

    run = ran(tmp_path, {"job.yml": pipeline(nodes), "ask.yml": ASK})

    assert run.steps["choose"].message == (
        "output 'flag' of 'ask' is 'maybe', and must be true or false [P412]"
    )


SAY = component(
    "cat ${{inputs.d}}/base > ${{outputs.out}}/said; echo ${{inputs.n}} >> ${{outputs.out}}/said; cat here",
    code="./src",
    inputs={"n": {"type": "integer"}, "d": {"type": "uri_folder"}},
    outputs={"out": {"type": "uri_folder"}},
)
BASE = command("echo base > ${{outputs.o}}/base", outputs={"o": {"type": "uri_folder"}})


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ('[{"n": 1}, {"n": 2}]', ["0", "1"]),
        ({"one": {"n": 1}, "two": {"n": 2}}, ["one", "two"]),
    ],
)
def test_a_body_runs_for_each_item(items: Any, names: list[str], tmp_path: Path) -> None:
    body = {"type": "command", "component": "./say.yml"}
    body["inputs"] = {"n": 0, "d": "${{parent.jobs.base.outputs.o}}"}  # type: ignore[assignment]
    nodes = {
        "all": {"type": "parallel_for", "body": "${{parent.jobs.say}}", "items": items, "max_concurrency": 1},
        "say": body,
        "base": BASE,
        "read": command(
            "cat ${{inputs.d}}/*/said; cat ${{inputs.d}}/MLTable",
            inputs={"d": "${{parent.jobs.say.outputs.out}}"},
        ),
    }

    run = ran(tmp_path, {"job.yml": pipeline(nodes), "say.yml": SAY, "src/here": "here\n"})

    assert run.succeeded, run.record.message
    assert [each for each in run.steps if "." in each] == [f"all.{each}.say" for each in names]
    assert log(run, f"all.{names[0]}.say") == "here\n"
    folders = "".join(f"- folder: ./{each}\n" for each in names)
    assert log(run, "read") == f"base\n1\nbase\n2\npaths:\n{folders}"


def test_a_round_that_fails_fails_the_loop(tmp_path: Path) -> None:
    body = command("exit ${{inputs.n}}", inputs={"n": 0})
    loop = {"type": "parallel_for", "body": "${{parent.jobs.say}}", "items": [{"n": 0}, {"n": 4}]}

    run = ran(tmp_path, {"job.yml": pipeline({"all": loop, "say": body})})

    assert run.status == "failed"
    assert run.steps["all"].message.startswith("node 'all.1.say' of it failed: Execution failed.")


def counting(limit: int) -> dict[str, Any]:
    """Give a component that counts on, and says whether it goes on."""
    return component(
        "n=$(( ${{inputs.n}} + 1 )); echo $n > ${{outputs.next}}"
        f"; [ $n -lt {limit} ] && echo true > ${{{{outputs.more}}}} || echo false > ${{{{outputs.more}}}}"
        "; echo $n > ${{outputs.out}}/n",
        inputs={"n": {"type": "integer", "default": 0}},
        outputs={
            "next": {"type": "integer", "is_control": True},
            "more": {"type": "boolean", "is_control": True},
            "out": {"type": "uri_folder"},
        },
    )


@pytest.mark.parametrize(("limit", "most", "left"), [(2, 9, "2\n"), (9, 3, "3\n")])
def test_a_body_runs_as_long_as_it_says_so(limit: int, most: int, left: str, tmp_path: Path) -> None:
    nodes = {
        "again": {
            "type": "do_while",
            "body": "${{parent.jobs.count}}",
            "condition": "more",
            "mapping": {"next": ["n"]},
            "limits": {"max_iteration_count": most},
        },
        "count": {"type": "command", "component": "./count.yml", "inputs": {"n": 0}},
        "read": command("cat ${{inputs.d}}/n", inputs={"d": "${{parent.jobs.count.outputs.out}}"}),
    }

    run = ran(tmp_path, {"job.yml": pipeline(nodes), "count.yml": counting(limit)})

    assert run.succeeded, run.record.message
    assert log(run, "read") == left
    assert run.steps["again"].message == f"{left.strip()} rounds"


@pytest.mark.slow
def test_bodies_may_be_pipelines_with_conditions_in_them(tmp_path: Path) -> None:
    inner = {
        "type": "pipeline",
        "name": "inner",
        "inputs": {"n": {"type": "integer"}},
        "outputs": {"out": {"type": "uri_folder"}},
        "jobs": {
            "ask": {
                "type": "command",
                "component": "./count.yml",
                "inputs": {"n": "${{parent.inputs.n}}"},
            },
            "choose": chosen("${{parent.jobs.ask.outputs.more}}"),
            "yes": command("true"),
            "no": command("true"),
            "make": command(
                "echo ${{inputs.n}} > ${{outputs.out}}/n",
                inputs={"n": "${{parent.inputs.n}}"},
                outputs={"out": "${{parent.outputs.out}}"},
            ),
        },
    }
    nodes = {
        "all": {"type": "parallel_for", "body": "${{parent.jobs.p}}", "items": [{"n": 1}, {"n": 2}]},
        "p": {"type": "pipeline", "component": "./inner.yml", "inputs": {"n": 0}},
        "read": command("cat ${{inputs.d}}/*/n", inputs={"d": "${{parent.jobs.p.outputs.out}}"}),
    }

    run = ran(tmp_path, {"job.yml": pipeline(nodes), "inner.yml": inner, "count.yml": counting(3)})

    assert run.succeeded, run.record.message
    assert log(run, "read") == "1\n2\n"
    assert [run.steps[f"all.{n}.p.yes"].status for n in (0, 1)] == ["succeeded", "skipped"]


def test_what_a_body_cannot_run_is_told_before_anything_runs(tmp_path: Path) -> None:
    body = {"type": "command", "component": "azureml:far:1", "inputs": {"n": 0}}
    loop = {"type": "parallel_for", "body": "${{parent.jobs.say}}", "items": [{"n": 0}]}

    with pytest.raises(penstock.PenstockError, match="azureml:far:1"):
        ran(tmp_path, {"job.yml": pipeline({"all": loop, "say": body})})

    assert not (tmp_path / ".penstock" / "runs").exists()
