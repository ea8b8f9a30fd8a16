"""Quotes, expansions and heredocs: which stretch of a script is text, and what a substitution there would be."""

from __future__ import annotations

import re

from penstock.expressions.bash.frames import Frame, Kind, Misplaced, MisplacedSegment
from penstock.expressions.bash.hazards import HOLE, REFUSALS, hazard

_COMMENT = re.compile(r"[^\n]*")
_SINGLE = re.compile(r"'[^']*+'")
_ANSI = re.compile(r"\$'[^'\\]*+(?:\\.[^'\\]*+)*+'", re.DOTALL)
_BACKTICKS = re.compile(r"`[^`\\]*+(?:\\.[^`\\]*+)*+`", re.DOTALL)
_DOUBLE = re.compile(r'[^"\\`$\0]+')
_INNER = re.compile(r"[^\"'\\`$\0{}()\[\]]+")
_HEREDOC = re.compile(
    r"<<(?P<tabs>-?)[ \t]*+(?P<word>(?:[^ \t\n;&|<>()'\"\\]|'[^']*+'|\"(?:[^\"\\]|\\.)*+\"|\\.)++)?",
    re.DOTALL,
)
_QUOTING = re.compile(r"\\(.)|[\"']", re.DOTALL)
_ARGUMENT = re.compile(r"\$(?:[1-9@*#]|\{(?:[#!]?[1-9@*]|#\}))")
_ENDS = {
    **{each: each for each in "'\"`"},
    **{"$'": "'", '$"': '"', "(": ")", "$(": ")", "<(": ")", ">(": ")"},
    **{"{": "}", "${": "}", "$[": "]", "((": "))", "$((": "))"},
}
_SPECIAL = frozenset("_?!$#@*-")
_VALUES = ("double", "parameter", "arithmetic")


