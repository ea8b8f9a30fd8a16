from __future__ import annotations

import os
import sys
from subprocess import PIPE, Popen

import pytest

from penstock.runtime import liveness


def test_this_process_lives() -> None:
    mark = liveness.process_started(os.getpid())

    assert mark is not None
    assert liveness.is_alive(os.getpid(), mark)
    assert liveness.is_alive(os.getpid(), 0)
    assert not liveness.is_alive(os.getpid(), mark + 0.01)


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_a_process_that_cannot_be_is_dead(pid: int) -> None:
    assert liveness.process_started(pid) is None
    assert not liveness.is_alive(pid, 0)


@pytest.mark.parametrize(
    ("line", "started"),
    [
        ("Ss   Mon Nov 23 14:25:01 2026    \n", 20261123142501.0),
        ("R+   Thu Jan  1 00:00:09 1970", 19700101000009.0),
        ("Z    Mon Nov 23 14:25:01 2026", None),
        ("", None),
    ],
)
def test_the_answer_of_ps_is_read(line: str, started: float | None) -> None:
    assert liveness.started_from_ps(line) == started


def test_the_mark_of_a_process_stays_while_it_lives() -> None:
    with Popen([sys.executable, "-c", "input()"], stdin=PIPE) as process:
        first = liveness.process_started(process.pid)
        assert first is not None
        assert liveness.process_started(process.pid) == first
        process.kill()

    assert liveness.process_started(process.pid) is None
