"""Commands and their words, on top of quotes and expansions: how each substitution in a script stands.

It stands bare or in double quotes; anywhere else it is refused, since a value there would not arrive as one
word, or would be run. The scan judges nothing else: a script may pass here and still be wrong to bash.
"""

from __future__ import annotations

import re

from penstock.expressions.bash.expansions import unclosed
from penstock.expressions.bash.frames import Clause, Frame, Misplaced
from penstock.expressions.bash.hazards import (
    ARITHMETIC_TESTS,
    HOLE,
    RESERVED,
    evaluated_names,
    resets_arguments,
)
from penstock.expressions.bash.segments import Segments

_PLAIN = re.compile(r"[^ \t\n\\'\"`$#<>();&|\0]+")
_REDIRECT = re.compile(r"<<<|<&|<>|<|>>|>\||>&|>")
_CONTROL = re.compile(r"&>>?|;;&|;;|;&|&&|\|\||\|&|[&|;]")
_NO_ARGUMENTS = re.compile(r"\([ \t]*+\)")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^]]*\])?\+?=")
_DESCRIPTOR = re.compile(r"[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\}")


def placements(script: str) -> tuple[list[bool], list[tuple[int, int]]]:
    """Tell how the substitutions in a script stand, and where its optional segments are.

    Gives for each `HOLE`, in order, whether it stands in double quotes (else it is bare), and for each segment the
    positions of its `$[[` and of its `]]`. Raises Misplaced.
    """
    return _Commands(script).run()


