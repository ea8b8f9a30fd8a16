"""Hints in the words of Python: what to write is a keyword argument, where YAML has a key."""

from __future__ import annotations

import re

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"keep it: outputs: \{(\w+): (\".*\")\}"), r"keep it: pipeline.output('\1', \2)"),
    (re.compile(r"\b(inputs|outputs|objective): \{(\w+): (\w+)\}"), r"\1={'\2': '\3'}"),
    (re.compile(r"\b(inputs|outputs|objective): \{(\w+): (.+?)\}(?=$|[,;])"), r"\1={'\2': \3}"),
    (re.compile(r"\b(when|environment): (\$\{\{ .*? \}\}|\w+)"), r"\1='\2'"),
    (re.compile(r"\badd '(\w+):'(?: with a command)?"), r"add \1=…"),
    (re.compile(r"write 'name: value' lines.*"), "write a dictionary: {'name': value}"),
    (re.compile(r"the value is missing: .*"), "give a value, or leave the argument out"),
    (re.compile(r"declare 'type: (\w+)'"), r"declare the type '\1'"),
    (
        re.compile(r"\{minimum: …, maximum: …\}, or \{enum: \[a, b\]\}"),
        "ps.Dimension(minimum=…, maximum=…), or a list",
    ),
    (re.compile(r"^write (true or false), without quotes$"), "write True or False"),
)


def in_python(hint: str) -> str:
    """Say a hint that was written for YAML so that it can be followed in Python."""
    for pattern, words in _RULES:
        hint = pattern.sub(words, hint)
    return hint
