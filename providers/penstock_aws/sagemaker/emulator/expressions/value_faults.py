"""What is raised where a value of a definition cannot be had while it runs, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from penstock.suggest import closest
from penstock_aws.sagemaker.validation.findings import is_list, is_object, listed, shown


class ValueFault(Exception):
    """Raised where an expression has no value; its text is the failure reason of the step that asked."""


def article(value: Any) -> str:
    """Name a value as the end of a clause: `the text 'a'`, `4`, `null`, `an object`."""
    return f"the text {shown(value)}" if isinstance(value, str) else shown(value)


def member(found: Any, part: str | int, where: Callable[[], str], what: str) -> Any:
    """Take one part of parsed JSON: a key of an object, or a position in a list.

    Args:
        found: the JSON at hand.
        part: the key or position.
        where: gives what `found` is called in messages; asked only for one.
        what: the beginning of the message: what was being read.

    Raises:
        ValueFault: there is no such part; it says what stands there instead.

    """
    if isinstance(part, int):
        if not is_list(found):
            raise ValueFault(f"{what} has no value: {where()} is {article(found)}, not a list")
        if part < len(found):
            return found[part]
        raise ValueFault(f"{what} has no value: {where()} has {len(found)} items, none at [{part}]")
    if not is_object(found):
        said = f"{where()} is {article(found)}, which has no key {shown(part)}"
        raise ValueFault(f"{what} has no value: {said}")
    if part in found:
        return found[part]
    keys = [each for each in found if isinstance(each, str)]
    raise ValueFault(f"{what} has no value: {where()} has no key {shown(part)}; {instead(part, keys)}")


def instead(word: str, among: Sequence[str]) -> str:
    """Say what there is in place of a word: the nearest, else all."""
    near = closest(word, among)
    return f"did you mean {shown(near)}?" if near else f"it has: {listed(among)}"
