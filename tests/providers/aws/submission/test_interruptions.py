from __future__ import annotations

import threading

import pytest
from tests.providers.aws.submission.cloud_for_tests import Cloud

from penstock.asking import Asked
from penstock.errors import RunError
from penstock.running import load_run
from penstock.runtime.events import Event, Notice
from penstock.submitting import submit


def codes(fault: pytest.ExceptionInfo[RunError]) -> list[str]:
    return [each.code for each in fault.value.diagnostics]


@pytest.mark.slow
def test_a_run_that_was_stopped_while_it_was_sent_is_sent_by_resume(cloud: Cloud) -> None:
    spec, stop = cloud.small(), threading.Event()

    def watch(event: Event) -> None:
        if isinstance(event, Notice) and event.message.startswith("uploading"):
            stop.set()

    run = submit(
        spec, to="dev", asked=Asked({"times": 3}), project=cloud.shop.project, watch=watch, stop=stop
    )
    assert run.status == "stopped" and "execution" not in run.record.remote

    ended = cloud.shop.resume(run.id)

    assert ended.status == "succeeded" and ended.metrics["say"]["report"] == {"said": 3}
    assert len(cloud.executions(cloud.prefix)) == 1


@pytest.mark.slow
def test_credentials_that_are_no_longer_good_leave_a_run_that_resume_sends(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = cloud.small()
    with monkeypatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "it was another one yesterday")
        with pytest.raises(RunError) as fault:
            cloud.submit(spec)
    assert codes(fault) == ["P453"]

    run = cloud.shop.resume()

    assert run.status == "succeeded"
    assert len(cloud.executions(cloud.prefix)) == 1


@pytest.mark.slow
def test_credentials_that_expire_while_it_is_followed_leave_the_execution_alone(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = cloud.submit(cloud.small(), wait=False, parameters={"times": 4})
    with monkeypatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "it was another one yesterday")
        with pytest.raises(RunError) as fault:
            cloud.shop.resume(left.id)
    assert codes(fault) == ["P453"]
    assert load_run(left.id, cloud.shop.project).status == "detached"

    run = cloud.shop.resume(left.id)

    assert run.status == "succeeded" and run.metrics["say"]["report"] == {"said": 4}
    assert len(cloud.executions(cloud.prefix)) == 1


def test_without_credentials_the_way_to_some_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(RunError) as fault:
        cloud.submit(cloud.small())

    assert codes(fault) == ["P452"]
    assert "aws configure" in fault.value.diagnostics[0].hint


@pytest.mark.slow
def test_nobody_at_the_address_is_told_as_that(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(RunError) as fault:
        cloud.plan(cloud.small())

    assert codes(fault) == ["P457"]
    assert "AWS_ENDPOINT_URL is http://127.0.0.1:9" in fault.value.diagnostics[0].hint
