"""PyYAML's own parser, brought to read tabs, question marks and directives as libyaml reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml
from yaml.error import Mark
from yaml.scanner import ScannerError
from yaml.tokens import DirectiveToken, ScalarToken

if TYPE_CHECKING:

    class _Parser:
        """What `yaml.SafeLoader` has and its stubs leave untyped."""

        column: int
        indent: int
        flow_level: int
        allow_simple_key: bool

        def __init__(self, stream: str) -> None: ...
        def get_event(self) -> yaml.Event | None: ...
        def get_mark(self) -> Mark: ...
        def peek(self, index: int = 0) -> str: ...
        def prefix(self, length: int = 1) -> str: ...
        def forward(self, length: int = 1) -> None: ...
        def scan_line_break(self) -> str: ...
        def scan_directive(self) -> DirectiveToken: ...
else:
    _Parser = yaml.SafeLoader

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WHITE: Final = " \t"
_BREAKS: Final = "\r\n"
_ENDS: Final = "\0" + _WHITE + _BREAKS
_FLOW_ENDS: Final = ",[]{}"


class PythonParser(_Parser):
    """A parser of text that holds no line breaks but carriage return and line feed."""

    def get_event(self) -> yaml.Event | None:
        """Give the next event; an escape for a character that does not exist is an error with a place."""
        try:
            event = super().get_event()
        except (ValueError, OverflowError) as error:
            raise self._bad_escape() from error
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            raise self._bad_escape()
        return event

    def scan_directive(self) -> DirectiveToken:
        """Read a directive; one that YAML does not define is refused."""
        start = self.get_mark()
        token = super().scan_directive()
        if token.name not in ("YAML", "TAG"):
            raise ScannerError("while scanning a directive", start, "found unknown directive name", start)
        return token

    def scan_to_next_token(self) -> None:
        """Skip white space and comments; a tab counts as a space except where it would indent a key."""
        while True:
            while self.peek() == " " or (self.peek() == "\t" and not self._indents()):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain(self) -> ScalarToken:
        """Read a plain scalar, which may hold tabs and question marks."""
        indent = self.indent + 1
        start = end = self.get_mark()
        pieces: list[str] = []
        gap = ""
        while not self._at_document_marker() and self.peek() != "#":
            length = self._word_length()
            if length == 0:
                break
            self.allow_simple_key = False
            pieces += (gap, self.prefix(length))
            self.forward(length)
            end = self.get_mark()
            gap = self._gap(indent, start)
            if not gap or (not self.flow_level and self.column < indent):
                break
        return ScalarToken("".join(pieces), True, start, end)

    def _indents(self) -> bool:
        return not self.flow_level and self.allow_simple_key

    def _word_length(self) -> int:
        ends = _FLOW_ENDS if self.flow_level else ""
        length = 0
        while (character := self.peek(length)) not in _ENDS and character not in ends:
            if character == ":" and self.peek(length + 1) in _ENDS + ends:
                break
            length += 1
        return length

    def _gap(self, indent: int, start: Mark) -> str:
        """Read the white space after a word, folded; empty where there is none."""
        white, breaks = "", 0
        while (character := self.peek()) in _WHITE + _BREAKS:
            if character in _BREAKS:
                self.scan_line_break()
                breaks += 1
                self.allow_simple_key = True
                if self._at_document_marker():
                    break
                continue
            if breaks and character == "\t" and self.column < indent:
                problem = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start, problem, self.get_mark())
            white += "" if breaks else character
            self.forward()
        if breaks:
            return "\n" * (breaks - 1) or " "
        return white

    def _at_document_marker(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS

    def _bad_escape(self) -> ScannerError:
        problem = "found invalid Unicode character escape code"
        return ScannerError("while scanning a quoted scalar", None, problem, self.get_mark())
