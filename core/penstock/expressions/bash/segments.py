"""Optional segments, `$[[ --x ${{ inputs.x }} ]]`: stretches of a script that may be left out.

A segment holds whole words of one command, behind its name. So a script without it is as valid as with it, and
neither splits a word nor joins two. A value that would be run in only one of the two is refused as well.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass

from penstock.expressions.bash.expansions import Expansions
from penstock.expressions.bash.frames import Frame, MisplacedSegment
from penstock.expressions.bash.hazards import trails

_UP_TO_END = re.compile(r"[^ \t\n\\'\"`$#<>();&|\0\]]*+(?:\](?!\])[^ \t\n\\'\"`$#<>();&|\0\]]*+)*+")
"""Plain text in front of `]]`."""
_FOLLOWS = re.compile(r"[ \t\n;|&)<>]|\\\n|\Z")
_LOOPS = ("for", "select")
_WHOLE = "an optional segment holds whole words of one command"


@dataclass(slots=True)
class Open:
    """A segment that is being read; `words` and `firm` count those of its command in front of it."""

    opened: int
    frame: Frame
    words: int
    firm: int


class Segments(Expansions):
    """The part of the scan that finds segments."""

    def __init__(self, script: str) -> None:
        super().__init__(script)
        self._segment: Open | None = None
        self._segments: list[tuple[int, int]] = []

    @abstractmethod
    def _end_word(self, frame: Frame) -> None: ...

    def _begin_segment(self, frame: Frame) -> None:
        fault = self._fault_before(frame)
        if fault is not None:
            raise MisplacedSegment(*fault, "$[[", self._at)
        if frame.firm is None:
            frame.firm = list(frame.words)
        self._segment = Open(self._at, frame, len(frame.words), len(frame.firm))
        self._at += 3

    def _fault_before(self, frame: Frame) -> tuple[str, str] | None:
        """Give message and hint where no segment can begin."""
        if self._segment is not None:
            return "optional segments cannot be nested", "close the first with ]] before the next"
        if any(each.kind in ("command", "parameter", "arithmetic", "double") for each in self._frames):
            return "an optional segment cannot stand in $(…), <(…) or ${…}", "choose there by the step's code"
        if frame.word is not None:
            return _WHOLE, "leave a blank in front of $[[, or write \\$[[ for the text itself"
        if frame.redirect:
            return "an optional segment cannot be the target of a redirection", "name the file outside of it"
        if frame.clause is not None or frame.case in ("subject", "pattern"):
            return (
                "an optional segment cannot stand in [[ ]] or case",
                "write it behind the name of a command",
            )
        if frame.kind == "array":
            above = self._frames[-2].word or ""
            return None if above.endswith("=(") else (_WHOLE, "write it behind the name of a command")
        # Behind `coproc NAME` and `time -p` a command may still begin, and with it a keyword have its meaning.
        started = bool(frame.words) and not frame.words[0].startswith("-") and not frame.coprocess
        named = frame.words != ["function"] and not frame.names_function
        if not started or not named or (frame.words[0] in _LOOPS and frame.words[2:3] != ["in"]):
            return (
                "an optional segment stands behind the name of a command",
                "write the command's name first: python train.py $[[ … ]]",
            )
        return None

    def _in_segment(self, frame: Frame) -> bool:
        """Read plain text or the end of a segment; tell whether there was any of either."""
        if self._script.startswith("]]", self._at):
            self._end_segment(frame)
            return True
        found = _UP_TO_END.match(self._script, self._at)
        if found is not None and found.group():
            frame.add(found.group(), literal=True)
            self._at = found.end()
            return True
        character = self._script[self._at]
        if character in "<>()&|;" or (character == "\n" and frame.kind != "array"):
            hint = "close it with ]] before the command ends; a backslash continues a line"
            raise self._refused_segment(_WHOLE, hint)
        if character == "#" and frame.word is None:
            raise self._refused_segment(_WHOLE, "write the comment behind ]]")
        return False

    def _end_segment(self, frame: Frame) -> None:
        segment = self._segment
        assert segment is not None
        assert frame.firm is not None
        self._end_word(frame)
        if not _FOLLOWS.match(self._script, self._at + 2):
            raise self._refused_segment(_WHOLE, "leave a blank behind ]]")
        # What follows may come to stand behind the segment, or behind what its command has before it.
        own = frame.words[segment.words :]
        if frame.kind != "array" and own and (trails(frame.firm) or trails([*own, "-c"])):
            raise self._refused_segment(
                "the words behind this segment would be code, or not, depending on an input",
                "write the segment last, or the option and its value outside of it",
            )
        del frame.firm[segment.firm :]
        self._segments.append((segment.opened, self._at))
        self._segment = None
        self._at += 2

    def _end_segments(self) -> None:
        """Refuse a segment that is still open at the end of the script."""
        if self._segment is not None:
            raise self._refused_segment(
                "'$[[' is never closed", "end it with ]], or write \\$[[ for the text itself"
            )

    def _refused_segment(self, message: str, hint: str) -> MisplacedSegment:
        opened = self._segment.opened if self._segment else self._at
        return MisplacedSegment(message, hint, "$[[", opened)
