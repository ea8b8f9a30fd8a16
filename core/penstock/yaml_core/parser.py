"""Where the parse events come from: libyaml, or PyYAML's own parser where libyaml was not built in."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Final

import yaml
from yaml.error import Mark
from yaml.scanner import ScannerError

HAS_LIBYAML = hasattr(yaml, "CSafeLoader")

NextEvent = Callable[[], yaml.Event | None]
"""Gives the next event of a stream, the last one a `StreamEndEvent`."""


def events(text: str) -> NextEvent:
    """Parse with what this installation has.

    This and the events raise `yaml.MarkedYAMLError` for bad syntax, libyaml's also `UnicodeDecodeError` for a tag with
    broken escapes.
    """
    _refuse_directives(text)
    if HAS_LIBYAML:
        return yaml.CSafeLoader(text).get_event
    # Read on demand: some fifty times as slow, and missing libyaml is rare.
    from penstock.yaml_core.python_parser import PythonParser

    return PythonParser(text).get_event


_TAG_DIRECTIVE: Final = re.compile(r"(?:^|[\r\n])(%TAG)")
_MOST_DIRECTIVES: Final = 100


def _refuse_directives(text: str) -> None:
    """Refuse a heap of `%TAG` lines: libyaml compares each with all before it."""
    if text.count("%TAG") > _MOST_DIRECTIVES:
        found = list(islice(_TAG_DIRECTIVE.finditer(text), _MOST_DIRECTIVES + 1))
        if len(found) > _MOST_DIRECTIVES:
            mark = Mark("", found[0].start(1), 0, 0, None, 0)
            raise ScannerError("while scanning a directive", mark, "found too many directives", mark)


def span(event: yaml.Event) -> tuple[int, int]:
    """Give an event's indices into the text: its first character, and the one behind its last."""
    start, end = event.start_mark, event.end_mark
    return (start.index if start else 0), (end.index if end else 0)
