"""From a file's bytes to text that a YAML parser may see, and from an index in it to line and column."""

from __future__ import annotations

import codecs
import re
from array import array
from bisect import bisect_right
from typing import Final

from penstock.frozen import dataclass

LARGEST: Final = 16 * 1024 * 1024
"""Bytes that a spec may have: 16 MiB."""

_BREAK: Final = re.compile(r"\r\n|\r|\n")

# Besides control characters, those that look like nothing. U+0085, U+2028 and U+2029 end a line for YAML 1.1
# parsers and for no editor, so that text behind one in a comment would be content. On U+FEFF parsers differ.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

_FOREIGN_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)

_NAMES: Final = {
    "\0": "a NUL character",
    "\x1b": "an escape character",
    "\x85": "a next-line character",
    "\u2028": "a line separator",
    "\u2029": "a paragraph separator",
    "\ufeff": "a byte order mark inside the text",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why bytes are not usable text, and the index in the decoded text where that shows."""

    index: int
    message: str
    hint: str = ""


class Lines:
    """The lines of a text. Indices count from 0, lines and columns from 1, all in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        # Four bytes a line instead of forty: 16 MiB may be sixteen million lines.
        self._starts = array("I", [0])
        self._starts.extend(found.end() for found in _BREAK.finditer(text))
        self._excerpts: dict[int, str] = {}

    def position(self, index: int) -> tuple[int, int]:
        """Give line and column of an index; one past the end is the end."""
        index = min(max(index, 0), len(self.text))
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        """Give the index of a line's first character."""
        return self._starts[line - 1]

    def end(self, line: int) -> int:
        """Give the index behind a line's last character, before its line break."""
        return self.start(line) + len(self.excerpt(line))

    def excerpt(self, line: int) -> str:
        """Give a line without its break; characters that could command a terminal are replaced."""
        # One string a line, however many findings share it: a hostile file is one line of many megabytes.
        if line not in self._excerpts:
            self._excerpts[line] = printable(self.bare(line))
        return self._excerpts[line]

    def bare(self, line: int) -> str:
        """Give a line without its break, as it is."""
        stop = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[self._starts[line - 1] : stop].rstrip("\r\n")

    def __len__(self) -> int:
        """Count the lines, the one behind a final line break included."""
        return len(self._starts)


def decode(data: bytes) -> tuple[str, Fault | None]:
    """Decode a file as UTF-8, with or without a byte order mark.

    Returns:
        The text, with U+FFFD for what could not be decoded, and the fault that makes it unusable, if any.
    """
    for mark, name in _FOREIGN_MARKS:
        if data.startswith(mark):
            text = data.decode("utf-8", "replace")
            return text, Fault(0, f"the file is {name}, not UTF-8", "save it as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        index = len(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
        message = f"the file is not UTF-8: it holds the byte 0x{data[error.start]:02X} here"
        return text, Fault(index, message, "save it as UTF-8")
    text = text.removeprefix("\ufeff")
    return text, forbidden(text)


def forbidden(text: str) -> Fault | None:
    """Find the first character that no spec may hold."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    character = found[0]
    name = _NAMES.get(character, "a character")
    code = f"U+{ord(character):04X}"
    hint = f'remove it, or write it as "\\u{ord(character):04x}" between double quotes'
    if character == "\0":
        hint = "remove it; a file with many of them is no text, or UTF-16: save it as UTF-8"
    elif 0xD800 <= ord(character) <= 0xDFFF:
        hint = "remove it; it is half of a character"
    return Fault(found.start(), f"the file holds {name} that cannot stand in a spec ({code})", hint)


def printable(text: str) -> str:
    """Replace the characters that no spec may hold, one for one, so that columns stay right."""
    return _FORBIDDEN.sub("\ufffd", text)


def shown(text: str, most: int = 60) -> str:
    """Quote a piece of the user's text for a message: on one line, safe to print, cut where it is long."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "'" + printable(cut.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")) + "'"
