"""Nested pipelines and components as those of the service; data and segments that may stay unset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.azureml_for_tests import Compiled, compiled, refused, run, write

from penstock.compiler import compile_bundle
from penstock.diagnostics import Diagnostic, Severity

INNER = """
penstock: v1
kind: pipeline
name: fit-trees
version: "2.1"
description: Fit and measure.
tags: {area: health}
parameters:
  depth: {type: integer, default: 4}
  label: {type: string, default: x}
  rate: {type: number}
datasets: {cells: {type: folder}, labels: {type: file, path: labels.csv}}
steps:
  Fit:
    run: |
      cat ${{ inputs.labels }} > ${{ outputs.model }}/w
      echo ${{ inputs.depth }} ${{ inputs.label }} ${{ inputs.rate }} >> ${{ outputs.model }}/w
      ls ${{ inputs.cells }} >> ${{ outputs.model }}/w
    inputs:
      cells: ${{ datasets.cells }}
      labels: ${{ datasets.labels }}
      depth: ${{ parameters.depth }}
      label: ${{ parameters.label }}
      rate: ${{ parameters.rate }}
    outputs: {model: model}
  measure:
    run: wc -l < ${{ inputs.m }}/w; printf '{"lines":3}' > ${{ outputs.report }}
    inputs: {m: "${{ steps.Fit.outputs.model }}"}
    outputs: {report: metrics}
outputs: {model: "${{ steps.Fit.outputs.model }}", report: "${{ steps.measure.outputs.report }}"}
"""
OUTER = """
parameters: {rate: {type: number, default: 0.5}, text: {type: string, default: "it's $(x)"}}
datasets: {cells: {type: folder, path: cells}}
steps:
  nightly:
    kind: pipeline
    uses: ./inner.yaml
    inputs: {cells: "${{ datasets.cells }}", rate: "${{ parameters.rate }}", label: "${{ parameters.text }}"}
  use:
    run: cat ${{ inputs.m }}/w > ${{ outputs.o }}
    inputs: {m: "${{ steps.nightly.outputs.model }}"}
    outputs: {o: file}
outputs: {o: "${{ steps.use.outputs.o }}"}
"""
COMPONENT = """
penstock: v1
kind: component
name: Clean_Cells
version: "3"
display_name: Clean
description: Takes out what is broken.
tags: {area: health}
inputs: {raw: file, n: {type: integer, default: 2}, extra: {type: file, optional: true}}
outputs: {clean: file}
step:
  run: clean ${{ inputs.raw }} ${{ inputs.n }} $[[ --extra ${{ inputs.extra }} ]] ${{ outputs.clean }}
"""
USES = """
datasets: {a: {type: file, uri: "azureml:a:1"}, b: {type: file, uri: "azureml:b:1"}}
steps:
  one: {uses: clean.yaml, inputs: {raw: "${{ datasets.a }}"}}
  two: {uses: clean.yaml, inputs: {raw: "${{ datasets.b }}", n: 7}, compute: {instance: {azureml: Standard_DS3_v2}}}
outputs: {one: "${{ steps.one.outputs.clean }}", two: "${{ steps.two.outputs.clean }}"}
"""
OPTIONAL = """
datasets: {a: {type: file, path: a.txt}, old: {type: file, optional: true}}
steps:
  s:
    run: |
      printf '%%s;' x $[[ --old ${{ inputs.old }} ]] y $[[ "<${{ inputs.old }}>" ]] ${{ inputs.a }} > ${{ outputs.o }}
    inputs: {a: "${{ datasets.a }}", old: {value: "${{ datasets.old }}", optional: true}}
    outputs: {o: file}
    %s
