from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.runtime.masking import Masker
from penstock.runtime.output import LONGEST_LINE, Output


@pytest.fixture
def feed(tmp_path: Path) -> Callable[..., tuple[list[str], bytes]]:
    def feed(*chunks: bytes) -> tuple[list[str], bytes]:
        lines: list[str] = []
        output = Output(tmp_path / "log", lines.append, Masker(["s3cr3t"]))
        for chunk in chunks:
            output.feed(chunk)
        output.close()
        return lines, (tmp_path / "log").read_bytes()

    return feed


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"o", b"ne\ntw", b"o"], ["one", "two"]),
        ([b"one\n\n", b"\n"], ["one", "", ""]),
        ([b"dos\r\n", b"line\r", b"\n"], ["dos", "line"]),
        ([b"10%\r50%\r", b"100%\r\n"], ["100%"]),
        ([b"10%\r", b"50%\r"], ["50%"]),
        ([b"a\xff\x00b\n"], ["a\ufffd\0b"]),
        ([b"\xc3", b"\xa4\n"], ["ä"]),
        ([], []),
    ],
)
def test_lines_reach_the_display_and_bytes_the_log(
    chunks: list[bytes], lines: list[str], feed: Callable[..., tuple[list[str], bytes]]
) -> None:
    assert feed(*chunks) == (lines, b"".join(chunks))


def test_a_long_line_is_cut_for_the_display_alone(feed: Callable[..., tuple[list[str], bytes]]) -> None:
    line = "xä" * LONGEST_LINE

    shown, log = feed(*[line.encode()] * 5, b"\nnext")

    assert shown == ["xä" * (LONGEST_LINE // 3) + "x…", "next"]
    assert log == line.encode() * 5 + b"\nnext"


@pytest.mark.parametrize("last", [b"\n", b""])
def test_secrets_reach_neither_log_nor_display(
    last: bytes, feed: Callable[..., tuple[list[str], bytes]]
) -> None:
    lines, log = feed(b"key s3c", b"r3t!\nagain s3cr3t" + last)

    assert lines == ["key ***!", "again ***"]
    assert log == b"key ***!\nagain ***" + last


def test_what_only_began_like_a_secret_is_shown_at_the_end(
    feed: Callable[..., tuple[list[str], bytes]],
) -> None:
    assert feed(b"one\ns3cr") == (["one", "s3cr"], b"one\ns3cr")


MUCH = """
import resource, sys, threading
from pathlib import Path
from penstock.runtime.process import run_process
from penstock.runtime.masking import Masker
count = [0]
def listen(line): count[0] += 1
def run(size):
    script = f"head -c {size} /dev/zero; yes some line of output | head -c {size}"
    end = run_process(
        ["sh", "-c", script],
        cwd=Path("."),
        env={"PATH": "/usr/bin:/bin"},
        log=Path("/dev/null"),
        stop=threading.Event(),
        on_line=listen,
        masker=Masker(["absent-secret"]),
    )
    assert end.ok, end
run(100_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(40_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, count[0])
"""


@pytest.mark.slow
def test_much_output_needs_no_memory(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", MUCH], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    grown, lines = map(int, answer.stdout.split())

    # Kilobytes on Linux, bytes on macOS.
    assert grown < (4_000 if sys.platform == "linux" else 4_000_000)
    assert lines > 1_800_000
