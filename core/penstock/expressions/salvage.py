"""What a text with faults holds all the same: every fault in it, and the expressions beside them that can be read.

Parsers end at the first fault. Whoever has met one reads the text once more here: piece by piece, and an expression
with `and`, `or` and comparisons part by part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from penstock.expressions.bash.commands import placements
from penstock.expressions.bash.frames import Misplaced, MisplacedSegment
from penstock.expressions.bash.hazards import HOLE
from penstock.expressions.errors import ExpressionError
from penstock.expressions.lexer import token_at
from penstock.expressions.nodes import Expression, InputRef, Literal
from penstock.expressions.parser import OPENING, Piece, enclosed, parse_bare
from penstock.expressions.segments import merged
from penstock.expressions.shell import Part, as_part, cut, located
from penstock.ir import Segment, Shell, Word

MOST = 20
"""Faults of one text that are told: who has mended so many asks again."""

_CUTS = frozenset({"and", "or", "==", "!=", "<", "<=", ">", ">="})
_UNREAD = InputRef("")
"""Stands for what is no expression, where a script is read."""


class Broken(NamedTuple):
    """A stretch of text that is no expression: what is wrong in it, and what is not."""

    faults: Sequence[ExpressionError]
    readable: Sequence[Expression]


def salvage_value(text: str) -> tuple[list[Expression], list[ExpressionError]]:
    """Give the expressions of a scalar that can be read, and every fault; offsets are those of `text`."""
    kept: list[Expression] = []
    faults: list[ExpressionError] = []
    for each in _pieces(text):
        if isinstance(each, Broken):
            kept += each.readable
            faults += each.faults
        elif not isinstance(each.value, str):
            kept.append(each.value)
        if len(faults) >= MOST:
            break
    return kept, faults


def salvage_argument(text: str) -> tuple[tuple[str | Word, ...], list[ExpressionError]]:
    """Give what can be read of one item of the list form of `run`, and every fault."""
    parts, faults = _parts(text)
    return _without_segments(parts), faults


def salvage_run(text: str) -> tuple[Shell, list[ExpressionError]]:
    """Give what can be read of the string form of `run`, and every fault."""
    parts, faults = _parts(text)
    values = [each.value for each in parts if not isinstance(each.value, str)]
    written = "".join(each.value if isinstance(each.value, str) else HOLE for each in parts)
    holes = [position for position, character in enumerate(written) if character == HOLE]
    unread = {position for position, value in zip(holes, values, strict=True) if value == _UNREAD}
    whole = True
    while len(faults) < MOST:
        try:
            quoted, borders = placements(written)
            if whole:
                return _read(cut(written, list(map(Word, values, quoted)), borders)), faults
            break
        except Misplaced as fault:
            whole = False
            hole = fault.needle == HOLE
            if (values or isinstance(fault, MisplacedSegment)) and fault.position not in unread:
                faults.append(located(fault, parts))
            if not hole:
                break
            # A plain character in its place keeps all positions, and lets the next one be found.
            written = f"{written[: fault.position]}x{written[fault.position + 1 :]}"
    if "$[[" in text:
        # Without its segments, whatever is optional would seem to stand outside of them.
        return Shell(()), faults
    return Shell(_without_segments(parts)), faults


def _parts(text: str) -> tuple[list[Part], list[ExpressionError]]:
    parts: list[Part] = []
    faults: list[ExpressionError] = []
    if HOLE in text:
        return parts, faults
    for each in _pieces(text):
        if isinstance(each, Broken):
            parts.append(Part(_UNREAD, "", 0))
            faults += each.faults
        else:
            try:
                parts.append(as_part(text, each))
            except ExpressionError as fault:
                parts.append(Part(_UNREAD, "", 0))
                faults.append(fault)
        if len(faults) >= MOST:
            break
    return parts, faults


def _without_segments(parts: Sequence[Part]) -> tuple[str | Word, ...]:
    return merged(
        each.value if isinstance(each.value, str) else Word(each.value)
        for each in parts
        if each.value != _UNREAD
    )


def _read(shell: Shell) -> Shell:
    """Take out what only stood for something unread; positions stay, since segments count them."""
    parts = tuple("" if isinstance(each, Word) and each.value == _UNREAD else each for each in shell.parts)
    segments = tuple(
        Segment(each.first, each.last, tuple(name for name in each.inputs if name)) for each in shell.segments
    )
    return Shell(parts, segments)


def _pieces(text: str) -> Iterator[Piece | Broken]:
    position = 0
    while (found := OPENING.search(text, position)) is not None:
        if found.start() > position:
            yield Piece(text[position : found.start()], position, found.start())
        position = found.end()
        if found.end() - found.start() == 4:
            yield Piece("${{", found.start(), position)
            continue
        try:
            piece = enclosed(text, found.start(), 0)
        except ExpressionError as fault:
            end = text.find("}}", position)
            yield _broken(text, fault, position, end if end >= 0 else len(text))
            position = end + 2 if end >= 0 else len(text)
        else:
            position = piece.end
            yield piece
    if position < len(text):
        yield Piece(text[position:], position, len(text))


def _broken(text: str, fault: ExpressionError, start: int, end: int) -> Broken:
    faults = {fault.offset: fault}
    kept: list[Expression] = []
    for offset, part in _cut_up(text[start:end]):
        try:
            kept.append(parse_bare(part))
        except ExpressionError as own:
            at = start + offset + own.offset
            faults.setdefault(at, ExpressionError(own.message, own.hint, own.needle, at))
    readable = [each for each in kept if not isinstance(each, Literal)]
    return Broken([faults[at] for at in sorted(faults)], readable)


def _cut_up(inner: str) -> Iterator[tuple[int, str]]:
    """Cut an expression at what joins or compares; nothing where its brackets or quotes do not close."""
    cuts: list[tuple[int, int]] = []
    depth = 0
    try:
        token = token_at(inner, 0)
        while token.kind != "end":
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            if depth == 0 and token.kind in ("keyword", "symbol") and token.text in _CUTS:
                cuts.append((token.offset, token.offset + len(token.text)))
            token = token_at(inner, token.offset + len(token.text))
    except ExpressionError:
        return
    if depth or not cuts:
        return
    for (_, start), (end, _) in zip([(0, 0), *cuts], [*cuts, (len(inner), 0)], strict=True):
        if inner[start:end].strip():
            yield start, inner[start:end]
