"""A folder as objects: every name below it with the real file behind it, links followed as long as they stay inside.

Object storage knows neither links nor permissions, so whoever uploads a folder uploads what its links point at.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import NamedTuple

from penstock.runtime.tree import ArtifactError, printable, refuse_special

MOST_LINKED = 1_000_000
"""Names that links may add."""

MOST_NESTED = 10_000
"""Links that are reached through links: with folders that link to each other twice, they double with each."""


class FlatFile(NamedTuple):
    """A regular file under the name that its object gets.

    Attributes:
        path: where the file really is, with no link on the way.
        linked: the name leads over a link, so that nothing but the link stands there.
    """

    name: str
    path: str
    status: os.stat_result
    linked: bool


@dataclass(slots=True)
class Flat:
    """All that a folder would be as objects; `links` are the names of links that stand in it themselves."""

    files: list[FlatFile] = field(default_factory=list[FlatFile])
    links: list[str] = field(default_factory=list[str])


class _Folder(NamedTuple):
    path: str
    prefix: str
    linked: bool
    above: _Folder | None


def flatten(folder: str, *, claim: bool = False) -> Flat:
    """Find every file below a folder.

    Args:
        folder: its real path.
        claim: the folder is ours to take apart: give folders that deny their owner access the rights back.

    Raises:
        ArtifactError: a pipe, socket or device; a link that is broken, leaves the folder or leads in a circle.
        OSError: a folder cannot be read.
    """
    found = Flat()
    added = nested = 0
    pending = [_Folder(folder, "", False, None)]
    while pending:
        place = pending.pop()
        if claim:
            _open_up(place.path)
        with os.scandir(place.path) as opened:
            children = list(opened)
        for child in children:
            name, path, linked = place.prefix + child.name, child.path, place.linked
            if child.is_symlink():
                path = _target(folder, name, path)
                if linked:
                    nested += 1
                else:
                    found.links.append(name)
                linked = True
                status = os.stat(path)
                if stat.S_ISDIR(status.st_mode):
                    _refuse_circle(path, name, place)
            else:
                status = child.stat(follow_symlinks=False)
            added += linked
            if added > MOST_LINKED or nested > MOST_NESTED:
                raise ArtifactError(
                    f"links lead to too many names, such as {printable(name)!r}", printable(name)
                )
            if stat.S_ISDIR(status.st_mode):
                pending.append(_Folder(path, f"{name}/", linked, place))
            else:
                refuse_special(name, status)
                found.files.append(FlatFile(name, path, status, linked))
    return found


def _target(root: str, name: str, path: str) -> str:
    shown, target = printable(name), printable(os.readlink(path))
    try:
        real = os.path.realpath(path, strict=True)
    except OSError:
        message = f"the link {shown!r} points to {target!r}, where nothing is"
        raise ArtifactError(message, shown) from None
    if real != root and not real.startswith(f"{root}/"):
        raise ArtifactError(f"the link {shown!r} points to {target!r}, outside its folder", shown)
    return real


def _refuse_circle(target: str, name: str, place: _Folder | None) -> None:
    while place is not None:
        if place.path == target:
            raise ArtifactError(f"the link {printable(name)!r} leads in a circle", printable(name))
        place = place.above


def _open_up(folder: str) -> None:
    mode = stat.S_IMODE(os.lstat(folder).st_mode)
    if mode & 0o700 != 0o700:
        os.chmod(folder, mode | 0o700)
