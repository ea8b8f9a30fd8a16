"""The file of host names with some more for this machine."""

from __future__ import annotations


def with_names(path: str, names: list[str]) -> bytes:
    """Give what the host's file says, below a line in which the names mean 127.0.0.1.

    The line begins with `localhost`, so that the address is still called that; it is the first, since the
    first one that names a host holds.
    """
    try:
        with open(path, "rb") as file:
            found = file.read()
    except OSError:
        found = b""
    return " ".join(["127.0.0.1 localhost", *names]).encode() + b"\n" + found