class _Commands(Segments):
    def __init__(self, script: str) -> None:
        super().__init__(script)
        self._reset: tuple[str, int] | None = None

    def run(self) -> tuple[list[bool], list[tuple[int, int]]]:
        while self._at < len(self._script):
            frame = self._frames[-1]
            match frame.kind:
                case "double":
                    self._double(frame)
                case "parameter" | "arithmetic":
                    self._inner(frame)
                case _:
                    self._code(frame)
        self._finish()
        return self._placed, self._segments

    def _code(self, frame: Frame) -> None:
        if self._segment is not None and frame is self._segment.frame and self._in_segment(frame):
            return
        if found := _PLAIN.match(self._script, self._at):
            if frame.word is None and not frame.words:
                frame.started = self._at
            frame.add(found.group(), literal=True)
            self._at = found.end()
            return
        character = self._script[self._at]
        match character:
            case " " | "\t":
                self._end_word(frame)
                self._at += 1
            case "\n":
                self._newline(frame)
            case "\\":
                self._escape(frame)
            case "'":
                frame.add(self._single()[1:-1])
            case '"':
                frame.add("")
                self._push("double", '"')
            case "`":
                self._backticks(frame)
            case "$" if self._script.startswith("$[[", self._at):
                self._begin_segment(frame)
            case "$":
                self._dollar(frame, quotes=True)
            case "#" if frame.word is None:
                self._comment()
            case "#":
                frame.add("#", literal=True)
                self._at += 1
            case "<" | ">":
                self._redirect(frame)
            case "(":
                self._open(frame)
            case ")":
                self._close(frame)
            case _ if character == HOLE:
                self._place(frame, quoted=False)
            case _:
                self._control(frame)

    def _newline(self, frame: Frame) -> None:
        if frame.kind == "array" or frame.clause is not None or frame.case == "subject":
            self._end_word(frame)
        else:
            self._end_command(frame)
        self._at += 1
        self._bodies(frame)

    def _redirect(self, frame: Frame) -> None:
        if frame.clause is not None:
            self._end_word(frame)
            self._at += 1
            return
        if self._script.startswith(("<(", ">("), self._at):
            frame.add("<")
            self._push("command", self._script[self._at : self._at + 2], "<(")
            return
        if frame.word is not None and frame.literal and _DESCRIPTOR.fullmatch(frame.word):
            frame.word = None
        self._end_word(frame)
        if self._script.startswith("<<", self._at) and not self._script.startswith("<<<", self._at):
            self._heredoc()
            return
        found = _REDIRECT.match(self._script, self._at)
        frame.redirect = found.group() if found else self._script[self._at]
        self._at += len(frame.redirect)

    def _control(self, frame: Frame) -> None:
        found = _CONTROL.match(self._script, self._at)
        operator = found.group() if found else self._script[self._at]
        if frame.clause is not None:
            self._end_word(frame)
            self._end_clause(frame)
        elif operator.startswith("&>"):
            self._end_word(frame)
            frame.redirect = operator
        else:
            self._end_command(frame)
            cases = self._frames[-1].cases
            if operator in (";;", ";&", ";;&") and cases:
                cases[-1] = "pattern"
        self._at += len(operator)

    def _open(self, frame: Frame) -> None:
        empty = _NO_ARGUMENTS.match(self._script, self._at)
        if frame.clause is not None:
            self._end_word(frame)
            self._end_clause(frame)
            self._at += 1
        elif frame.case == "pattern" and frame.word is None:
            self._at += 1
        elif empty and (frame.names_function or _is_name(frame)):
            frame.word, frame.words, frame.names_function = None, [], True
            self._at = empty.end()
        elif self._script.startswith("((", self._at) and frame.word is None and not frame.names_function:
            self._push("arithmetic", "((", "((").depth = 2
        elif frame.word is not None:
            # `x=(…)`, or a pattern such as `@(a|b)`: words, no commands.
            frame.add("(")
            self._push("array", "(")
        else:
            self._push(
                "subshell", "(", "function" if frame.names_function else "", function=frame.names_function
            )
            frame.names_function = False

    def _close(self, frame: Frame) -> None:
        if frame.word == "esac" or frame.clause is not None:
            self._end_word(frame)
        if frame.clause is not None:
            self._end_clause(frame)
        elif frame.case == "pattern":
            frame.word, frame.words = None, []
            frame.cases[-1] = "body"
        else:
            self._end_command(frame)
            # The word that ended may have been a closing brace.
            if self._frames[-1].kind in ("subshell", "array", "command"):
                self._frames.pop()
        self._at += 1

    def _end_clause(self, frame: Frame) -> None:
        clause = frame.clause
        if clause is not None and clause.arithmetic and clause.hole is not None:
            raise self._refused("[[", clause.hole)
        frame.clause = Clause()

    def _end_command(self, frame: Frame) -> None:
        self._end_word(frame)
        if not frame.function and frame.kind not in ("command", "array"):
            for words in (frame.words, frame.firm or []):
                if resets_arguments(words):
                    self._reset = self._reset or (words[0], frame.started)
        self._evaluated |= evaluated_names(frame.words)
        frame.words, frame.firm, frame.coprocess = [], None, False
        frame.redirect = ""

    def _end_word(self, frame: Frame) -> None:
        word, frame.word, frame.bracket = frame.word, None, False
        if word is None:
            return
        if frame.clause is not None:
            frame.clause.arithmetic = frame.clause.arithmetic or (frame.literal and word in ARITHMETIC_TESTS)
            if frame.literal and word == "]]":
                self._end_clause(frame)
                frame.clause = None
        elif frame.redirect:
            frame.redirect = ""
        elif frame.case == "pattern":
            if word == "esac" and frame.literal:
                frame.cases.pop()
        elif frame.case == "subject" and word == "in" and len(frame.words) > 1:
            frame.cases[-1] = "pattern"
            frame.words = []
        elif frame.words == ["function"]:
            frame.words, frame.names_function = [], True
        elif frame.words or frame.kind == "array" or not self._starts(frame, word):
            frame.take(word)

    def _starts(self, frame: Frame, word: str) -> bool:
        """Take a word at the start of a command; true where it is no word of that command."""
        if _ASSIGNMENT.match(word):
            return True
        if not frame.literal:
            return False
        if frame.names_function and word != "{":
            raise Misplaced(
                "the body of a shell function stands in { }", "write name() { …; }", word, frame.started
            )
        match word:
            case "{":
                function, frame.names_function = frame.names_function, False
                made = self._push("brace", "", "function" if function else "", function=function)
                made.opening, made.opened = "{", frame.started
            case "}" if frame.kind == "brace":
                self._frames.pop()
            case "esac" if frame.cases:
                frame.cases.pop()
            case "[[":
                frame.clause = Clause()
            case "case":
                frame.cases.append("subject")
                return False
            case _:
                frame.coprocess = frame.coprocess or word == "coproc"
                return word in RESERVED
        return True

    def _finish(self) -> None:
        self._end_segments()
        for frame in reversed(self._frames):
            if frame.kind in ("double", "parameter", "arithmetic", "command"):
                raise unclosed(frame.opening, frame.opened)
            self._end_command(frame)
        for frame in self._frames[1:]:
            if frame.function:
                raise unclosed(frame.opening, frame.opened)
        taken = self._argument or self._reset
        if taken is not None and self._placed:
            raise Misplaced(
                f"'{taken[0]}' is taken: the script's own arguments carry the values of its expressions",
                'bind a value to a variable, x=${{ inputs.x }}, and use "$x"',
                *taken,
            )


def _is_name(frame: Frame) -> bool:
    """Tell whether `()` makes a function of what stands before it."""
    if frame.word is None:
        return len(frame.words) == 1
    return frame.literal and not frame.words and not frame.word.endswith("=")
