"""The launcher, run as bundles run it: a process of its own, from any Python that an image may have."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.evaluate import Value, evaluate
from penstock.expressions.nodes import (
    Compare,
    Contains,
    Expression,
    Literal,
    Logical,
    Not,
    ParameterRef,
    Reference,
)
from penstock.expressions.parser import parse_bare
from penstock.expressions.text import text
from penstock.launcher import FILE, serialise, source


def oldest() -> str:
    """Give a Python 3.8 where the machine has one that starts, else this one."""
    found = shutil.which("python3.8")
    works = found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
    return found if found and works else sys.executable


@pytest.fixture(params=["this", "oldest"])
def launcher(tmp_path: Path, request: pytest.FixtureRequest) -> list[str]:
    script = tmp_path / FILE
    script.write_bytes(source())
    return [sys.executable if request.param == "this" else oldest(), str(script)]


def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=30)


def archive(path: Path, *members: tuple[str, str]) -> Path:
    """Write a tar of (name, content); content `-> x` makes a link to x."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if content.startswith("-> "):
                member.type, member.linkname = tarfile.SYMTYPE, content[3:]
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))
    return path


def test_an_archive_is_unpacked_before_the_command(launcher: list[str], tmp_path: Path) -> None:
    packed = archive(tmp_path / "model.tar.gz", ("deep/model.txt", "trees"))
    ended = call(
        *launcher,
        "run",
        "--unpack",
        f"{packed}={tmp_path / 'out'}",
        "--",
        "cat",
        tmp_path / "out/deep/model.txt",
    )

    assert (ended.returncode, ended.stdout) == (0, "trees")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "member", [("../escaped", "x"), ("/tmp/penstock-escaped", "x"), ("in", "-> ../../outside")]
)
def test_nothing_of_an_archive_lands_outside(
    launcher: list[str], tmp_path: Path, member: tuple[str, str]
) -> None:
    packed = archive(tmp_path / "model.tar.gz", member)
    call(*launcher, "run", "--unpack", f"{packed}={tmp_path / 'a' / 'out'}", "--", "true")

    assert not (tmp_path / "a" / "escaped").exists()
    assert not Path("/tmp/penstock-escaped").exists()
    assert not (tmp_path / "a" / "out" / "in").is_symlink()


def test_the_one_file_stands_under_its_name(launcher: list[str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "other name").write_text("content", encoding="utf-8")
    option = f"{tmp_path / 'in'}={tmp_path / 'out' / 'cells.csv'}"

    assert (
        call(*launcher, "run", "--one-file", option, "--", "cat", tmp_path / "out/cells.csv").stdout
        == "content"
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_one_file_means_one(launcher: list[str], tmp_path: Path, names: list[str]) -> None:
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).touch()
    ended = call(
        *launcher, "run", "--one-file", f"{tmp_path / 'in'}={tmp_path / 'out' / 'f'}", "--", "echo", "ran"
    )

    assert ended.returncode == 1
    assert "one file was expected" in ended.stderr
    assert "ran" not in ended.stdout


def test_numbers_are_printed_and_nothing_else(launcher: list[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"a": {"b c": 1}, "d": 0.5, "e": True, "f": "x"}), encoding="utf-8")
    good = call(*launcher, "run", "--metrics", report, "--", "true")
    bad = call(*launcher, "run", "--metrics", report, "--", "false")

    assert good.stdout.splitlines() == ["penstock_metric a.b c=1.0;", "penstock_metric d=0.5;"]
    assert (bad.returncode, bad.stdout) == (1, "")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("command", "errors", "code", "tries"),
    [
        ("exit 7", "any", 7, 3),
        ("exit 7", "platform", 7, 1),
        ("kill -9 $$", "platform", 137, 3),
        ("true", "any", 0, 1),
    ],
)
def test_attempts_end_with_the_commands_own_code(
    launcher: list[str], tmp_path: Path, command: str, errors: str, code: int, tries: int
) -> None:
    script = f"echo x >> {tmp_path}/tries; {command}"
    ended = call(*launcher, "run", "--attempts", "3", "--errors", errors, "--", "bash", "-c", script)

    assert ended.returncode == code
    assert (tmp_path / "tries").read_text(encoding="utf-8").count("x") == tries


def test_words_of_the_command_arrive_exactly(launcher: list[str]) -> None:
    words = ["--attempts", "--", "", "a b", "$(x)", "größe", "\\"]
    ended = call(
        *launcher,
        "run",
        "--",
        sys.executable,
        "-c",
        "import json, sys; print(json.dumps(sys.argv[1:]))",
        *words,
    )

    assert json.loads(ended.stdout) == words


def test_a_request_to_stop_reaches_the_command_and_nothing_is_tried_again(launcher: list[str]) -> None:
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(9)); "
        "print('up', flush=True); time.sleep(20)"
    )
    words = [*launcher, "run", "--attempts", "3", "--", sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert started.stdout.readline() == "up\n"
        time.sleep(0.2)
        started.send_signal(signal.SIGTERM)

        assert started.wait(timeout=10) == 9


PARAMETERS: dict[str, Value] = {"i": 3, "n": 0.5, "s": "a=b", "b": True}
TYPES = {"i": "integer", "n": "number", "s": "string", "b": "boolean"}
COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
NUMBERS = st.one_of(st.integers(-5, 5), st.floats(-5, 5)).map(Literal) | st.sampled_from(
    list(map(ParameterRef, "in"))
)
TEXTS = st.sampled_from(["a=b", "b", "", "ü"]).map(Literal) | st.just(ParameterRef("s"))
LEAVES: st.SearchStrategy[Expression] = st.one_of(
    st.booleans().map(Literal),
    st.just(ParameterRef("b")),
    st.builds(Compare, COMPARISONS, NUMBERS, NUMBERS),
    st.builds(Compare, COMPARISONS, TEXTS, TEXTS),
    st.builds(Contains, TEXTS, st.lists(TEXTS, min_size=1, max_size=3).map(tuple)),
)


def deeper(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(Logical, st.sampled_from(["and", "or"]), several)


def loaded() -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "launcher"}
    exec(compile(source(), FILE, "exec"), found)
    return found


def parameter(reference: Reference) -> Value:
    assert isinstance(reference, ParameterRef)
    return PARAMETERS[reference.name]


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(st.recursive(LEAVES, deeper, max_leaves=8))
def test_a_gate_decides_as_an_offline_run_does(expression: Expression) -> None:
    form = json.loads(json.dumps(serialise(expression, TYPES)))
    values = {name: text(value) for name, value in PARAMETERS.items()}

    assert loaded()["value_of"](form, {}, values) == evaluate(expression, parameter)


def test_a_decision_is_written(launcher: list[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"a": [{"f1": 0.5}]}', encoding="utf-8")
    for threshold, outcome in ((0.4, "true"), (0.6, "false")):
        form = json.dumps([">", ["metric", "e.r", ["a", 0, "f1"]], threshold])
        out = tmp_path / "gate" / outcome
        ended = call(*launcher, "decide", "--expression", form, "--metrics", f"e.r={report}", "--output", out)

        assert ended.returncode == 0
        assert out.read_text(encoding="utf-8") == outcome


def test_what_has_no_value_in_a_gate_is_refused() -> None:
    with pytest.raises(ValueError, match="no value in a gate"):
        serialise(parse_bare("item.depth > 3"), {})
