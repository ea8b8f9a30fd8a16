"""Scoring with serving functions, run as bundles run it: shipped into a step's code, a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from penstock.launcher import SCORING, formats, source

MODEL = """
def model_fn(model_dir):
    print("loaded", model_dir)
    return open(model_dir + "/factor").read()
"""
PARTS = """
from beside import upper
def input_fn(body, content_type):
    return [type(body).__name__, content_type, len(body)]
def predict_fn(data, model, context):
    return [*data, model, context]
def output_fn(prediction, accept):
    return upper(str([*prediction, accept])), "text/plain"
"""
WHOLE = """
def transform_fn(model, body, content_type, accept):
    if b"bad" in (body.encode() if isinstance(body, str) else body):
        raise KeyError("no such column")
    return f"{model}|{content_type}|{accept}".encode()
"""
DRIVER = """
import importlib, json, sys
batches, sys.argv = json.loads(sys.argv[1]), ["driver.py", *sys.argv[2:], "--output", "/the/service's"]
sys.path.insert(0, "code")
entry = importlib.import_module("penstock_scoring")
entry.init()
for each in batches:
    try:
        print("rows", json.dumps(entry.run(each)))
    except RuntimeError as fault:
        print("raised", fault)
"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Ship the scripts into a step's code, with data and a model beside it."""
    code = tmp_path / "code"
    code.mkdir()
    for name in SCORING:
        (code / f"penstock_{name}").write_bytes(source(name))
    (code / "beside.py").write_text("upper = str.upper", encoding="utf-8")
    # A module that only hides numpy: what the step has is the step's own matter.
    (code / "numpy.py").write_text("raise ImportError", encoding="utf-8")
    files = {
        "b.csv": "1,2\n",
        "deep/it's ü.json": "[[3]]",
        "x": "raw",
        ".hidden": "",
        "_SUCCESS": "",
        "y.jsonl": "{}",
    }
    for name, content in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "factor").write_text("2", encoding="utf-8")
    return tmp_path


def score(job: Path, written: str, *more: str, data: str = "data") -> subprocess.CompletedProcess[str]:
    (job / "code" / "inference.py").write_text(written, encoding="utf-8")
    words = ["penstock_scoring.py", "--entry", "inference.py", "--model", "../model", "--data", f"../{data}"]
    return call(job / "code", *words, "--output", "../out", *more)


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=30
    )


def results(job: Path) -> dict[str, str]:
    out = job / "out"
    found = sorted(each for each in out.rglob("*") if each.is_file())
    return {str(each.relative_to(out)): each.read_text(encoding="utf-8") for each in found}


def test_every_file_goes_through_the_functions_in_their_order(job: Path) -> None:
    ended = score(job, MODEL + PARTS)

    assert (ended.returncode, ended.stdout) == (0, "loaded ../model\npenstock: scored 4 files\n")
    assert results(job) == {
        "b.csv.out": "['STR', 'TEXT/CSV', 4, '2', NONE, 'APPLICATION/JSON']",
        "deep/it's ü.json.out": "['STR', 'APPLICATION/JSON', 5, '2', NONE, 'APPLICATION/JSON']",
        "x.out": "['BYTES', 'APPLICATION/OCTET-STREAM', 3, '2', NONE, 'APPLICATION/JSON']",
        "y.jsonl.out": "['BYTES', 'APPLICATION/JSONLINES', 2, '2', NONE, 'APPLICATION/JSON']",
    }


def test_one_function_may_do_it_all_for_one_file(job: Path) -> None:
    ended = score(job, MODEL + WHOLE, "--content-type", "a/b", "--accept", "c/d", data="data/x")

    assert ended.returncode == 0
    assert results(job) == {"x.out": "2|a/b|c/d"}


