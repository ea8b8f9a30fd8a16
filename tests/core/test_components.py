"""Files that a spec uses: components and nested pipelines, and what is said of them and where."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock
from penstock.compiler import check, plan
from penstock.diagnostics import Diagnostic

HEAD = "penstock: v1\nkind: pipeline\nname: example\n"
CLEAN = """penstock: v1
kind: component
name: clean
version: "1"
inputs: {raw: file, floor: {type: number, default: 0.5}, note: {type: string, optional: true}}
outputs: {cells: folder}
environments: {lab: {python: ">=3.8"}}
step:
  run: clean ${{ inputs.raw }} ${{ inputs.floor }} $[[ --note ${{ inputs.note }} ]] ${{ outputs.cells }}
  environment: lab
"""
DATA = "datasets: {raw: {type: file, path: raw.csv}}\n"
USING = 'steps:\n  clean: {uses: clean.yaml, inputs: {raw: "${{ datasets.raw }}"}}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("raw.csv", "a\n1\n")
    return tmp_path


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def said(found: list[Diagnostic]) -> list[tuple[str, str, int]]:
    return [
        (each.code, each.place.file if each.place else "", each.place.line if each.place else 0)
        for each in found
    ]


def test_a_component_that_is_right_has_no_findings() -> None:
    assert check(write("clean.yaml", CLEAN)) == []


def test_a_component_whose_environment_is_the_callers_has_no_findings() -> None:
    lent = CLEAN.replace('environments: {lab: {python: ">=3.8"}}\n', "")

    assert check(write("clean.yaml", lent)) == []


def test_a_built_in_algorithm_as_a_component_has_no_findings() -> None:
    text = (
        "penstock: v1\nkind: component\nname: trees\n"
        "inputs: {train: folder, rounds: {type: integer, default: 10}}\noutputs: {model: model}\n"
        "step: {kind: train, environment: trees}\n"
    )

    assert check(write("trees.yaml", text)) == []


def test_everything_wrong_with_a_component_is_said_at_once() -> None:
    text = (
        CLEAN.replace("default: 0.5", "default: high")
        .replace("${{ inputs.raw }}", "${{ inputs.row }}")
        .replace(
            "  environment: lab\n", "  environment: lab\n  code: nowhere\n  env: {A: '${{ parameters.a }}'}\n"
        )
    )

    found = check(write("clean.yaml", text))

    assert said(found) == [
        ("P222", "clean.yaml", 5),
        ("P216", "clean.yaml", 9),
        ("P250", "clean.yaml", 11),
        ("P213", "clean.yaml", 12),
    ]
    assert found[1].message == "component 'clean' has no input 'row'"
    assert "bound_to" not in " ".join(each.message + each.hint for each in found)


def test_ports_that_a_component_declares_and_does_not_name_are_warned_of() -> None:
    text = CLEAN.replace("${{ inputs.floor }} ", "").replace(" ${{ outputs.cells }}", "")

    found = check(write("clean.yaml", text))

    assert [(each.code, each.severity) for each in found] == [("P242", "warning"), ("P244", "warning")]


def test_a_component_of_the_wrong_form_is_said_with_places() -> None:
    found = check(write("clean.yaml", CLEAN.replace("run:", "runn:").replace("floor: {", "floor: {typ: x, ")))

    assert said(found) == [("P201", "clean.yaml", 5), ("P201", "clean.yaml", 9)]


@pytest.mark.parametrize("verb", ["compile", "plan"])
def test_a_component_is_no_pipeline(verb: str) -> None:
    path = write("clean.yaml", CLEAN)

    with pytest.raises(penstock.SpecError) as refused:
        if verb == "plan":
            _ = plan(path).usable
        penstock.compile(path, target="local")

    (found,) = refused.value.diagnostics
    assert (found.code, found.message) == ("P116", "this file holds a component, not a pipeline")
    assert found.place and found.place.line == 2
    assert "penstock check" in found.hint


def test_what_is_wrong_inside_a_component_is_said_once_however_often_it_is_used() -> None:
    write("clean.yaml", CLEAN.replace("${{ inputs.raw }}", "${{ inputs.row }}") + "  code: nowhere\n")
    steps = "".join(
        f'  clean{each}: {{uses: clean.yaml, inputs: {{raw: "${{{{ datasets.raw }}}}"}}}}\n'
        for each in range(50)
    )

    found = check(write("pipeline.yaml", HEAD + DATA + "steps:\n" + steps))

    assert said(found) == [("P216", "clean.yaml", 9), ("P250", "clean.yaml", 11)]


def test_findings_of_several_files_come_at_once_the_first_files_first() -> None:
    write("parts/clean.yaml", CLEAN.replace("${{ inputs.floor }}", "${{ inputs.flor }}"))
    write("parts/broken.yaml", "penstock: v1\nkind: component\nname: broken\nstep: {runn: x}\n")
    write(
        "inner.yaml",
        HEAD.replace("example", "inner")
        + "datasets: {raw: {type: file}}\nsteps:\n"
        + '  clean: {uses: parts/clean.yaml, inputs: {raw: "${{ datasets.raw }}"}}\n'
        + "  more: {run: 'echo ${{ inputs.nothing }}'}\n",
    )
    spec = write(
        "pipeline.yaml",
        HEAD
        + DATA
        + "steps:\n"
        + '  inner: {kind: pipeline, uses: inner.yaml, inputs: {raw: "${{ datasets.raw }}"}}\n'
        + "  broken: {uses: parts/broken.yaml}\n"
        + "  last: {run: echo, after: [nobody]}\n",
    )

    assert said(check(spec)) == [
        ("P211", "pipeline.yaml", 8),
        ("P216", "inner.yaml", 7),
        ("P201", "parts/broken.yaml", 4),
        ("P216", "parts/clean.yaml", 9),
    ]


def test_a_file_of_the_wrong_form_leaves_no_echo_in_the_spec_that_uses_it() -> None:
    write("clean.yaml", CLEAN.replace("run:", "runn:"))
    spec = (
        HEAD
        + DATA
        + USING
        + '  read: {run: "ls ${{ inputs.c }}", inputs: {c: "${{ steps.clean.outputs.cells }}"}}\n'
    )

    assert said(check(write("pipeline.yaml", spec))) == [("P201", "clean.yaml", 9)]


def test_form_errors_of_the_spec_do_not_hide_those_of_what_it_uses() -> None:
    write("clean.yaml", CLEAN.replace("${{ inputs.raw }}", "${{ inputs.row }}"))
    spec = HEAD + DATA + USING + "  last: {runn: echo}\n"

    assert said(check(write("pipeline.yaml", spec))) == [
        ("P201", "pipeline.yaml", 7),
        ("P216", "clean.yaml", 9),
    ]


def test_a_secret_in_a_component_is_found() -> None:
    write("clean.yaml", CLEAN + "  env: {API_TOKEN: sk-0123456789abcdefghij0123}\n")

    assert said(check(write("pipeline.yaml", HEAD + DATA + USING))) == [("P260", "clean.yaml", 11)]


@pytest.mark.parametrize(
    ("uses", "code"),
    [
        ("nowhere.yaml", "P250"),
        ("parts", "P252"),
        ("x" * 5000, "P251"),
        ("pipeline.yaml", "P280"),
        ("./parts/../pipeline.yaml", "P280"),
        ("cases.yaml", "P280"),
        ("made.py", "P280"),
    ],
)
def test_what_cannot_be_used_is_said_where_it_is_named(uses: str, code: str) -> None:
    write("parts/clean.yaml", CLEAN)
    write("cases.yaml", "penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases: {all: {}}\n")
    write("made.py", "x = 1\n")

    (found,) = check(write("pipeline.yaml", HEAD + f"steps:\n  one: {{uses: {uses}, inputs: {{a: 1}}}}\n"))

    assert said([found]) == [(code, "pipeline.yaml", 5)]
    assert found.place and found.place.column == 15
    assert found.hint


def test_a_binary_file_is_said_at_its_own_place() -> None:
    Path("clean.yaml").write_bytes(b"\x7fELF\xff\xfe\x00")

    assert said(check(write("pipeline.yaml", HEAD + DATA + USING))) == [("P102", "clean.yaml", 1)]


@pytest.mark.parametrize("path", ["two words/ä/clean.yaml", "ABSOLUTE"])
def test_paths_with_blanks_and_absolute_ones_are_followed(path: str, here: Path) -> None:
    path = path.replace("ABSOLUTE", str(here / "away" / "clean.yaml"))
    write(path, CLEAN)

    assert check(write("pipeline.yaml", HEAD + DATA + USING.replace("clean.yaml", path))) == []


def nested(uses: str) -> str:
    return HEAD + f"steps:\n  inner: {{kind: pipeline, uses: {uses}}}\n"


def test_a_pipeline_that_uses_itself_is_a_circle() -> None:
    (found,) = check(write("a.yaml", nested("./a.yaml")))

    assert found.code == "P281"
    assert found.message == "pipelines use each other in a circle: a.yaml → a.yaml"


def test_a_circle_over_several_files_is_said_where_it_closes() -> None:
    write("b.yaml", nested("deep/c.yaml"))
    write("deep/c.yaml", nested("../a.yaml"))

    (found,) = check(write("a.yaml", nested("b.yaml")))

    assert said([found]) == [("P281", "deep/c.yaml", 5)]
    assert found.message.endswith(": a.yaml → b.yaml → deep/c.yaml → a.yaml")


def test_a_circle_over_links_ends() -> None:
    Path("again").symlink_to(".")

    (found,) = check(write("a.yaml", nested("again/a.yaml")))

    assert said([found]) == [("P281", "a.yaml", 5)]


def test_pipelines_in_each_other_without_end_are_refused() -> None:
    for number in range(30):
        write(f"p{number}.yaml", nested(f"p{number + 1}.yaml"))
    write("p30.yaml", HEAD + "steps: {one: {run: echo}}\n")

    (found,) = check(Path("p0.yaml"))

    assert found.code == "P281"
    assert "more than 20 deep" in found.message


def test_pipelines_that_double_with_every_level_are_refused_in_bounded_time() -> None:
    for number in range(18):
        steps = "".join(f"  s{each}: {{kind: pipeline, uses: p{number + 1}.yaml}}\n" for each in range(2))
        write(f"p{number}.yaml", HEAD + "steps:\n" + steps)
    write("p18.yaml", HEAD + "steps: {one: {run: echo}}\n")

    found = check(Path("p0.yaml"))

    assert {each.code for each in found} == {"P281"}
    assert "more than 1,000 pipelines" in found[0].message


def test_data_of_a_nested_pipeline_that_the_caller_binds_need_not_be_there() -> None:
    inner = HEAD + "datasets: {raw: {type: file, path: gone.csv}}\n"
    write(
        "inner.yaml",
        inner + 'steps: {one: {run: "cat ${{ inputs.r }}", inputs: {r: "${{ datasets.raw }}"}}}\n',
    )
    bound = (
        HEAD
        + DATA
        + 'steps: {in: {kind: pipeline, uses: inner.yaml, inputs: {raw: "${{ datasets.raw }}"}}}\n'
    )

    assert check(write("pipeline.yaml", bound)) == []
    assert said(check(write("pipeline.yaml", nested("inner.yaml")))) == [("P250", "inner.yaml", 4)]


def test_inputs_that_a_step_does_not_bind_are_said_at_each_step() -> None:
    write("clean.yaml", CLEAN)
    inner = (
        HEAD
        + 'datasets: {raw: {type: file}}\nsteps: {c: {uses: clean.yaml, inputs: {raw: "${{ datasets.raw }}"}}}\n'
    )
    write("inner.yaml", inner)
    steps = (
        "steps:\n  a: {uses: clean.yaml}\n  b: {uses: clean.yaml}\n  c: {kind: pipeline, uses: inner.yaml}\n"
    )

    found = check(write("pipeline.yaml", HEAD + steps))

    assert said(found) == [("P283", "pipeline.yaml", line) for line in (5, 6, 7)]


def test_keys_of_a_component_are_not_said_to_be_a_pipelines() -> None:
    found = check(write("clean.yaml", "penstock: v1\nkind: component\nname: clean\nsteps: {}\n"))

    assert [each.message for each in found] == ["a component has no key 'steps'"]
    assert found[0].hint == "did you mean 'step'?"


def test_an_input_that_only_a_variable_reads_is_used() -> None:
    step = "a: {{run: show, env: {{A: '{value}'}}, inputs: {{a: '${{{{ parameters.p }}}}', b: c}}}}"
    head = HEAD + "parameters: {p: {type: string, default: x}}\nsteps:\n  "

    used = check(write("used.yaml", head + step.format(value="${{ inputs.a }}-${{ inputs.b }}")))
    unused = check(write("unused.yaml", head + step.format(value="${{ parameters.p }}")))

    assert said(used) == []
    assert said(unused) == [("P242", "unused.yaml", 6)] * 2


def test_an_expression_as_a_key_of_a_native_body_is_refused() -> None:
    step = "  n: {kind: native, sagemaker: {Type: Callback, Arguments: {'${{ run.id }}': a}}}\n"

    (found,) = check(write("pipeline.yaml", HEAD + "steps:\n" + step))

    assert found.code == "P210"
    assert "is not replaced" in found.message
    assert found.place and (found.place.line, found.place.column) == (5, 61)


def test_what_a_nested_pipeline_brings_keeps_a_name_of_its_own() -> None:
    inner = (
        HEAD + "parameters: {n: {type: integer, default: 1}}\ndatasets: {raw: {type: file, path: raw.csv}}\n"
    )
    inner += "conditions: {c: '${{ parameters.n > 0 }}'}\n"
    step = (
        "one: {run: 'cat ${{ inputs.r }}', when: '${{ conditions.c }}', inputs: {r: '${{ datasets.raw }}'}}"
    )
    write("inner.yaml", inner + f"steps:\n  {step}\n")
    outer = (
        HEAD
        + "parameters: {n: {type: integer, default: 1}}\ndatasets: {x__raw: {type: file, path: raw.csv}}\n"
    )
    outer += (
        "conditions: {x__c: '${{ parameters.n > 0 }}'}\nsteps:\n  x: {kind: pipeline, uses: inner.yaml}\n"
    )
    outer += "  x__" + step.replace("conditions.c", "conditions.x__c").replace(
        "datasets.raw", "datasets.x__raw"
    )

    found = check(write("pipeline.yaml", outer + "\n"))

    assert sorted(said(found)) == [("P235", "pipeline.yaml", line) for line in (5, 6, 9)]


def test_data_that_may_be_missing_can_be_handed_to_a_nested_pipeline() -> None:
    inner = HEAD + "datasets: {more: {type: file, optional: true}, raw: {type: file}}\nsteps:\n"
    step = "  one: {run: 'cat ${{ inputs.r }} $[[ ${{ inputs.m }} ]]', inputs: {r: '${{ datasets.raw }}', "
    write("inner.yaml", inner + step + "m: {value: '${{ datasets.more }}', optional: true}}}\n")
    data = DATA.replace("}}", "}, more: {type: file, optional: true}}")
    using = "steps: {x: {kind: pipeline, uses: inner.yaml, inputs: {more: '${{ datasets.more }}', "
    bound = using + "raw: '${{ datasets.%s }}'}}}\n"

    assert check(write("pipeline.yaml", HEAD + data + bound % "raw")) == []
    assert [each.code for each in check(write("pipeline.yaml", HEAD + data + bound % "more"))] == [
        "P243",
        "P270",
    ]


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        ("{kind: map, run: 'echo ${{ inputs.lost }}'}", "over"),
        ("{kind: map, over: {items: [1]}, inputs: {x: '${{ parameters.lost }}'}}", "run"),
        ("{kind: tune, run: 'echo ${{ inputs.lost }}', objective: {metric: x, goal: maximize, source: mlflow}, "
         "limits: {trials: 1}}", "search_space"),
        ("{kind: tune, run: 'echo ${{ inputs.lost }}', search_space: {d: [1]}, limits: {trials: 1}}", "objective"),
        ("{kind: tune, run: 'echo ${{ inputs.lost }}', search_space: {d: [1]}, "
         "objective: {metric: x, goal: maximize, source: mlflow}}", "limits"),
        ("{kind: tune, run: 'echo ${{ inputs.lost }}', search_space: {d: [1]}, limits: {}, "
         "objective: {metric: x, goal: maximize, source: mlflow}}", "trials"),
    ],
)  # fmt: skip
def test_what_lacks_something_required_is_checked_as_far_as_it_goes(step: str, missing: str) -> None:
    found = check(
        write("pipeline.yaml", HEAD + f"steps:\n  one: {step}\n  two: {{run: echo, after: [one]}}\n")
    )

    assert sorted(each.code for each in found) in (["P202", "P213"], ["P202", "P216"])
    assert f"'{missing}'" in next(each.message for each in found if each.code == "P202")
