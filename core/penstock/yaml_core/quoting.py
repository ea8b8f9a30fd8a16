"""Mending unquoted text: which quotes to use, and a text with quotes put in that still knows its original."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class Mended:
    """A text with characters put in; indices into it can be taken back to the original."""

    def __init__(self, original: str) -> None:
        self.text = original
        self._inserted: list[int] = []
        """Where in `text` the characters stand that the original lacks, in order."""

    def original(self, index: int) -> int:
        """Give the index in the original of an index in `text`; for a put-in character, that of the next."""
        return index - bisect_left(self._inserted, index)

    def quote(self, start: int, end: int) -> None:
        """Put the text between two indices of `text` between quotes."""
        content = self.text[start:end]
        mark = _quote_mark(content)
        points = [start, *(start + at for at, character in enumerate(content) if character == mark), end]
        moved = [each + bisect_right(points, each) for each in self._inserted]
        self._inserted = sorted([*moved, *(point + before for before, point in enumerate(points))])
        self.text = self.text[:start] + quoted(content) + self.text[end:]


def quoted(content: str) -> str:
    """Write a text as a quoted YAML scalar."""
    mark = _quote_mark(content)
    return mark + content.replace(mark, mark * 2) + mark


def _quote_mark(content: str) -> str:
    """Choose the quotes that leave the content as it is, where there are such."""
    return '"' if '"' not in content and "\\" not in content else "'"
