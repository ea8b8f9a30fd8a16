"""The map as a parallel job's entry module: loaded, as a service does, among arguments of the service's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.launcher import PARALLEL, source

# What a service does with an entry module: its own arguments stand on both sides, and a step's code has modules of
# the same names as the scripts.
DRIVER = """
import importlib, json, sys
batches, sys.argv = json.loads(sys.argv[1]), ["driver.py", *sys.argv[2:], "--mini_batch_size", "2"]
sys.path.insert(0, "code")
entry = importlib.import_module("penstock_parallel")
entry.init()
for each in batches:
    try:
        print("rows", json.dumps(entry.run(each)), flush=True)
    except RuntimeError as fault:
        print("raised", fault, flush=True)
getattr(entry, "shutdown", lambda: None)()
"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Ship the scripts into a step's code, and give the folder that the job starts in."""
    code = tmp_path / "code"
    code.mkdir()
    for name in PARALLEL:
        (code / f"penstock_{name}").write_bytes(source(name))
        (code / name).write_text("raise ImportError('the step has a module so named')", encoding="utf-8")
    for name in ("a", "b c", "deep/a", "bad", ".hidden"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(name, encoding="utf-8")
    return tmp_path


def plan(job: Path, script: str) -> None:
    words = ["bash", "-c", script, [{"item": ""}], [{"output": "o"}], [{"value": "m"}]]
    found = {"command": words, "env": {"KEY": [{"item": "key"}], "NAME": [{"item": "name"}]}}
    (job / "code" / "plan.json").write_text(json.dumps(found), encoding="utf-8")


def drive(job: Path, batches: list[list[str]], *more: str) -> list[str]:
    words = [
        "--output",
        "/the/service's",
        "--penstock_plan",
        "plan.json",
        "--penstock_files",
        str(job / "in"),
    ]
    words += ["--penstock_output", f"o={job / 'out'}=copy", "--penstock_value", "m=x y"]
    paths = json.dumps([[str(job / "in" / each) for each in batch] for batch in batches])
    ended = subprocess.run(
        [sys.executable, "-c", DRIVER, paths, *words, *more],
        cwd=job,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary(job))},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def temporary(job: Path) -> Path:
    (job / "tmp").mkdir(exist_ok=True)
    return job / "tmp"


def test_each_file_is_an_item_and_what_succeeded_is_a_row(job: Path) -> None:
    plan(job, '[ "$NAME" != bad ] && cp "$0" "$1" && echo "$2 $KEY"')
    lines = drive(job, [["b c", "a"], ["bad", "deep/a", ".hidden"]])

    assert [each for each in lines if each.startswith("rows")] == [
        'rows ["a", "b c"]',
        'rows [".hidden", "deep/a"]',
    ]
    assert "[deep__a] x y deep__a" in lines
    assert sorted(str(each.relative_to(job)) for each in job.glob("out/*/*")) == [
        "out/a/copy",
        "out/b c/copy",
        "out/deep__a/copy",
    ]
    assert not (job / "out" / "bad").exists()


def test_a_call_of_which_nothing_succeeded_raises_and_may_be_repeated(job: Path) -> None:
    plan(job, 'if [ -e ran ]; then cp "$0" "$1"; else touch ran; exit 4; fi')
    lines = drive(job, [["bad"], ["bad"]])

    assert [each for each in lines if not each.startswith("penstock:")] == [
        "raised penstock: bad: exit 4",
        'rows ["bad"]',
    ]
    assert (job / "out" / "bad" / "copy").read_text(encoding="utf-8") == "bad"


def test_a_batch_is_one_item_under_the_first_file_s_key(job: Path) -> None:
    plan(job, 'cd "$0"; find . -type l | sort > "$1"')
    lines = drive(job, [["deep/a", "b c"], ["bad"]], "--penstock_batch", "2")

    assert [each for each in lines if each.startswith("rows")] == ['rows ["b c", "deep/a"]', 'rows ["bad"]']
    assert (job / "out" / "b c" / "copy").read_text(encoding="utf-8") == "./b c\n./deep/a\n"
    assert list(temporary(job).iterdir()) == []


def test_a_word_may_be_a_variable_of_the_job(job: Path) -> None:
    plan(job, 'echo "$0" > "$1"')
    found = json.loads((job / "code" / "plan.json").read_text(encoding="utf-8"))
    found["command"][3] = ["<", {"variable": "PATH"}, ">"]
    (job / "code" / "plan.json").write_text(json.dumps(found), encoding="utf-8")
    drive(job, [["a"]])
    assert (job / "out" / "a" / "copy").read_text(encoding="utf-8") == "</usr/bin:/bin>\n"

    found["command"][3] = [{"variable": "NOT_SET"}]
    (job / "code" / "plan.json").write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(AssertionError, match="the variable NOT_SET is not set"):
        drive(job, [["a"]])


def test_a_batch_that_fails_raises(job: Path) -> None:
    plan(job, "exit 3")
    lines = drive(job, [["a", "b c"]], "--penstock_batch", "2")

    assert lines[-1] == "raised penstock: a: exit 3"


def test_nothing_handed_out_gives_no_rows(job: Path) -> None:
    plan(job, "exit 3")

    assert drive(job, [[]])[-1] == "rows []"


def test_keys_are_the_same_however_files_are_handed_out(job: Path) -> None:
    (job / "in" / "deep__a").write_text("other", encoding="utf-8")
    plan(job, 'cp "$0" "$1"')
    drive(job, [["deep__a"], ["deep/a"]])

    assert (job / "out" / "deep__a" / "copy").read_text(encoding="utf-8") == "deep/a"
    assert (job / "out" / "deep__a-2" / "copy").read_text(encoding="utf-8") == "other"
