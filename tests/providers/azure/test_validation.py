from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock_azure.azureml.validation import Problem, validate

HERE = Path(__file__).parent
Documents = dict[str, dict[str, Any]]


class Loader(yaml.SafeLoader):
    """Adds `!repeat [text, times]`, for values too long to write out."""


def repeat(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> str:
    text, times = loader.construct_sequence(node)
    return str(text) * int(times)


Loader.add_constructor("!repeat", repeat)


def documents(folder: str) -> Documents:
    root = HERE / folder
    return {path.relative_to(root).as_posix(): read(path) for path in sorted(root.rglob("*.yml"))}


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader)
    return loaded


SOUND = {folder: documents(folder) for folder in ("churn", "nested")}
TABLE = read(HERE / "faults.yml")
ROWS: list[dict[str, Any]] = [TABLE["defaults"] | row for row in TABLE["rows"]]


def keys(path: str | list[str]) -> tuple[str | int, ...]:
    parts = path if isinstance(path, list) else path.split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts)


def check(found: Documents) -> list[Problem]:
    files = {name: each for name, each in found.items() if name != "pipeline.yml"}
    return validate(found["pipeline.yml"], files)


def errors(found: Documents) -> list[Problem]:
    return [each for each in check(found) if not each.warning]


def warnings(found: Documents) -> list[Problem]:
    return [each for each in check(found) if each.warning]


def changed(folder: str, **changes: Any) -> Documents:
    """Give a sound pipeline with values put in: dots of the path are written as double underscores."""
    found = copy.deepcopy(SOUND[folder])
    for path, value in changes.items():
        *init, last = path.split("__")
        spot = found["pipeline.yml"]
        for key in init:
            spot = spot[key]
        spot[last] = value
    return found


@pytest.mark.parametrize("folder", SOUND)
def test_a_sound_pipeline_has_no_problem(folder: str) -> None:
    assert check(SOUND[folder]) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['in']}-{'.'.join(map(str, keys(row['at'])))}")
def test_a_fault_is_found_once_where_it_stands(row: dict[str, Any]) -> None:
    found = copy.deepcopy(SOUND[row["of"]])
    *init, last = keys(row["at"])
    spot: Any = found[row["in"]]
    for key in init:
        spot = spot[key]
    if "set" in row:
        spot[last] = row["set"]
    else:
        del spot[last]

    problems = errors(found)

    file = row.get("file", "" if row["in"] == "pipeline.yml" else row["in"])
    path = keys(row.get("path", row["at"]))
    hits = [each for each in problems if (each.file, each.path, each.code) == (file, path, row["code"])]
    assert len(problems) == row.get("more", 1)
    assert hits
    assert row.get("says", "") in hits[0].message
    assert row.get("hint", "") in hits[0].hint


def nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def entries(value: Any) -> dict[Any, Any]:
    pairs: Any = enumerate(value) if not hasattr(value, "items") else value.items()
    return dict(pairs)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for place, item in entries(value).items():
        if nested(item):
            yield from leaves(item, (*path, place))
        else:
            yield (*path, place)


@pytest.mark.parametrize(
    ("folder", "file"), [(folder, file) for folder, files in SOUND.items() for file in files]
)
def test_a_placeholder_may_stand_for_any_value(folder: str, file: str) -> None:
    for *init, last in leaves(SOUND[folder][file]):
        found = copy.deepcopy(SOUND[folder])
        spot: Any = found[file]
        for key in init:
            spot = spot[key]
        spot[last] = "<<later>>"

        assert errors(found) == [], (init, last)


@pytest.mark.parametrize("file", ["./components/train.yml", "components/train.yml", "components/./train.yml"])
def test_a_component_file_is_found_however_its_path_is_written(file: str) -> None:
    found = copy.deepcopy(SOUND["churn"])
    found[file] = found.pop("components/train.yml")
    found[file]["command"] = "train ${{inputs.nothing}}"

    assert [each.file for each in errors(found)] == [file]


def test_a_component_used_twice_is_checked_once() -> None:
    found = copy.deepcopy(SOUND["churn"])
    found["components/train.yml"]["extra_key"] = 1

    assert len(check(found)) == 1


@pytest.mark.parametrize("name", ["prepare", "train", "evaluate", "score"])
def test_a_component_stands_for_itself(name: str) -> None:
    assert validate(SOUND["churn"][f"components/{name}.yml"]) == []