outputs: {o: "${{ steps.s.outputs.o }}"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner.yaml").write_text(INNER.lstrip(), encoding="utf-8")
    (tmp_path / "clean.yaml").write_text(COMPONENT.lstrip(), encoding="utf-8")
    (tmp_path / "labels.csv").write_text("a\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("a\n", encoding="utf-8")
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells/c.csv").write_text("c\n", encoding="utf-8")
    return tmp_path


def inner(folder: Path, old: str, new: str) -> None:
    """Change the nested pipeline."""
    file = folder / "inner.yaml"
    written = file.read_text("utf-8")
    assert old in written
    file.write_text(written.replace(old, new), encoding="utf-8")


def flat(made: Compiled) -> list[Diagnostic]:
    """Give the notes on pipelines that were laid flat."""
    return [each for each in made.bundle.diagnostics if each.code == "P356"]


def test_a_nested_pipeline_is_a_component(folder: Path) -> None:
    found = compiled(folder, OUTER)

    assert found.node("nightly") == {
        "type": "pipeline",
        "component": "./components/nightly.yml",
        "inputs": {
            "cells": "${{parent.inputs.cells}}",
            "rate": "${{parent.inputs.rate}}",
            "label": "${{parent.inputs.text}}",
            "labels": "${{parent.inputs.nightly__labels}}",
        },
    }
    component = found.component("nightly")
    assert {
        key: component[key] for key in ("type", "name", "version", "display_name", "description", "tags")
    } == {
        "type": "pipeline",
        "name": "fit_trees",
        "version": "2.1",
        "display_name": "fit-trees",
        "description": "Fit and measure.",
        "tags": {"area": "health"},
    }
    assert component["inputs"] == {
        "depth": {"type": "integer", "default": 4},
        "label": {"type": "string", "default": "x"},
        "rate": {"type": "number"},
        "cells": {"type": "uri_folder"},
        "labels": {"type": "uri_file"},
    }
    assert component["outputs"] == {"model": {"type": "custom_model"}, "report": {"type": "uri_file"}}
    assert component["jobs"]["fit"]["component"] == "./nightly__fit.yml"
    assert component["jobs"]["measure"]["inputs"] == {"m": "${{parent.jobs.fit.outputs.model}}"}
    assert found.node("use")["inputs"] == {"m": "${{parent.jobs.nightly.outputs.model}}"}
    assert found.component("nightly__fit")["display_name"] == "Fit"
    assert flat(found) == []


def test_a_nested_pipeline_runs_and_text_arrives_in_it_exactly(folder: Path) -> None:
    ran = run(folder, OUTER)

    assert ran.text("use", "o") == "a\n4 it's $(x) 0.5\nc.csv\n"


@pytest.mark.parametrize(
    ("enum", "trusted"), [("", False), (", enum: [a, b]", True), (", enum: [a, b, c]", False)]
)
def test_any_text_may_come_where_a_list_is_declared(enum: str, trusted: bool, folder: Path) -> None:
    inner(folder, "label: {type: string, default: x}", "label: {type: string, enum: [a, b], default: a}")
    found = compiled(
        folder,
        OUTER.replace(
            'text: {type: string, default: "it\'s $(x)"', f"text: {{type: string, default: a{enum}"
        ),
    )

    node = found.component("nightly")["jobs"]["fit"]
    assert ("environment_variables" not in node) == trusted
    assert ("enum" in found.component("nightly")["inputs"]["label"]) == trusted


def test_data_that_a_nested_pipeline_brings_along_is_an_input_of_the_job(folder: Path) -> None:
    found = compiled(folder, OUTER)

    given = found.job["inputs"]["nightly__labels"]
    assert given["path"].endswith("/labels.csv")
    places: dict[str, dict[str, str]] = json.loads(
        (found.bundle.write(folder / "bundle") / "source-map.json").read_text("utf-8")
    )
    origin = places["pipeline.yml"]["/inputs/nightly__labels"]
    line = (
        INNER.lstrip()
        .splitlines()
        .index("datasets: {cells: {type: folder}, labels: {type: file, path: labels.csv}}")
    )
    assert origin.split(":")[1] == str(line + 1)
    assert places["components/nightly.yml"][""] == "inner.yaml:1:1"


def test_what_is_inside_is_said_at_the_line_of_its_file(folder: Path) -> None:
    inner(
        folder,
        "    outputs: {report: metrics}",
        "    outputs: {report: metrics, Report: metrics}\n    timeout: 1d",
    )
    inner(folder, "  measure:\n    run:", "  measure:\n    options: {azureml: {job_tier: [1]}}\n    run:")
    found = refused(folder, OUTER)

    places = [
        (Path(each.place.file).name, each.place.line) for each in found if each.code == "P390" and each.place
    ]
    line = INNER.lstrip().splitlines().index("  measure:") + 1
    assert places == [("inner.yaml", line)]


def test_metrics_of_a_nested_pipeline_decide_conditions_outside(folder: Path) -> None:
    text = OUTER.replace(
        'outputs: {o: "${{ steps.use',
        "  stop: {kind: fail, when: '${{ steps.nightly.outputs.report.lines > 2 }}', message: many}\n"
        'outputs: {o: "${{ steps.use',
    )
    found = compiled(folder, text)
    ran = run(folder, text)

    (gate,) = [name for name in found.job["jobs"] if name.startswith("when_")]
    assert found.node(gate)["inputs"] == {"report": "${{parent.jobs.nightly.outputs.report}}"}
    assert ran.codes["stop"] == 1
    assert flat(found) == []


def test_conditions_inside_stay_inside(folder: Path) -> None:
    inner(
        folder,
        'outputs: {model: "',
        "  stop: {kind: fail, when: '${{ steps.measure.outputs.report.lines > 9 }}', message: x}\noutputs: {model: \"",
    )
    found = compiled(folder, OUTER)

    assert found.component("nightly")["jobs"].keys() == {"fit", "measure", "when_stop", "stop"}
    assert "nightly__stop: decides" not in str(found.bundle.launcher)
    assert [each.step for each in found.bundle.launcher] == ["nightly__when_stop"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    uses: ./inner.yaml", "    uses: ./inner.yaml\n    when: ${{ parameters.rate > 0.1 }}"),
        ("    uses: ./inner.yaml", "    uses: ./inner.yaml\n    after: [before]"),
        ("  use:\n", "  use:\n    after: [nightly]\n"),
        ("${{ parameters.text }}", "<${{ parameters.text }}>"),
        ('"${{ parameters.text }}"', '"$${{{ x }}"'),
    ],
    ids=["guarded", "waits", "waited for", "composed", "the service's own text"],
)
def test_what_no_component_can_be_stands_in_the_job_and_is_announced(
    old: str, new: str, folder: Path
) -> None:
    text = OUTER.replace(old, new).replace("steps:\n", "steps:\n  before: {run: echo}\n")
    found = compiled(folder, text)

    assert {"nightly__fit", "nightly__measure"} <= found.job["jobs"].keys()
    assert "nightly" not in found.job["jobs"]
    assert [(each.severity, each.at.path) for each in flat(found)] == [(Severity.NOTE, ("steps", "nightly"))]
    assert run(folder, text).codes["nightly__fit"] == 0


def test_an_output_from_behind_a_condition_keeps_it_outside(folder: Path) -> None:
    inner(folder, "  Fit:\n", "  Fit:\n    when: ${{ parameters.depth > 9 }}\n")
    found = compiled(folder, OUTER)

    assert [name for name in found.node("use")["inputs"] if name.startswith("gate_")]
    assert len(flat(found)) == 1


def test_one_flat_pipeline_leaves_another_a_component(folder: Path) -> None:
    twin = OUTER.split("  use:")[0].split("steps:\n")[1].replace("nightly:", "weekly:")
    text = OUTER.replace("  use:\n", twin + "    when: ${{ parameters.rate > 0.1 }}\n  use:\n")
    found = compiled(folder, text)

    assert found.node("nightly")["type"] == "pipeline"
    assert found.node("weekly__fit")["type"] == "command"


def test_pipelines_nest_as_deep_as_they_are_written(folder: Path) -> None:
    middle = OUTER.replace("cells: {type: folder, path: cells}", "cells: {type: folder}")
    (folder / "middle.yaml").write_text(
        "penstock: v1\nkind: pipeline\nname: middle" + middle, encoding="utf-8"
    )
    text = """
datasets: {cells: {type: folder, path: cells}}
steps:
  top: {kind: pipeline, uses: ./middle.yaml, inputs: {cells: "${{ datasets.cells }}"}}
outputs: {o: "${{ steps.top.outputs.o }}"}
"""
    found = compiled(folder, text)

    assert found.job["inputs"].keys() == {"cells", "top__nightly__labels"}
    assert found.component("top")["jobs"]["nightly"]["component"] == "./top__nightly.yml"
    assert found.component("top__nightly")["jobs"]["fit"]["component"] == "./top__nightly__fit.yml"
    assert run(folder, text).text("top", "o") == "a\n4 it's $(x) 0.5\nc.csv\n"


def test_a_model_that_a_nested_pipeline_takes_as_a_folder_stays_a_model(folder: Path) -> None:
    text = """
steps:
  m: {run: 'touch ${{ outputs.m }}/c.csv', outputs: {m: model}}
  nightly: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ steps.m.outputs.m }}", rate: 1}}
outputs: {m: "${{ steps.nightly.outputs.model }}"}
"""
    found = compiled(folder, text)

    assert found.component("nightly")["inputs"]["cells"] == {"type": "custom_model"}
    assert found.component("nightly__fit")["inputs"]["cells"] == {"type": "custom_model"}


def test_names_of_files_do_not_collide(folder: Path) -> None:
    text = OUTER.replace(
        "steps:\n", "steps:\n  nightly__fit: {run: echo one}\n  clean_cells: {run: echo two}\n"
    )
    text = text.replace("datasets: {", 'datasets: {raw: {type: file, uri: "azureml:a:1"}, ').replace(
        "  use:\n", "  c: {uses: clean.yaml, inputs: {raw: '${{ datasets.raw }}'}}\n  use:\n"
    )
    found = compiled(folder, text)

    nodes = {name: node["component"] for name, node in found.job["jobs"].items()}
    inside = found.component("nightly")["jobs"]["fit"]["component"]
    assert len({*nodes.values(), f"./components/{inside.removeprefix('./')}"}) == len(nodes) + 1
    assert found.command("clean_cells") == ["echo two"]
    assert "clean" in found.command(nodes["c"].removeprefix("./components/").removesuffix(".yml"))[0]


def test_a_model_of_a_nested_pipeline_is_registered(folder: Path) -> None:
    text = OUTER.replace(
        "  use:\n",
        "  r: {kind: register, model: '${{ steps.nightly.outputs.model }}', name: trees}\n  use:\n",
    )

    assert compiled(folder, text).node("nightly")["outputs"] == {
        "model": {"type": "custom_model", "name": "trees"}
    }


def test_images_of_a_profile_reach_what_a_nested_pipeline_has_from_outside(folder: Path) -> None:
    (folder / "penstock.yaml").write_text(
        "profiles:\n  dev: {target: azureml, subscription: '0', resource_group: m, workspace: w,"
        " images: {sk: 'azureml:sk:9'}}\n",
        encoding="utf-8",
    )
    inner(folder, "  Fit:\n", "  Fit:\n    environment: sk\n")
    text = "environments: {sk: {packages: [pandas]}}" + OUTER
    made = Compiled(compile_bundle(write(folder, text), "azureml", "dev"))

    assert made.component("nightly__fit")["environment"] == "azureml:sk:9"


def test_a_component_keeps_its_name(folder: Path) -> None:
    found = compiled(folder, USES)

    assert found.node("one")["component"] == found.node("two")["component"] == "./components/clean_cells.yml"
    component = found.component("clean_cells")
    assert {key: component[key] for key in ("name", "version", "display_name", "description", "tags")} == {
        "name": "clean_cells",
        "version": "3",
        "display_name": "Clean",
        "description": "Takes out what is broken.",
        "tags": {"area": "health"},
    }
    assert found.node("one")["inputs"] == {"raw": "${{parent.inputs.a}}", "n": 2}
    assert found.node("two")["inputs"] == {"raw": "${{parent.inputs.b}}", "n": 7}
    assert [name for name in found.bundle.texts if name.startswith("components/")] == [
        "components/clean_cells.yml"
    ]


@pytest.mark.parametrize(
    "change",
    [
        "cache: false",
        "tags: {own: x}",
        "after: [one]",
        "env: {A: '$${{{ b }}'}",
        "retry: {attempts: 2, errors: any}",
    ],
)
def test_a_step_that_changes_its_component_has_its_own(change: str, folder: Path) -> None:
    found = compiled(folder, USES.replace("n: 7}, ", f"n: 7}}, {change}, "))

    assert found.node("two")["component"] != found.node("one")["component"]
    assert found.component("clean_cells")["version"] == "3"
    assert found.component("two")["name"] == "probe_two"


def test_a_component_inside_a_nested_pipeline_is_the_one_outside(folder: Path) -> None:
    inner(
        folder,
        "  measure:\n",
        '  c: {uses: clean.yaml, inputs: {raw: "${{ datasets.labels }}"}}\n  measure:\n',
    )
    text = OUTER.replace(
        "  use:\n", "  c: {uses: clean.yaml, inputs: {raw: '${{ steps.nightly.outputs.report }}'}}\n  use:\n"
    )
    found = compiled(folder, text)

    assert found.component("nightly")["jobs"]["c"]["component"] == "./clean_cells.yml"
    assert found.node("c")["component"] == "./components/clean_cells.yml"


def test_items_of_a_map_are_the_component_that_others_use(folder: Path) -> None:
    over = "items: [{key: a, v: 1}, {key: b, v: 3}]"
    bound = "{raw: '${{ datasets.a }}', n: '${{ item.v }}'}"
    step = f"  m: {{kind: map, uses: clean.yaml, over: {{{over}}}, inputs: {bound}}}\n"
    text = USES.replace("steps:\n", "steps:\n" + step).replace(
        "outputs: {", 'outputs: {m: "${{ steps.m.outputs.clean }}", '
    )
    found = compiled(folder, text)

    nodes = [found.node(name) for name in ("m__a", "m__b", "one")]
    assert {each["component"] for each in nodes} == {"./components/clean_cells.yml"}
    assert [each["inputs"]["n"] for each in nodes] == [1, 3, 2]
    assert found.component("clean_cells")["display_name"] == "Clean"
    assert found.component("m")["name"] == "probe_m"


def test_a_map_that_runs_in_one_node_is_no_longer_its_component(folder: Path) -> None:
    text = USES.replace(
        "steps:\n",
        "steps:\n  m: {kind: map, uses: clean.yaml, over: {items: [a, b]}, tolerate: 1,"
        " inputs: {raw: '${{ datasets.a }}'}}\n",
    ).replace("outputs: {", 'outputs: {m: "${{ steps.m.outputs.clean }}", ')
    found = compiled(folder, text)

    assert found.component("m")["name"] == "probe_m"
    assert found.component("m")["tags"]["penstock_component"] == "Clean_Cells:3"
    assert found.component("clean_cells")["version"] == "3"
    assert "penstock_component" not in found.component("clean_cells")["tags"]


def test_a_step_that_changes_its_component_says_which_one_it_was(folder: Path) -> None:
    two = '  two: {uses: clean.yaml, inputs: {raw: "${{ datasets.b }}", n: 7}'
    found = compiled(folder, USES.replace(two, f"{two}, env: {{MODE: fast}}, tags: {{team: blue}}"))

    assert found.component("clean_cells")["version"] == "3"
    assert found.node("two")["component"] == "./components/two.yml"
    assert found.component("two")["tags"] == {
        "area": "health",
        "team": "blue",
        "penstock_component": "Clean_Cells:3",
    }


def test_a_search_uses_a_component_whose_script_tells_mlflow(folder: Path) -> None:
    text = """
datasets: {a: {type: file, uri: "azureml:a:1"}}
steps:
  s:
    kind: tune
    uses: clean.yaml
    inputs: {raw: "${{ datasets.a }}"}
    search_space: {n: {type: integer, minimum: 1, maximum: 3}}
    objective: {metric: recall, goal: maximize, source: mlflow}
    limits: {trials: 3}
outputs: {o: "${{ steps.s.outputs.clean }}"}
"""
    found = compiled(folder, text)

    assert found.node("s")["trial"] == "./components/clean_cells.yml"
    assert found.component("clean_cells")["inputs"]["n"] == {"type": "integer"}


def test_a_segment_is_the_services_own(folder: Path) -> None:
    found = compiled(folder, OPTIONAL % "")

    assert '$[[ --old "${{inputs.old}}" ]]' in found.command("s")[0]
    assert found.component("s")["inputs"]["old"] == {"type": "uri_file", "optional": True}


def test_data_that_stays_unset_is_bound_nowhere(folder: Path) -> None:
    found = compiled(folder, OPTIONAL % "")

    assert found.job["inputs"].keys() == {"a"}
    assert found.node("s")["inputs"] == {"a": "${{parent.inputs.a}}"}


def test_a_pipeline_component_leaves_data_that_may_stay_unset_to_its_caller(folder: Path) -> None:
    text = (OPTIONAL % "").replace("a: {type: file, path: a.txt}", "a: {type: file}")
    found = compiled(folder, text)

    assert found.job["inputs"] == {"a": {"type": "uri_file"}, "old": {"type": "uri_file", "optional": True}}
    assert found.node("s")["inputs"]["old"] == "${{parent.inputs.old}}"


@pytest.mark.parametrize("keys", ["", "retry: {attempts: 2, errors: any}"], ids=["bare", "retried"])
@pytest.mark.parametrize(
    "path", ["", "path: a b.txt", 'path: "it\'s; touch x.txt"'], ids=["unset", "blank", "quote"]
)
def test_a_segment_goes_or_stays_whole(path: str, keys: str, folder: Path) -> None:
    for name in ("a b.txt", "it's; touch x.txt"):
        (folder / name).write_text("b", encoding="utf-8")
    text = (OPTIONAL % keys).replace("optional: true}}\nsteps", f"optional: true, {path}}}}}\nsteps")
    said = run(folder, text).text("s", "o").split(";y;")

    name = path.removeprefix("path: ").strip('"')
    if not path:
        assert said[0] == "x"
        assert said[1].startswith("/")
    else:
        assert said[0].startswith("x;--old;/")
        assert said[0].endswith(f"/{name}")
        assert said[1].startswith("</")
        assert f"/{name}>;/" in said[1]


def test_a_list_within_a_list_is_a_segment(folder: Path) -> None:
    text = """
datasets: {old: {type: file, optional: true%s}}
steps:
  s:
    run: [bash, -c, 'for x; do echo "<$x>"; done > "$0"', "${{ outputs.o }}", [--old, "=${{ inputs.old }}"], end]
    inputs: {old: {value: "${{ datasets.old }}", optional: true}}
    outputs: {o: file}
outputs: {o: "${{ steps.s.outputs.o }}"}
"""

    assert run(folder, text % "").text("s", "o") == "<end>\n"
    (folder / "again").mkdir()
    (folder / "again/a.txt").write_text("a", encoding="utf-8")
    said = run(folder / "again", text % ", path: a.txt").text("s", "o").splitlines()
    assert (said[0], said[-1]) == ("<--old>", "<end>")
    assert said[1].startswith("<=/")


def test_a_fixed_path_of_data_that_stays_unset_is_not_made(folder: Path) -> None:
    text = (OPTIONAL % "").replace(
        "optional: true}}\n    outputs", f"optional: true, at: {folder}/here}}}}\n    outputs"
    )
    ran = run(folder, text)

    assert ran.codes["s"] == 0
    assert not (folder / "here").exists()


def test_a_nested_pipeline_may_leave_its_optional_data_unset(folder: Path) -> None:
    body = (OPTIONAL % "").replace("a: {type: file, path: a.txt}", "a: {type: file}")
    (folder / "opt.yaml").write_text("penstock: v1\nkind: pipeline\nname: opt" + body, encoding="utf-8")
    text = """
datasets: {a: {type: file, path: a.txt}}
steps:
  n: {kind: pipeline, uses: ./opt.yaml, inputs: {a: "${{ datasets.a }}"%s}}
outputs: {o: "${{ steps.n.outputs.o }}"}
"""
    found = compiled(folder, text % "")
    assert found.component("n")["inputs"]["old"] == {"type": "uri_file", "optional": True}
    assert found.component("n")["jobs"]["s"]["inputs"]["old"] == "${{parent.inputs.old}}"
    assert run(folder, text % "").text("n", "o").startswith("x;y;")

    again = folder / "again"
    again.mkdir()
    for name in ("opt.yaml", "a.txt"):
        (again / name).write_bytes((folder / name).read_bytes())
    assert run(again, text % ', old: "${{ datasets.a }}"').text("n", "o").startswith("x;--old;/")


def test_text_of_the_services_own_beside_a_segment_is_refused(folder: Path) -> None:
    text = (OPTIONAL % "").replace("printf", "echo '$${{{ x }}'; printf")
    found: list[Any] = [each for each in refused(folder, text) if each.severity is Severity.ERROR]

    assert [(each.code, each.at.path) for each in found] == [("P358", ("steps", "s", "run"))]


def test_a_pipeline_that_two_steps_use_is_one_component(folder: Path) -> None:
    second = OUTER[OUTER.index("  nightly:") : OUTER.index("  use:")].replace("nightly:", "weekly:")
    text = OUTER.replace("  use:", f"{second}  use:").replace(
        "\noutputs: {o:", '\noutputs: {w: "${{ steps.weekly.outputs.model }}", o:'
    )

    found = compiled(folder, text)
    ran = run(folder, text)

    assert found.node("nightly")["component"] == found.node("weekly")["component"]
    assert sorted(each for each in found.bundle.texts if each.startswith("components/")) == [
        "components/fit_trees.yml",
        "components/fit_trees__fit.yml",
        "components/fit_trees__measure.yml",
        "components/use.yml",
    ]
    assert found.bundle.source_map["components/fit_trees.yml"]["/jobs/fit"] == "inner.yaml:13:3"
    assert set(ran.codes.values()) == {0}


def test_a_pipeline_that_two_steps_use_differently_is_two_components(folder: Path) -> None:
    text = """
    parameters: {rate: {type: number, default: 0.5}}
    datasets: {cells: {type: folder, path: cells}, trained: {type: model, path: cells}}
    steps:
      a: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ datasets.cells }}", rate: "${{ parameters.rate }}"}}
      b: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ datasets.trained }}", rate: 0.1}}
    """

    found = compiled(folder, text)

    types = [
        found.read(found.node(each)["component"].removeprefix("./"))["inputs"]["cells"]["type"]
        for each in "ab"
    ]
    assert types == ["uri_folder", "custom_model"]


def test_what_a_component_says_of_its_inputs_stands_there(folder: Path) -> None:
    file = folder / "clean.yaml"
    said = file.read_text("utf-8").replace("default: 2}", "default: 2, description: How often.}")
    said = said.replace("{raw: file,", "{raw: {type: file, description: As measured.},")
    file.write_text(said, encoding="utf-8")

    found = compiled(folder, USES)

    assert found.component("clean_cells")["inputs"] == {
        "raw": {"type": "uri_file", "description": "As measured."},
        "n": {"type": "integer", "description": "How often."},
    }
