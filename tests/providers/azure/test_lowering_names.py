"""Names that the service takes, and what has to give way to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import compiled, refused, run

TRAIN = """
steps:
  t:
    kind: train
    run: touch ${{ outputs.m }}/weights
    outputs: {m: model}
"""


def test_what_a_named_output_cannot_hold_is_a_node(tmp_path: Path) -> None:
    text = TRAIN + "  r: {kind: register, model: '${{ steps.t.outputs.m }}', name: trees}\n"
    text += "  again: {kind: register, model: '${{ steps.t.outputs.m }}', name: forest}\n"
    twice = compiled(tmp_path, text)
    waited = compiled(tmp_path, text + "  last: {run: echo, after: [r]}\n")
    component = compiled(
        tmp_path,
        "parameters: {p: {type: string}}\n"
        + text
        + "  p: {run: 'echo ${{ inputs.p }}', inputs: {p: '${{ parameters.p }}'}}\n"
        + "outputs: {m: '${{ steps.t.outputs.m }}'}\n",
    )

    assert list(twice.job["jobs"]) == ["t", "again"]
    assert twice.node("t")["outputs"]["m"]["name"] == "trees"
    assert "r" in waited.job["jobs"]
    assert waited.node("last")["inputs"] == {"after_r": "${{parent.jobs.r.outputs.penstock_done}}"}
    assert {"r", "again"} < component.job["jobs"].keys()
    assert component.job["outputs"] == {"m": {"type": "custom_model"}}


def test_node_names_are_lower_case_and_the_name_is_kept_for_people(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        steps:
          CleanUp: {run: "touch ${{ outputs.Out }}", outputs: {Out: file}}
          class: {run: "cat ${{ inputs.In }}", inputs: {In: "${{ steps.CleanUp.outputs.Out }}"}}
        """,
    )

    assert list(found.job["jobs"]) == ["cleanup", "class"]
    assert found.component("cleanup")["display_name"] == "CleanUp"
    assert found.node("class")["inputs"] == {"In": "${{parent.jobs.cleanup.outputs.Out}}"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("steps:\n  Load: {run: echo}\n  load: {run: echo}\n", ("steps", "load")),
        (
            """
            conditions: {a: "${{ steps.e.outputs.r.x > 1 }}"}
            steps:
              e: {run: "echo '{}' > ${{ outputs.r }}", outputs: {r: metrics}}
              A: {run: echo, when: "${{ conditions.a }}"}
            """,
            ("steps", "A"),
        ),
        (
            """
            conditions: {c: "${{ steps.e.outputs.r.x > 1 }}"}
            steps:
              e: {run: "echo '{}' > ${{ outputs.r }}", outputs: {r: metrics}}
              f:
                run: cat ${{ inputs.gate_c }}
                inputs: {gate_c: "${{ steps.e.outputs.r }}"}
                when: ${{ conditions.c }}
            """,
            ("steps", "f", "inputs", "gate_c"),
        ),
        (
            """
            steps:
              e: {run: "touch ${{ outputs.keys }} ${{ outputs.keys_ }}", outputs: {keys: file, keys_: file}}
            """,
            ("steps", "e", "outputs", "keys_"),
        ),
    ],
    ids=["steps", "step and condition", "gate", "method of dict"],
)
def test_two_names_that_become_one_are_refused(text: str, path: tuple[str, ...], tmp_path: Path) -> None:
    (found,) = [each for each in refused(tmp_path, text) if each.severity.value == "error"]

    assert (found.code, found.at.path) == ("P235", path)


def test_ports_called_like_methods_of_dict_work(tmp_path: Path) -> None:
    text = """
    parameters: {values: {type: string, default: "a b"}, copy: {type: integer, default: 3}}
    datasets: {update: {type: file, path: data.txt}}
    steps:
      a:
        run: |
          cat ${{ inputs.pop }} > ${{ outputs.items }}
          echo ${{ inputs.get }} ${{ inputs.clear }} >> ${{ outputs.items }}
        inputs: {pop: "${{ datasets.update }}", get: "${{ parameters.values }}", clear: "${{ parameters.copy }}"}
        outputs: {items: file}
    outputs: {keys: "${{ steps.a.outputs.items }}"}
    """
    (tmp_path / "data.txt").write_text("data\n")

    assert run(tmp_path, text).text("a", "items_") == "data\na b 3\n"


def test_names_of_full_length_work(tmp_path: Path) -> None:
    long = "aBcdefghiJ" * 6 + "xYz"
    text = f"""
    parameters: {{{long}: {{type: string, default: "a 'b"}}}}
    steps:
      {long}:
        run: printf %s ${{{{ inputs.{long} }}}} > ${{{{ outputs.o{long[1:]} }}}}
        inputs: {{{long}: "${{{{ parameters.{long} }}}}"}}
        outputs: {{o{long[1:]}: file}}
    outputs: {{o: "${{{{ steps.{long}.outputs.o{long[1:]} }}}}"}}
    """

    assert run(tmp_path, text).text(long.lower(), "o" + long[1:]) == "a 'b"


def test_an_output_called_default_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, "steps: {a: {run: 'touch ${{ outputs.default }}', outputs: {default: file}}}")

    assert "error" in [each.severity.value for each in said]
