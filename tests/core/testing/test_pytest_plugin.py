from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.testing.probe_for_tests import lay_out, without_emulator

from penstock.testing.envelope import may_hold_tests

pytest_plugins = ["pytester"]

# The installed plugin, where there is one, gives way to this checkout's: loaded once, under this name.
PLUGIN = ("-p", "no:penstock", "-p", "penstock.testing.pytest_plugin", "-p", "no:cacheprovider")


def test_each_case_on_each_target_is_an_item(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_emulator("sagemaker", monkeypatch)
    lay_out(
        pytester.path,
        """
        fine: {expect: {run: succeeded}}
        poor: {parameters: {floor: 1}, expect: {run: succeeded, steps: {stop: skipped}}}
        """,
        more="targets: [local, sagemaker]\n",
    )

    ran = pytester.runpytest_inprocess(*PLUGIN, "-v", "-rs", "tests.yaml")

    ran.assert_outcomes(passed=1, failed=1, skipped=2)
    ran.stdout.fnmatch_lines(
        [
            "tests.yaml::fine?local? PASSED*",
            "tests.yaml::fine?sagemaker? SKIPPED*",
            "tests.yaml::poor?local? FAILED*",
            "tests.yaml:7:*: the run",
            "  expected succeeded",
            "  found    failed: Score is below 1.0",
            "tests.yaml:7:*: state of stop",
            "kept: *",
            "SKIPPED ?1? tests.yaml:7: sagemaker does not run offline in this version",
        ],
        consecutive=False,
    )
    assert "Traceback" not in ran.stdout.str()


def test_a_case_is_chosen_by_its_name(pytester: pytest.Pytester) -> None:
    lay_out(pytester.path, "fine: {steps: [split], expect: {}}\npoor: {expect: {run: failed}}")

    pytester.runpytest_inprocess(*PLUGIN, "-k", "fine").assert_outcomes(passed=1, deselected=1)


def test_a_file_with_mistakes_is_an_error_of_collection(pytester: pytest.Pytester) -> None:
    lay_out(pytester.path, "fine: {steps: [splitt], expect: {}}")

    ran = pytester.runpytest_inprocess(*PLUGIN)

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["error?P501?: there is no step 'splitt'", "*hint: did you mean 'split'?"])


def test_other_yaml_is_left_alone(pytester: pytest.Pytester) -> None:
    (pytester.path / "tests.yaml").write_text("kind: tests\ncases: {}\n")
    (pytester.path / "unit-tests.yaml").write_text("penstock: v1\nkind: pipeline\n# kind: tests\n")
    (pytester.path / "other.yaml").write_text("penstock: v1\nkind: tests\n")
    (pytester.path / "nested-tests.yml").write_text("penstock: 3\nthere:\n  kind: tests\n")

    ran = pytester.runpytest_inprocess(*PLUGIN)

    ran.assert_outcomes()
    assert ran.ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("name", "text", "held"),
    [
        ("tests.yaml", "penstock: v1\nkind: tests\n", True),
        ("Train-Tests.YML", "{penstock: v1, kind: 'tests'}", True),
        ("tests.yaml", "kind: tests\n", False),
        ("tests.yaml", "penstock: v1\nkind: testsuite\n", False),
        ("pipeline.yaml", "penstock: v1\nkind: tests\n", False),
        ("tests.yaml", "# penstock: v1\n# kind: tests\n", False),
        ("tests.yaml", "#" * 20_000 + "\npenstock: v1\nkind: tests\n", False),
    ],
)
def test_a_glance_tells_tests_files(name: str, text: str, held: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)

    assert may_hold_tests(path) is held


def test_loading_the_plugin_loads_nothing_of_penstock() -> None:
    script = (
        "import sys, pytest; before = set(sys.modules); import penstock.testing.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == [
        "penstock",
        "penstock.testing",
        "penstock.testing.envelope",
        "penstock.testing.pytest_plugin",
    ]


PYTHON = """
import pytest
from penstock import PenstockError, SpecError

def test_whole(penstock_run, tmp_path):
    run = penstock_run("pipeline.yaml", parameters={"floor": 0.7})
    assert run.status == "succeeded" and run.message == ""
    assert run.steps["stop"] == "skipped"
    assert run.metrics["judge"]["report"]["score"] == 0.75
    assert run.kpis == {"good": True, "great": False}
    assert run.output("publish", "page").read_text() == "name,size\\nx,1\\ny,2\\n"
    assert tmp_path in run.output("publish", "page").parents
    assert "name,size" in run.log("judge")
    with pytest.raises(KeyError):
        run.output("publish", "pages")

def test_part(penstock_run, tmp_path):
    (tmp_path / "rows.csv").write_text("name,size\\nq,9\\n")
    parts = penstock_run("pipeline.yaml", steps=["split"], datasets={"rows": tmp_path / "rows.csv"})
    assert list(parts.steps) == ["split"]
    given = {"split.parts": parts.output("split", "parts"), "judge.report": "fixtures/report.json"}
    page = penstock_run("pipeline.yaml", steps=["publish"], given=given)
    assert page.output("publish", "page").read_text() == "name,size\\nq,9\\n"

def test_refused(penstock_run):
    run = penstock_run("pipeline.yaml", parameters={"floor": 1})
    assert (run.status, run.message) == ("failed", "Score is below 1.0")

def test_wrong(penstock_run):
    for asked in ({"steps": ["spilt"]}, {"parameters": {"flor": 1}}, {"parameters": {"floor": None}},
                  {"given": {"split": "x"}}, {"steps": []}, {"on": "nowhere"}):
        with pytest.raises(PenstockError) as fault:
            penstock_run("pipeline.yaml", **asked)
        assert len(fault.value.diagnostics) == 1 and fault.value.diagnostics[0].hint
    with pytest.raises(SpecError, match="P101"):
        penstock_run("pipelin.yaml")
"""


def test_the_fixture_runs_pipelines_in_a_folder_of_the_tests_own(pytester: pytest.Pytester) -> None:
    lay_out(pytester.path)
    pytester.makepyfile(PYTHON)

    ran = pytester.runpytest_inprocess(*PLUGIN, "--ignore=tests.yaml")

    ran.assert_outcomes(passed=4)
    assert not (pytester.path / ".penstock").exists()
