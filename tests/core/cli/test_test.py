"""`penstock test`, called as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner
from tests.core.testing.probe_for_tests import lay_out
from tests.specs_for_tests import PENSTOCK, Shop, until

from penstock.cli.test import command
from penstock.compiler import check, compile_bundle
from penstock.errors import RunError, SpecError
from penstock.testing.finding import find_tests

CASES = """
fine: {expect: {run: succeeded}}
poor: {description: A bar that is too high., parameters: {floor: 1}, expect: {kpis: {great: met}}}
"""


def called(*words: str | Path) -> tuple[int, str]:
    ran = CliRunner().invoke(command, [*map(str, words)])
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.output


def test_a_failed_case_is_told_and_the_exit_code_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = lay_out(shop.folder, CASES)
    monkeypatch.chdir(shop.folder)

    code, said = called(tests, "--junit", shop.folder / "out" / "junit.xml")

    assert code == 1
    assert "✓ fine[local]  " in said
    assert "\n✗ poor[local]\n  A bar that is too high.\n  tests.yaml:6:" in said
    assert "    found    failed: Score is below 1.0" in said
    assert "1 passed, 1 failed in " in said
    assert "  kept: " in said
    report = Xml.parse(shop.folder / "out" / "junit.xml").getroot()
    assert (report.attrib["tests"], report.attrib["failures"]) == ("2", "1")


def test_a_report_that_cannot_be_written_takes_nothing_from_the_reader(shop: Shop) -> None:
    lay_out(shop.folder, CASES)
    shop.file("taken")

    ran = shop.cli("test", "tests.yaml", "--junit", "taken/junit.xml")

    assert ran.returncode == 1
    assert "1 passed, 1 failed in " in ran.stdout and "kept: " in ran.stdout
    assert "taken" in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize("named", ["tests.yaml", "pipeline.yaml", "."])
def test_cases_are_found_by_tests_file_pipeline_and_folder(
    named: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(shop.folder, CASES)
    monkeypatch.chdir(shop.folder)

    code, said = called(named, "-k", "fine", "--json")

    found = json.loads(said)
    assert (code, found["ok"], [each["case"] for each in found["results"]]) == (0, True, ["fine"])
    assert found["results"][0]["verdict"] == "passed"


def test_one_of_several_pipelines_of_a_python_file_is_tested(shop: Shop) -> None:
    shop.file(
        "both.py",
        "import penstock as ps\nday, night = ps.Pipeline('day'), ps.Pipeline('night')\n"
        "day.command('one', run='true')\nnight.command('two', run='true')\n",
    )
    for name, step in (("day", "one"), ("night", "two")):
        cases = f"cases: {{{name}: {{expect: {{steps: {{{step}: succeeded}}}}}}}}"
        shop.file(f"{name}-tests.yaml", f"penstock: v1\nkind: tests\nspec: both.py:{name}\n{cases}\n")

    each, both = (called(shop.folder / f"both.py{name}", "--json") for name in (":day", ""))

    assert [case["case"] for case in json.loads(each[1])["results"]] == ["day"]
    assert [case["verdict"] for case in json.loads(both[1])["results"]] == ["passed", "passed"]
    with pytest.raises(RunError, match=r"no tests of .*both\.py:dusk beside it"):
        called(shop.folder / "both.py:dusk")


def test_a_pipeline_stands_for_the_tests_that_name_it_alone(shop: Shop) -> None:
    ours = lay_out(shop.folder, CASES, name="train-tests.yml")
    theirs = shop.folder / "other-tests.yaml"
    theirs.write_text("penstock: v1\nkind: tests\nspec: other.yaml\ncases: {a: {expect: {}}}\n")
    (shop.folder / ".hidden").mkdir()
    (shop.folder / ".hidden" / "tests.yaml").write_text(theirs.read_text())

    assert [each.resolve() for each in find_tests([shop.folder / "pipeline.yaml"])] == [ours.resolve()]
    assert find_tests([shop.folder, ours]) == [theirs, ours]


def test_a_call_that_names_no_tests(shop: Shop) -> None:
    lay_out(shop.folder)
    (shop.folder / "tests.yaml").unlink()

    with pytest.raises(RunError) as fault:
        find_tests([shop.folder / "pipeline.yaml", shop.folder / "src", shop.folder / "pipelin.yaml"])

    assert [each.code for each in fault.value.diagnostics] == ["P514", "P514", "P101"]
    assert all(each.hint for each in fault.value.diagnostics)
    assert shop.cli("test", "pipeline.yaml").returncode == 2


def test_a_name_that_no_case_has(shop: Shop) -> None:
    lay_out(shop.folder, CASES)

    with pytest.raises(RunError) as fault:
        called(shop.folder, "-k", "fime")

    (found,) = fault.value.diagnostics
    assert (found.code, found.hint) == ("P515", "did you mean 'fine'?")


def test_a_target_in_the_call_must_be_one_that_runs_offline(shop: Shop) -> None:
    tests = lay_out(shop.folder, CASES)

    ran = shop.cli("test", tests, "--on", "loca")

    assert ran.returncode == 2
    assert "did you mean 'local'?" in ran.stderr


def test_mistakes_are_shown_and_nothing_runs(shop: Shop) -> None:
    tests = lay_out(shop.folder, "a: {steps: [splitt], expect: {}}\nb: {expect: {run: succeeded}}")

    code, said = called(tests)
    assert code == 1
    assert "error[P501]: there is no step 'splitt'" in said and "passed" not in said
    code, said = called(tests, "--json")
    assert code == 1
    assert [each["code"] for each in json.loads(said)["diagnostics"]] == ["P501"]


def test_a_tests_file_is_no_pipeline(shop: Shop) -> None:
    tests = lay_out(shop.folder, CASES)

    assert check(tests) == []
    with pytest.raises(SpecError) as fault:
        compile_bundle(tests, "local")
    assert [(each.code, each.hint) for each in fault.value.diagnostics] == [
        ("P500", "run them: penstock test FILE")
    ]
    ran = shop.cli("run", tests)
    assert ran.returncode == 1
    assert "error[P500]: this file holds tests, not a pipeline" in ran.stderr


def test_ctrl_c_stops_cases_and_leaves_no_process(shop: Shop) -> None:
    (shop.folder / "pipeline.yaml").write_text(
        "penstock: v1\nkind: pipeline\nname: slow\nparameters: {mark: {type: string}}\nsteps:\n"
        '  wait: {inputs: {mark: "${{ parameters.mark }}"}, run: "touch ${{ inputs.mark }}; sleep 60"}\n'
    )
    mark = shop.folder / "began"
    tests = shop.folder / "tests.yaml"
    tests.write_text(
        "penstock: v1\nkind: tests\nspec: pipeline.yaml\n"
        f"cases: {{a: {{parameters: {{mark: {mark}}}, expect: {{}}}}}}\n"
    )

    with shop.start("test", tests) as running:
        until(mark.exists)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=20)

    assert running.returncode == 1
    assert "1 stopped in " in said


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="terminals are made with script(1)'s own calls")
def test_on_a_terminal_the_running_cases_are_shown(shop: Shop) -> None:
    import pty

    tests = lay_out(shop.folder, "fine: {expect: {run: succeeded}}")
    ours, theirs = pty.openpty()
    env = {**shop.env(None), "TERM": "xterm", "COLUMNS": "100"}
    words = [*PENSTOCK, "test", str(tests)]
    with subprocess.Popen(words, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the other side is closed
            pass
        assert process.wait(20) == 0
    os.close(ours)

    assert "✓".encode() in shown and b"fine[local]" in shown
    assert b"1 passed in " in shown
