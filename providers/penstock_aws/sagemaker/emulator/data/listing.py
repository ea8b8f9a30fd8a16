"""The files of a folder artifact as objects: its links followed within the listing, without the disk."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from penstock.runtime.tree import FOLDER, LINK, ArtifactError, Entry, printable
from penstock_aws.sagemaker.emulator.data.flattening import MOST_LINKED, MOST_NESTED

# As the kernel, which gives up on a chain of links after 40.
_MOST_HOPS = 40
_LONGEST = 4096


def files_of(entries: Iterable[Entry]) -> list[Entry]:
    """Give files alone: what a link points at stands under the link's name.

    Raises:
        ArtifactError: a link that is broken, leaves the folder or leads in a circle.
    """
    known = {entry.path: entry for entry in entries}
    links = {path: entry.value for path, entry in known.items() if entry.kind == LINK}
    found = [entry for entry in known.values() if entry.kind not in (LINK, FOLDER)]
    if not links:
        return found
    paths = sorted(known)
    pending = [(path, path) for path in links]
    added = nested = 0
    while pending:
        name, path = pending.pop()
        target = _follow(path, links)
        start = f"{target}/" if target else ""
        first = bisect_left(paths, start)
        inside = 0
        if (entry := known.get(target)) is not None and entry.kind != FOLDER:
            found.append(entry._replace(path=name))
            inside = 1
        elif entry is not None:
            inside = 1
        for below in paths[first:]:
            if not below.startswith(start):
                break
            inside += 1
            nested += below in links
            longer = f"{name}/{below[len(start) :]}"
            if added + inside > MOST_LINKED or nested > MOST_NESTED or len(longer) > _LONGEST:
                raise ArtifactError(f"the link {printable(name[:200])!r} leads in a circle", printable(name))
            if below in links:
                pending.append((longer, below))
            elif known[below].kind != FOLDER:
                found.append(known[below]._replace(path=longer))
        if not inside:
            message = f"the link {printable(path)!r} points to {printable(links[path])!r}, where nothing is"
            raise ArtifactError(message, printable(path))
        added += inside
    return found


def _follow(path: str, links: Mapping[str, str]) -> str:
    """Walk a link's way name by name and give where it ends, relative to the folder."""
    where = path.split("/")[:-1]
    ahead = links[path].split("/")[::-1]
    hops = 0
    if links[path].startswith("/"):
        raise ArtifactError(f"the link {printable(path)!r} leaves its folder", printable(path))
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        if name == "..":
            if not where:
                raise ArtifactError(f"the link {printable(path)!r} leaves its folder", printable(path))
            where.pop()
            continue
        where.append(name)
        further = links.get("/".join(where))
        if further is not None:
            hops += 1
            if hops > _MOST_HOPS or further.startswith("/"):
                raise ArtifactError(f"the link {printable(path)!r} leads in a circle", printable(path))
            where.pop()
            ahead += further.split("/")[::-1]
    return "/".join(where)
