"""Files that are not a ledger, or not in order, and disks that do not take one."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from penstock.frozen import replace
from penstock.models.registry import ModelRegistry
from penstock.runtime.ledger import Ledger, LedgerError
from penstock.runtime.migrations import MIGRATIONS
from penstock.runtime.records import OutputRecord, RunRecord, StepRecord, StepStatus

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def step(number: int, size: int = 0) -> StepRecord:
    output = OutputRecord("model", "model", f"{number:064x}", "folder")
    return StepRecord(
        "r",
        f"s{number}",
        status=StepStatus.SUCCEEDED,
        attempt=1,
        key=f"k{number}",
        key_parts={"command": "x" * size},
        outputs=(output,),
    )


def fill(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord("r", "p", parameters={"a": 1}))
        ledger.save_steps(step(number) for number in range(60))
        ModelRegistry(ledger.database).register("m", "d" * 64, "f", metrics={"recall": 1.0})


def read_everything(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.runs(None)
        ledger.steps("r")
        ledger.attempts("r")
        ledger.cache_lookup(f"k{number}" for number in range(60))
        ledger.producer(f"{1:064x}")
        models = ModelRegistry(ledger.database)
        for each in models.list_models():
            models.decisions(each.name)


def refusal(path: Path) -> LedgerError:
    with pytest.raises(LedgerError) as raised:
        Ledger.open(path)
    return raised.value


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("penstock: v1\n" * 100)

    found = refusal(path)

    assert found.code == "P482"
    assert f"the ledger {path} is damaged: file is not a database" in str(found)
    assert path.read_text() == "penstock: v1\n" * 100


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE bookmarks (url)")
        foreign.commit()
    before = path.read_bytes()

    found = refusal(path)

    assert found.code == "P482"
    assert "not one of Penstock's" in str(found)
    assert path.read_bytes() == before


def test_the_ledger_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    found = refusal(path)

    assert found.code == "P483"
    assert f"has schema 99; this Penstock knows {len(MIGRATIONS)}" in str(found)
    assert "upgrade Penstock" in found.diagnostics[0].hint
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()

    fill(path)

    read_everything(path)


def test_a_missing_ledger_is_not_made_where_it_is_only_to_be_read(path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger at"):
        Ledger.open(path, create=False)

    assert not path.exists()


def test_a_missing_folder_is_told(path: Path) -> None:
    found = refusal(path / "deeper" / "ledger.db")

    assert found.code == "P481"
    assert "there is no folder" in str(found)


def test_a_folder_in_place_of_the_file_is_told(path: Path) -> None:
    path.mkdir()

    assert "cannot be opened for writing" in str(refusal(path))


@contextmanager
def unprivileged() -> Generator[None, None, None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared() -> Iterator[Path]:
    # pytest's own folder admits root alone where root runs it.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_ledger_that_may_not_be_written_is_told(shared: Path) -> None:
    fill(shared / "ledger.db")
    (shared / "ledger.db").chmod(0o444)
    shared.chmod(0o555)

    with unprivileged(), pytest.raises(LedgerError) as raised:
        fill(shared / "ledger.db")

    assert raised.value.code == "P481"
    assert "cannot be opened for writing" in str(raised.value)


def test_a_full_disk_is_told_and_what_was_written_stays(path: Path) -> None:
    fill(path)
    with Ledger.open(path) as ledger:
        ledger.database.read("PRAGMA max_page_count = 40")

        with pytest.raises(LedgerError, match="is full") as raised:
            ledger.save_steps(step(number, size=4000) for number in range(100, 200))
        assert raised.value.code == "P481"
        assert len(ledger.steps("r")) == 60

        ledger.database.read("PRAGMA max_page_count = 4000")
        ledger.save_steps(step(number, size=4000) for number in range(100, 200))
        assert len(ledger.steps("r")) == 160


def test_a_disk_that_refuses_to_write_is_told_and_what_was_written_stays(path: Path) -> None:
    fill(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger.open(path) as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(LedgerError, match="cannot be read or written") as raised:
                ledger.save_steps(step(number, size=4000) for number in range(100, 200))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        assert raised.value.code == "P481"
        ledger.save_step(step(100))
        assert len(ledger.steps("r")) == 61


def test_a_lock_that_is_held_too_long_is_told(path: Path) -> None:
    fill(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        Ledger.open(path, timeout=0.05) as ledger,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match=r"another process has held the ledger .* for 0\.05 s"):
            ledger.save_step(step(1))
        assert len(ledger.steps("r")) == 60

        other.execute("ROLLBACK")
        ledger.save_step(step(100))
        assert len(ledger.steps("r")) == 61


@pytest.mark.parametrize("hold", ["BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_file_that_another_process_is_making_at_this_moment_is_waited_for(path: Path, hold: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute(hold)
        other.execute("SELECT * FROM sqlite_master").fetchall()
        letting_go = threading.Timer(0.1, other.rollback)
        letting_go.start()

        fill(path)

        letting_go.join()
    read_everything(path)


def test_damage_anywhere_in_the_file_is_told_or_harmless(path: Path, tmp_path: Path) -> None:
    fill(path)
    whole = path.read_bytes()
    told = 0
    for seed in range(200):
        chance = random.Random(seed)
        content = bytearray(whole)
        for _ in range(chance.choice([1, 20, 400])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if seed % 5 == 0:
            del content[chance.randrange(1, len(content)) :]
        damaged = tmp_path / f"damaged{seed}.db"
        damaged.write_bytes(content)
        try:
            read_everything(damaged)
        except LedgerError as found:
            told += 1
            assert found.code in ("P482", "P483"), (seed, found)

    assert 50 < told < 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET status = 'dancing'",
        "UPDATE runs SET parameters = '{'",
        "UPDATE runs SET pid = 'one'",
        "UPDATE runs SET goal = CAST(x'ff' AS TEXT)",
        "UPDATE steps SET outputs = '[{\"odd\": 1}]'",
        "UPDATE steps SET metrics = x'00'",
        "UPDATE attempts SET status = ''",
        "UPDATE model_versions SET approval = 'perhaps'",
    ],
)
def test_a_row_that_cannot_have_been_written_is_told(path: Path, change: str) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute(change)
        other.commit()

    with pytest.raises(LedgerError) as raised:
        read_everything(path)

    assert raised.value.code == "P482"


def test_an_interrupted_write_leaves_nothing_and_the_ledger_usable(path: Path) -> None:
    fill(path)
    with Ledger.open(path) as ledger:
        with suppress(KeyboardInterrupt), ledger.database.write() as connection:
            connection.execute("DELETE FROM steps")
            raise KeyboardInterrupt

        assert len(ledger.steps("r")) == 60
        ledger.save_step(step(100))


def test_a_forked_child_may_not_use_its_parent_s_ledger(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger.open(path) as ledger:
        monkeypatch.setattr(os, "getpid", lambda: 1)
        with pytest.raises(RuntimeError, match="does not survive a fork"):
            ledger.runs()


def test_a_ledger_of_an_earlier_version_is_brought_up_to_date(path: Path) -> None:
    fill(path)
    with Ledger.open(path) as ledger:
        before = ledger.steps(ledger.runs()[0].id)
    with closing(sqlite3.connect(path)) as older:
        for table, column in (("steps", "search"), ("steps", "details"), ("runs", "details")):
            older.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        older.execute("PRAGMA user_version = 1")

    with Ledger.open(path) as ledger:
        assert before
        assert ledger.steps(ledger.runs()[0].id) == before
        ledger.save_steps(replace(each, search={"best": {"number": 3}}) for each in before)
        assert [each.search["best"]["number"] for each in ledger.steps(ledger.runs()[0].id)] == [3] * len(
            before
        )
