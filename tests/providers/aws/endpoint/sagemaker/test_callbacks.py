from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.providers.aws.endpoint.sagemaker.api_for_tests import (
    FUNCTION,
    Api,
    definition,
    opened,
    processing,
    said,
    wait_for,
)

QUEUE = "https://sqs.eu-west-1.amazonaws.com/210987654321/people"
ASK: dict[str, Any] = {
    "Name": "ask",
    "Type": "Callback",
    "SqsQueueUrl": QUEUE,
    "Arguments": {"question": "good?"},
    "OutputParameters": [
        {"OutputName": "answer", "OutputType": "String"},
        {"OutputName": "sure", "OutputType": "Float"},
    ],
}
GATE: dict[str, Any] = {
    "Name": "gate",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [
            {
                "Type": "GreaterThan",
                "LeftValue": {"Get": "Steps.ask.OutputParameters['sure']"},
                "RightValue": 0.5,
            }
        ],
        "IfSteps": [processing("go", said("go"))],
        "ElseSteps": [],
    },
}


def answers(**given: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in given.items()]


def test_a_callback_step_sends_its_message_and_waits_for_the_answer(api: Api) -> None:
    api.pipeline("Asking", definition(ASK, GATE))
    execution = api.start("Asking")
    wait_for(lambda: api.messages)

    ((queue, message),) = api.messages
    waiting = api.steps(execution)["ask"]
    token = message["token"]
    answered = api(
        "SendPipelineExecutionStepSuccess",
        CallbackToken=token,
        OutputParameters=answers(answer="yes", sure="0.75"),
    )

    assert answered["PipelineExecutionArn"] == execution
    assert api.ended(execution) == "Succeeded"
    assert queue == QUEUE
    assert message == {
        "token": token,
        "pipelineExecutionArn": execution,
        "stepName": "ask",
        "arguments": {"question": "good?"},
        "status": "Executing",
    }
    assert waiting["StepStatus"] == "Executing"
    assert waiting["Metadata"]["Callback"]["CallbackToken"] == token
    done = api.steps(execution)
    assert done["ask"]["Metadata"]["Callback"]["OutputParameters"] == answers(answer="yes", sure="0.75")
    assert done["go"]["StepStatus"] == "Succeeded"
    assert api.refused("SendPipelineExecutionStepSuccess", CallbackToken=token)[0] == "ValidationException"


def test_an_answer_that_does_not_fit_leaves_the_step_waiting(api: Api) -> None:
    api.pipeline("Asking", definition(ASK))
    execution = api.start("Asking")
    wait_for(lambda: api.messages)
    token = api.messages[0][1]["token"]

    wrong = [
        api.refused(
            "SendPipelineExecutionStepSuccess", CallbackToken=token, OutputParameters=answers(**given)
        )
        for given in ({"answer": "yes"}, {"answer": "yes", "sure": "very"})
    ]
    unknown = api.refused("SendPipelineExecutionStepFailure", CallbackToken="a" * 10)
    api("SendPipelineExecutionStepFailure", CallbackToken=token, FailureReason="nobody knows")

    assert [code for code, _ in wrong] == ["ValidationException", "ValidationException"]
    assert unknown[0] == "ResourceNotFound"
    assert api.ended(execution) == "Failed"
    assert api.steps(execution)["ask"]["FailureReason"] == "nobody knows"


def test_stopping_an_execution_tells_the_queue_and_waits_for_its_answer(api: Api) -> None:
    api.pipeline("Asking", definition(ASK))
    execution = api.start("Asking")
    wait_for(lambda: api.messages)

    api("StopPipelineExecution", PipelineExecutionArn=execution)
    wait_for(lambda: len(api.messages) == 2)

    assert api.status(execution) == "Stopping"
    assert api.steps(execution)["ask"]["StepStatus"] == "Stopping"
    assert api.messages[1][1] == {**api.messages[0][1], "status": "Stopping"}
    token = api.messages[1][1]["token"]
    api("SendPipelineExecutionStepFailure", CallbackToken=token, FailureReason="stopped")
    assert api.ended(execution) == "Stopped"


def test_a_callback_outlives_its_endpoint(tmp_path: Path) -> None:
    with opened(tmp_path) as api:
        api.pipeline("Asking", definition(ASK, GATE))
        execution = api.start("Asking")
        wait_for(lambda: api.messages)
        token = api.messages[0][1]["token"]

    with opened(tmp_path) as api:
        api.api.resume()
        wait_for(lambda: api.steps(execution).get("ask", {}).get("StepStatus") == "Executing")
        given = answers(answer="no", sure="0.25")
        api("SendPipelineExecutionStepSuccess", CallbackToken=token, OutputParameters=given)

        assert api.ended(execution) == "Succeeded"
        assert api.messages == []
        assert set(api.steps(execution)) == {"ask", "gate"}


def test_a_stop_that_its_endpoint_does_not_outlive_still_tells_the_queue(tmp_path: Path) -> None:
    with opened(tmp_path) as api:
        api.pipeline("Asking", definition(ASK))
        execution = api.start("Asking")
        wait_for(lambda: api.messages)
    with opened(tmp_path) as api:
        api("StopPipelineExecution", PipelineExecutionArn=execution)
        wait_for(lambda: api.messages)
        token = api.messages[0][1]["token"]
        assert (api.messages[0][1]["status"], api.status(execution)) == ("Stopping", "Stopping")

    with opened(tmp_path) as api:
        api.api.resume()
        assert api.status(execution) == "Stopping"
        api(
            "SendPipelineExecutionStepSuccess",
            CallbackToken=token,
            OutputParameters=answers(answer="a", sure="1"),
        )

        assert api.ended(execution) == "Stopped"
        assert api.messages == []


def test_a_queue_that_takes_no_message_fails_the_step(tmp_path: Path) -> None:
    with opened(tmp_path, Refusing) as api:
        api.pipeline("Asking", definition(ASK))
        execution = api.start("Asking")

        assert api.ended(execution) == "Failed"
        assert "there is no such queue" in api.steps(execution)["ask"]["FailureReason"]


class Refusing(Api):
    def send(self, queue: str, text: str) -> None:
        raise RuntimeError("there is no such queue")


def test_a_lambda_step_calls_what_the_settings_name(api: Api) -> None:
    (api.folder / "functions.py").write_text(
        "def judge(event, context):\n    return {'verdict': event['word'] + '!'}\n", encoding="utf-8"
    )
    judge = {
        "Name": "judge",
        "Type": "Lambda",
        "FunctionArn": FUNCTION,
        "Arguments": {"word": "good"},
        "OutputParameters": [{"OutputName": "verdict", "OutputType": "String"}],
    }
    other = {**judge, "Name": "other", "FunctionArn": f"{FUNCTION}-2", "DependsOn": ["judge"]}
    api.pipeline("Judging", definition(judge, other))

    execution = api.start("Judging")

    assert api.ended(execution) == "Failed"
    steps = api.steps(execution)
    assert steps["judge"]["Metadata"]["Lambda"] == {
        "Arn": FUNCTION,
        "OutputParameters": [{"Name": "verdict", "Value": "good!"}],
    }
    assert "nothing stands for the function" in steps["other"]["FailureReason"]
