"""From parse events to plain Python values, in one pass, bounded against hostile files.

No node tree is made: most files are right, and `positions` finds places in the few that are not. A list of
frames instead of recursion, so that no nesting can exhaust Python's own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from yaml import YAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from penstock.diagnostics import Path
from penstock.yaml_core import advice, scalars
from penstock.yaml_core.aliases import DEEPEST, TOO_DEEP, Aliases, Refused
from penstock.yaml_core.findings import MOST, Finding
from penstock.yaml_core.parser import NextEvent, events, span
from penstock.yaml_core.scalars import Mismatch, Scalar
from penstock.yaml_core.text import shown

Value = Scalar | list["Value"] | dict[str, "Value"]
"""What a document can hold. Aliases share one object, so a value is not to be changed in place."""

_DROPPED = str(b"(dropped)", "ascii")
"""Stands, by identity, for a key whose value is read and thrown away; made at run time, so never interned."""

_Frame = tuple[list[Value], dict[str, Value] | None, str | None]
"""A collection being filled: the list, or the mapping and its key that waits for a value."""


@dataclass(slots=True)
class Built:
    """What one text gave.

    Attributes:
        roots: the first document's root value; empty where there is none, and where reading did not end well.
        findings: what is wrong, in the order of the text.
        failure: the syntax error that ended the reading.
    """

    roots: list[Value] = field(default_factory=list["Value"])
    findings: list[Finding] = field(default_factory=list[Finding])
    failure: YAMLError | UnicodeError | None = None


def build(text: str) -> Built:
    """Read the first document of a text. Never raises for what the text holds."""
    reading = _Reading(text)
    try:
        reading.run(events(text))
    except Refused:
        reading.built.roots.clear()
    except (YAMLError, UnicodeError) as failure:
        reading.built.failure = failure
        reading.built.roots.clear()
    return reading.built


class _Reading:
    def __init__(self, text: str) -> None:
        self.text = text
        self.built = Built()
        self.frames: list[_Frame] = []
        self.aliases = Aliases()
        self.nodes = 0

    def run(self, next_event: NextEvent) -> None:
        """Fill `built`. Raises `Refused` at a bound, after noting it, and what the parser raises."""
        # The hot loop: about 37,000 rounds for a spec of 1,000 steps. Everything unusual is a method call.
        frames = self.frames
        aliases = self.aliases
        intern = sys.intern
        resolve = scalars.resolve
        firsts = scalars.FIRSTS
        items: list[Value] = self.built.roots
        fields: dict[str, Value] | None = None
        key: str | None = None
        value: Value
        while True:
            event = next_event()
            if type(event) is ScalarEvent:
                text = event.value
                value = text
                style = event.style
                if event.tag is not None or event.anchor is not None:
                    value = self._unusual_scalar(event, (items, fields, key))
                elif not style:
                    if text[:1] in firsts:
                        value = resolve(text)
                    elif "${{" in text:
                        self._check_plain(event, (items, fields, key))
                elif style != "'":
                    self._check_styled(event, (items, fields, key))
                self.nodes += 1
                if fields is None:
                    items.append(value)
                elif key is None:
                    if value.__class__ is str and text not in fields and text != "<<":
                        key = intern(text)
                    else:
                        key = self._odd_key(event, value, (items, fields, key))
                else:
                    if key is not _DROPPED:
                        fields[key] = value
                    key = None
                continue
            if type(event) is MappingStartEvent or type(event) is SequenceStartEvent:
                self._open(event, (items, fields, key))
                self.nodes += 1
                frames.append((items, fields, key))
                items, key = [], None
                fields = {} if type(event) is MappingStartEvent else None
                continue
            if type(event) is MappingEndEvent or type(event) is SequenceEndEvent:
                value = items if fields is None else fields
                if aliases.open_level == len(frames):
                    aliases.close(value, span(event)[1], self.nodes)
                items, fields, key = frames.pop()
            elif type(event) is AliasEvent:
                value = self._alias(event, (items, fields, key))
                if fields is not None and key is None and isinstance(value, str):
                    key = self._odd_key(event, value, (items, fields, key)) if value in fields else value
                    continue
            elif event is None or type(event) is StreamEndEvent:
                return
            elif type(event) is DocumentStartEvent and self.built.roots:
                self._note(event, *advice.SECOND_DOCUMENT, length=3)
                return
            else:
                continue
            # A collection or an alias is complete: put it where it belongs.
            if fields is None:
                items.append(value)
            elif key is None:
                key = _DROPPED
            else:
                if key is not _DROPPED:
                    fields[key] = value
                key = None

    def _note(
        self,
        event: Event,
        code: str,
        message: str,
        hint: str = "",
        path: Path = (),
        length: int | None = None,
    ) -> None:
        start, end = span(event)
        self._keep(Finding(code, message, start, end - start if length is None else length, hint, path))

    def _keep(self, finding: Finding | None) -> None:
        if finding is not None and len(self.built.findings) < MOST:
            self.built.findings.append(finding)

    def _path(self, here: _Frame) -> Path:
        """Give the path of the value that is being read; while a key is, that of its mapping."""
        found: list[str | int] = []
        for items, fields, key in [*self.frames[1:], here] if self.frames else []:
            if fields is None:
                found.append(len(items))
            elif key is not None:
                found.append(key)
        return tuple(found)

    def _unusual_scalar(self, event: ScalarEvent, here: _Frame) -> Value:
        """Give the value of a scalar that has a tag or an anchor."""
        value: Scalar = event.value
        if event.tag is not None:
            value = self._tagged(event, event.tag, self._path(here))
        elif not event.style:
            value = scalars.resolve(event.value)
        if not event.style and "${{" in event.value:
            self._check_plain(event, here)
        elif event.style and event.style != "'":
            self._check_styled(event, here)
        if event.anchor is not None:
            start, end = span(event)
            self.aliases.scalar(event.anchor, value, end - start)
        return value

    def _tagged(self, event: ScalarEvent, tag: str, path: Path) -> Scalar:
        if not scalars.is_scalar_tag(tag):
            self._note(event, *advice.foreign_tag(tag), path)
            return event.value
        value = scalars.tagged(tag, event.value)
        if isinstance(value, Mismatch):
            self._note(event, *advice.unfit_for_tag(tag, event.value), path)
            return event.value
        return value

    def _check_plain(self, event: ScalarEvent, here: _Frame) -> None:
        """Note an expression that YAML took for a key, or that it cut off."""
        if _at_key(here):
            self._keep(advice.expression_as_key(self.text, span(event), self._path(here)))
        else:
            self._keep(advice.cut_off(self.text, span(event), event.value, self._path(here)))

    def _check_styled(self, event: ScalarEvent, here: _Frame) -> None:
        """Note a NUL written as an escape, and a comparison such as `>5` that YAML took for a block."""
        if "\0" in event.value:
            self._note(event, *advice.ESCAPED_NUL, self._path(here))
        if not event.value and event.style != '"':
            self._keep(advice.empty_block(self.text, span(event)[0], self._path(here)))

    def _odd_key(self, event: NodeEvent, value: Value, here: _Frame) -> str:
        """Note a key that is a duplicate, no string, or a merge key, and say what to read its value as."""
        fields = here[1] or {}
        if isinstance(value, str) and value in fields and len(self.built.findings) == MOST:
            return _DROPPED
        start, end = span(event)
        text = value if isinstance(value, str) else self.text[start:end]
        path = self._path(here)
        if not isinstance(value, str):
            self._note(event, *advice.key_that_is_no_string(text, value), path)
        elif text == "<<" and isinstance(event, ScalarEvent) and not event.style:
            self._note(event, *advice.MERGE_KEY, path)
            return _DROPPED
        if text in fields:
            self._note(event, "P104", f"{shown(text)} is given twice", "keep one of the two", (*path, text))
            return _DROPPED
        return text

    def _open(self, event: CollectionStartEvent, here: _Frame) -> None:
        """Check a collection where it starts, and begin its anchor."""
        level = len(self.frames) + 1
        start, _ = span(event)
        if level > DEEPEST:
            self._note(event, *TOO_DEEP, self._path(here), length=1)
            raise Refused(*TOO_DEEP)
        if _at_key(here):
            self._note(event, *advice.complex_key(self.text, start), self._path(here), length=1)
        if event.tag is not None:
            kind = "map" if isinstance(event, MappingStartEvent) else "seq"
            if not scalars.is_collection_tag(event.tag, kind):
                self._note(event, *advice.foreign_tag(event.tag), self._path(here))
        if event.anchor is not None:
            self.aliases.open(event.anchor, level, start, self.nodes)
        else:
            self.aliases.deepen(level)

    def _alias(self, event: AliasEvent, here: _Frame) -> Value:
        """Give the value that an alias stands for, within the bounds."""
        name = str(event.anchor)
        path = self._path(here)
        try:
            found = self.aliases.get(name, len(self.frames))
        except Refused as refused:
            self._note(event, refused.code, refused.message, refused.hint, path)
            raise
        if found is None:
            self._note(event, *advice.unknown_alias(name), path)
            return None
        if _at_key(here) and not isinstance(found.value, str):
            self._note(event, *advice.alias_as_key(name), path)
        return found.value


def _at_key(here: _Frame) -> bool:
    return here[1] is not None and here[2] is None