def test_a_pipeline_component_stands_for_itself() -> None:
    files = {"step.yml": SOUND["nested"]["components/step.yml"]}

    assert validate(SOUND["nested"]["components/fit.yml"], files) == []


def test_the_name_of_a_component_counts_only_where_it_stands_for_itself() -> None:
    found = copy.deepcopy(SOUND["churn"])
    found["components/train.yml"]["name"] = "Train-Trees"

    (alone,) = validate(found["components/train.yml"])
    (inside,) = check(found)

    assert (alone.path, alone.code, alone.warning) == (("name",), "P390", False)
    assert (inside.path, inside.code, inside.warning) == (("name",), "P390", True)


def test_a_job_may_start_a_pipeline_component() -> None:
    fit = SOUND["nested"]["components/fit.yml"]
    files = {"components/fit.yml": fit, "components/step.yml": SOUND["nested"]["components/step.yml"]}
    job = {
        "type": "pipeline",
        "component": "./components/fit.yml",
        "settings": {"default_compute": "serverless"},
        "inputs": {"data": {"type": "uri_folder", "path": "azureml:data:1"}, "rounds": 5},
        "outputs": {"model": {"type": "mlflow_model"}},
    }

    assert validate(job, files) == []
    assert [each.path for each in validate(job | {"inputs": {"rounds": "many"}}, files)] == [
        ("inputs", "rounds"),
        ("inputs", "data"),
    ]
    assert [each.code for each in validate(job | {"outputs": {"modle": None}}, files)] == ["P391"]


def test_remote_components_are_taken_at_their_word() -> None:
    found = changed("churn", jobs__train__component="azureml:train:3", jobs__train__inputs__anything=1)

    assert check(found) == []


def test_an_inline_component_is_checked_where_it_is_written() -> None:
    found = copy.deepcopy(SOUND["churn"])
    component = copy.deepcopy(found["components/train.yml"]) | {"command": "train ${{inputs.dta}}"}
    found["pipeline.yml"]["jobs"]["train"]["component"] = component

    (problem,) = errors(found)

    assert (problem.file, problem.path) == ("", ("jobs", "train", "component", "command"))
    assert problem.hint == "did you mean 'data'?"


def test_every_circle_is_drawn_whole() -> None:
    step: dict[str, Any] = {"component": "./step.yml", "outputs": {}}
    jobs = {
        name: step | {"inputs": {"a": f"${{{{parent.jobs.{source}.outputs.a}}}}"}}
        for name, source in {"a": "c", "b": "a", "c": "b", "d": "e", "e": "d", "f": "a"}.items()
    }
    component = {
        "type": "command",
        "name": "step",
        "command": "x ${{inputs.a}} ${{outputs.a}}",
        "environment": "azureml:e:1",
        "inputs": {"a": {"type": "uri_file"}},
        "outputs": {"a": {"type": "uri_file"}},
    }
    job = {"type": "pipeline", "compute": "azureml:c", "jobs": jobs}

    first, second = validate(job, {"step.yml": component})

    assert first.message == "nodes wait for one another in a circle: a → b → c → a"
    assert second.message == "nodes wait for one another in a circle: d → e → d"


def test_control_flow_is_accepted_with_a_word_about_its_flag() -> None:
    found = copy.deepcopy(SOUND["churn"])
    found["components/evaluate.yml"]["outputs"]["good"] = {"type": "boolean"}
    found["components/evaluate.yml"]["command"] += " ${{outputs.good}}"
    found["pipeline.yml"]["jobs"] |= {
        "gate": {
            "type": "if_else",
            "condition": "${{parent.jobs.evaluate.outputs.good}}",
            "true_block": "${{parent.jobs.score}}",
            "false_block": ["${{parent.jobs.announce}}"],
        },
        "each": {
            "type": "parallel_for",
            "body": "${{parent.jobs.train}}",
            "items": '[{"depth": 1}, {"depth": 2}]',
            "max_concurrency": 2,
        },
    }
    del found["pipeline.yml"]["jobs"]["train"]["inputs"]["depth"]

    problems = check(found)

    assert [each.path for each in problems] == [("jobs", "gate", "type"), ("jobs", "each", "type")]
    assert all(each.warning and "PRIVATE_FEATURES" in each.hint for each in problems)


def test_a_loop_feeds_its_body_again() -> None:
    found = changed(
        "churn",
        jobs__again={
            "type": "do_while",
            "body": "${{parent.jobs.train}}",
            "mapping": {"${{parent.jobs.train.outputs.model}}": ["data"]},
            "limits": {"max_iteration_count": 10},
        },
    )
    del found["pipeline.yml"]["jobs"]["train"]["inputs"]["data"]

    assert [each.path for each in check(found)] == [("jobs", "again", "type")]


