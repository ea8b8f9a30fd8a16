"""Searches as sweep nodes, their trials run once as the service would run them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.azureml_for_tests import Compiled, compiled, refused

from penstock.diagnostics import Severity
from penstock_azure.azureml.validation import validate

HEAD = """
parameters:
  n: {type: number, default: 2.5}
  mode: {type: string, enum: [fast, slow], default: fast}
  free: {type: string, default: "a b"}
environments:
  sk: {python: "3.11", packages: [scikit-learn==1.8.0]}
  old: {image: {azureml: "azureml:sk:3"}}
steps:
  s:
    kind: tune
    environment: sk
    outputs: {model: model, report: metrics}
"""
RUN = """\
    run: python train.py ${{ inputs.depth }} ${{ outputs.report }} && touch ${{ outputs.model }}/w
"""
DEPTH = "    search_space: {depth: {type: integer, minimum: 2, maximum: 5}}\n"
REST = """\
    objective: {metric: recall, goal: maximize}
    limits: {trials: 8, parallel: 2}
"""
PLAIN = HEAD + RUN + DEPTH + REST
TRAIN = """import json, sys
json.dump({"recall": float(sys.argv[1]) / 10, "macro avg": [{"f1-score": 0.5}]}, open(sys.argv[2], "w"))
"""
MLFLOW = """def log_metric(name, value):
    open("told", "a").write(f"{name}={value!r};")
