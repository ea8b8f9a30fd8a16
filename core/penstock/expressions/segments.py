"""Optional segments of a command: what is left of it once it is known which optional inputs are unset."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar, overload

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import InputRef
from penstock.ir import Argv, Segment, Shell, Word

_Unit = TypeVar("_Unit")


@overload
def settle(run: Shell, unset: Collection[str], undecided: Collection[str] = ()) -> Shell: ...
@overload
def settle(run: Argv, unset: Collection[str], undecided: Collection[str] = ()) -> Argv: ...
@overload
def settle(run: Shell | Argv, unset: Collection[str], undecided: Collection[str] = ()) -> Shell | Argv: ...
def settle(run: Shell | Argv, unset: Collection[str], undecided: Collection[str] = ()) -> Shell | Argv:
    """Leave out the segments that name an input in `unset`; of the others, keep the words.

    Segments that name an input in `undecided`, and none in `unset`, stay segments; without such ones the outcome
    has none, and is what the command would be had it been written so. An unset input that is also named outside
    of every segment stays there: `bare_inputs` tells.
    """
    if not run.segments:
        return run
    match run:
        case Shell(parts):
            return Shell(*_settled(parts, run.segments, unset, undecided, merged))
        case Argv(arguments):
            return Argv(*_settled(arguments, run.segments, unset, undecided, tuple))


def _settled(
    units: Sequence[_Unit],
    segments: Iterable[Segment],
    unset: Collection[str],
    undecided: Collection[str],
    join: Callable[[Iterable[_Unit]], tuple[_Unit, ...]],
) -> tuple[tuple[_Unit, ...], tuple[Segment, ...]]:
    """Give what is left of a command's parts or arguments, and the segments that stay; `join` ends a stretch."""
    made: list[_Unit] = []
    stay: list[Segment] = []
    stretch: list[_Unit] = []
    done = 0
    for each in sorted(segments, key=lambda each: each.first):
        stretch += units[done : each.first]
        done = each.last
        if any(name in unset for name in each.inputs):
            continue
        inner = units[each.first : each.last]
        if not any(name in undecided for name in each.inputs):
            stretch += inner
            continue
        made += join(stretch)
        stretch = []
        first = len(made)
        made += join(inner)
        stay.append(Segment(first, len(made), each.inputs))
    made += join([*stretch, *units[done:]])
    return tuple(made), tuple(stay)


def nested_segment(first: int, arguments: Sequence[tuple[str | Word, ...]]) -> Segment:
    """Make the segment of a list inside the list form of `run`.

    Args:
        first: how many arguments stand before it.
        arguments: its own, parsed.

    Raises:
        ExpressionError: it stands for the program itself, or names no input; offset 0, without a needle.
    """
    if first == 0:
        raise ExpressionError(
            "an optional segment cannot stand for the program itself", "name the program before it"
        )
    inputs = input_names(part for argument in arguments for part in argument)
    if not inputs:
        raise ExpressionError(
            "an optional segment names no input, and would never be left out",
            "name the input that it hangs on, ${{ inputs.NAME }}, or write the arguments without brackets",
        )
    return Segment(first, first + len(arguments), inputs)


def optional_words(run: Shell | Argv) -> Iterator[Word]:
    """Give the values inside of segments, in order, repeated ones too."""
    units = _units(run)
    for each in run.segments:
        for unit in units[each.first : each.last]:
            yield from (part for part in unit if isinstance(part, Word))


def bare_inputs(run: Shell | Argv) -> set[str]:
    """Give the inputs that are named outside of every segment, and so need a value."""
    inside = {position for each in run.segments for position in range(each.first, each.last)}
    units = (unit for position, unit in enumerate(_units(run)) if position not in inside)
    return set(input_names(part for unit in units for part in unit))


def input_names(parts: Iterable[str | Word]) -> tuple[str, ...]:
    """Give the inputs among the parts of a command, each once, in order."""
    values = (part.value for part in parts if isinstance(part, Word))
    return tuple(dict.fromkeys(value.name for value in values if isinstance(value, InputRef)))


def merged(parts: Iterable[str | Word]) -> tuple[str | Word, ...]:
    """Join neighbouring literal text."""
    made: list[str | Word] = []
    for is_text, run in groupby(parts, lambda each: isinstance(each, str)):
        each = tuple(run)
        made += ["".join(map(str, each))] if is_text else each
    return tuple(made)


def _units(run: Shell | Argv) -> tuple[tuple[str | Word, ...], ...]:
    match run:
        case Shell(parts):
            return tuple((part,) for part in parts)
        case Argv(arguments):
            return arguments
