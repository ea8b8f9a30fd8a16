"""The script that calls a function in the step's process, and what it leaves out of the function's module."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.authoring import driver

SCRIPT = Path(driver.__file__)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "penstock_step.py").write_bytes(SCRIPT.read_bytes())
    return tmp_path


# Without site-packages: neither Penstock nor anything that it needs is there.
BARE = (sys.executable, "-I", "-S")


def call(folder: Path, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "steps.py").write_text(dedent(module))
    command = [*BARE, str(folder / "penstock_step.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


ANYTHING = """
    import penstock as ps
    import penstock.errors
    from penstock.authoring.pipeline import Pipeline as Made
    from penstock import *
    from typing import Annotated, Optional

    Rows = Annotated[ps.File, "rows"]
    base: ps.Pipeline = ps.Pipeline("a")
    (a, b), *rest = base.many(), base
    for name in ["x", "y"]:
        step = base.command(name, run="x")
        if step.outputs.report["recall"] > 0.5 and not step:
            raise SystemError
    with base as inside:
        raise SystemError
    assert base.check() == [1]
    LIMIT = 3
    if base:
        LIMIT = 4

    def build():
        return base.command("z") + 1

    built = build().outputs
    print(f"{built}", 1 + ps.expression("x"))

    class Sub(ps.Pipeline):
        pass

    def lower(base: int) -> int:
        return base - 1

    LOWER = lower(3)

    @ps.step(environment=built, files={})
    def one(rows: Rows, out: "ps.Output[ps.File]", n: int = LIMIT, more: Optional[ps.Metrics] = None):
        out.write_text(rows.read_text() + str(n) + str(LOWER) + str(more))
        return {"n": n}
"""


def test_lines_that_build_are_left_out_however_they_are_written(folder: Path) -> None:
    (folder / "rows").write_text("rows ")
    (folder / "m.json").write_text('{"a": 1}')

    ran = call(
        folder,
        ANYTHING.replace("    if base:\n        LIMIT = 4\n", ""),
        "steps:one",
        *(
            "--rows",
            str(folder / "rows"),
            "--out",
            str(folder / "out"),
            "--more:metrics",
            str(folder / "m.json"),
        ),
        *("--metrics:returned", str(folder / "metrics.json")),
    )

    assert ran.stderr == "" and ran.stdout == ""
    assert (folder / "out").read_text() == "rows 32{'a': 1}"
    assert json.loads((folder / "metrics.json").read_text()) == {"n": 3}


def test_words_become_values_of_their_types(folder: Path) -> None:
    ran = call(
        folder,
        "def show(**given): print({key: (type(each).__name__, str(each)) for key, each in given.items()})",
        "steps:show",
        *("--a", "/x", "--b:integer", "-4", "--c:integer", "4.0", "--d:number", "1e-3"),
        *("--e:boolean", "True", "--f:string", "4", "--g:boolean", "false"),
    )

    assert ast.literal_eval(ran.stdout) == {
        "a": ("PosixPath", "/x"),
        "b": ("int", "-4"),
        "c": ("int", "4"),
        "d": ("float", "0.001"),
        "e": ("bool", "True"),
        "f": ("str", "4"),
        "g": ("bool", "False"),
    }


def test_it_needs_nothing_that_is_installed(folder: Path) -> None:
    module = "import penstock as ps\n@ps.step\ndef one(a: int) -> None:\n    print(a + 1)\n"

    ran = call(folder, module, "steps:one", "--a:integer", "3")
    without = subprocess.run([*BARE, "-c", "import penstock"], capture_output=True, check=False)

    assert (ran.stdout, ran.returncode) == ("4\n", 0), ran.stderr
    assert b"ModuleNotFoundError" in without.stderr


def test_what_is_installed_makes_no_difference(folder: Path) -> None:
    (folder / "steps.py").write_text("import penstock as ps\ndef one() -> None:\n    print(ps)\n")
    # As where a start-up file of the environment has loaded the real one.
    code = (
        "import penstock, runpy, sys; sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code, str(folder / "penstock_step.py"), "steps:one"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.startswith("<module 'penstock' (<__main__.Finder")


def test_numbers_of_other_libraries_become_plain(folder: Path) -> None:
    module = """
        class Scalar:
            def item(self): return 0.5
        class Array:
            def tolist(self): return [1, float("inf")]
        def one(): return {"a": Scalar(), "b": Array(), "c": {"d": (1, None)}}
    """

    ran = call(folder, module, "steps:one", "--metrics:returned", str(folder / "deep" / "m.json"))

    assert ran.returncode == 0, ran.stderr
    assert json.loads((folder / "deep" / "m.json").read_text()) == {
        "a": 0.5,
        "b": [1, None],
        "c": {"d": [1, None]},
    }


def test_what_json_cannot_hold_is_named(folder: Path) -> None:
    ran = call(
        folder, "def one(): return {'a': {1}}", "steps:one", "--metrics:returned", str(folder / "m.json")
    )

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "TypeError: one returned a set, which JSON cannot hold"


def test_the_oldest_python_of_an_image_can_read_it() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_it_stays_small_and_of_the_standard_library() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for each in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in each.names]
            if isinstance(each, ast.Import)
            else [each.module or ""]
            if isinstance(each, ast.ImportFrom)
            else []
        )
    }

    assert imported <= sys.stdlib_module_names
    assert len(text.splitlines()) < 300
