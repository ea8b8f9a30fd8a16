"""What the SDK's experiment runs log goes by a service of its own, `sagemaker-metrics`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.endpoint.clients_for_tests import Clients, refused

GIVEN = [("loss", 0, 4.0), ("loss", 1, 2.0), ("recall", 0, 0.5), ("loss", 2, 3.0)]


def put(client: Any, component: str, *points: tuple[str, int, Any]) -> list[dict[str, Any]]:
    data = [
        {"MetricName": name, "Timestamp": 1_800_000_000 + step, "Step": step, "Value": value}
        for name, step, value in points
    ]
    found: list[dict[str, Any]] = client.batch_put_metrics(TrialComponentName=component, MetricData=data)[
        "Errors"
    ]
    return found


def test_metrics_of_a_run_are_summed_up_in_its_component(clients: Clients) -> None:
    metrics, sagemaker = clients("sagemaker-metrics"), clients("sagemaker")
    sagemaker.create_trial_component(TrialComponentName="run-of-metrics")

    assert put(metrics, "run-of-metrics", *GIVEN[:2]) == []
    assert put(metrics, "run-of-metrics", *GIVEN[2:]) == []

    found = sagemaker.describe_trial_component(TrialComponentName="run-of-metrics")["Metrics"]
    loss, recall = sorted(found, key=lambda each: str(each["MetricName"]))
    assert {key: loss[key] for key in ("Count", "Min", "Max", "Avg", "Last")} == {
        "Count": 3,
        "Min": 2.0,
        "Max": 4.0,
        "Avg": 3.0,
        "Last": 3.0,
    }
    assert loss["StdDev"] == pytest.approx(1.0)
    assert (recall["Count"], recall["Last"], recall["StdDev"]) == (1, 0.5, 0.0)


def test_metrics_that_cannot_be_taken_are_told(clients: Clients) -> None:
    metrics = clients("sagemaker-metrics")
    clients("sagemaker").create_trial_component(TrialComponentName="run-of-errors")

    point = {"MetricName": "loss", "Timestamp": 0, "Value": 1.0}
    missing = refused(metrics.batch_put_metrics, TrialComponentName="no-such-run", MetricData=[point])
    assert missing == ("ResourceNotFound", 400)
    told = put(metrics, "run-of-errors", ("loss", 0, float("nan")), ("loss", 1, 1.0))
    assert told == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