"""


def search(space: str) -> str:
    """Give a spec whose trial reads the one dimension `x`."""
    run = RUN.replace("inputs.depth", "inputs.x")
    return HEAD + run + f"    search_space: {{x: {space}}}\n" + REST


def trial(made: Compiled, folder: Path, **drawn: str) -> tuple[int, str, str]:
    """Run a trial with what was drawn; give its exit code, what MLflow was told, and what it printed."""
    root = made.bundle.write(folder / "bundle")
    component = yaml.safe_load((root / "components/s.yml").read_bytes())
    place = folder / "trial"
    shutil.copytree((root / "components" / component["code"]).resolve(), place)
    (place / "train.py").write_text(TRAIN, encoding="utf-8")
    (place / "mlflow.py").write_text(MLFLOW, encoding="utf-8")
    (place / "m").mkdir()
    texts = {f"inputs.{key}": value for key, value in drawn.items()}
    texts |= {"outputs.model": str(place / "m"), "outputs.report": str(place / "report.json")}
    command = re.sub(r"\$\{\{([\w.]+)\}\}", lambda found: texts[found[1]], component["command"])
    ended = subprocess.run(
        ["bash", "-c", command], cwd=place, capture_output=True, text=True, check=False, timeout=60
    )
    told = place / "told"
    return ended.returncode, told.read_text("utf-8") if told.exists() else "", ended.stdout + ended.stderr


def node(folder: Path, text: str) -> dict[str, Any]:
    return compiled(folder, text).node("s")


@pytest.mark.parametrize("sampling", ["random", "bayesian"])
def test_a_search_is_a_sweep(sampling: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, PLAIN + f"    sampling: {sampling}\n    seed: 7\n    timeout: 2h\n")

    assert found.node("s") == {
        "type": "sweep",
        "trial": "./components/s.yml",
        "sampling_algorithm": {"type": "random", "seed": 7} if sampling == "random" else "bayesian",
        "search_space": {"depth": {"type": "choice", "values": [2, 3, 4, 5]}},
        "objective": {"goal": "maximize", "primary_metric": "recall"},
        "limits": {"max_total_trials": 8, "max_concurrent_trials": 2, "timeout": 7200},
    }
    assert found.component("s")["inputs"] == {"depth": {"type": "integer"}}
    assert found.component("s")["outputs"] == {
        "model": {"type": "custom_model"},
        "report": {"type": "uri_file"},
    }
    # Only a random search is seeded there, and a lost seed is said.
    assert ("P344" in found.codes()) == (sampling == "bayesian")


def test_a_grid_is_choices(tmp_path: Path) -> None:
    space = "{type: boolean, enum: [true, false]}"
    found = node(tmp_path, search(space).replace("trials: 8", "trials: 2") + "    sampling: grid\n")

    assert found["sampling_algorithm"] == "grid"
    assert found["search_space"] == {"x": {"type": "choice", "values": ["true", "false"]}}


def test_early_stopping_is_a_policy(tmp_path: Path) -> None:
    policies = {
        "{policy: bandit, slack: 0.1, interval: 2, delay: 5}": {
            "type": "bandit",
            "slack_factor": 0.1,
            "evaluation_interval": 2,
            "delay_evaluation": 5,
        },
        "{policy: median}": {"type": "median_stopping", "evaluation_interval": 1},
        "{policy: truncation, percentage: 20}": {
            "type": "truncation_selection",
            "truncation_percentage": 20,
            "evaluation_interval": 1,
        },
    }
    for written, wanted in policies.items():
        made = compiled(tmp_path, PLAIN + f"    early_stopping: {written}\n")
        assert made.node("s")["early_termination"] == wanted
        # A metrics file is read once, at the end of a trial.
        assert "P345" in made.codes()


def test_a_trial_has_its_time_limit(tmp_path: Path) -> None:
    long = compiled(tmp_path, PLAIN.replace("parallel: 2", "parallel: 2, trial_timeout: 30m"))
    short = compiled(tmp_path, PLAIN.replace("parallel: 2", "parallel: 2, trial_timeout: 10s"))

    assert long.node("s")["limits"]["trial_timeout"] == 1800
    assert "P346" not in long.codes()
    assert "P346" in short.codes()


def test_an_objective_of_mlflow_is_the_primary_metric(tmp_path: Path) -> None:
    text = PLAIN.replace("metric: recall,", "metric: val/recall, source: mlflow,")
    found = compiled(tmp_path, text)

    assert found.node("s")["objective"]["primary_metric"] == "val/recall"
    assert len(found.command("s")) == 1
    assert "code" not in found.component("s")
    assert "mlflow" not in str(found.component("s")["environment"])
    assert found.bundle.launcher == ()


@pytest.mark.parametrize(
    ("space", "drawn"),
    [
        ("{minimum: 0.5, maximum: 2}", {"type": "uniform", "min_value": 0.5, "max_value": 2}),
        ("{minimum: 0.5, maximum: 0.5}", {"type": "choice", "values": [0.5]}),
        (
            "{minimum: 0.01, maximum: 1, scale: log}",
            {"type": "loguniform", "min_value": -4.605170185988091, "max_value": 0.0},
        ),
        ("{type: integer, minimum: 0, maximum: 99999}", {"type": "randint", "upper": 100000}),
        ("{type: integer, minimum: -1, maximum: 1}", {"type": "choice", "values": [-1, 0, 1]}),
        ("{type: integer, minimum: 1, maximum: 2, scale: log}", {"type": "choice", "values": [1, 2]}),
        ("{enum: [log, exp]}", {"type": "choice", "values": ["log", "exp"]}),
        ("{enum: ['1', 'no']}", {"type": "choice", "values": ["1", "no"]}),
        ("{enum: [0.1, 1.0]}", {"type": "choice", "values": [0.1, 1.0]}),
    ],
)
def test_each_dimension_is_drawn_as_it_was_written(space: str, drawn: dict[str, Any], tmp_path: Path) -> None:
    assert node(tmp_path, search(space))["search_space"]["x"] == drawn


def test_whole_numbers_on_a_log_scale_are_a_list_that_is_announced(tmp_path: Path) -> None:
    found = compiled(tmp_path, search("{type: integer, minimum: 1, maximum: 4096, scale: log}"))
    values = found.node("s")["search_space"]["x"]["values"]

    assert values == sorted(set(values))
    assert (values[0], values[-1]) == (1, 4096)
    assert 40 < len(values) <= 64
    assert "P342" in found.codes()


@pytest.mark.parametrize(
    ("space", "sampling", "key"),
    [
        ("{minimum: 0, maximum: 0.9, scale: reverse_log}", "random", "scale"),
        ("{minimum: 0.1, maximum: 0.9, scale: log}", "bayesian", "scale"),
        ("{type: integer, minimum: 1, maximum: 100000}", "random", "maximum"),
        ("{type: integer, minimum: 0, maximum: 100000}", "bayesian", "maximum"),
        ("{enum: ['a b', c]}", "random", "enum"),
        ("{enum: ['$(touch x)', c]}", "random", "enum"),
        ('{enum: ["it\'s", c]}', "random", "enum"),
    ],
)
def test_what_a_sweep_cannot_draw_is_refused_at_its_place(
    space: str, sampling: str, key: str, tmp_path: Path
) -> None:
    found = refused(tmp_path, search(space) + f"    sampling: {sampling}\n")

    wrong = [each for each in found if each.severity is Severity.ERROR]
    assert [each.code for each in wrong] == ["P342"]
    assert wrong[0].at.path == ("steps", "s", "search_space", "x", key)
    assert wrong[0].hint


def test_a_trial_tells_mlflow_its_objective(tmp_path: Path) -> None:
    made = compiled(tmp_path, PLAIN)

    assert trial(made, tmp_path, depth="4")[:2] == (0, "recall=0.4;")
    assert [each.step for each in made.bundle.launcher] == ["s"]


def test_an_objective_deep_in_the_metrics_has_a_name_that_mlflow_takes(tmp_path: Path) -> None:
    text = PLAIN.replace("metric: recall", "metric: \"['macro avg'][0]['f1-score']\"")
    made = compiled(tmp_path, text)

    assert made.node("s")["objective"]["primary_metric"] == "macro avg.0.f1-score"
    assert trial(made, tmp_path, depth="4")[:2] == (0, "macro avg.0.f1-score=0.5;")


def test_a_trial_without_the_number_fails(tmp_path: Path) -> None:
    code, told, said = trial(compiled(tmp_path, PLAIN.replace("recall", "precision")), tmp_path, depth="4")

    assert (code, told) == (1, "")
    assert "precision" in said


@pytest.mark.parametrize("end", ["exit 0", "exec true", "cd /", "set +e", "true \\", "true # end"])
def test_a_script_that_ends_its_shell_is_reported_all_the_same(end: str, tmp_path: Path) -> None:
    made = compiled(tmp_path, PLAIN.replace("/w\n", f"/w; {end}\n"))

    assert trial(made, tmp_path, depth="3")[:2] == (0, "recall=0.3;")


def test_a_trial_that_fails_tells_nothing(tmp_path: Path) -> None:
    made = compiled(tmp_path, PLAIN.replace("/w\n", "/w; (exit 3)\n"))

    assert trial(made, tmp_path, depth="3")[:2] == (3, "")


def test_retries_stand_inside_the_trial(tmp_path: Path) -> None:
    made = compiled(tmp_path, PLAIN + "    retry: {attempts: 2, errors: any}\n")

    assert trial(made, tmp_path, depth="4")[:2] == (0, "recall=0.4;")


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("[scikit-learn]", ["scikit-learn", "mlflow-skinny>=2.10,<3", "azureml-mlflow"]),
        ("[mlflow==2.15.0]", ["mlflow==2.15.0", "azureml-mlflow"]),
        ("[azureml_mlflow, mlflow-skinny]", ["azureml_mlflow", "mlflow-skinny"]),
    ],
)
def test_the_environment_of_a_trial_can_report(name: str, packages: list[str], tmp_path: Path) -> None:
    found = compiled(tmp_path, PLAIN.replace("[scikit-learn==1.8.0]", name))

    assert found.component("s")["environment"]["conda_file"]["dependencies"][-1] == {"pip": packages}


def test_a_conda_file_gets_what_reports(tmp_path: Path) -> None:
    conda = {"name": "x", "dependencies": ["python=3.11", {"pip": ["pandas"]}]}
    (tmp_path / "conda.yml").write_text(json.dumps(conda), encoding="utf-8")
    found = compiled(
        tmp_path, PLAIN.replace('{python: "3.11", packages: [scikit-learn==1.8.0]}', "{conda: conda.yml}")
    )

    dependencies = found.component("s")["environment"]["conda_file"]["dependencies"]
    assert dependencies[:2] == ["python=3.11", "pip"]
    assert dependencies[2]["pip"] == ["pandas", "mlflow-skinny>=2.10,<3", "azureml-mlflow"]


def test_another_targets_image_is_no_image_here(tmp_path: Path) -> None:
    other = "{image: {sagemaker: 'builtin:xgboost:1.7-1'}}"
    text = PLAIN.replace('{python: "3.11", packages: [scikit-learn==1.8.0]}', other)

    assert "azureml-mlflow" in str(compiled(tmp_path, text).component("s")["environment"])


def test_a_registered_environment_is_taken_and_said_to_need_mlflow(tmp_path: Path) -> None:
    # Compiled with the warning: `compiled` would take it for a fault of the document.
    found = [each for each in _warnings(tmp_path) if each.code == "P394"]

    assert [each.severity for each in found] == [Severity.WARNING]
    assert "azureml-mlflow" in found[0].hint


def _warnings(folder: Path) -> list[Any]:
    from tests.azureml_for_tests import write

    from penstock.compiler import compile_bundle

    made = compile_bundle(write(folder, PLAIN.replace("environment: sk", "environment: old")), "azureml")
    assert Compiled(made).component("s")["environment"] == "azureml:sk:3"
    return list(made.diagnostics)


def test_a_trial_takes_parameters_by_inputs_for_it_has_no_variables(tmp_path: Path) -> None:
    text = PLAIN + '    env: {N: "${{ parameters.n }}", M: "m-${{ parameters.mode }}", L: \'it"s\'}\n'
    found = compiled(tmp_path, text)

    assert found.node("s")["inputs"] == {"n": "${{parent.inputs.n}}", "mode": "${{parent.inputs.mode}}"}
    assert "environment_variables" not in found.node("s")
    assert found.command("s")[:3] == [
        'export N="${{inputs.n}}"',
        'export M="m-${{inputs.mode}}"',
        'export L="it\\"s"',
    ]


def test_free_text_cannot_reach_a_trial(tmp_path: Path) -> None:
    text = (
        PLAIN.replace("train.py", "train.py ${{ inputs.f }}") + "    inputs: {f: '${{ parameters.free }}'}\n"
    )

    assert [each.code for each in refused(tmp_path, text) if each.severity is Severity.ERROR] == ["P342"]


def test_a_searched_word_inside_other_text_stays_one_word(tmp_path: Path) -> None:
    text = search("{enum: [log, exp]}").replace("train.py ${{ inputs.x }}", 'train.py "l=${{ inputs.x }}"')

    found = compiled(tmp_path, text)
    assert 'train.py "l=${{inputs.x}}"' in found.command("s")[0]
    assert found.component("s")["inputs"]["x"] == {"type": "string", "enum": ["log", "exp"]}


def test_a_closed_gate_ends_every_trial_with_a_number(tmp_path: Path) -> None:
    text = PLAIN.replace("kind: tune\n", 'kind: tune\n    when: "${{ parameters.n > 3 }}"\n', 1)
    made = compiled(tmp_path, text)
    (gate,) = [name for name in made.component("s")["inputs"] if name.startswith("gate_")]
    closed = tmp_path / "closed"
    closed.write_text("false", encoding="utf-8")

    assert trial(made, tmp_path, depth="4", **{gate: str(closed)})[:2] == (0, "recall=0.0;")


def test_a_closed_gate_gives_a_number_for_scripts_that_log_themselves(tmp_path: Path) -> None:
    text = PLAIN.replace("kind: tune\n", 'kind: tune\n    when: "${{ parameters.n > 3 }}"\n', 1)
    made = compiled(tmp_path, text.replace("metric: recall,", "metric: recall, source: mlflow,"))
    (gate,) = [name for name in made.component("s")["inputs"] if name.startswith("gate_")]
    closed = tmp_path / "closed"
    closed.write_text("false", encoding="utf-8")

    assert trial(made, tmp_path, depth="4", **{gate: str(closed)})[:2] == (0, "recall=0.0;")


def test_outputs_of_the_best_trial_feed_others_and_the_pipeline(tmp_path: Path) -> None:
    text = PLAIN + (
        "  r: {kind: register, model: '${{ steps.s.outputs.model }}', name: trees}\n"
        "  e: {run: 'cat ${{ inputs.m }}', inputs: {m: '${{ steps.s.outputs.report }}'}}\n"
        "outputs: {best: '${{ steps.s.outputs.report }}'}\n"
    )
    found = compiled(tmp_path, text)

    assert found.node("e")["inputs"] == {"m": "${{parent.jobs.s.outputs.report}}"}
    assert found.node("s")["outputs"] == {
        "model": {"type": "custom_model", "name": "trees"},
        "report": "${{parent.outputs.best}}",
    }


def test_spot_and_size_are_those_of_the_trials(tmp_path: Path) -> None:
    found = node(
        tmp_path, PLAIN + "    compute: {spot: true, count: 2, instance: {azureml: Standard_DS3_v2}}\n"
    )

    assert found["queue_settings"] == {"job_tier": "Spot"}
    assert found["resources"] == {"instance_type": "Standard_DS3_v2", "instance_count": 2}


@pytest.mark.parametrize(("key", "most"), [("max_total_trials", 1000), ("max_concurrent_trials", 1000)])
def test_more_trials_than_the_service_takes_are_a_finding(key: str, most: int, tmp_path: Path) -> None:
    made = compiled(tmp_path, PLAIN)
    job = made.job
    components = {"./components/s.yml": made.component("s")}
    job["jobs"]["s"]["limits"][key] = most
    assert validate(job, components) == []

    job["jobs"]["s"]["limits"][key] = most + 1
    (found,) = validate(job, components)
    assert (found.code, found.path) == ("P393", ("jobs", "s", "limits", key))
