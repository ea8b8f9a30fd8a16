"""Finding text that needs quotes, one line at a time.

This is no YAML parser: a parser has failed already, and said where. What is looked for is the text around
that spot which its author meant as one string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from penstock.frozen import dataclass
from penstock.yaml_core.text import Lines


class Reason(Enum):
    """Why YAML does not read a text as its author meant it; the value completes a message."""

    BRACES = "inside { } and [ ] YAML takes its braces for a mapping"
    COLON = "YAML takes the ': ' in it for the end of a key"
    INDICATOR = "YAML takes a '>' or '|' at its start for the head of a block of text"
    AFTER_QUOTES = "YAML takes it to end at the second quote"
    RESERVED = "YAML keeps the character at its start for itself"
    COMMENT = "YAML takes the ' #' in it for the start of a comment"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A text that needs quotes: the columns (from 0) of its first character and behind its last."""

    start: int
    end: int
    reason: Reason


_LEAD: Final = re.compile(r"[ \t]*(?:[-?](?:[ \t]++|$))*+")
_QUOTED: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"' + r"|'(?:[^']++|'')*+'")
_COLON: Final = re.compile(r":(?=[ \t]|$)")
_COMMENT: Final = re.compile(r"(?<=[ \t])#")
_SPACE: Final = re.compile(r"[ \t]*")
_BLOCK_HEAD: Final = re.compile(r"[|>](?:[-+][1-9]?|[1-9][-+]?)?[ \t]*(?:[ \t]#.*)?$")
_PROPERTY: Final = re.compile(r"(?:&[\w-]+|!![a-z]+|!)(?=[ \t]|$)")
_ALIAS: Final = re.compile(r"\*[\w-]+(?=[ \t]*(?:[,\]}:]|$)|[ \t]+#)")
_STOP: Final = re.compile(r"\$\{\{|\$\[\[|(?<=[ \t])#")
_FLOW_STOP: Final = re.compile(r"\$\{\{|\$\[\[|(?<=[ \t])#|[,\]}]")
_FLOW_WORD_STOP: Final = re.compile(r"[,\[\]{}]|:(?=[ \t,\[\]{}]|$)|(?<=[ \t])#")
_RESERVED: Final = "@`%"
_PROPERTY_STARTS: Final = "&!"


def suspects(line: str, depth: int = 0) -> Iterator[Suspect]:
    """Find the texts of a line that need quotes.

    Args:
        line: one line, without its break, that does not begin inside a quoted text or a block of text.
        depth: how many `{` and `[` are open where the line begins.
    """
    if depth:
        yield from _flow(line, 0, depth)
        return
    at = _end(_LEAD, line, 0)
    key = _key_end(line, at)
    if key is None:
        yield from _value(line, at, is_value=False)
    else:
        yield from _value(line, _end(_SPACE, line, key), is_value=True)


def _end(pattern: re.Pattern[str], line: str, at: int) -> int:
    found = pattern.match(line, at)
    return at if found is None else found.end()


def _key_end(line: str, at: int) -> int | None:
    """Give the column behind the colon of the line's key."""
    if line[at : at + 1] in ("[", "{"):
        return None
    start = _end(_QUOTED, line, at)
    if start == at:
        colon = _COLON.search(line, at)
        comment = _COMMENT.search(line, at)
        if colon is None or (comment is not None and comment.start() < colon.start()):
            return None
        return colon.end()
    colon = _COLON.match(line, _end(_SPACE, line, start))
    return None if colon is None else colon.end()


def _value(line: str, at: int, *, is_value: bool) -> Iterator[Suspect]:
    """Judge the block-style value that begins in a column."""
    while (after := _end(_PROPERTY, line, at)) > at:
        at = _end(_SPACE, line, after)
    first = line[at : at + 1]
    if first in ("", "#"):
        return
    if first in "[{":
        yield from _flow(line, at, 0)
        return
    if first in "\"'":
        rest = _end(_SPACE, line, _end(_QUOTED, line, at))
        if at < rest < len(line) and line[rest] != "#":
            yield Suspect(at, _extent(line, at, _STOP, rest), Reason.AFTER_QUOTES)
        return
    if first in "|>":
        if _BLOCK_HEAD.match(line, at) is None:
            yield Suspect(at, _extent(line, at, _STOP), Reason.INDICATOR)
        return
    if first in _RESERVED or first in _PROPERTY_STARTS or (first == "*" and not _ALIAS.match(line, at)):
        yield Suspect(at, _extent(line, at, _STOP), Reason.RESERVED)
        return
    end = _extent(line, at, _STOP)
    if is_value and _COLON.search(line, at, end + 1):
        yield Suspect(at, end, Reason.COLON)
        return
    comment = _COMMENT.search(line, at)
    if comment is not None and comment.start() < end:
        yield Suspect(at, end, Reason.COMMENT)


