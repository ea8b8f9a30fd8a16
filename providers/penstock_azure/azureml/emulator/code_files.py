"""Which files belong to a code folder, by the rules of the service's own client, and a copy of them.

One ignore file counts, at the folder's top: `.amlignore`, else `.gitignore` (azure-ai-ml, `get_ignore_file`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.runtime.code import LEFT_OUT
from penstock.runtime.copying import copy_file, reflink_file
from penstock.runtime.tree import printable

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_MOST_FILES = 100_000


class CodeFault(Exception):
    """Raised for code that cannot be taken; the message is for the user."""


def copy_code(source: Path, target: Path) -> None:
    """Copy a code folder's files, or a file by itself into a folder; an existing folder is added to.

    Raises:
        CodeFault: it is not there, a link leads out of it, or it holds more files than code does.
        OSError: it cannot be read, or the copy not be written.
    """
    if source.is_file():
        target.mkdir(parents=True, exist_ok=True)
        _copy(source, target / source.name)
        return
    if not source.is_dir():
        raise CodeFault(f"there is no folder {printable(str(source))!r}")
    root = os.path.realpath(source)
    target.mkdir(parents=True, exist_ok=True)
    for count, (relative, place) in enumerate(_walk(root)):
        if count >= _MOST_FILES:
            raise CodeFault(f"it holds more than {_MOST_FILES} files; an .amlignore leaves data out")
        goal = target / relative
        goal.parent.mkdir(parents=True, exist_ok=True)
        _copy(Path(place), goal)


def _copy(source: Path, target: Path) -> None:
    status = source.stat()
    if not stat.S_ISREG(status.st_mode):
        raise CodeFault(f"{printable(source.name)!r} is no regular file")
    if target.exists():
        target.unlink()
    if reflink_file(str(source), str(target)) is None:
        copy_file(str(source), str(target), 0o600)
    os.chmod(target, 0o755 if status.st_mode & 0o100 else 0o644)


def _walk(root: str) -> Iterator[tuple[str, str]]:
    """Give each file by its path in the folder, with where it really stands; links are followed inside of it."""
    rules = _rules(root)
    waiting: list[tuple[str, tuple[str, ...]]] = [("", (root,))]
    while waiting:
        prefix, places = waiting.pop()
        with os.scandir(f"{root}/{prefix}") as opened:
            children = sorted(opened, key=lambda each: each.name)
        for child in children:
            path = prefix + child.name
            if child.name in LEFT_OUT or child.name.endswith(".pyc"):
                continue
            place = os.path.realpath(f"{root}/{path}")
            if child.is_symlink() and place != root and not place.startswith(f"{root}/"):
                raise CodeFault(f"the link {printable(path)!r} leads out of it, to {printable(place)!r}")
            is_folder = os.path.isdir(place)
            if rules is not None and rules.match_file(f"{path}/" if is_folder else path):
                continue
            if is_folder:
                if place in places:
                    raise CodeFault(f"the link {printable(path)!r} leads back to a folder that it lies in")
                waiting.append((f"{path}/", (*places, place)))
            elif os.path.exists(place):
                yield path, place
            else:
                raise CodeFault(f"the link {printable(path)!r} leads nowhere")


def _rules(root: str) -> GitIgnoreSpec | None:
    for name in (".amlignore", ".gitignore"):
        file = f"{root}/{name}"
        if not os.path.isfile(file):
            continue
        # Here and not above: the import takes 30 ms, and most code folders have no ignore file.
        from pathspec import GitIgnoreSpec

        try:
            with open(file, encoding="utf-8-sig", errors="surrogateescape") as opened:
                return GitIgnoreSpec.from_lines(opened.read().split("\n"))
        except ValueError as fault:
            raise CodeFault(f"{name} cannot be understood: {fault}") from None
    return None
