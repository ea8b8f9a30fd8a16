"""Lambda and Callback steps: what penstock.yaml names answers, and nothing else."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.errors import RunError
from penstock.runtime.project import Project
from penstock_aws.sagemaker.emulator.jobs.callbacks import answer

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:approve"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/labels"
OUTPUTS = [{"OutputName": "verdict", "OutputType": "String"}, {"OutputName": "score", "OutputType": "Float"}]
SETTINGS = f"""
lambdas: {{"{ARN}": {{handler: "handlers/approve.py:handler"}}}}
callbacks: {{"{QUEUE}": {{run: "%s"}}}}
"""


def calls(**keys: Any) -> dict[str, Any]:
    return {
        "Name": "Approve",
        "Type": "Lambda",
        "FunctionArn": ARN,
        "Arguments": {"wanted": {"Get": "Parameters.wanted"}},
        "OutputParameters": OUTPUTS,
        **keys,
    }


def asks(**keys: Any) -> dict[str, Any]:
    return {
        "Name": "Approve",
        "Type": "Callback",
        "SqsQueueUrl": QUEUE,
        "Arguments": {"wanted": {"Get": "Parameters.wanted"}},
        "OutputParameters": OUTPUTS,
        **keys,
    }


def played(folder: Path, step: dict[str, Any], function: str = "", command: str = "wait") -> penstock.Run:
    """Run a definition of one step, and a Fail step that says what it gave."""
    said = {
        "On": " ",
        "Values": [{"Get": f"Steps.Approve.OutputParameters['{each}']"} for each in ("verdict", "score")],
    }
    fail = {"Name": "Said", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": said}}}
    parameters = [{"Name": "wanted", "Type": "String", "DefaultValue": "yes"}]
    document = {"Version": "2020-12-01", "Parameters": parameters, "Steps": [step, fail]}
    (folder / "handlers").mkdir(exist_ok=True)
    (folder / "handlers" / "approve.py").write_text(function, encoding="utf-8")
    (folder / "penstock.yaml").write_text(SETTINGS % command, encoding="utf-8")
    (folder / "d.json").write_text(json.dumps(document), encoding="utf-8")
    return penstock.run(folder / "d.json", project=folder, parameters={"wanted": "it's"})


def test_a_function_of_this_machine_answers_a_lambda_step(tmp_path: Path) -> None:
    function = (
        "import os\n"
        "def handler(event, context):\n"
        "    print('called', event, 'AWS_SECRET_ACCESS_KEY' in os.environ)\n"
        "    return {'verdict': event['wanted'] + '!', 'score': 1, 'more': context.function_name}\n"
    )

    run = played(tmp_path, calls(), function)

    assert run.states == {"Approve": "succeeded", "Said": "failed"}
    assert run.steps["Said"].message == "it's! 1"
    log = (tmp_path / ".penstock" / run.steps["Approve"].log).read_text(encoding="utf-8")
    assert log == "called {'wanted': \"it's\"} False\n"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("def handler(event, context):\n    raise ValueError('no')\n", "failed: exit code 1"),
        ("def other(event, context):\n    pass\n", "failed: exit code 1"),
        ("def handler(event, context):\n    return [1]\n", "not a mapping"),
        ("def handler(event, context):\n    return {'verdict': 'x'}\n", "no output 'score'"),
        ("def handler(event, context):\n    return {'verdict': 1, 'score': 1}\n", "String is declared"),
        ("def handler(event, context):\n    return {'verdict': 'x' * 2000, 'score': 1}\n", "1024 characters"),
        ("def handler(event, context):\n    return {'verdict': 'x', 'score': True}\n", "Float is declared"),
    ],
)
def test_a_function_that_does_not_do_its_part_fails_the_step(
    tmp_path: Path, function: str, said: str
) -> None:
    run = played(tmp_path, calls(), function)

    assert run.states["Approve"] == "failed"
    assert said in run.steps["Approve"].message
    assert run.steps["Approve"].message.endswith("[P436]")


def test_a_command_of_this_machine_answers_a_callback(tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text(
        "import json, os, sys\nasked = json.load(sys.stdin)\nassert len(asked['token']) == 10\n"
        "answer = {'verdict': asked['arguments']['wanted'], 'score': 0.5}\n"
        "json.dump(answer, open(os.environ['PENSTOCK_ANSWER'], 'w'))\n",
        encoding="utf-8",
    )

    run = played(tmp_path, asks(), command="python answer.py")

    assert run.steps["Said"].message == "it's 0.5"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "exit code 3"),
        ("true", "no output 'verdict'"),
        ("echo nonsense > $PENSTOCK_ANSWER", "cannot be read"),
    ],
)
def test_a_command_that_gives_no_answer_fails_the_step(tmp_path: Path, command: str, said: str) -> None:
    run = played(tmp_path, asks(), command=command)

    assert run.states["Approve"] == "failed"
    assert said in run.steps["Approve"].message
    assert run.steps["Approve"].message.endswith("[P436]")


@pytest.mark.parametrize("failure", ["", "the labels are wrong"])
def test_a_step_waits_for_an_answer_from_elsewhere(tmp_path: Path, failure: str) -> None:
    def from_elsewhere() -> None:
        waiting = tmp_path / ".penstock" / "callbacks"
        while not (found := list(waiting.glob("*"))):
            time.sleep(0.02)
        answer(Project(tmp_path), found[0].name, {"verdict": "late", "score": 2}, failure=failure)

    other = threading.Thread(target=from_elsewhere)
    other.start()
    run = played(tmp_path, asks())
    other.join()

    said = f"{failure} [P436]" if failure else ""
    assert (run.states["Approve"], run.steps["Approve"].message) == (
        "failed" if failure else "succeeded",
        said,
    )


def test_a_token_that_nobody_has_is_refused(tmp_path: Path) -> None:
    for token in ("abcdefghij", "../../etc", ""):
        with pytest.raises(RunError, match="P436"):
            answer(Project(tmp_path), token)


@pytest.mark.parametrize(
    "asked",
    [
        {"replace": {"s3://a/b": "x"}},
        {"faults": {"work": ("Step.THROTTLING", 1)}},
        {"select": ["work"]},
        {"source": "last"},
    ],
)
def test_what_documents_alone_have_is_refused_on_local(tmp_path: Path, asked: dict[str, Any]) -> None:
    spec = tmp_path / "pipeline.yaml"
    spec.write_text("penstock: v1\nkind: pipeline\nname: p\nsteps: {work: {run: 'true'}}\n", encoding="utf-8")

    with pytest.raises(RunError) as caught:
        penstock.run(spec, project=tmp_path, **asked)

    assert {each.code for each in caught.value.diagnostics} == {"P434"}
    assert all(each.hint for each in caught.value.diagnostics)