def _flow(line: str, at: int, depth: int) -> Iterator[Suspect]:
    """Judge a line from a column on that is inside `{ }` or `[ ]`, or begins one."""
    in_value = False
    while (at := _end(_SPACE, line, at)) < len(line):
        first = line[at]
        if first in "[{":
            depth, in_value, at = depth + 1, False, at + 1
        elif first in "]}":
            depth, at = depth - 1, at + 1
            if depth <= 0:
                return
        elif first == ",":
            in_value, at = False, at + 1
        elif first == ":":
            in_value, at = True, at + 1
        elif first == "#" and line[at - 1 : at] in ("", " ", "\t"):
            return
        elif first in "\"'":
            end = _end(_QUOTED, line, at)
            rest = _end(_SPACE, line, end)
            if end == at:
                return
            if rest < len(line) and line[rest] not in ",]}:#":
                end = _extent(line, at, _FLOW_STOP, rest)
                yield Suspect(at, end, Reason.AFTER_QUOTES)
            at = end
        elif (after := max(_end(_PROPERTY, line, at), _end(_ALIAS, line, at))) > at:
            at = after
        elif first in _RESERVED + _PROPERTY_STARTS + "*|>":
            end = _extent(line, at, _FLOW_STOP)
            yield Suspect(at, end, Reason.INDICATOR if first in "|>" else Reason.RESERVED)
            at = max(end, at + 1)
        else:
            found = _FLOW_WORD_STOP.search(line, at)
            stop = len(line) if found is None else found.start()
            if line[stop : stop + 1] in ("[", "{") and line[stop - 1] == "$":
                end = _extent(line, at, _FLOW_STOP)
                yield Suspect(at, end, Reason.BRACES)
            elif line[stop : stop + 1] == ":" and in_value:
                end = _extent(line, at, _FLOW_STOP)
                if line.find("${{", at, end) >= 0:
                    yield Suspect(at, end, Reason.COLON)
                else:
                    end = stop
            else:
                end = stop
            at = max(end, at + 1)


def _extent(line: str, start: int, stops: re.Pattern[str], at: int | None = None) -> int:
    """Give the column behind the text that begins at `start`, passing over `${{ }}` and `$[[ ]]`."""
    at = start if at is None else at
    while (found := stops.search(line, at)) is not None:
        close = {"${{": "}}", "$[[": "]]"}.get(found[0])
        if close is None:
            at = found.start()
            break
        closed = line.find(close, found.end())
        if closed < 0:
            at = len(line)
            break
        at = closed + 2
    else:
        at = len(line)
    while at > start and line[at - 1] in " \t":
        at -= 1
    return at


_BLOCK_HEAD_AT_END: Final = re.compile(r"(?:^|[ \t])" + _BLOCK_HEAD.pattern)
_MOST_LINES: Final = 50_000


def unquoted_expressions(lines: Lines, above: int) -> Iterator[tuple[int, Suspect]]:
    """Find expressions and comparisons without their quotes below a line: the line's number, and where.

    Each line is judged alone, so that what is broken above does not matter. Blocks of text are passed over.
    """
    block: int | None = None
    for number in range(above + 1, min(len(lines), above + _MOST_LINES) + 1):
        line = lines.bare(number)
        bare = line.lstrip(" ")
        if not bare or bare[0] == "#":
            continue
        indentation = len(line) - len(bare)
        if block is not None and indentation > block:
            continue
        block = indentation if _BLOCK_HEAD_AT_END.search(line) else None
        for suspect in suspects(line):
            content = line[suspect.start : suspect.end]
            if ("${{" in content and "}}" in content) or (
                suspect.reason is Reason.INDICATOR and content[0] == ">"
            ):
                yield number, suspect
