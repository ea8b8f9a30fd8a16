"""`run`: from text to words that arrive exactly, and from words to a script that any bash can run.

A value never becomes part of the script. It travels as an argument of the script, and stands there as
`"${1}"`, or `${1}` where double quotes already surround it; so whatever it holds, it is one word and never run.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from penstock.expressions.bash.commands import placements
from penstock.expressions.bash.frames import Misplaced, MisplacedSegment
from penstock.expressions.bash.hazards import HOLE, suspect
from penstock.expressions.errors import ExpressionError
from penstock.expressions.lone import NAME
from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    Literal,
    MetricRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    RunRef,
)
from penstock.expressions.parser import Piece, pieces
from penstock.expressions.references import render
from penstock.expressions.segments import input_names, merged
from penstock.expressions.text import text as text_of
from penstock.ir import Segment, Shell, Word

_Value = InputRef | OwnOutputRef | RunRef | ItemRef


class Part(NamedTuple):
    """A stretch of `run`; `source` is its text as written, at `offset`."""

    value: str | _Value
    source: str
    offset: int


_LONGEST_REMEMBERED = 2000
_LONE = re.compile(rf"\$\{{\{{\s*+(inputs|outputs)\.({NAME})\s*+\}}\}}")
_NEEDS_BLANK = frozenset("<>&\\")
_INERT = re.compile(r"(?:[A-Za-z0-9_\-./:=,@%+ \t\n]|\\\n)*+")
"""Text that opens no construct of bash, and so leaves every substitution bare."""


def parse_run(text: str) -> Shell:
    """Parse the string form of `run`. Raises ExpressionError with offsets into `text`.

    Neighbouring literal text is merged; `$${{` becomes `${{`. Scripts without expressions are not examined, but for
    optional segments: each holds at least one input, or would never be left out.
    """
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _parse_run(text)


def parse_argument(text: str) -> tuple[str | Word, ...]:
    """Parse one item of the list form of `run`: literal text and words, joined into one argument.

    Raises ExpressionError with offsets into `text`.
    """
    _refuse_nul(text)
    parts = _parts(text)
    if "$[[" in text and not all(isinstance(each.value, str) for each in parts):
        raise ExpressionError(
            "an optional segment of a list is a list in it",
            'write the words in brackets of their own: ["--x", "${{ inputs.x }}"]',
            "$[[",
            text.index("$[["),
        )
    return merged(each.value if isinstance(each.value, str) else Word(each.value) for each in parts)


def script(shell: Shell, number: Callable[[Word], int] | None = None) -> tuple[str, tuple[Word, ...]]:
    """Write a command as a bash script, and the words that it takes as arguments, in order.

    Equal values share a number; numbers count from 1 in order of first use, or are those that `number` gives.
    Run it as `bash -euo pipefail -c SCRIPT NAME VALUE…`, or from a file with the values as arguments.

    Raises:
        ValueError: the command has optional segments, which `segments.settle` has not settled yet.
    """
    if shell.segments:
        raise ValueError("a command with optional segments has to be settled before it is written")
    numbers: dict[_Value, int] = {}
    written: list[str] = []
    for part in shell.parts:
        if isinstance(part, str):
            written.append(part)
            continue
        if part.value not in numbers:
            numbers[part.value] = number(part) if number else len(numbers) + 1
        argument = f"${{{numbers[part.value]}}}"
        written.append(argument if part.quoted else f'"{argument}"')
    return "".join(written), tuple(map(Word, numbers))


@lru_cache(maxsize=16384)
def _remembered(text: str) -> Shell:
    return _bare(text) or _parse_run(text)


def _bare(text: str) -> Shell | None:
    """Parse the usual case at once: plain words with `${{ inputs.x }}` and `${{ outputs.x }}` among them."""
    split = _LONE.split(text)
    if not all(map(_INERT.fullmatch, split[::3])) or suspect(" ".join(split[::3])):
        return None
    parts: list[str | Word] = []
    for position in range(0, len(split), 3):
        if split[position]:
            parts.append(split[position])
        if position + 2 < len(split):
            root, name = split[position + 1 : position + 3]
            parts.append(Word(InputRef(name) if root == "inputs" else OwnOutputRef(name)))
    return Shell(tuple(parts))


def _parse_run(text: str) -> Shell:
    _refuse_nul(text)
    parts = _parts(text)
    written = "".join(each.value if isinstance(each.value, str) else HOLE for each in parts)
    values = [each.value for each in parts if not isinstance(each.value, str)]
    if not values and "$[[" not in written:
        return Shell((written,) if written else ())
    try:
        quoted, borders = placements(written)
        return cut(written, list(map(Word, values, quoted)), borders)
    except Misplaced as fault:
        if not values and not isinstance(fault, MisplacedSegment):
            return Shell((written,))
        raise located(fault, parts) from None


def cut(written: str, words: list[Word], borders: list[tuple[int, int]]) -> Shell:
    """Part a script at its substitutions and at the borders of its segments, which vanish."""
    parts: list[str | Word] = []
    segments: list[Segment] = []
    left = iter(words)

    def put(text: str) -> None:
        for position, literal in enumerate(text.split(HOLE)):
            if position:
                parts.append(next(left))
            if literal:
                parts.append(literal)

    begun = 0
    for opened, closed in borders:
        put(written[begun:opened])
        begun, first = closed + 2, len(parts)
        # Before a redirection the last word would be read as its file descriptor.
        put(written[opened + 3 : closed] + (" " if written[begun : begun + 1] in _NEEDS_BLANK else ""))
        inputs = input_names(parts[first:])
        if not inputs:
            raise MisplacedSegment(
                "an optional segment names no input, and would never be left out",
                "name the input that it hangs on, ${{ inputs.NAME }}, or write \\$[[ for the text itself",
                "$[[",
                opened,
            )
        segments.append(Segment(first, len(parts), inputs))
    put(written[begun:])
    return Shell(tuple(parts), tuple(segments))


def located(fault: Misplaced, parts: list[Part]) -> ExpressionError:
    """Say of what was found in the scanned script where it stands in `run`, as it was written."""
    starts = [0, *accumulate(len(each.value) if isinstance(each.value, str) else 1 for each in parts)]
    index = min(bisect_right(starts, fault.position), len(parts)) - 1
    part = parts[index]
    inside = fault.position - starts[index] if isinstance(part.value, str) else 0
    following = part.source[inside:]
    if fault.needle == HOLE:
        needle = part.source
    elif following.startswith(fault.needle):
        needle = fault.needle
    else:
        # The scan joins continued lines and resolves escapes; the place counts, not the spelling.
        needle = "".join(following.split(maxsplit=1)[:1])
    hint = fault.hint.replace(HOLE, part.source)
    return ExpressionError(fault.message, hint, needle, part.offset + inside)


def _parts(text: str) -> list[Part]:
    return [as_part(text, piece) for piece in pieces(text)]


def as_part(text: str, piece: Piece) -> Part:
    """Make a part of a piece of `run`. Raises ExpressionError for an expression that no command takes."""
    source = text[piece.offset : piece.end]
    if not isinstance(piece.value, str | InputRef | OwnOutputRef | RunRef | ItemRef):
        raise _not_in_run(piece.value, source, piece.offset)
    return Part(piece.value, source, piece.offset)


def _not_in_run(expression: Expression, source: str, offset: int) -> ExpressionError:
    match expression:
        case ParameterRef(name) | DatasetRef(name) | OutputRef(_, name):
            hint = f'bind it: inputs: {{{name}: "{source}"}}, then ${{{{ inputs.{name} }}}}'
        case MetricRef(step, output, _):
            bound = render(OutputRef(step, output))
            hint = (
                f'bind the file: inputs: {{{output}: "${{{{ {bound} }}}}"}}, and read the field in the code'
            )
        case ConditionRef(name):
            hint = f"conditions decide whether a step runs: when: ${{{{ conditions.{name} }}}}"
        case Literal(value):
            return ExpressionError(
                "a value needs no expression in a command", f"write {text_of(value)}", source, offset
            )
        case _:
            return ExpressionError(
                "a command takes inputs.NAME, outputs.NAME, item, run.id and run.started_at, without operators",
                "compute the value where the input is bound, or in the step's code",
                source,
                offset,
            )
    return ExpressionError(f"{render(expression)} cannot stand in a command", hint, source, offset)


def _refuse_nul(text: str) -> None:
    if HOLE in text:
        raise ExpressionError("a command cannot hold a NUL character", "take it out", "", text.index(HOLE))
