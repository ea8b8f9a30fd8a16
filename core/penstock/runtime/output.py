"""Where a process's output goes: whole to its log, line by line to the display, to neither with secrets."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from pathlib import Path

from penstock.runtime.masking import Masker

LONGEST_LINE = 4096
"""Bytes of one line that the display gets; the log keeps the rest."""


class Output:
    """Takes the bytes that a process printed, in order, in chunks of any size.

    A line reaches `on_line` decoded, without its end. Of a line that was redrawn with carriage returns, as
    progress bars are, the display gets the last state.

    Attributes:
        fault: why the log is incomplete, such as a full disk; empty while it is whole.

    Raises:
        OSError: the log cannot be opened. Later faults do not stop the process: they stand in `fault`.
    """

    def __init__(self, log: Path, on_line: Callable[[str], None] | None, masker: Masker) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._on_line = on_line
        self._masked = masker.stream() if masker else None
        self._line = b""
        self.fault = ""

    def feed(self, chunk: bytes) -> None:
        """Pass a chunk on."""
        shown = self._masked.feed(chunk) if self._masked else chunk
        self._write(shown)
        if self._on_line is not None:
            self._split(shown, self._on_line)

    def close(self) -> None:
        """Pass on what was held back, and an unfinished last line. The process has ended."""
        try:
            if self._masked:
                held = self._masked.close()
                self._write(held)
                self._line += held
            if self._on_line is not None and self._line:
                for line in self._line.split(b"\n"):
                    self._on_line(_displayed(line))
        finally:
            os.close(self._log)

    def _write(self, data: bytes) -> None:
        try:
            while data and not self.fault:
                data = data[os.write(self._log, data) :]
        except OSError as fault:
            self.fault = fault.strerror or str(fault)

    def _split(self, chunk: bytes, on_line: Callable[[str], None]) -> None:
        *complete, rest = (self._line + chunk).split(b"\n")
        for line in complete:
            on_line(_displayed(line))
        # What the next carriage return would overwrite, and what the display would cut, is not kept: a
        # process may print for hours without ending its line.
        redrawn = rest.rfind(b"\r", 0, len(rest) - 1) + 1
        self._line = rest[redrawn : redrawn + LONGEST_LINE + 1]


def _displayed(line: bytes) -> str:
    line = line.rstrip(b"\r")
    line = line[line.rfind(b"\r") + 1 :]
    if len(line) <= LONGEST_LINE:
        return line.decode("utf-8", "replace")
    # An incremental decoder leaves out a character that the cut went through.
    return codecs.getincrementaldecoder("utf-8")("replace").decode(line[:LONGEST_LINE]) + "…"
