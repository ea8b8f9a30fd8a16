"""A YAML file as its user wrote it: plain values, what is wrong with it, and a place for every path.

Nothing here raises for what a file holds, or for a file that cannot be read: `Source.diagnostics` says it.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from penstock.diagnostics import At, Diagnostic, Place, error, occurrence
from penstock.frozen import replace
from penstock.yaml_core import positions
from penstock.yaml_core.build import Value
from penstock.yaml_core.positions import Found, Node
from penstock.yaml_core.quoting import Mended
from penstock.yaml_core.reading import read
from penstock.yaml_core.text import LARGEST, Fault, Lines, decode, forbidden, printable

__all__ = ["Source", "Value", "read_source"]


class Source:
    """One document, read once.

    Attributes:
        file: the file as shown to the user.
        path: where it was read from; `None` for text that came otherwise.
        text: the whole text; U+FFFD stands for bytes that are no UTF-8.
        digest: SHA-256 of the bytes, in hex; empty where there are none.
        value: the root mapping as plain Python values, by the YAML 1.2 core schema; `None` where the text has
            no root mapping that could be read. Where only quotes were missing (P114, some P103), the value is
            that of the text with its quotes. Aliases share one object, so it is not to be changed in place.
        diagnostics: what is wrong so far, placed, in the order of the text.
        used: other documents by the first part of the paths that lead into them, such as `@components/a.yaml`.
    """

    def __init__(
        self,
        file: str,
        path: Path | None,
        text: str,
        digest: str,
        value: dict[str, Value] | None,
        diagnostics: tuple[Diagnostic, ...],
        mended: Mended,
    ) -> None:
        self.file = file
        self.path = path
        self.text = text
        self.digest = digest
        self.value = value
        self.diagnostics = diagnostics
        self._mended = mended
        self.used: Mapping[str, Source] = {}
        self._lines: Lines | None = None
        self._root: Node | None = None

    @classmethod
    def from_text(cls, text: str, file: str = "<text>") -> Source:
        """Read a text that does not come from a file; a leading byte order mark is dropped."""
        data = text.encode("utf-8", "surrogatepass")
        text = text.removeprefix("\ufeff")
        return cls._from_parts(
            file, None, text, hashlib.sha256(data).hexdigest(), _fault(data, forbidden(text))
        )

    @classmethod
    def from_bytes(cls, data: bytes, file: str, path: Path | None = None) -> Source:
        """Read the bytes of a file."""
        text, fault = decode(data) if len(data) <= LARGEST else ("", None)
        # Of a file that is too large, only a part may have been read.
        digest = hashlib.sha256(data).hexdigest() if len(data) <= LARGEST else ""
        return cls._from_parts(file, path, text, digest, _fault(data, fault))

    @classmethod
    def _from_parts(
        cls, file: str, path: Path | None, text: str, digest: str, fault: Diagnostic | Fault | None
    ) -> Source:
        if isinstance(fault, Fault):
            lines = Lines(text)
            line, column = lines.position(fault.index)
            place = Place(file, line, column, 1, lines.excerpt(line))
            fault = error("P102", fault.message, hint=fault.hint).placed(place)
        elif fault is not None:
            fault = fault.placed(Place(file, 1, 1))
        if fault is not None:
            return cls(file, path, text, digest, None, (fault,), Mended(text))
        found = read(text, file)
        return cls(file, path, text, digest, found.value, found.diagnostics, found.mended)

    def place(self, at: At) -> Place:
        """Turn a path into line and column.

        A scalar is pointed at itself; a mapping or list, and an empty value, at its key; a path that does not
        exist at the key of its nearest ancestor. `at.key` asks for the key, `at.needle` for the first
        occurrence of a text inside the node. `at.file` is not looked at.
        """
        other = self.used.get(str(at.path[0])) if self.used and at.path else None
        if other is not None:
            return other.place(replace(at, path=at.path[1:]))
        if self._root is None:
            self._root = positions.read_positions(self._mended.text)
        if self._lines is None:
            self._lines = Lines(self.text)
        start, end = self._extent(at, positions.find(self._root, at.path))
        start, end = self._mended.original(start), self._mended.original(end)
        line, column = self._lines.position(start)
        length = max(1, min(end, self._lines.end(line)) - start)
        return Place(self.file, line, column, length, self._lines.excerpt(line))

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Give the findings with their places, sorted by line and column, those of other files last.

        A finding that has a place keeps it; one whose `at.file` names another file stays as it is.
        """
        placed = [
            each
            if each.place is not None or each.at.file not in ("", self.file)
            else each.placed(self.place(each.at))
            for each in diagnostics
        ]
        return sorted(placed, key=self._order)

    def _order(self, found: Diagnostic) -> tuple[bool, str, int, int]:
        place = found.place
        if place is None:
            return True, found.at.file, 0, 0
        return place.file != self.file, place.file, place.line, place.column

    def _extent(self, at: At, found: Found) -> tuple[int, int]:
        text = self._mended.text
        node = found.node
        if at.needle and not at.key and (found.whole or not found.is_root):
            within = node.target or node
            for needle in (at.needle, at.needle.replace("'", "''"), at.needle.replace('"', '\\"')):
                start = occurrence(text, needle, within.start, within.end, at.skip)
                if start >= 0:
                    return start, start + len(needle)
        is_blank = node.end <= node.start
        if found.key is not None and (at.key or not found.whole or node.is_collection or is_blank):
            return found.key
        if node.fields:
            key, _ = next(iter(node.fields.values()))
            # The first key of a block mapping; a flow mapping begins with its brace.
            return key if text[node.start : node.start + 1] != "{" else (node.start, node.end)
        return node.start, node.end


