from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from tests.specs_for_tests import Shop

import penstock as ps
from penstock import discovery
from penstock.errors import SpecError

HEAD = "import penstock as ps\n\npipeline = ps.Pipeline('probe')\n"
ONE = HEAD + "pipeline.command('one', run='echo 1')\n"


def found(shop: Shop, text: str, name: str = "") -> list[str]:
    """Check a Python file and give code, place and what is marked there of each finding."""
    path = shop.file("pipeline.py", dedent(text))
    said: list[str] = []
    for each in ps.check(f"{path}{name}"):
        assert each.place
        start = each.place.column - 1
        marked = each.place.excerpt[start : start + each.place.length]
        said.append(f"{each.code} {Path(each.place.file).name}:{each.place.line} {marked}")
    return said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        # A key that the language does not have, and its like deeper down.
        ("pipeline.command('one', run='x', shel='y')", "P201 pipeline.py:4 shel"),
        ("pipeline.command('one', run='x', compute={'cpus': 2})", "P201 pipeline.py:4 'cpus'"),
        ("pipeline.command('one', run='x', compute=ps.Compute(cpus=2))", "P201 pipeline.py:4 cpus"),
        # Values: of a keyword, in a dictionary, in a list, of a positional argument, behind a name.
        ("pipeline.command('one', run=4)", "P203 pipeline.py:4 4"),
        ("pipeline.command('one', run='x', outputs={'a': 'fole'})", "P204 pipeline.py:4 'fole'"),
        ("pipeline.environment('e', packages=['a==1', 7])", "P203 pipeline.py:4 7"),
        ("pipeline.parameter('p', 'int')", "P204 pipeline.py:4 'int'"),
        ("cpu = 'two'\npipeline.command('one', run='x', compute={'cpu': cpu})", "P203 pipeline.py:5 cpu"),
        ("pipeline.command('one', run='x', timeout='soon')", "P206 pipeline.py:4 'soon'"),
        # Names of parts are at the call.
        ("pipeline.command('two words', run='x')", "P205 pipeline.py:4 'two words'"),
        ("pipeline.train('one')", "P202 pipeline.py:4 'one'"),
        # Meaning, found by the passes.
        ("pipeline.command('one', run='x', environment='sklern')", "P217 pipeline.py:4 'sklern'"),
        ("pipeline.command('one', run='x ${{ inputs.a }}')", "P216 pipeline.py:4 inputs.a"),
        (
            "pipeline.command(\n    'one',\n    run='x ${{ inputs.a }}',\n"
            "    inputs={\n        'a': '${{ parameters.b }}'\n    },\n)",
            "P213 pipeline.py:8 parameters.b",
        ),
        ("pipeline.condition('good', 'much')", "P210 pipeline.py:4 'much'"),
        ("pipeline.output('model', '${{ steps.a.outputs.b }}')", "P211 pipeline.py:4 steps.a.outputs.b"),
        # Files, found by the snapshot.
        ("pipeline.command('one', run='x', code='nowhere')", "P250 pipeline.py:4 'nowhere'"),
        ("pipeline.dataset('d', 'file', path='gone.csv')", "P250 pipeline.py:4 'gone.csv'"),
        (
            "pipeline.goal('g', kpis=[ps.Kpi(name='a', value='${{ 1 }}', target='good')])",
            "P206 pipeline.py:4 'good'",
        ),
    ],
)
def test_a_finding_points_at_the_argument(shop: Shop, lines: str, said: str) -> None:
    text = HEAD + lines + "\n"
    if "('one'" not in lines and "'two words'" not in lines and "    'one'" not in lines:
        text += "pipeline.command('one', run='echo 1')\n"

    assert said in [" ".join(each.split()) for each in found(shop, text)]


def test_everything_wrong_is_said_at_once(shop: Shop) -> None:
    text = HEAD + (
        "pipeline.command('one', run=1)\npipeline.command('two', run='x', code='gone')\n"
        "pipeline.command('three', run='x', shel=1)\n"
    )

    assert [each.split()[0] for each in found(shop, text)] == ["P203", "P250", "P201"]


def test_what_a_target_cannot_keep_points_at_the_argument(shop: Shop) -> None:
    lines = "pipeline.command('one', run='echo 1')\npipeline.command('two', run='echo 2', after=['one'])\n"
    path = shop.file("pipeline.py", HEAD + lines)

    lost = [each for target in discovery.targets() for each in ps.check(path, target)]

    assert lost
    for each in lost:
        assert each.place and each.place.line == 5
        assert each.place.excerpt[each.place.column - 1 :].startswith("after")


