"""One entry of the catalogue."""

from __future__ import annotations

from inspect import cleandoc

from penstock.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means.

    Attributes:
        code: `P` and three digits.
        title: a few words, fit for a list.
        text: what it means, how it comes about, how to mend it; lines of at most 100 characters.
    """

    code: str
    title: str
    text: str


def entry(code: str, title: str, text: str) -> Code:
    """Make an entry of an indented text."""
    return Code(code, title, cleandoc(text))