def test_steps_are_counted_through_nested_pipelines() -> None:
    found = copy.deepcopy(SOUND["nested"])
    inner, outer = found["components/fit.yml"]["jobs"], found["pipeline.yml"]["jobs"]
    for number in range(200):
        inner[f"round_{number}"] = copy.deepcopy(inner["one_round"]) | {"outputs": {}}
    for number in range(150):
        outer[f"fit_{number}"] = copy.deepcopy(outer["fit"])

    (problem,) = errors(found)

    assert (problem.path, problem.code) == (("jobs",), "P393")
    assert f"{201 * 151 + 2} steps" in problem.message


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"outputs__extra": {"type": "uri_file"}}, ("outputs", "extra"), "no node"),
        (
            {"jobs__train__outputs": {"model": "${{parent.outputs.model}}"}},
            ("outputs", "model"),
            "train, tune",
        ),
        ({"jobs__train__unheard_of": 1}, ("jobs", "train", "unheard_of"), "passes on unread"),
        ({"jobs__train__limits__timeout": 3_000_000}, ("jobs", "train", "limits", "timeout"), "21 days"),
        (
            {"jobs__announce__inputs__report": "${{ parent.jobs.evaluate.outputs.report }}"},
            ("jobs", "announce", "inputs", "report"),
            "blanks in its braces",
        ),
        (
            {"inputs__calls__type": "uri_file"},
            ("jobs", "prepare", "inputs", "calls"),
            "must be of type uri_folder, not uri_file",
        ),
        ({"inputs__keys": 1}, ("inputs", "keys"), "as an attribute"),
    ],
)
def test_what_azure_lets_pass_is_a_warning(changes: dict[str, Any], path: tuple[str, ...], says: str) -> None:
    found = changed("churn", **changes)

    (problem,) = check(found)

    assert problem.warning
    assert problem.path == path
    assert says in problem.message


def test_an_optional_input_outside_of_a_segment_is_a_warning() -> None:
    found = copy.deepcopy(SOUND["churn"])
    found["components/train.yml"]["command"] = "train --rate ${{inputs.rate}} $[[--data ${{inputs.data}}]]"

    outside, never = warnings(found)

    assert "outside of $[[ … ]]" in outside.message
    assert "names no optional input" in never.message


@pytest.mark.parametrize(
    ("producer", "consumer", "verdict"),
    [
        ("mlflow_model", "uri_folder", "fits"),
        ("mltable", "uri_folder", "fits"),
        ("custom_model", "uri_file", "fits"),
        ("uri_file", "custom_model", "fits"),
        ("path", "uri_file", "fits"),
        ("integer", "number", "fits"),
        ("boolean", "string", "fits"),
        ("uri_folder", "mltable", "doubtful"),
        ("custom_model", "mlflow_model", "doubtful"),
        ("uri_file", "uri_folder", "wrong"),
        ("mltable", "uri_file", "wrong"),
        ("number", "integer", "wrong"),
        ("string", "uri_file", "wrong"),
    ],
)
def test_ends_are_joined_by_type(producer: str, consumer: str, verdict: str) -> None:
    files = {
        "make.yml": component("make", {}, {"made": {"type": producer}}),
        "take.yml": component("take", {"given": {"type": consumer}}, {}),
    }
    jobs = {
        "make": {"component": "./make.yml"},
        "take": {"component": "./take.yml", "inputs": {"given": "${{parent.jobs.make.outputs.made}}"}},
    }

    problems = validate({"type": "pipeline", "compute": "azureml:c", "jobs": jobs}, files)

    said = {"P392": "doubtful" if problems and problems[0].warning else "wrong"}
    assert [said[each.code] for each in problems] == ([] if verdict == "fits" else [verdict])


def component(name: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "command",
        "name": name,
        "inputs": inputs,
        "outputs": outputs,
        "environment": "azureml:e:1",
        "command": "run",
    }


def test_the_word_default_is_refused_as_output_of_jobs_and_nodes_alike() -> None:
    found = changed("churn", outputs__default={"type": "uri_file"}, jobs__announce__outputs__default=None)

    assert [each.path for each in errors(found)] == [
        ("outputs", "default"),
        ("jobs", "announce", "outputs", "default"),
    ]