def test_functions_that_are_missing_have_defaults(job: Path) -> None:
    doubling = (
        "class M:\n    def predict(self, rows):\n        return [[2 * x for x in row] for row in rows]\n"
    )
    written = doubling + "def model_fn(model_dir):\n    return M()\n"
    assert score(job, written, data="data/b.csv").returncode == 0
    assert score(job, written, "--accept", "text/csv", data="data/deep").returncode == 0

    assert results(job) == {"b.csv.out": "[[2.0, 4.0]]", "it's ü.json.out": "6\n"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "inference.py defines no model_fn(model_dir)"),
        (MODEL + PARTS + WHOLE, "transform_fn and input_fn"),
        ("def (", "does not import: SyntaxError"),
        (
            "def model_fn(model_dir):\n    raise OSError('gone')",
            "model_fn of inference.py failed: OSError: gone",
        ),
        (
            MODEL + PARTS.replace("upper(str(", "list(iter("),
            "'b.csv' failed: TypeError: the result is a list",
        ),
        (MODEL, "'b.csv' failed: TypeError: there is no predict_fn, and a str has no predict()"),
        (MODEL + PARTS.replace("def input", "def other"), ""),
    ],
)
def test_what_is_wrong_with_the_code_is_said(job: Path, written: str, said: str) -> None:
    ended = score(job, written)

    if said:
        assert ended.returncode == 1
        assert said in ended.stderr.splitlines()[-1]
    else:
        assert (
            "there is no input_fn, and application/octet-stream is none of" in ended.stderr.splitlines()[-1]
        )


def test_a_file_that_fails_is_named_and_its_traceback_kept(job: Path) -> None:
    (job / "data" / "c.csv").write_text("bad", encoding="utf-8")
    ended = score(job, MODEL + WHOLE)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "penstock: scoring 'c.csv' failed: KeyError: 'no such column'"
    assert 'raise KeyError("no such column")' in ended.stderr
    assert sorted(results(job)) == ["b.csv.out"]


@pytest.mark.parametrize(
    ("more", "said"), [(["--entry", "../none.py"], "there is no ../none.py"), (["--x"], "unknown words: --x")]
)
def test_a_wrong_call_is_said_in_a_line(job: Path, more: list[str], said: str) -> None:
    ended = score(job, MODEL + WHOLE, *more)

    assert (ended.returncode, ended.stderr) == (1, f"penstock: {said}\n")


def test_a_folder_without_files_is_scored_at_once(job: Path) -> None:
    (job / "empty").mkdir()

    assert score(job, MODEL + WHOLE, data="empty").stdout.endswith("scored 0 files\n")


def test_a_service_hands_out_files_and_gets_a_row_for_each(job: Path) -> None:
    (job / "code" / "inference.py").write_text(MODEL + WHOLE, encoding="utf-8")
    (job / "data" / "bad").write_text("bad", encoding="utf-8")
    batches = [
        [str(job / "data" / each) for each in batch]
        for batch in (["x", "bad", ".hidden"], ["bad"], ["deep/it's ü.json"])
    ]
    named = {"entry": "inference.py", "model": "model", "data": "data", "output": "out", "accept": "a/b"}
    words = [word for name, value in named.items() for word in (f"--penstock_{name}", value)]
    ended = call(job, "-c", DRIVER, json.dumps(batches), "--mini_batch_size", "2", *words)

    assert [each for each in ended.stdout.splitlines() if not each.startswith("penstock:")] == [
        "loaded model",
        'rows ["x", ".hidden"]',
        "raised penstock: scoring 'bad' failed: KeyError: 'no such column'",
        json.dumps(["deep/it's ü.json"]).join(["rows ", ""]),
    ]
    assert results(job) == {
        "x.out": "2|application/octet-stream|a/b",
        "deep/it's ü.json.out": "2|application/json|a/b",
    }


class Array:
    """What stands for numpy's arrays here: something that becomes a list."""

    def __init__(self, *values: object) -> None:
        self.values = values

    def tolist(self) -> list[object]:
        return list(self.values)


@pytest.mark.parametrize(
    ("prediction", "accept", "written"),
    [
        (Array(1, 2.5), "application/json", "[1, 2.5]"),
        ({"p": Array("a")}, "application/json", '{"p": ["a"]}'),
        (Array(1, 2.5), "text/csv", "1\n2.5\n"),
        (Array([1, 2], [3, 4]), "text/csv", "1,2\n3,4\n"),
    ],
)
def test_predictions_are_written_as_the_caller_accepts(prediction: object, accept: str, written: str) -> None:
    assert formats.encode(prediction, accept) == written


def test_arrays_are_read_by_numpy_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def array(value: object) -> tuple[str, object]:
        return "array", value

    monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace(array=array))

    assert formats.decode("[1]", "application/json") == ("array", [1])
