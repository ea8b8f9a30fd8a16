"""Commands executed as the service would: values arrive exactly, gates close, and nothing a value holds is run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.azureml_for_tests import Ran, Service, compiled, refused, run

HOSTILE = [
    "it's",
    'say "hi"',
    "$(touch pwned)",
    "`touch pwned`",
    "a b",
    "a\nb\n",
    "back\\slash\\",
    "*",
    "-n",
    "--help",
    "größe ✓",
    "; touch pwned",
    "a && touch pwned",
    "$HOME",
    "${PATH}",
    "~",
    "#no",
    "!x",
    "{a,b}",
    "\t",
    "true",
    "1e3",
    "$[[x]]",
]
SHOW = "import json, os, sys; json.dump([*sys.argv[2:], os.getenv('V')], open(sys.argv[1], 'w'))\n"
LIST = (
    '["python", "show.py", "${{ outputs.o }}", "${{ inputs.v }}", "${{ inputs.v }}", "--x=${{ inputs.v }}"]'
)
TEXT = 'python show.py ${{ outputs.o }} ${{ inputs.v }} "${{ inputs.v }}" --x=${{ inputs.v }}'


def spec(run: str, value: str, bound: str, more: str = "") -> str:
    return f"""
parameters: {{v: {{type: string, default: {json.dumps(value, ensure_ascii=False)}}}}}
steps:
  a:
    run: {run if run.startswith("[") else json.dumps(run)}
    code: src
    inputs: {{v: {bound}}}
    env: {{V: "${{{{ parameters.v }}}}"}}
    outputs: {{o: file}}
    {more}
outputs: {{o: "${{{{ steps.a.outputs.o }}}}"}}
"""


def shown(folder: Path, text: str) -> Ran:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/show.py").write_text(SHOW)
    ran = run(folder, text)
    assert not list(folder.rglob("pwned"))
    return ran


@pytest.mark.sampled(30, rest="exhaustive")
@pytest.mark.parametrize("form", [TEXT, LIST], ids=["string", "list"])
@pytest.mark.parametrize("more", ["", "retry: {attempts: 2}"], ids=["once", "retried"])
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_parameter_reaches_the_script_exactly(form: str, more: str, value: str, tmp_path: Path) -> None:
    ran = shown(tmp_path, spec(form, value, '"${{ parameters.v }}"', more))

    assert json.loads(ran.text("a", "o")) == [value, value, f"--x={value}", value]


@pytest.mark.sampled(18, rest="exhaustive")
@pytest.mark.parametrize("form", [TEXT, LIST], ids=["string", "list"])
@pytest.mark.parametrize("value", [*HOSTILE, "", "\u2028\x85", "${{ inputs.v }}", "$${{x}}"], ids=ascii)
def test_a_literal_reaches_the_script_exactly(form: str, value: str, tmp_path: Path) -> None:
    written = json.dumps(value.replace("${{", "$${{"), ensure_ascii=True)
    text = spec(form, "plain", written)
    ran = shown(tmp_path, text)

    assert json.loads(ran.text("a", "o")) == [value, value, f"--x={value}", "plain"]


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co"]), min_size=1, max_size=20)
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_reaches_the_script_exactly(value: str) -> None:
    if "${{" in value or "$[[" in value:
        return
    with tempfile.TemporaryDirectory() as folder:
        ran = shown(Path(folder), spec(TEXT, value, '"${{ parameters.v }}"'))

        assert json.loads(ran.text("a", "o")) == [value, value, f"--x={value}", value]


def test_an_empty_default_is_refused_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    said = refused(tmp_path, spec(TEXT, "", '"${{ parameters.v }}"'))

    assert [each.at.path for each in said if each.code == "P390"] == [("parameters", "v")]


def test_numbers_and_booleans_arrive_as_the_language_writes_them(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        """
        parameters:
          i: {type: integer, default: -3}
          x: {type: number, default: 1e-7}
          b: {type: boolean, default: true}
        steps:
          a:
            run: echo ${{ inputs.i }} ${{ inputs.x }} ${{ inputs.b }} ${{ inputs.no }} > ${{ outputs.o }}
            inputs: {i: "${{ parameters.i }}", x: "${{ parameters.x }}", b: "${{ parameters.b }}", no: false}
            outputs: {o: file}
        outputs: {o: "${{ steps.a.outputs.o }}"}
        """,
    )

    assert ran.text("a", "o") == "-3 1e-07 true false\n"


NESTED = """
parameters: {floor: {type: number, default: 0.5}, who: {type: string, default: "O'Neil $(touch pwned)"}}
conditions:
  outer: ${{ steps.measure.outputs.report.score >= parameters.floor }}
  inner: ${{ steps.again.outputs.report.score > 0.8 and parameters.who != "$[[x" }}
steps:
  measure:
    run: echo '{"score":0.7}' > ${{ outputs.report }}
    outputs: {report: metrics}
  again:
    when: ${{ conditions.outer }}
    run: echo '{"score":0.9}' > ${{ outputs.report }}
    outputs: {report: metrics}
  deep:
    when: ${{ conditions.inner }}
    run: |
      echo ran > ${{ outputs.file }}
      exit 0
    outputs: {file: file, folder: folder}
  last:
    after: [deep]
    run: touch done
  stop:
    kind: fail
    when: ${{ not conditions.inner }}
    message: "${{ parameters.who }} says no at ${{ parameters.floor }}"
outputs: {file: "${{ steps.deep.outputs.file }}", folder: "${{ steps.deep.outputs.folder }}"}
"""


def nested(folder: Path, **given: object) -> Ran:
    return Service(compiled(folder, NESTED), folder, given).run()


def test_behind_open_gates_steps_run(tmp_path: Path) -> None:
    ran = nested(tmp_path)

    assert set(ran.codes.values()) == {0}
    assert ran.text("outer", "decision") == ran.text("inner", "decision") == "true"
    assert ran.text("deep", "file") == "ran\n"
    assert ran.said["stop"] == ""


def test_behind_a_closed_gate_everything_is_skipped_and_ends_well(tmp_path: Path) -> None:
    ran = nested(tmp_path, floor=0.75)

    assert set(ran.codes.values()) == {0}
    assert ran.text("outer", "decision") == "false"
    assert ran.text("again", "report") == ran.text("deep", "file") == ""
    assert ran.text("inner", "decision").strip() == "skipped"
    assert ran.said["stop"] == ""


def test_behind_a_negated_gate_the_run_fails_with_its_message(tmp_path: Path) -> None:
    ran = nested(tmp_path, who="$[[x")

    assert ran.codes["stop"] == 1
    assert ran.said["stop"] == "$[[x says no at 0.5\n"
    assert ran.text("deep", "file") == ""
    assert ran.codes["last"] == 0


def test_a_message_is_not_run(tmp_path: Path) -> None:
    text = NESTED.replace("not conditions.inner", "conditions.inner")
    ran = Service(compiled(tmp_path, text), tmp_path).run()

    assert ran.said["stop"] == "O'Neil $(touch pwned) says no at 0.5\n"
    assert not list(tmp_path.rglob("pwned"))


def test_a_gate_that_cannot_be_read_fails_the_step(tmp_path: Path) -> None:
    service = Service(compiled(tmp_path, NESTED), tmp_path)
    path = service.root / "components/outer.yml"
    path.write_text(
        path.read_text().replace("python penstock_launcher.py decide", "mkdir ${{outputs.decision}} #")
    )

    assert service.run().codes["again"] != 0
