"""Native steps on Azure ML: a node as its body says, with what it refers to filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import Service, compiled, refused

from penstock.diagnostics import Severity

HEAD = """
parameters: {p: {type: string, default: a b}, n: {type: integer, default: 3}}
steps:
  a: {run: 'echo hi > ${{ outputs.o }}', outputs: {o: file}}
"""
COMMAND = """
  x:
    kind: native
    inputs: {r: "${{ steps.a.outputs.o }}", p: "${{ parameters.p }}", k: lit}
    outputs: {data: {type: file, from: outputs.made}}
    azureml:
      type: command
      command: cat ${{ inputs.r }} > ${{ outputs.data }}; printf %s '${{inputs.k}} ${{inputs.p}}' >> ${{ outputs.data }}
      environment: azureml:mine:1
      environment_variables: {P: "${{ parameters.p }}"}
      outputs: {made: {type: uri_file, mode: upload}}
"""
METRICS = """
conditions: {good: "${{ steps.x.outputs.report.score > 0.5 }}"}
steps:
  x:
    kind: native
    outputs: {report: {type: metrics, from: outputs.made}}
    azureml:
      command: echo '{"score":0.7}' > ${{outputs.report}}
      environment: azureml:mine:1
      outputs: {made: {type: uri_file}}
  s: {kind: fail, when: "${{ conditions.good }}", message: good}
outputs: {r: "${{ steps.x.outputs.report }}"}
"""


def step(keys: str) -> str:
    return f"{HEAD}  x:\n    kind: native\n    {keys}\n"


def codes(folder: Path, text: str) -> list[str]:
    return [each.code for each in refused(folder, text) if each.severity is Severity.ERROR]


def test_a_body_goes_in_as_it_is(tmp_path: Path) -> None:
    text = (
        HEAD
        + COMMAND.lstrip("\n")
        + "  b: {run: 'cat ${{ inputs.d }}', inputs: {d: '${{ steps.x.outputs.data }}'}}\n"
    )
    found = compiled(tmp_path, text)

    assert found.node("x") == {
        "type": "command",
        "command": "cat ${{inputs.r}} > ${{outputs.made}};"
        " printf %s '${{inputs.k}} ${{inputs.p}}' >> ${{outputs.made}}",
        "environment": "azureml:mine:1",
        "environment_variables": {"P": "${{parent.inputs.p}}"},
        "inputs": {"r": "${{parent.jobs.a.outputs.o}}", "p": "${{parent.inputs.p}}", "k": "lit"},
        "outputs": {"made": {"type": "uri_file", "mode": "upload"}},
    }
    assert found.node("b")["inputs"] == {"d": "${{parent.jobs.x.outputs.made}}"}
    ran = Service(found, tmp_path).run()
    assert ran.said["b"] == "hi\nlit a b"


HANDED = """
    inputs: {r: "${{ steps.a.outputs.o }}", n: "${{ parameters.n }}", k: 2}
    azureml:
      component: azureml:score:2
      compute: azureml:big
      inputs: {data: "${{ inputs.r }}", n: "${{ inputs.n }}", q: "${{ parameters.p }}", two: "${{ inputs.k }}"}
