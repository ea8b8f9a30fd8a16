"""What to say about YAML that parses and is still not what was meant. Codes, messages, hints; no state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from penstock.diagnostics import Path
from penstock.yaml_core.findings import Finding
from penstock.yaml_core.quoting import quoted
from penstock.yaml_core.scalars import shorten
from penstock.yaml_core.text import shown

if TYPE_CHECKING:
    from penstock.yaml_core.build import Value

Advice = tuple[str, str, str]
"""Code, message and hint of a diagnostic."""

_CUT_OFF: Final = re.compile(r"[ \t]+#[^\r\n]*\}\}[^\r\n]*")
_REST_OF_LINE: Final = re.compile(r"[^\r\n]*")
_SHORT_HEADER: Final = re.compile(r"[|>][-+]?[0-9][-+]?[ \t]*(?=#|\r|\n|$)")

SECOND_DOCUMENT: Final[Advice] = (
    "P105",
    "a second document begins here; a file holds one",
    "remove this line, or put what follows into a file of its own",
)
ESCAPED_NUL: Final[Advice] = (
    "P102",
    "this text holds a NUL character, which no command line, path or variable can carry",
    "remove the escape, such as \\0, that stands for it",
)
MERGE_KEY: Final[Advice] = (
    "P113",
    "the merge key '<<' is not YAML 1.2, and is not read",
    "write the fields out; an alias can stand for a whole mapping: 'env: *shared'",
)


def foreign_tag(tag: str) -> Advice:
    """Refuse a tag that is not of the core schema, or not of this kind of node."""
    name = shown(shorten(tag))
    return (
        "P112",
        f"the tag {name} is not supported here",
        "remove it, or quote the text if it begins with '!'",
    )


def unfit_for_tag(tag: str, text: str) -> Advice:
    """Refuse text that its tag does not fit."""
    return (
        "P112",
        f"{shown(text)} does not fit its tag {shown(shorten(tag))}",
        "remove the tag, or correct the value",
    )


def unknown_alias(name: str) -> Advice:
    """Refuse an alias whose anchor does not come before it."""
    alias = shown("*" + name)
    hint = f"quote it if a star was meant: {quoted('*' + name)}"
    return "P103", f"the alias {alias} stands for nothing: no {shown('&' + name)} comes before it", hint


def alias_as_key(name: str) -> Advice:
    """Refuse an alias in the place of a key that stands for no string."""
    return (
        "P108",
        f"the alias {shown('*' + name)} stands for no string, so it cannot be a key",
        "write the key out",
    )


def key_that_is_no_string(text: str, value: Value) -> Advice:
    """Refuse a key such as `1`, `true`, or none at all."""
    if not text:
        return "P108", "a key is missing before this colon", "write a name before it"
    match value:
        case bool():
            kind = "a boolean"
        case int():
            kind = "an integer"
        case float():
            kind = "a number"
        case _:
            kind = "null"
    return "P108", f"the key {shown(text)} is {kind}, and keys are strings", f"quote it: {quoted(text)}"


def complex_key(text: str, index: int) -> Advice:
    """Refuse a mapping or list in the place of a key, which is nearly always an expression half written."""
    hint = "keys are strings; quote the text if a string was meant"
    if text[index] == "{" and (text[index - 1 : index] == "{" or text[index + 1 : index + 2] == "{"):
        hint = 'an expression has a dollar sign and quotes here: "${{ … }}"'
    kind = "a list" if text[index] == "[" else "a mapping"
    return "P108", f"{kind} stands in the place of a key", hint


def expression_as_key(text: str, extent: tuple[int, int], path: Path) -> Finding:
    """Say that `- ${{ a }}: b` is a mapping with the expression as key."""
    start, end = extent
    found = max(text.find("${{", start, end), start)
    rest = _REST_OF_LINE.match(text, start)
    line = "" if rest is None else rest[0].partition(" #")[0].rstrip()
    before = text[text.rfind("\n", 0, start) + 1 : start].strip()
    hint = "keys are written out; only values may hold expressions"
    if before.endswith("-") and not line.endswith(":") and len(line) <= 100:
        hint = f"quote it: {before} {quoted(line)}"
    message = "the ':' behind this expression makes it a key"
    return Finding("P114", message, found, end - found, hint, path)


def cut_off(text: str, extent: tuple[int, int], value: str, path: Path) -> Finding | None:
    """Find an expression whose end went into a comment: `${{ inputs.a #b }}`."""
    start, end = extent
    if "}}" in value[value.rfind("${{") :]:
        return None
    rest = _CUT_OFF.match(text, end)
    found = text.rfind("${{", start, end)
    if rest is None or found < 0:
        return None
    message = "quote this text: ' #' begins a comment, which cuts the expression off"
    quote = (start, rest.start() + len(rest[0].rstrip()))
    return Finding("P114", message, found, end - found, "", path, quote)


def empty_block(text: str, index: int, path: Path) -> Finding | None:
    """Find a comparison, such as `>5`, that YAML took for an empty block of text and its indentation."""
    header = _SHORT_HEADER.match(text, index)
    if header is None:
        return None
    end = index + len(header[0].rstrip())
    message = f"quote this text: YAML takes its {shown(text[index])} for the start of a block of text"
    return Finding("P114", message, index, end - index, "", path, (index, end))
