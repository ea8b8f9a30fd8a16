"""Reading what follows a request's headers, and sending what follows an answer's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeVar

from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.guards import length_of, too_large
from penstock_aws.endpoint.s3.receiving import Received, Receiver

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_T = TypeVar("_T")

_PIECE = 1 << 20
_SMALL = 256 << 10
_DRAINED = 16 << 20
_DRAINED_SECONDS = 2


class Gone(Exception):
    """Raised when the client has closed the connection."""


class Connection:
    """One request's body and its answer.

    Args:
        call: the request.
        receive: of ASGI.
        send: likewise.
        threads: where files are read and written.
    """

    def __init__(self, call: Call, receive: Receive, send: Send, threads: Executor) -> None:
        self.call = call
        self._receive = receive
        self._send = send
        self._threads = threads
        self._ended = False

    async def in_thread(self, work: Callable[..., _T], *given: Any) -> _T:
        """Do something that may take a while beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    async def whole(self, most: int) -> bytes:
        """Read the body. Raises ServiceFault for more than `most` bytes, Gone where the client is."""
        length_of(self.call, most)
        pieces: list[bytes] = []
        size = 0
        while not self._ended:
            piece = await self._next()
            size += len(piece)
            if size > most:
                raise too_large(most)
            pieces.append(piece)
        return b"".join(pieces)

    async def into(self, receiver: Receiver) -> Received:
        """Give the body to a receiver. Raises what the receiver raises, and Gone; nothing then stays behind."""
        try:
            waiting: list[bytes] = []
            size = 0
            while not self._ended:
                piece = await self._next()
                waiting.append(piece)
                size += len(piece)
                if size >= _PIECE:
                    await self.in_thread(receiver.feed, b"".join(waiting))
                    waiting.clear()
                    size = 0
            return await self.in_thread(_finished, receiver, b"".join(waiting))
        except BaseException:
            receiver.discard()
            raise

    async def drain(self) -> None:
        """Read on for a while: a client that is still sending would not see the answer.

        One that waits to be told to go on (`Expect`) is not told so.
        """
        if "expect" in self.call.headers:
            return
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAINED_SECONDS):
                while not self._ended and size < _DRAINED:
                    size += len(await self._next())

    async def answer(self, answer: Answer) -> None:
        """Send an answer; raises OSError when its file cannot be read."""
        headers = dict(answer.headers)
        length = answer.file[2] if answer.file else len(answer.content)
        if self._unread():
            # The next call on this connection would begin in the middle of this one's body.
            headers["connection"] = "close"
        bodiless = answer.status in (204, 304)
        if not bodiless:
            headers["content-length"] = str(length)
        rows = [(name.encode("latin-1"), _header(value)) for name, value in headers.items()]
        first = b"" if bodiless or self.call.method == "HEAD" else answer.content
        if answer.file and length and self.call.method != "HEAD":
            await self._send_file(answer, rows)
            return
        await self._send({"type": "http.response.start", "status": answer.status, "headers": rows})
        await self._send({"type": "http.response.body", "body": first})

    async def _send_file(self, answer: Answer, rows: list[tuple[bytes, bytes]]) -> None:
        assert answer.file is not None
        path, offset, left = answer.file
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            await self._send({"type": "http.response.start", "status": answer.status, "headers": rows})
            while left:
                # A small piece comes out of the page cache sooner than a thread begins.
                piece = (
                    os.pread(descriptor, left, offset)
                    if left <= _SMALL
                    else await self.in_thread(os.pread, descriptor, min(left, _PIECE), offset)
                )
                if not piece:
                    raise OSError(f"{path} is shorter than it was")
                offset += len(piece)
                left -= len(piece)
                await self._send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        finally:
            os.close(descriptor)

    def _unread(self) -> bool:
        announced = self.call.header("content-length", "0") != "0" or "transfer-encoding" in self.call.headers
        return announced and not self._ended

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._ended = True
            raise Gone
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece


def _finished(receiver: Receiver, last: bytes) -> Received:
    receiver.feed(last)
    return receiver.finish()


def _header(value: str) -> bytes:
    # A header is one line of bytes; what came as UTF-8 goes as it came.
    text = value.replace("\r", " ").replace("\n", " ")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
