"""Anchors and aliases, bounded: a file of a few lines can stand for billions of values ("billion laughs")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from penstock.frozen import dataclass
from penstock.yaml_core.text import shown

if TYPE_CHECKING:
    from penstock.yaml_core.build import Value

DEEPEST: Final = 100
"""Levels of nesting, the root mapping being the first, aliases expanded."""

MOST_NODES: Final = 1_000_000
"""Nodes that all aliases together may stand for."""

MOST_CHARACTERS: Final = 64 * 1024 * 1024
"""Characters of source that all aliases together may stand for."""

TOO_DEEP: Final = (
    "P110",
    f"nested more than {DEEPEST} levels deep here",
    "bring it nearer to the root, or put it into a file that a step reads",
)


class Refused(Exception):
    """An alias that ends the reading: `code`, `message` and `hint` of its diagnostic."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


@dataclass(frozen=True, slots=True)
class Anchored:
    """A value that aliases may stand for, and what each of them costs."""

    value: Value
    nodes: int
    characters: int
    height: int


@dataclass(frozen=True, slots=True)
class _Open:
    """An anchored collection that is still being read, with the counters as they stood at its start."""

    name: str
    level: int
    index: int
    nodes: int
    characters: int
    deepest: int


class Aliases:
    """The anchors of one document, and what its aliases have cost so far."""

    def __init__(self) -> None:
        self.nodes = 0
        self._characters = 0
        self._deepest = 0
        self._anchors: dict[str, Anchored | None] = {}
        self._open: list[_Open] = []

    @property
    def open_level(self) -> int:
        """The level of the innermost anchored collection that is still being read, or 0."""
        return self._open[-1].level if self._open else 0

    def scalar(self, name: str, value: Value, characters: int) -> None:
        """Anchor a scalar."""
        self._anchors[name] = Anchored(value, 1, characters, 0)

    def open(self, name: str, level: int, index: int, nodes: int) -> None:
        """Begin an anchored collection; `nodes` counts the document's own nodes before it."""
        self._open.append(_Open(name, level, index, nodes + self.nodes, self._characters, self._deepest))
        self._anchors[name] = None
        self._deepest = level

    def deepen(self, level: int) -> None:
        """Take note of a collection at this level."""
        self._deepest = max(self._deepest, level)

    def close(self, value: Value, index: int, nodes: int) -> None:
        """End the innermost anchored collection; `nodes` counts the document's own nodes up to here."""
        begun = self._open.pop()
        self._anchors[begun.name] = Anchored(
            value,
            nodes + self.nodes - begun.nodes,
            index - begun.index + self._characters - begun.characters,
            self._deepest - begun.level + 1,
        )
        self._deepest = max(self._deepest, begun.deepest)

    def get(self, name: str, level: int) -> Anchored | None:
        """Give what an alias at this level stands for, `None` where nothing bears the name.

        Raises:
            Refused: the alias stands inside its own value, or a bound is passed.
        """
        if name not in self._anchors:
            return None
        found = self._anchors[name]
        if found is None:
            message = f"the alias {shown('*' + name)} stands inside the value that it stands for"
            raise Refused("P109", message, "a spec cannot hold itself: write out what is meant")
        self.nodes += found.nodes
        self._characters += found.characters
        hint = "write out what is needed, or put it into a component"
        if self.nodes > MOST_NODES:
            raise Refused("P109", f"the aliases up to here stand for more than {MOST_NODES:,} values", hint)
        if self._characters > MOST_CHARACTERS:
            size = f"{MOST_CHARACTERS // 2**20} MiB"
            raise Refused("P109", f"the aliases up to here stand for more than {size} of text", hint)
        if level + found.height > DEEPEST:
            raise Refused(*TOO_DEEP)
        self.deepen(level + found.height)
        return found