def test_a_call_in_another_file_is_pointed_at_there(shop: Shop) -> None:
    shop.file("steps.py", "def add(pipeline):\n    pipeline.command('one', run='x', code='gone')\n")

    assert found(shop, HEAD + "import steps\nsteps.add(pipeline)\n") == ["P250 steps.py:2 'gone'"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_that_name\n", "P140 pipeline.py:1 import nothing_of_that_name"),
        ("x = (1,\n", "P140 pipeline.py:1 ("),
        ("import sys\nsys.exit(3)\n", "P140 pipeline.py:2 sys.exit"),
        (HEAD + "pipeline.command('one')\n", "P140 pipeline.py:4 pipeline.command"),
        (HEAD + "a = pipeline.parameter('a', 'number')\nif a > 1:\n    pass\n", "P140 pipeline.py:5 a > 1"),
        (HEAD + "pipeline.command('one', run='x', description='\\ud800')\n", "P144 pipeline.py:4 '\\ud800'"),
        ("import penstock\npenstock.load('gone.yaml')\n", "P101 gone.yaml:1 "),
        ("pipeline = 1\n", "P141 pipeline.py:1 p"),
    ],
)
def test_a_file_that_fails_is_told_without_a_traceback(shop: Shop, text: str, said: str) -> None:
    assert found(shop, text) == [said]


@pytest.mark.parametrize(
    ("before", "hint"),
    [
        ((), "imported inside the function that uses it"),
        (("src/gone/__init__.py",), "sys.path.insert(0, str(Path(__file__).parent / 'src'))"),
        (("src/gone.py",), "sys.path.insert(0, str(Path(__file__).parent / 'src'))"),
    ],
)
def test_a_package_that_is_not_installed_here_is_imported_elsewhere(
    shop: Shop, before: tuple[str, ...], hint: str
) -> None:
    for each in before:
        shop.file(each)
    path = shop.file("pipeline.py", "import gone.deep as d\n" + ONE)

    (one,) = ps.check(path)

    assert one.message == "executing the file failed: No module named 'gone'"
    assert hint in one.hint


def test_the_way_to_a_failure_is_told(shop: Shop) -> None:
    shop.file("late.py", "def much(a):\n    return a / 0\n")
    path = shop.file("pipeline.py", "import late\n\n\ndef more():\n    return late.much(1)\n\n\nmore()\n")

    (one,) = ps.check(path)

    assert one.message == "executing the file failed: ZeroDivisionError: division by zero"
    assert [each.rpartition("/")[2] for each in one.details] == [
        "pipeline.py:8 in <module>",
        "pipeline.py:5 in more",
        "late.py:2 in much",
    ]
    assert one.place and one.place.file.endswith("late.py")


def test_one_of_several_pipelines_is_named(shop: Shop) -> None:
    two = "import penstock as ps\na = ps.Pipeline('a')\na.command('one', run='echo')\nb = ps.Pipeline('b')\n"

    assert found(shop, two) == ["P141 pipeline.py:4 ps.Pipeline"]
    assert found(shop, two, ":a") == []
    assert found(shop, two, ":b") == ["P202 pipeline.py:4 ps.Pipeline"]
    assert found(shop, two, ":c") == ["P141 pipeline.py:1 i"]


def test_two_names_for_one_pipeline_are_no_two(shop: Shop) -> None:
    assert found(shop, ONE + "same = pipeline\n") == []


def test_the_interpreter_is_left_as_it_was(shop: Shop) -> None:
    for name, number in (("a", 1), ("b", 2)):
        shop.file(f"{name}/near.py", f"NUMBER = '{number}'\n")
        shop.file(
            f"{name}/pipeline.py",
            ONE.replace("echo 1", "echo ' + near.NUMBER + '").replace("as ps", "as ps, near"),
        )
    before = (list(sys.path), set(sys.modules) - {"near", "pipeline"})

    specs = [ps.load(shop.folder / name / "pipeline.py") for name in ("a", "b")]

    assert [each.model_dump()["steps"]["one"]["run"] for each in specs] == ["echo 1", "echo 2"]
    assert sys.path == before[0]
    assert "near" not in sys.modules and "pipeline" not in sys.modules
    assert not list(shop.folder.rglob("__pycache__"))


@pytest.mark.slow
def test_what_a_file_prints_does_not_mix_with_results(shop: Shop) -> None:
    shop.file("pipeline.py", "print('hello')\n" + ONE)

    ran = shop.cli("check", "pipeline.py", "--json")

    assert json.loads(ran.stdout)["ok"] is True
    assert "hello" in ran.stderr


