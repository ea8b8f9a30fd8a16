"""Where a substituted value stands in a command, and what its data is called: nothing of it is bash's to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import compiled, refused, run

OUT = "outputs: {o: '${{ steps.a.outputs.o }}'}\n"


def reading(name: str) -> str:
    return f"""
datasets: {{d: {{type: file, path: {name!r}}}}}
steps:
  a:
    run: cat ${{{{ inputs.d }}}} > ${{{{ outputs.o }}}}
    inputs: {{d: "${{{{ datasets.d }}}}"}}
    outputs: {{o: file}}
{OUT}"""


@pytest.mark.parametrize("name", ["my data.csv", "a*b.csv", "a;b.csv", "(1).csv", "it's.csv"])
def test_data_may_be_called_anything_that_quotes_hold(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("hi")

    assert run(tmp_path, reading(name).replace(repr(name), f'"{name}"')).text("a", "o") == "hi"


@pytest.mark.parametrize("name", ["$(touch pwned).csv", "`touch pwned`.csv", "$HOME.csv"])
def test_a_name_that_bash_would_run_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("hi")

    (found,) = refused(tmp_path, reading(name))

    assert (found.code, found.at.path) == ("P390", ("datasets", "d", "path"))
    assert found.hint


def test_the_name_behind_an_address_is_held_to_the_same(tmp_path: Path) -> None:
    address = "azureml://datastores/raw/paths/$(id).csv"
    text = reading("unused").replace("path: 'unused'", f"uri: {{azureml: '{address}'}}")

    (found,) = refused(tmp_path, text)

    assert (found.code, found.at.path) == ("P390", ("datasets", "d", "uri"))


def scalar(run: str, kind: str, default: str) -> str:
    return f"""
parameters: {{v: {{type: {kind}, default: {default}}}}}
steps:
  a:
    run: {run}
    inputs: {{v: "${{{{ parameters.v }}}}"}}
    outputs: {{o: file}}
{OUT}"""


def test_a_number_before_a_redirection_is_a_word_and_no_stream(tmp_path: Path) -> None:
    text = scalar("echo x ${{ inputs.v }}>${{ outputs.o }}", "integer", "4")

    assert run(tmp_path, text).text("a", "o") == "x 4\n"


def test_a_number_between_braces_does_not_count(tmp_path: Path) -> None:
    text = scalar("echo {1..${{ inputs.v }}} > ${{ outputs.o }}", "integer", "4")

    assert run(tmp_path, text).text("a", "o") == "{1..4}\n"


def test_a_harmless_word_where_a_command_begins_is_no_word_of_bash(tmp_path: Path) -> None:
    text = scalar("${{ inputs.v }} > ${{ outputs.o }} || echo none", "string", "A=b, enum: [A=b, time]")

    ran = run(tmp_path, text)

    assert "A=b: command not found" in ran.said["a"]


def test_numbers_in_plain_places_stay_bare(tmp_path: Path) -> None:
    text = scalar("echo --n=${{ inputs.v }} ${{ inputs.v }} > ${{ outputs.o }}", "integer", "4")

    assert compiled(tmp_path, text).command("a") == ["echo --n=${{inputs.v}} ${{inputs.v}} > ${{outputs.o}}"]


def test_a_parameter_called_gate_survives_the_gate(tmp_path: Path) -> None:
    text = """
    parameters: {GATE: {type: string, default: kept}, floor: {type: number, default: 1.0}}
    conditions: {c: "${{ steps.e.outputs.m.x > parameters.floor }}"}
    steps:
      e: {run: "echo '{\\"x\\": 2}' > ${{ outputs.m }}", outputs: {m: metrics}}
      a:
        when: ${{ conditions.c }}
        run: printf %s ${{ inputs.p }} > ${{ outputs.o }}
        inputs: {p: "${{ parameters.GATE }}"}
        outputs: {o: file}
    outputs: {o: "${{ steps.a.outputs.o }}"}
    """

    assert run(tmp_path, text).text("a", "o") == "kept"


def test_a_condition_and_a_step_of_one_name_are_refused(tmp_path: Path) -> None:
    text = """
    conditions: {a: "${{ steps.e.outputs.m.x > 1 }}"}
    steps:
      e: {run: "echo '{}' > ${{ outputs.m }}", outputs: {m: metrics}}
      a: {when: "${{ conditions.a }}", run: echo}
    """

    errors = [each for each in refused(tmp_path, text) if each.severity.value == "error"]

    assert [(each.code, each.at.path) for each in errors] == [("P235", ("steps", "a"))]


FIXED = """
steps:
  a: {run: "echo deep > ${{ outputs.o }}%s", outputs: {o: %s}}
  b:
    run: cp "$PLACE"/%s ${{ outputs.o }}
    env: {PLACE: '%s'}
    inputs: {i: {value: "${{ steps.a.outputs.o }}", at: '%s'}}
    outputs: {o: file}
outputs: {o: "${{ steps.b.outputs.o }}"}
"""


@pytest.mark.parametrize("name", ["in", "x y", "x; touch pwned", "$(touch pwned)", 'a"b', "`id`"])
def test_a_fixed_path_is_text_whatever_it_holds(name: str, tmp_path: Path) -> None:
    place = f"{tmp_path}/fixed/{name}"

    ran = run(tmp_path, FIXED % ("/f", "folder", "f", place, place))

    assert ran.text("b", "o") == "deep\n"
    assert not list(tmp_path.rglob("pwned"))


def test_a_file_stands_at_its_fixed_path_by_its_own_name(tmp_path: Path) -> None:
    place = f"{tmp_path}/fixed/in"

    ran = run(tmp_path, FIXED % ("", "{type: file, file: report.txt}", "report.txt", place, place))

    assert ran.text("b", "o") == "deep\n"


@pytest.mark.parametrize("held", ["$${{inputs.n}}", "$${{ parent.inputs.n }}", "$[[ x ]]"])
@pytest.mark.parametrize("retry", ["", "retry: {attempts: 2}"], ids=["once", "retried"])
def test_a_script_may_hold_what_the_service_would_substitute(held: str, retry: str, tmp_path: Path) -> None:
    text = scalar(f"printf '%s|%s' '{held}' ${{{{ inputs.v }}}} > ${{{{ outputs.o }}}}", "integer", "4")
    text = text.replace("    outputs:", f"    {retry}\n    outputs:", 1)

    ran = run(tmp_path, text.replace("    run: printf", "    run: |\n      printf"))

    assert ran.text("a", "o") == f"{held.replace('$$', '$')}|4"


def test_a_variable_that_would_hide_a_parameter_is_refused(tmp_path: Path) -> None:
    text = scalar("echo ${{ inputs.v }} > ${{ outputs.o }}", "string", "mine")
    text = text.replace("    outputs:", "    env: {PENSTOCK_v: other}\n    outputs:", 1)

    (found,) = refused(tmp_path, text)

    assert (found.code, found.at.path) == ("P235", ("steps", "a", "env", "PENSTOCK_v"))