class Expansions:
    """The part of the scan that knows no commands."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._at = 0
        self._frames = [Frame("script", 0)]
        self._placed: list[bool] = []
        self._heredocs: list[tuple[str, bool, bool]] = []
        self._evaluated: set[str] = set()
        self._argument: tuple[str, int] | None = None

    def _place(self, frame: Frame, *, quoted: bool) -> None:
        """Take one substitution, or refuse it."""
        code = self._enclosing()
        reason = frame.refusal or ("[" if code.bracket and code.clause is None else "")
        if not reason and code.redirect:
            reason = ">&" if code.redirect in (">&", "<&") else ""
        elif not reason and code.kind != "array" and code.clause is None:
            reason = hazard(code.words, code.word or "", self._evaluated)
            if not reason and code.firm is not None:
                reason = hazard(code.firm, code.word or "", self._evaluated)
        if reason:
            raise self._refused(reason, self._at)
        if code.clause is not None:
            code.clause.hole = self._at
        code.add(HOLE)
        self._placed.append(quoted)
        self._at += 1

    def _enclosing(self) -> Frame:
        """Give the innermost frame that holds commands."""
        return next(each for each in reversed(self._frames) if each.kind not in _VALUES)

    def _refused(self, reason: str, position: int) -> Misplaced:
        message, hint = REFUSALS[reason]
        return Misplaced(message, hint, HOLE, position)

    def _push(self, kind: Kind, opening: str, refusal: str = "", *, function: bool = False) -> Frame:
        above = self._frames[-1]
        made = Frame(kind, self._at, opening, above.refusal or refusal, above.function or function)
        self._frames.append(made)
        self._at += len(opening)
        return made

    def _skip(self, found: re.Match[str] | None, reason: str) -> str:
        """Step over a stretch in which no substitution may stand."""
        if found is None:
            raise unclosed(reason, self._at)
        hole = self._script.find(HOLE, self._at, found.end())
        if hole >= 0:
            raise self._refused(reason, hole)
        self._at = found.end()
        return found.group()

    def _single(self) -> str:
        return self._skip(_SINGLE.match(self._script, self._at), "'")

    def _comment(self) -> None:
        self._skip(_COMMENT.match(self._script, self._at), "#")

    def _backticks(self, frame: Frame) -> None:
        start = self._at
        self._enclosing().add("`")
        self._skip(_BACKTICKS.match(self._script, self._at), "`")
        self._note_arguments(frame, start, self._at)

    def _escape(self, frame: Frame) -> None:
        following = self._script[self._at + 1 : self._at + 2]
        if following == HOLE:
            raise self._refused("\\", self._at + 1)
        if following != "\n":
            frame.add(following)
        self._at += 2

    def _note_arguments(self, frame: Frame, start: int, end: int) -> None:
        """Remember a use of `$1` and the like, which are taken where there are substitutions."""
        if self._argument is None and not frame.function:
            found = _ARGUMENT.search(self._script, start, end)
            self._argument = (found.group(), found.start()) if found else None

    def _dollar(self, frame: Frame, *, quotes: bool) -> None:
        """Read what `$` begins; `quotes` tells whether `$'…'` and `$"…"` are quotes here."""
        following = self._script[self._at + 1 : self._at + 3]
        self._enclosing().add("$")
        if found := _ARGUMENT.match(self._script, self._at):
            self._note_arguments(frame, self._at, found.end())
        if quotes and following[:1] == "'":
            self._skip(_ANSI.match(self._script, self._at), "$'")
        elif quotes and following[:1] == '"':
            self._push("double", '$"', '$"')
        elif following == "((":
            self._push("arithmetic", "$((", "((").depth = 2
        elif following[:1] == "(":
            self._push("command", "$(", "$(")
        elif following[:1] == "{":
            self._push("parameter", "${", "${")
        elif following == "[[" and frame.kind == "double":
            hint = "write it outside of them, or \\$[[ for the text itself"
            raise MisplacedSegment("an optional segment cannot stand in quotes", hint, "$[[", self._at)
        elif following[:1] == "[":
            self._push("arithmetic", "$[", "((").depth = 1
        else:
            # In `$$`, `$#` and the like the second character begins nothing of its own.
            self._at += 2 if following[:1].isalnum() or following[:1] in _SPECIAL else 1

    def _double(self, frame: Frame) -> None:
        """Read on in double quotes."""
        if found := _DOUBLE.match(self._script, self._at):
            self._enclosing().add(found.group())
            self._at = found.end()
            return
        match self._script[self._at]:
            case '"':
                self._frames.pop()
                self._at += 1
            case "\\":
                self._escape(self._enclosing())
            case "`":
                self._backticks(frame)
            case "$":
                self._dollar(frame, quotes=False)
            case _:
                self._place(frame, quoted=True)

    def _inner(self, frame: Frame) -> None:
        """Read on in `${…}` or arithmetic up to its end; quotes hide the end, nested brackets delay it."""
        if found := _INNER.match(self._script, self._at):
            self._at = found.end()
            return
        character = self._script[self._at]
        match character:
            case "'":
                self._single()
            case '"':
                self._push("double", '"')
            case "\\":
                self._escape(self._enclosing())
            case "`":
                self._backticks(frame)
            case "$":
                self._dollar(frame, quotes=True)
            case _ if character == HOLE:
                raise self._refused(frame.refusal, self._at)
            case _:
                self._at += 1
                self._nest(frame, character)

    def _nest(self, frame: Frame, character: str) -> None:
        if frame.kind == "parameter":
            closed = character == "}"
        else:
            opens, closes = "[]" if frame.opening == "$[" else "()"
            frame.depth += (character == opens) - (character == closes)
            closed = frame.depth == 0
        if closed:
            self._frames.pop()

    def _heredoc(self) -> None:
        """Read `<<WORD`; the body follows the line."""
        found = _HEREDOC.match(self._script, self._at)
        word = found["word"] if found else None
        if found is None or word is None:
            raise Misplaced("the heredoc has no end word", "write <<EOF", "<<", self._at)
        self._skip(found, "<<")
        delimiter = _QUOTING.sub(r"\1", word)
        self._heredocs.append((delimiter, bool(found["tabs"]), delimiter != word))

    def _bodies(self, frame: Frame) -> None:
        """Step over the heredocs that begin on this line."""
        for delimiter, tabs, quoted in self._heredocs:
            self._body(frame, delimiter, tabs=tabs, quoted=quoted)
        self._heredocs.clear()

    def _body(self, frame: Frame, delimiter: str, *, tabs: bool, quoted: bool) -> None:
        joined = ends = False
        while self._at < len(self._script) and not ends:
            end = self._script.find("\n", self._at)
            end = end if end >= 0 else len(self._script)
            line = self._script[self._at : end]
            if HOLE in line:
                raise self._refused("<<", self._at + line.index(HOLE))
            ends = not joined and (line.lstrip("\t") if tabs else line) == delimiter
            if not ends and not quoted:
                self._note_arguments(frame, self._at, end)
            # A backslash at the end of a line joins it with the next, which then ends nothing.
            joined = not quoted and (len(line) - len(line.rstrip("\\"))) % 2 == 1
            self._at = min(end + 1, len(self._script))


def unclosed(opening: str, position: int) -> Misplaced:
    """Say that a construct has no end."""
    what = "this quote" if opening[-1:] in "'\"`" else f"'{opening}'"
    return Misplaced(f"{what} is never closed", f"end it with {_ENDS[opening]}", opening, position)
