"""What the scan of a script remembers: open constructs, and the words of the command being read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf

Kind = OneOf["script", "subshell", "array", "brace", "command", "double", "parameter", "arithmetic"]
"""`command` is `$(…)`, `<(…)`, `>(…)`; `parameter` is `${…}`; `array` is any list of plain words in `( )`."""

CaseState = OneOf["subject", "pattern", "body"]

_LONGEST_WORD = 256
"""As much of a word as any rule looks at; keeps the scan linear."""


class Misplaced(Exception):
    """Raised for a script that cannot carry its substitutions; `position` points into the script."""

    def __init__(self, message: str, hint: str, needle: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.needle = needle
        self.position = position


class MisplacedSegment(Misplaced):
    """Raised for an optional segment, `$[[ … ]]`, that cannot be left out of a script."""


@dataclass(slots=True)
class Clause:
    """One clause of `[[ ]]`: where a substitution stands in it, and whether it does arithmetic."""

    hole: int | None = None
    arithmetic: bool = False


@dataclass(slots=True)
class Frame:
    """One open construct.

    Attributes:
        opened: where it begins in the script.
        opening: the text that opens it.
        refusal: why a substitution cannot stand in it, inherited from the constructs around; empty if it can.
        function: whether it lies in a shell function.
        word: the current word so far, quotes removed; `None` between words.
        literal: whether that word holds neither quotes nor expansions.
        bracket: whether it has an unquoted `[` that is still open.
        words: the words of the current command that are neither assignments nor redirections.
        firm: those without the words of optional segments that are closed; `None` where the command has no segment.
        coprocess: whether `coproc` stands before the command.
        redirect: the operator whose target the current or next word is; empty for none.
        names_function: whether the body of a function has to follow.
        clause: the clause of `[[ ]]` being read.
        cases: the `case` commands being read, outermost first.
        depth: of brackets in arithmetic.
    """

    kind: Kind
    opened: int
    opening: str = ""
    refusal: str = ""
    function: bool = False
    word: str | None = None
    literal: bool = True
    bracket: bool = False
    words: list[str] = field(default_factory=list[str])
    firm: list[str] | None = None
    started: int = 0
    coprocess: bool = False
    redirect: str = ""
    names_function: bool = False
    clause: Clause | None = None
    cases: list[CaseState] = field(default_factory=list[CaseState])
    depth: int = 0

    def add(self, text: str, *, literal: bool = False) -> None:
        """Append to the current word, which begins here if there is none."""
        if self.word is None:
            self.word, self.literal, self.bracket = "", True, False
        self.literal = self.literal and literal
        if len(self.word) < _LONGEST_WORD:
            self.word += text[:_LONGEST_WORD]
        if literal:
            opened, closed = text.rfind("["), text.rfind("]")
            self.bracket = opened > closed or (self.bracket and closed < 0)

    def take(self, word: str) -> None:
        """Append a word to the current command."""
        self.words.append(word)
        if self.firm is not None:
            self.firm.append(word)

    @property
    def case(self) -> CaseState | None:
        """What the innermost open `case` expects."""
        return self.cases[-1] if self.cases else None
