"""Values reach the script exactly, whatever they hold: never split, never executed, never lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.specs_for_tests import Shop

import penstock
from penstock.running import load_run

HOSTILE = [
    "'",
    '"',
    "$(touch x)",
    "`touch x`",
    "a\nb",
    "\n",
    "a b",
    " ",
    "",
    "\\",
    "\\n",
    "*",
    "-rf",
    "--",
    "$HOME",
    "${1}",
    "$1",
    "!!",
    "~",
    "a;touch x",
    "&& touch x",
    "| touch x",
    "> x",
    "#no comment",
    "{a,b}",
    "[a-z]",
    "%s",
    "\t",
    "\r\n",
    "日本語 ü",
    "\N{PILE OF POO}\u200b",
    "$$",
    "'\"'\"'",
    "${{ inputs.v }}",
    "a'b\"c\\d$e`f\n",
]
NAMES = [f"v{number}" for number in range(8)]
DUMP = """
import json, os, sys
from pathlib import Path
given = [os.fsencode(each).hex() for each in sys.argv[2:]]
Path(sys.argv[1]).write_text(json.dumps({"argv": given, "env": os.fsencode(os.environ["VALUE"]).hex()}))
"""
FORMS = {
    "bare": "run: 'python dump.py ${{ outputs.o }} ${{ inputs.v }} end'",
    "quoted": """run: 'python dump.py "${{ outputs.o }}" "${{ inputs.v }}" "end"'""",
    "argv": 'run: [python, dump.py, "${{ outputs.o }}", "${{ inputs.v }}", end]',
    "lines": """run: |
              true &&
                python dump.py ${{ outputs.o }} ${{ inputs.v }} end
              true""",
}
GLUED = {
    "glued": "run: 'python dump.py ${{ outputs.o }} --v=${{ inputs.v }}.end'",
    "glued_quoted": """run: 'python dump.py ${{ outputs.o }} "--v=${{ inputs.v }}.end"'""",
    "glued_argv": 'run: [python, dump.py, "${{ outputs.o }}", "--v=${{ inputs.v }}.end"]',
}


def spec(names: list[str]) -> str:
    parameters = "".join(f"          {name}: {{type: string}}\n" for name in names)
    steps = "".join(
        f"""
          {form}_{name}:
            {run}
            code: src
            inputs: {{v: "${{{{ parameters.{name} }}}}"}}
            outputs: {{o: metrics}}
            env: {{VALUE: "${{{{ parameters.{name} }}}}"}}
            cache: false
        """.rstrip()
        for name in names
        for form, run in {**FORMS, **GLUED}.items()
    )
    return f"\n        parameters:\n{parameters}        steps:{steps}\n"


def received(run: penstock.Run, form: str, name: str) -> tuple[list[bytes], bytes]:
    found = run.metrics[f"{form}_{name}"]["o"]
    return [bytes.fromhex(each) for each in found["argv"]], bytes.fromhex(found["env"])


def check(run: penstock.Run, values: dict[str, str]) -> None:
    assert run.succeeded, run.states
    for name, value in values.items():
        exact = value.encode("utf-8", "surrogateescape")
        for form in FORMS:
            assert received(run, form, name) == ([exact, b"end"], exact), (form, value)
        for form in GLUED:
            assert received(run, form, name)[0] == [b"--v=" + exact + b".end"], (form, value)


@pytest.mark.sampled(1, rest="exhaustive")
@pytest.mark.parametrize("start", range(0, len(HOSTILE), len(NAMES)))
def test_hostile_values_arrive_in_every_form_of_run_and_in_variables(shop: Shop, start: int) -> None:
    shop.file("src/dump.py", DUMP)
    values = dict(zip(NAMES, HOSTILE[start:], strict=False))

    run = shop.run(spec(list(values)), parameters=values)

    check(run, values)
    assert not list(shop.folder.rglob("x"))


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(values=st.lists(st.text(st.characters(exclude_characters="\0")), min_size=3, max_size=3))
def test_any_text_arrives(values: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        shop.file("src/dump.py", DUMP)
        given = dict(zip(NAMES, values, strict=False))

        check(shop.run(spec(list(given)), parameters=given), given)


def test_values_arrive_from_the_command_line_too(shop: Shop) -> None:
    shop.file("src/dump.py", DUMP)
    shop.write(spec(["v0", "v1", "v2"]))
    values = {
        "v0": "a=b 'c' \"$(touch x)\"\n",
        "v1": "",
        "v2": b"not \xff utf-8".decode("utf-8", "surrogateescape"),
    }
    given = [word for name, value in values.items() for word in ("-p", f"{name}={value}")]

    ran = shop.cli("run", "pipeline.yaml", *given)

    assert ran.returncode == 0, ran.stderr
    check(load_run("last", shop.project), values)


@pytest.mark.slow
def test_values_survive_a_resume(shop: Shop) -> None:
    shop.file("src/dump.py", DUMP)
    values = {
        "v0": "a=b 'c' \"$(touch x)\"\n",
        "v1": "",
        "v2": b"not \xff utf-8".decode("utf-8", "surrogateescape"),
    }
    gate = f"\n          gate: {{run: test -e {shop.folder / 'open'}}}"
    body = spec(list(values)).replace("        steps:", f"        steps:{gate}")
    body = body.replace("            cache: false", "            cache: false\n            after: [gate]")
    assert shop.run(body, parameters=values).status == "failed"
    shop.file("open")

    check(shop.resume(), values)


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_argument_can_hold_is_refused_in_words(shop: Shop, value: str) -> None:
    shop.file("src/dump.py", DUMP)

    with pytest.raises(penstock.RunError, match="P407"):
        shop.run(spec(["v0"]), parameters={"v0": value})


def test_a_value_longer_than_the_system_takes_fails_the_step_in_words(shop: Shop) -> None:
    run = shop.run(
        """
        parameters: {v: {type: string}}
        steps: {one: {run: "echo ${{ inputs.v }}", inputs: {v: "${{ parameters.v }}"}}}
        """,
        parameters={"v": "x" * 3_000_000},
    )

    assert run.states == {"one": "failed"}
    assert "cannot be started" in run.steps["one"].message


def test_numbers_and_booleans_are_written_in_one_way(shop: Shop) -> None:
    run = shop.run(
        """
        parameters:
          i: {type: integer}
          n: {type: number}
          whole: {type: number, default: 3}
          tiny: {type: number, default: 1e-7}
          yes: {type: boolean, default: true}
        steps:
          show:
            run: echo ${{ inputs.i }} ${{ inputs.n }} ${{ inputs.whole }} ${{ inputs.tiny }} ${{ inputs.yes }}
            inputs:
              i: ${{ parameters.i }}
              n: ${{ parameters.n }}
              whole: ${{ parameters.whole }}
              tiny: ${{ parameters.tiny }}
              yes: ${{ parameters.yes }}
        """,
        parameters={"i": -12, "n": 2},
    )

    assert run.succeeded
    assert shop.lines("show") == ["-12 2.0 3.0 1e-07 true"]
