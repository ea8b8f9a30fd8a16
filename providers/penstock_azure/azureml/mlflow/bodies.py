"""The body of a call, read as it comes: with a length, or in chunks, as clients send an empty file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, cast

from penstock_azure.azureml.mlflow.faults import MlflowFault

LARGEST_CALL = 16 << 20
"""Bytes of a call's JSON. What MLflow's own clients send at once stays far below."""

_PIECE = 256 << 10
_LONGEST_LINE = 1024
_DRAINED = 16 << 20


class Body:
    """One body. Raises MlflowFault for one that is not as HTTP has it.

    Args:
        source: where it comes from.
        length: the header `Content-Length`, or empty.
        coding: the header `Transfer-Encoding`, or empty.
    """

    def __init__(self, source: BinaryIO, length: str, coding: str) -> None:
        self._source = source
        self._chunked = coding.strip().lower() == "chunked"
        self._left = 0
        self.ended = False
        if coding and (length or not self._chunked):
            raise _malformed("its length is stated in a way that is not known here")
        if length and (not length.isascii() or not length.isdigit() or len(length) > 18):
            raise _malformed("Content-Length is no number")
        if not self._chunked:
            self._left = int(length or 0)
            self.ended = self._left == 0

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes in pieces of bounded size."""
        while not self.ended:
            if self._chunked and self._left == 0:
                self._left = self._next_chunk()
                if self._left == 0:
                    self.ended = True
                    return
            piece = self._source.read(min(self._left, _PIECE))
            if not piece:
                raise _malformed("it ends too early")
            self._left -= len(piece)
            if self._left == 0:
                if self._chunked:
                    self._line()
                else:
                    self.ended = True
            yield piece

    def fields(self) -> dict[str, object]:
        """Read it as the JSON object of a call; nothing is an empty one."""
        whole = bytearray()
        for piece in self.pieces():
            whole += piece
            if len(whole) > LARGEST_CALL:
                raise MlflowFault("BAD_REQUEST", f"a call has at most {LARGEST_CALL} bytes", 413)
        if not whole.strip():
            return {}
        try:
            found = json.loads(whole)
        except (ValueError, RecursionError):
            raise _malformed("it is not JSON") from None
        if not isinstance(found, dict):
            raise _malformed("it is no JSON object")
        return cast("dict[str, object]", found)

    def drain(self) -> bool:
        """Read on to the end, so that the client hears an answer that came before; tell whether it is reached."""
        read = 0
        try:
            for piece in self.pieces():
                read += len(piece)
                if read > _DRAINED:
                    break
        except (MlflowFault, OSError):
            return False
        return self.ended

    def _next_chunk(self) -> int:
        size = self._line().partition(b";")[0].strip()
        try:
            if not size or len(size) > 15:
                raise ValueError
            found = int(size, 16)
        except ValueError:
            raise _malformed("a chunk has no length") from None
        if found == 0:
            while self._line():
                # Trailers say nothing that is wanted here.
                continue
        return found

    def _line(self) -> bytes:
        line = self._source.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise _malformed("it ends too early")
        return line.strip()


def _malformed(reason: str) -> MlflowFault:
    return MlflowFault("BAD_REQUEST", f"The body of the call cannot be read: {reason}.")
