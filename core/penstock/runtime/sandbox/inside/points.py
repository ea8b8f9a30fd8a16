"""Places for mounts in writable folders of the host: made before the sandbox, taken away after it."""

from __future__ import annotations

import os


def make(words: list[str]) -> list[tuple[str, str]]:
    """Make the places that triples of kind, target of the link and path say; give those that were not there.

    Raises:
        OSError: one cannot be made.
    """
    made: list[tuple[str, str]] = []
    for kind, points_to, path in zip(words[::3], words[1::3], words[2::3], strict=True):
        try:
            if kind == "folder":
                os.mkdir(path)
            elif kind == "link":
                os.symlink(points_to, path)
            else:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            continue
        except OSError:
            remove(made)
            raise
        made.append((kind, path))
    return made


def remove(made: list[tuple[str, str]]) -> None:
    """Take away what `make` gave, but for what is no longer empty."""
    for kind, path in reversed(made):
        try:
            if kind == "folder":
                os.rmdir(path)
            elif kind == "link" or os.lstat(path).st_size == 0:
                os.unlink(path)
        except OSError:
            continue
