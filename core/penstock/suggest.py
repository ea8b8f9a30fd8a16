"""Naming what the user may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

_MANY = 200
"""Words from which on only those one slip away are looked for: likeness to each would take seconds."""


def closest(word: str, known: Iterable[str]) -> str:
    """Give the known word nearest to a misspelt one, or an empty string where none is near."""
    words = tuple(known)
    if len(word) > 100:
        return ""
    asked = _folded(word)
    if len(words) > _MANY:
        index = _one_slip_away(words)
        return next((index[each] for each in _slips(asked) if each in index), "")
    # Asked for by mistakes alone: what has none is not to wait for the import.
    from difflib import get_close_matches

    folded = {_folded(each): each for each in words}
    found = get_close_matches(asked, folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def nearest(word: str, known: Iterable[str], what: str = "") -> str:
    """Compose a hint: the nearest word where there is one, else the words there are.

    `what` names the kind of word for the list, as in "known parameters: a, b".
    """
    words = tuple(known)
    match = closest(word, words)
    if match:
        return f"did you mean '{match}'?"
    if not words:
        return f"there are no {what}" if what else ""
    shown = ", ".join(words[:12]) + (", …" if len(words) > 12 else "")
    return f"{what}: {shown}" if what else f"known: {shown}"


def nearest_first(word: str, known: Iterable[str], what: str) -> str:
    """Compose a hint that names all the words there are, those most like the given one first: for short lists."""
    words = tuple(known)
    match = closest(word, words)
    if not words or len(words) > _MANY:
        return nearest(word, words, what)
    from difflib import SequenceMatcher

    asked = _folded(word[:100])
    ordered = sorted(words, key=lambda each: -SequenceMatcher(None, asked, _folded(each)).ratio())
    meant = f"did you mean '{match}'? " if match else ""
    return f"{meant}{what}: {', '.join(ordered)}"


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _slips(word: str) -> Iterator[str]:
    """Give a word and all that are left of it without one character: words one slip apart share one of these."""
    yield word
    for position in range(len(word)):
        yield word[:position] + word[position + 1 :]


@lru_cache(8)
def _one_slip_away(words: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in words:
        for slip in _slips(_folded(each)) if len(each) <= 100 else ():
            found.setdefault(slip, each)
    # A word itself comes before what is left of another.
    return found | {_folded(each): each for each in words}
