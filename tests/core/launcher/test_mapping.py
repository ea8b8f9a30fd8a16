"""The map's scripts, run as bundles run them: shipped into a folder, a process of their own, from an old Python too."""

from __future__ import annotations

import ast
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.text import text
from penstock.launcher import MAPPING, OBJECTIVE, PARALLEL, SCORING, items, mapping, source, tables

NASTY = ["a b", "it's", 'say "no"', "two\nlines", "$(touch x)", "-n", "", "ü=1", "*"]
ECHO = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))"]
# Writes its second word into the file that its first word names, or ends with that number.
WRITE = 'if [ "$2" -eq 0 ] 2>/dev/null; then echo "$3" > "$1"; else exit "$2"; fi'


@cache
def oldest() -> str:
    """Give the oldest Python from 3.7 on that the machine has and that starts, else this one."""
    for name in ("python3.7", "python3.8"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return sys.executable


@pytest.fixture
def script(tmp_path: Path) -> list[str]:
    """Ship the scripts behind a prefix, as beside a step's own code, and give the words that start them."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for name in MAPPING:
        (shipped / f"penstock_{name}").write_bytes(source(name))
    return [oldest(), str(shipped / "penstock_mapping.py")]


def call(*words: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, **(env or {})}
    return subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, timeout=30, env=given
    )


def listed(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "items.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def fill(position: int, *parts: str | dict[str, str]) -> list[str]:
    return ["--fill", f"{position}={json.dumps(parts)}"]


def tree(folder: Path) -> dict[str, str]:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_text(encoding="utf-8") for each in files}


@pytest.mark.parametrize("name", sorted({*PARALLEL, *SCORING, OBJECTIVE, "launcher.py"}))
def test_every_script_is_python_3_7_and_short(name: str) -> None:
    written = source(name).decode("utf-8")

    ast.parse(written, feature_version=(3, 7))
    assert len(written.splitlines()) < 200


def test_words_and_variables_of_an_item_arrive_exactly(script: list[str], tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [
        {"key": f"k{at}", "value": None, "fields": {"x": value}}
        for at, value in enumerate([*NASTY, 5.0, 7, True])
    ]
    code = "import json, os, sys; print(json.dumps([*sys.argv[1:], os.environ['X']]))"
    ended = call(
        *[*script, "run", "--items", listed(tmp_path, *entries), "--parallel", "1"],
        *fill(3, "<", {"item": "x"}, ">"),
        *["--env", 'X=["", {"item": "x"}, "\'"]', "--", sys.executable, "-c", code, "replaced", "$x"],
    )

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0
    for at, entry in enumerate(entries):
        prefix, _, said = lines[at].partition(" ")
        written = text(entry["fields"]["x"])
        assert (prefix, json.loads(said)) == (f"[k{at}]", [f"<{written}>", "$x", f"{written}'"])
    assert lines[-1] == f"penstock: {len(entries)} of {len(entries)} items succeeded"


def test_a_plan_beside_the_script_names_the_command(script: list[str], tmp_path: Path) -> None:
    plan: dict[str, Any] = {"command": [*ECHO, "'", [{"value": "m"}, "/", {"item": ""}]], "env": {}}
    (tmp_path / "shipped" / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    items_file = listed(tmp_path, {"key": "a", "value": 3})

    ended = call(*script, "run", "--items", items_file, "--plan", "plan.json", "--value", "m=x=y z")

    assert ended.stdout.splitlines()[0] == '[a] ["\'", "x=y z/3"]'


@pytest.mark.parametrize("value", [True, False, 0, -3, 10**20, 5.0, 1e-05, 1e16, 0.1, "x y", ""])
def test_scalars_are_written_as_everywhere(value: Any) -> None:
    assert items.text(json.loads(json.dumps(value))) == text(value)


@pytest.mark.parametrize(("tolerate", "code"), [(0, 1), (1, 1), (2, 0)])
def test_as_many_items_may_fail_as_are_tolerated(
    script: list[str], tmp_path: Path, tolerate: int, code: int
) -> None:
    entries: list[dict[str, Any]] = [
        {"key": f"k{at}", "fields": {"key": f"k{at}", "code": at if at > 2 else 0}} for at in (0, 3, 1, 4, 2)
    ]
    out, logs = tmp_path / "out", tmp_path / "logs"
    words = ["--items", listed(tmp_path, *entries), "--parallel", "1", "--tolerate", str(tolerate)]
    ended = call(
        *[*script, "run", *words, "--output", f"report={out}=r.txt", "--output", f"logs={logs}"],
        *[*fill(4, {"output": "report"}), *fill(5, {"item": "code"}), *fill(6, {"item": "key"})],
        *[
            *fill(7, {"output": "logs"}),
            "--",
            "bash",
            "-c",
            f'echo > "$4/log"; {WRITE}',
            "bash",
            "",
            "",
            "",
            "",
        ],
    )

    last = ended.stdout.splitlines()[-1]
    assert ended.returncode == code
    assert "k3 (exit 3)" in last
    started = {0: ["k0"], 1: ["k0", "k1"], 2: ["k0", "k1", "k2"]}[tolerate]
    if tolerate == 2:
        assert last == "penstock: 3 of 5 items succeeded; failed: k3 (exit 3), k4 (exit 4)"
    else:
        assert f"not started: {5 - 2 * (tolerate + 1)}" in last
    assert sorted(each.name for each in out.iterdir()) == started
    assert sorted(each.name for each in logs.iterdir()) == started
    assert tree(out) == {f"{key}/r.txt": f"{key}\n" for key in started}


def test_an_item_that_did_not_write_its_file_has_failed(script: list[str], tmp_path: Path) -> None:
    out = tmp_path / "a=b"
    entries: list[dict[str, Any]] = [{"key": "a b", "value": 0}, {"key": "z"}]
    words = ["--output", f"report={out}=r.txt", "--tolerate", "2", "--", "true"]
    ended = call(*script, "run", "--items", listed(tmp_path, *entries), *words)

    assert ended.returncode == 0
    assert "0 of 2 items succeeded" in ended.stdout
    assert "a b (did not write r.txt)" in ended.stdout
    assert list(out.iterdir()) == []


def test_a_command_that_is_not_there_fails_its_items(script: list[str], tmp_path: Path) -> None:
    ended = call(*script, "run", "--items", listed(tmp_path, {"key": "a"}), "--", "/no/such/command")

    assert ended.returncode == 1
    assert "a (did not start: " in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("key", ["../x", "a/b", "", ".", "..", "a\0b"])
def test_a_key_that_leaves_its_folder_is_refused(script: list[str], tmp_path: Path, key: str) -> None:
    words = ["--output", f"o={tmp_path / 'out'}", "--", "touch", tmp_path / "ran"]
    ended = call(*script, "run", "--items", listed(tmp_path, {"key": "ok"}, {"key": key}), *words)

    assert ended.returncode == 1
    assert "no name for a folder" in ended.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--items", "{items}", "--fill", "9=[]", "--", "true"], "no word 9"),
        (["--items", "{items}", "--fill", '0=[{"item": "y"}]', "--", "true"], "no field 'y'"),
        (["--items", "{items}", "--fill", '0=[{"item": ""}]', "--", "true"], "no value of its own"),
        (["--items", "{items}", "--shard", "2/2", "--", "true"], "no shard 2/2"),
        (["--items", "{items}"], "no command"),
        (["--items", "{items}", "--other", "--", "true"], "--other"),
        (["--files", "/no/such", "--", "true"], "/no/such is no folder"),
        (["--", "true"], "--items, --files and --table"),
    ],
)
def test_a_wrong_call_is_said_in_a_line(
    script: list[str], tmp_path: Path, words: list[str], said: str
) -> None:
    items_file = listed(tmp_path, {"key": "a", "fields": {"x": 1}})
    ended = call(*script, "run", *[each.replace("{items}", str(items_file)) for each in words])

    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_no_items_leave_an_empty_output(script: list[str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    out = tmp_path / "out"
    ended = call(*script, "run", "--files", tmp_path / "in", "--output", f"o={out}=f", "--", "false")

    assert (ended.returncode, ended.stdout) == (0, "penstock: there are no items; the outputs stay empty\n")
    assert list(out.iterdir()) == []


FILES = ["b.txt", "a/x y.txt", "a__x y.txt", ".hidden", "_SUCCESS", ".git/config", "it's\n.txt"]


def filled(folder: Path) -> Path:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_each_file_is_an_item_under_a_key_of_its_own(script: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = call(
        *[*script, "run", "--files", filled(tmp_path / "in"), "--output", f"o={out}=copy", "--parallel", "2"],
        *[*fill(1, {"item": ""}), *fill(2, {"output": "o"}), "--", "cp", "", ""],
    )

    assert ended.returncode == 0
    assert tree(out) == {
        "a__x y.txt/copy": "a/x y.txt",
        "a__x y.txt-2/copy": "a__x y.txt",
        "b.txt/copy": "b.txt",
        "it's\n.txt/copy": "it's\n.txt",
    }


def test_a_batch_is_a_folder_of_the_files_under_their_own_paths(script: list[str], tmp_path: Path) -> None:
    ended = call(
        *[*script, "run", "--files", filled(tmp_path / "in"), "--batch", "3", "--parallel", "1"],
        *[*fill(3, {"item": ""}), *fill(4, {"item": "key"}), *fill(5, {"item": "name"})],
        *[
            "--",
            "bash",
            "-c",
            'cd "$0" && find -L . -type f -print0 | sort -z | xargs -0 cat; echo " $@"',
            "",
            "",
            "",
        ],
    )

    first, *rest = ended.stdout.splitlines()
    assert first == "[a__x y.txt] a/x y.txta__x y.txtb.txt a__x y.txt x y.txt"
    assert rest[:2] == ["[it's\\n.txt] it's", "[it's\\n.txt] .txt it's"]


@settings(max_examples=examples(50), deadline=None)
@given(st.integers(0, 30), st.integers(1, 9))
def test_shards_cover_every_item_once(count: int, machines: int) -> None:
    every = [items.Item(str(at), at, {}) for at in range(count)]
    parts = [mapping.shard(every, f"{machine}/{machines}") for machine in range(machines)]

    assert sorted(each.value for part in parts for each in part) == list(range(count))
    assert all(each.value % machines == at for at, part in enumerate(parts) for each in part)


def test_a_machine_finds_its_own_shard(script: list[str], tmp_path: Path) -> None:
    items_file = listed(tmp_path, *({"key": str(at)} for at in range(5)))
    found: list[str] = []
    for host in ("algo-2", "algo-1", "algo-10"):
        config = tmp_path / "resourceconfig.json"
        hosts = ["algo-1", "algo-2", "algo-10"]
        config.write_text(json.dumps({"current_host": host, "hosts": hosts}), encoding="utf-8")
        words = ["run", "--items", items_file, "--shard", "auto", "--parallel", "1", "--", "echo", "here"]
        ended = call(*script, *words, env={"PENSTOCK_RESOURCE_CONFIG": str(config)})
        found.append("".join(line[1] for line in ended.stdout.splitlines() if line.startswith("[")))

    assert found == ["2", "03", "14"]


def test_lines_of_items_stay_whole_under_their_keys(script: list[str], tmp_path: Path) -> None:
    code = "for i in range(200): print('x' * 40, end='\\n', flush=i % 7 == 0)\nimport sys; sys.stderr.write('end')"
    items_file = listed(tmp_path, *({"key": f"k\n{at}"} for at in range(4)))
    ended = call(*script, "run", "--items", items_file, "--parallel", "4", "--", sys.executable, "-c", code)

    lines = ended.stdout.split("\n")[:-2]
    assert ended.returncode == 0
    for at in range(4):
        assert lines.count(f"[k\\n{at}] " + "x" * 40) == 200
        assert sum(line.startswith(f"[k\\n{at}] ") and line.endswith("end") for line in lines) == 1
    assert len(lines) <= 804


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_request_to_stop_ends_every_item_and_what_it_started(
    script: list[str], tmp_path: Path, number: int, code: int
) -> None:
    out = tmp_path / "out"
    items_file = listed(tmp_path, *({"key": str(at)} for at in range(3)))
    words = [*script, "run", "--items", str(items_file), "--parallel", "2", "--output", f"o={out}", "--"]
    command = ["bash", "-c", "sleep 30 & echo $!; wait"]
    with subprocess.Popen([*words, *command], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        sleepers = [int(started.stdout.readline().split()[1]) for _ in range(2)]
        started.send_signal(number)

        assert started.wait(timeout=10) == code
    for each in sleepers:
        for _ in range(100):
            if not running(each):
                break
            time.sleep(0.02)
        assert not running(each)
    assert list(out.iterdir()) == []


def running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_what_an_item_leaves_behind_does_not_hold_it_up(script: list[str], tmp_path: Path) -> None:
    items_file = listed(tmp_path, {"key": "a"})
    before = time.monotonic()
    ended = call(*script, "run", "--items", items_file, "--", "bash", "-c", "sleep 20 & echo done")

    assert ended.stdout.splitlines()[0] == "[a] done"
    assert ended.returncode == 0
    assert time.monotonic() - before < 10


def test_a_table_is_parted_by_the_values_of_columns(script: list[str], tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.mkdir()
    (table / "1.csv").write_text('id,land,note\n1,NO,"a\nb"\n2,N/L,\n\n3,NO,"q""q"\n', encoding="utf-8-sig")
    (table / "2.csv").write_text('id,land,note\n4,N_L,"x,y"\n5,,5.0\n6,..,z\n', encoding="utf-8")
    (table / "_SUCCESS").touch()
    out = tmp_path / "out"
    ended = call(
        *[*script, "run", "--table", table, "--by", "land", "--parallel", "1", "--output", f"o={out}=c.csv"],
        *[*fill(3, {"item": ""}), *fill(4, {"output": "o"}), *fill(5, {"item": "land"}), "--"],
        *["bash", "-c", 'cp "$0/part-0.csv" "$1"; echo "<$2>"', "", "", ""],
    )

    assert ended.returncode == 0
    assert [line.split(" ", 1)[1] for line in ended.stdout.splitlines()[:-1]] == [
        "<NO>",
        "<N/L>",
        "<N_L>",
        "<>",
        "<..>",
    ]
    assert tree(out) == {
        "NO/c.csv": 'id,land,note\n1,NO,"a\nb"\n3,NO,"q""q"\n',
        "N_L/c.csv": "id,land,note\n2,N/L,\n",
        "N_L-2/c.csv": 'id,land,note\n4,N_L,"x,y"\n',
        "_/c.csv": "id,land,note\n5,,5.0\n",
        "__/c.csv": "id,land,note\n6,..,z\n",
    }


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)


@settings(max_examples=examples(60), deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=12), kept=st.integers(0, 9))
def test_every_row_lands_in_its_group_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], kept: int
) -> None:
    folder = tmp_path_factory.mktemp("table")
    with open(folder / "t.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "KEPT", kept)
        groups = tables.groups([str(folder / "t.csv")], ["b"], str(folder / "work"))

    assert list(groups) == list(dict.fromkeys((b,) for _, b in rows))
    for (value,), place in groups.items():
        with open(Path(place) / "part-0.csv", newline="", encoding="utf-8") as file:
            found = [tuple(row) for row in csv.reader(file)]
        assert found == [("a", "b"), *(row for row in rows if row[1] == value)]
    made = items.group_items(["b"], groups)
    assert len({each.key for each in made}) == len(made)
    assert all(items.is_folder_name(each.key) and len(each.key) < 250 for each in made)


@pytest.mark.parametrize(
    ("second", "said"),
    [("b,a\n1,2\n", "other columns"), ("", "no column c"), (None, "needs pyarrow")],
)
def test_a_table_that_cannot_be_parted_is_said_in_a_line(
    script: list[str], tmp_path: Path, second: str | None, said: str
) -> None:
    table, blocked = tmp_path / "table", tmp_path / "blocked"
    table.mkdir()
    blocked.mkdir()
    (blocked / "pyarrow.py").write_text("raise ImportError", encoding="utf-8")
    if second is None:
        (table / "1.parquet").touch()
    else:
        (table / "1.csv").write_text("a,b\n1,2\n", encoding="utf-8")
        (table / "2.csv").write_text(second, encoding="utf-8")
    by = "c" if said == "no column c" else "a"
    words = ["run", "--table", table, "--by", by, "--", "true"]
    ended = call(*script, *words, env={"PYTHONPATH": str(blocked)})

    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_parts_are_gathered_under_their_keys(script: list[str], tmp_path: Path) -> None:
    (tmp_path / "p" / "deep").mkdir(parents=True)
    (tmp_path / "p" / "deep" / "f").write_text("1", encoding="utf-8")
    (tmp_path / "one=1.json").write_text("2", encoding="utf-8")
    out = tmp_path / "out"
    words = ["--output", out, "--part", f"a b={tmp_path / 'p'}", "--part", f"x=y={tmp_path / 'one=1.json'}"]

    assert call(*script, "gather", *words).returncode == 0
    assert tree(out) == {"a b/deep/f": "1", "x=y/one=1.json": "2"}
    assert call(*script, "gather", *words, "--name", "r.json").returncode == 0
    assert tree(out) == {"a b/deep/f": "1", "x=y/r.json": "2"}


@pytest.mark.parametrize("part", ["../a={0}", "b=/no/such", "a={0}"])
def test_a_part_that_has_no_place_is_refused(script: list[str], tmp_path: Path, part: str) -> None:
    (tmp_path / "p").mkdir()
    words = ["--part", f"a={tmp_path / 'p'}", "--part", part.format(tmp_path / "p")]
    ended = call(*script, "gather", "--output", tmp_path / "out", *words)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "a").exists()


def test_gathering_nothing_leaves_an_empty_folder(script: list[str], tmp_path: Path) -> None:
    assert call(*script, "gather", "--output", tmp_path / "out").returncode == 0
    assert list((tmp_path / "out").iterdir()) == []
