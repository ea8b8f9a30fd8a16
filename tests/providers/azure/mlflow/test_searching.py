"""Filters and orders of searches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.mlflow_for_tests import Client

from penstock_azure.azureml.mlflow import Tracking
from penstock_azure.azureml.mlflow.faults import MlflowFault
from penstock_azure.azureml.mlflow.filters import Comparison, parse


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Three runs: a, b, c, the older the earlier, with 1, 2 and no `acc`."""
    with Tracking(tmp_path_factory.mktemp("searching"), "churn") as tracking:
        client = Client(tracking)
        for number, name in enumerate("abc", 1):
            run = client.run(name, **{"team": "blue" if number < 3 else "red", "mlflow.note": f"N{number}"})
            client.post("runs/log-parameter", run_id=run, key="model kind", value=f"forest{number}")
            if number < 3:
                client.post("runs/log-metric", run_id=run, key="acc", value=number, timestamp=1)
        yield client


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "abc"),
        ("metrics.acc > 1", "b"),
        ("metrics.acc >= 1.0 and metrics.acc <= 1e0", "a"),
        ("metric.acc != 1", "b"),
        ("metrics.none < 5", ""),
        ("params.`model kind` = 'forest2'", "b"),
        ('params."model kind" LIKE "forest%"', "abc"),
        ("params.`model kind` LIKE 'FOREST%'", ""),
        ("param.`model kind` ILIKE 'FOREST_'", "abc"),
        ("tags.team = 'blue' AND metrics.acc = 2", "b"),
        ("tags.mlflow.note = 'N3'", "c"),
        ("tags.`mlflow.note` ILIKE 'n3'", "c"),
        ("tags.team != 'blue'", "c"),
        ("tag.other IS NULL", "abc"),
        ("tags.team IS NOT NULL AND params.x IS NULL", "abc"),
        ("attributes.run_name IN ('a', 'c')", "ac"),
        ("run_name NOT IN ('a')", "bc"),
        ("run_name = 'it''s'", ""),
        ("attributes.status = 'RUNNING' and attribute.start_time > 0", "abc"),
        ("end_time > 0", ""),
        ("artifact_uri LIKE 'mlflow-artifacts:/%'", "abc"),
    ],
)
def test_a_filter_finds_what_it_says(client: Client, text: str, names: str) -> None:
    assert sorted(client.search(text)) == list(names)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ((), "cba"),
        (("metrics.acc DESC",), "bac"),
        (("metrics.acc",), "abc"),
        (("tags.team desc", "attributes.run_name DESC"), "cba"),
        (("params.`model kind` ASC",), "abc"),
        (("start_time asc", "run_name"), "abc"),
    ],
)
def test_what_has_no_value_comes_last_in_any_order(
    client: Client, order: tuple[str, ...], names: str
) -> None:
    assert client.search("", *order) == list(names)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.acc",
        "metrics.acc >",
        "metrics.acc > 'x'",
        "metrics.acc LIKE 'x'",
        "params.x > '1'",
        "params.x = 1",
        "params.x = y",
        "run_name = 'a' OR run_name = 'b'",
        "run_name = 'a' AND",
        "run_name IN ('a'",
        "run_name IN 'a'",
        "(run_name = 'a')",
        "nothing = 'a'",
        "wheels.round = 'a'",
        "dataset.colour = 'a'",
        "run_name = 'a'; DROP TABLE run",
        "'a' = 'a'",
        "x" * 30_000,
        " AND ".join(["end_time > 1"] * 1000),
    ],
)
def test_a_filter_that_means_nothing_is_refused(client: Client, text: str) -> None:
    assert client.refused("POST", "runs/search", experiment_ids=[client.experiment], filter=text)[0] == (
        "INVALID_PARAMETER_VALUE"
    )


@pytest.mark.parametrize("order", ["", "metrics.acc sideways", "start_time, run_name", "colour", "1"])
def test_an_order_that_means_nothing_is_refused(client: Client, order: str) -> None:
    found = client.refused("POST", "runs/search", experiment_ids=[client.experiment], order_by=[order])

    assert found[0] == "INVALID_PARAMETER_VALUE"


def test_a_search_is_sorted_by_no_end_of_keys(client: Client) -> None:
    order = ["start_time"] * 1000

    found = client.refused("POST", "runs/search", experiment_ids=[client.experiment], order_by=order)

    assert found[0] == "INVALID_PARAMETER_VALUE"


def test_pages_follow_each_other(client: Client) -> None:
    names: list[str] = []
    token = ""
    while True:
        page = client.post("runs/search", experiment_ids=[client.experiment], max_results=2, page_token=token)
        names += [each["info"]["run_name"] for each in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break

    assert names == ["c", "b", "a"]


def test_a_filter_is_read_as_mlflow_reads_it() -> None:
    assert parse(
        """metrics."a b" >= -1.5 aNd tags.`x.y` not in ('1', "2") AND attr.run_id is not null"""
    ) == [
        Comparison("metric", "a b", ">=", -1.5),
        Comparison("tag", "x.y", "NOT IN", ("1", "2")),
        Comparison("attribute", "run_id", "IS NOT NULL", None),
    ]


def test_a_long_filter_takes_no_time() -> None:
    with pytest.raises(MlflowFault):
        parse("'" + "\\a''" * 4_000)