def read_source(path: Path, shown: str | None = None) -> Source:
    """Read a YAML file.

    Args:
        path: the file.
        shown: the file's name in diagnostics; by default its path from the working directory where it is
            inside that, else `path` as given.
    """
    file = _shown(path) if shown is None else shown
    try:
        if path.is_dir():
            return _unread(file, path, error("P101", f"'{file}' is a folder", hint=_file_inside(path, file)))
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        return _unread(file, path, error("P101", f"there is no file '{file}'", hint=_file_beside(path)))
    except PermissionError:
        hint = "give yourself permission to read it"
        return _unread(file, path, error("P101", f"'{file}' may not be read", hint=hint))
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return _unread(file, path, error("P101", f"'{file}' cannot be read: {reason}"))
    return Source.from_bytes(data, file, path)


def _unread(file: str, path: Path, found: Diagnostic) -> Source:
    return Source(file, path, "", "", None, (found.placed(Place(file, 1, 1)),), Mended(""))


def _fault(data: bytes, fault: Fault | None) -> Diagnostic | Fault | None:
    if len(data) <= LARGEST:
        return fault
    message = f"the file is larger than {LARGEST // 2**20} MiB"
    return error("P111", message, hint="keep data out of it: bind a dataset, and give the path")


def _shown(path: Path) -> str:
    try:
        return printable(path.absolute().relative_to(Path.cwd()).as_posix())
    except (ValueError, OSError):
        return printable(str(path))


def _file_inside(folder: Path, file: str) -> str:
    try:
        names = sorted(each.name for each in folder.iterdir() if each.suffix in (".yaml", ".yml"))
    except OSError:
        return ""
    if not names:
        return "name a YAML file"
    best = "pipeline.yaml" if "pipeline.yaml" in names else names[0]
    return f"name a file in it: {file.rstrip('/')}/{best}"


def _file_beside(path: Path) -> str:
    try:
        names = [each.name for each in path.absolute().parent.iterdir()]
    except (OSError, ValueError):
        return "its folder does not exist either"
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean '{near[0]}'?" if near else ""