@pytest.mark.parametrize("words", [(), ("--target", "sagemaker"), ("--json",)])
def test_checking_executes_a_file_once(shop: Shop, words: tuple[str, ...]) -> None:
    shop.file("pipeline.py", "print('executed')\n" + ONE)

    ran = shop.cli("check", "pipeline.py", *words)

    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("executed") == 1


@pytest.mark.parametrize("words", [("run",), ("graph",), ("compile", "--target", "local", "-o", "out")])
def test_verbs_take_a_python_file(shop: Shop, words: tuple[str, ...]) -> None:
    shop.file("pipelines.py", ONE + "other = ps.Pipeline('other')\n")

    ran = shop.cli(words[0], "pipelines.py:pipeline", *words[1:])

    assert ran.returncode == 0, ran.stderr


def test_a_pipeline_runs_and_compiles_from_a_script(shop: Shop) -> None:
    shop.file("rows.csv", "1\n2\n")
    shop.file(
        "script.py",
        """
import penstock as ps

pipeline = ps.Pipeline("probe")
rows = pipeline.dataset("rows", "file", path="rows.csv")


@ps.step
def count(rows: ps.File) -> ps.Metrics:
    return {"rows": len(rows.read_text().split())}


counted = pipeline.step("count", count, inputs={"rows": rows})
pipeline.output("count", counted.outputs.metrics)

if __name__ == "__main__":
    assert pipeline.check() == []
    made = pipeline.run()
    print(made.metrics["count"]["metrics"]["rows"], pipeline.compile("local").pipeline)
""",
    )
    import subprocess

    folder = shop.folder / "elsewhere"
    folder.mkdir()
    ran = subprocess.run(
        [sys.executable, "../script.py"],
        cwd=folder,
        env=shop.env(None),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ran.stdout, ran.returncode) == ("2 probe\n", 0), ran.stderr


def test_a_python_file_is_executed_afresh_for_each_run(shop: Shop) -> None:
    shop.file("steps.py", "WORD = 'one'\n")
    path = shop.file(
        "pipeline.py", HEAD + "import steps\npipeline.command('one', run='echo ' + steps.WORD)\n"
    )
    ps.run(path, project=shop.folder, watch=shop.events.append)

    shop.file("steps.py", "WORD = 'another'\n")
    ps.run(path, project=shop.folder, watch=shop.events.append)

    assert shop.lines("one") == ["one", "another"]


def test_writing_moves_the_paths(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    pipeline = ps.Pipeline("probe")
    pipeline.file = shop.folder / "a" / "pipeline.py"
    pipeline.dataset("rows", "file", path=Path("rows.csv"))
    pipeline.environment("e", requirements="../requirements.txt")
    pipeline.train("one", run="x", code="src", local=ps.StandIn(run="y", code="near"))
    pipeline.uses("two", os.path.join(os.sep, "opt", "component.yaml"))
    pipeline.register("three", model="m", name="m", serving={"code": "src"})

    spec = ps.load(pipeline.write(shop.folder / "b" / "deep" / "pipeline.yaml")).model_dump()

    assert spec["datasets"]["rows"]["path"] == "../../a/rows.csv"
    assert spec["environments"]["e"]["requirements"] == "../../requirements.txt"
    assert spec["steps"]["one"]["code"] == "../../a/src"
    assert spec["steps"]["one"]["local"]["code"] == "../../a/near"
    assert spec["steps"]["two"]["uses"] == "/opt/component.yaml"
    assert spec["steps"]["three"]["serving"]["code"] == "../../a/src"


def test_form_is_checked_where_models_are_asked_for() -> None:
    pipeline = ps.Pipeline("probe")

    with pytest.raises(SpecError) as fault:
        pipeline.to_yaml()

    (one,) = fault.value.diagnostics
    assert one.code == "P202" and one.place and 'ps.Pipeline("probe")' in one.place.excerpt


@pytest.mark.slow
def test_tests_of_a_pipeline_stand_beside_a_python_file(shop: Shop) -> None:
    shop.file("pipeline.py", HEAD + "pipeline.fail('stop', message='never')\n")
    shop.file(
        "tests.yaml",
        "penstock: v1\nkind: tests\nspec: pipeline.py\ncases:\n  fails: {expect: {run: failed, message: never}}\n",
    )

    ran = shop.cli("test", "tests.yaml")

    assert ran.returncode == 0, ran.stderr + ran.stdout