"""


def test_references_outside_of_commands_are_what_they_are_bound_to(tmp_path: Path) -> None:
    found = compiled(tmp_path, step(HANDED.strip()))

    assert found.node("x")["inputs"] == {
        "data": "${{parent.jobs.a.outputs.o}}",
        "n": "${{parent.inputs.n}}",
        "q": "${{parent.inputs.p}}",
        "two": 2,
    }


def test_references_inside_of_text_are_text(tmp_path: Path) -> None:
    keys = "inputs: {k: 2}\n    azureml: {component: 'azureml:c:1', tags: {about: 'k=${{ inputs.k }} n'}}"
    found = compiled(tmp_path, step(keys))

    assert found.node("x") == {"type": "command", "component": "azureml:c:1", "tags": {"about": "k=2 n"}}


def test_inputs_that_the_body_does_not_name_are_the_nodes(tmp_path: Path) -> None:
    keys = "inputs: {r: '${{ steps.a.outputs.o }}'}\n    azureml: {component: 'azureml:score:2'}"
    found = compiled(tmp_path, step(keys))

    assert found.node("x")["inputs"] == {"r": "${{parent.jobs.a.outputs.o}}"}


def test_its_metrics_decide_and_its_output_is_the_pipelines(tmp_path: Path) -> None:
    found = compiled(tmp_path, METRICS)

    assert found.node("good")["inputs"] == {"report": "${{parent.jobs.x.outputs.made}}"}
    assert found.node("x")["outputs"] == {"made": "${{parent.outputs.r}}"}
    ran = Service(found, tmp_path).run()
    assert ran.codes == {"x": 0, "good": 0, "s": 1}


def test_the_pipelines_output_takes_the_place_along(tmp_path: Path) -> None:
    text = METRICS.replace("{type: uri_file}", "{type: uri_file, mode: upload, name: scores}")
    found = compiled(tmp_path, text)

    assert found.job["outputs"] == {"r": {"type": "uri_file", "name": "scores", "mode": "upload"}}


def test_a_command_reads_gates_and_leaves_markers(tmp_path: Path) -> None:
    guarded = COMMAND.replace("kind: native", "kind: native\n    when: ${{ parameters.n > 3 }}")
    text = HEAD + guarded.lstrip("\n") + "  last: {run: echo, after: [x]}\n"
    for n, made in ((3, ""), (4, "hi\nlit a b")):
        (tmp_path / str(n)).mkdir()
        found = compiled(tmp_path / str(n), text)
        ran = Service(found, tmp_path / str(n), {"n": n}).run()
        assert ran.codes == {"a": 0, "when_x": 0, "x": 0, "last": 0}
        assert ran.text("x", "made") == made
        assert ran.text("x", "penstock_done") == ""


def test_what_is_no_command_cannot_be_skipped_or_waited_for(tmp_path: Path) -> None:
    keys = "azureml: {component: 'azureml:score:2'}"
    assert codes(tmp_path, step("when: ${{ parameters.n > 3 }}\n    " + keys)) == ["P305"]
    assert codes(tmp_path, step("after: [a]\n    " + keys)) == ["P309"]
    assert codes(tmp_path, step(keys) + "  last: {run: echo, after: [x]}\n") == ["P309"]


def test_a_step_without_a_body_is_refused(tmp_path: Path) -> None:
    text = step("outputs: {o: {type: folder, from: Some.Where}}\n    sagemaker: {Type: Callback}")
    said = refused(tmp_path, text + "outputs: {o: '${{ steps.x.outputs.o }}'}\n")
    (found,) = [each for each in said if each.severity is Severity.ERROR]

    assert (found.code, found.at.path) == ("P354", ("steps", "x"))
    assert found.hint


def test_a_stand_in_is_left_out(tmp_path: Path) -> None:
    found = compiled(
        tmp_path, HEAD + COMMAND.lstrip("\n") + "    local: {run: 'cp ${{ inputs.r }} ${{ outputs.data }}'}\n"
    )

    assert "P355" in found.codes()
    assert "cp " not in found.node("x")["command"]


INLINE = "azureml: {command: 'echo %s', environment: 'azureml:m:1'}"


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (INLINE % "${{ parameters.p }}", "P354"),
        (INLINE % "${{ run.id }}", "P332"),
        ("azureml: {component: 'azureml:c:1', inputs: {n: '${{ parameters.n + 1 }}'}}", "P354"),
        ("outputs: {o: {type: file, from: outputs.o}}\n    azureml: {compute: '${{ outputs.o }}'}", "P354"),
        ("inputs: {t: 'x ${{ parameters.p }}'}\n    " + INLINE % "${{ inputs.t }}", "P308"),
        ("outputs: {o: {type: file, from: made}}\n    " + INLINE % "1", "P354"),
        ("azureml: {command: echo, environment: 'azureml:m:1', code: ./src}", "P354"),
        ("azureml: {component: ./c.yml}", "P354"),
        ("azureml: {component: 'azureml:c:1', inputs: {d: {type: uri_file, path: d.csv}}}", "P354"),
    ],
    ids=["parameter", "run", "sum", "output", "composed", "no output", "code", "component", "data"],
)
def test_what_a_node_cannot_say_is_refused(keys: str, code: str, tmp_path: Path) -> None:
    assert code in codes(tmp_path, step(keys))


def test_another_targets_words_for_an_output_leave_it_its_name(tmp_path: Path) -> None:
    text = METRICS.replace("from: outputs.made", "from: \"Output['x']\"").replace("{made: {", "{report: {")
    found = compiled(tmp_path, text)

    assert found.node("x")["outputs"] == {"report": "${{parent.outputs.r}}"}
