"""The port: open from the start of a run, though what answers at it is loaded when the first client comes.

Most steps log nothing, and a run of them pays for a socket alone.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

HOST = "127.0.0.1"

Serve = Callable[[socket.socket], None]

_BACKLOG = 1024
_MOST_CONNECTIONS = 512


class Listener:
    """Takes connections once this returns, and no longer once `close` has. Raises OSError where no port is to be had.

    Args:
        opened: gives what serves a connection to its end; asked at the first of them. While it raises OSError,
            connections are sent away.
    """

    def __init__(self, opened: Callable[[], Serve]) -> None:
        self._opened = opened
        self._closing = False
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.bind((HOST, 0))
            self._socket.listen(_BACKLOG)
            self.port = int(self._socket.getsockname()[1])
            self._thread = threading.Thread(target=self._accept, name="penstock-mlflow", daemon=True)
            self._thread.start()
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Take no more connections; a second time does nothing."""
        if self._closing:
            return
        self._closing = True
        with suppress(OSError):
            # The thread waits for a connection: one that ends at once lets it see that no more are wanted.
            socket.create_connection((HOST, self.port), timeout=1).close()
        self._thread.join()
        self._socket.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                # Of a client that is gone again, or for want of descriptors, which others give back.
                threading.Event().wait(0.01)
                continue
            if self._closing or not self._room.acquire(blocking=False):
                # A client that is sent away comes back.
                connection.close()
                continue
            try:
                serve = self._opened()
                threading.Thread(target=self._serve, args=(serve, connection), daemon=True).start()
            except (OSError, RuntimeError):
                # The folder cannot be written, as the run itself will say; or the machine has no more threads.
                self._room.release()
                connection.close()

    def _serve(self, serve: Serve, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                serve(connection)
                # What is still to be sent goes out before the connection ends.
                connection.shutdown(socket.SHUT_WR)
        finally:
            self._room.release()
