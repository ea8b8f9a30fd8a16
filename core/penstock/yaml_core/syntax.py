"""A parser's complaint in the user's words: what is wrong, where, and what to write instead."""

from __future__ import annotations

import re
from typing import Final

from yaml import MarkedYAMLError, YAMLError
from yaml.events import CollectionEndEvent, CollectionStartEvent

from penstock.yaml_core.findings import Finding
from penstock.yaml_core.parser import events, span
from penstock.yaml_core.text import Lines, shown
from penstock.yaml_core.unquoted import Reason, Suspect, suspects

_TABBED: Final = re.compile(r"^ *\t", re.MULTILINE)
_LONGEST_QUOTED: Final = 500
"""Longer texts are not quoted on the user's behalf."""

_DIRECTIVE: Final = re.compile(r"%[A-Z]")
_BRACKET: Final = re.compile(r"[\[\]{}]")
_KEY_END: Final = re.compile(r":(?:[ \t]|$)")
_ITEM: Final = re.compile(r"[ ]*-(?:[ \t]|$)")
_BROKEN_TAG: Final = re.compile(r"![^\s!%]*+%")
_EXPRESSION: Final = re.compile(r"\$\{\{.*?(?:\}\}|$)|\$\[\[.*?(?:\]\]|$)")

# What libyaml says, or PyYAML's own parser; message; hint. The first that fits counts. Complaints that need
# a look at the text have functions below.
_SENTENCES: Final = tuple(
    (re.compile(pattern), message, hint)
    for pattern, message, hint in (
        (
            "unknown escape character",
            "this backslash begins no escape that YAML knows",
            "in double quotes write two backslashes; in single quotes one stands for itself",
        ),
        (
            "hexdecimal|hexadecimal",
            "this escape lacks hexadecimal digits",
            "write \\x41, \\u0041 or \\U00000041; in single quotes a backslash stands for itself",
        ),
        (
            "invalid Unicode",
            "this escape stands for no character",
            "remove it, or correct its digits",
        ),
        (
            "scanning a block scalar",
            "a block of text begins on the line after its '|' or '>'",
            "put the text on the next line, indented",
        ),
        (
            "scanning an? (alias|anchor)",
            "a name is missing after this '*' or '&'",
            "quote the text if it begins with this character",
        ),
        (
            "scanning a directive|directive|incompatible|%(YAML|TAG)",
            "this directive is not understood",
            "remove the line: a spec needs no line that begins with '%'",
        ),
        (
            "scanning a tag|parsing a tag|tag handle",
            "this is no tag that YAML knows",
            "quote the text if it begins with '!'; a spec needs no tags",
        ),
        (
            "document start",
            "nothing can follow the end of the document",
            "remove this, or the '...' before it",
        ),
        (
            "entries are not allowed",
            "a list cannot begin here, behind something on the same line",
            "begin it on the next line, indented, or write [a, b]; quote the text if it begins with '-'",
        ),
        (
            "keys are not allowed",
            "a '?' followed by a space cannot stand here",
            "quote the text",
        ),
        (
            "could not find expected ':'",
            "this line is not 'key: value'",
            "a key needs a colon and a space behind it",
        ),
        (
            "parsing a block collection",
            "this is not an item of the list above, nor nested in one",
            "begin it with '- ' in the list's column, or check the indentation",
        ),
    )
)


def explain(failure: YAMLError | UnicodeError, lines: Lines) -> Finding:
    """Say what a parser stumbled over.

    Args:
        failure: what the parser raised.
        lines: what it read.

    Returns:
        A finding with code P114, where an expression or comparison lacks its quotes, or P103.
    """
    text = lines.text
    if not isinstance(failure, MarkedYAMLError) or failure.problem_mark is None:
        tag = _BROKEN_TAG.search(text)
        return Finding("P103", "this is no tag that YAML knows", tag.start() if tag else 0, 1, "remove it")
    index = _last_visible(text, failure.problem_mark.index)
    line, _ = lines.position(index)
    excerpt = lines.excerpt(line)
    if _TABBED.match(excerpt):
        return _tab(lines, line)
    begin = lines.start(line)
    for suspect in suspects(excerpt, _depth(text, begin)) if not _DIRECTIVE.match(excerpt) else ():
        if begin + suspect.start <= index <= begin + suspect.end:
            found = needs_quotes(excerpt, begin, suspect)
            if found is not None:
                return found
        if begin + suspect.start > index:
            break
    return _sentence(failure, lines, index)


def _last_visible(text: str, index: int) -> int:
    """Take the end of the text back to its last character, for complaints about what is missing there."""
    if index < len(text):
        return index
    return max(0, len(text.rstrip()) - 1)


def _depth(text: str, index: int) -> int:
    """Count the `{` and `[` that are open at an index, by the parser's own account as far as it came."""
    depth, behind = 0, 0
    next_event = events(text)
    try:
        while (event := next_event()) is not None:
            start, end = span(event)
            if start >= index:
                return depth
            behind = max(behind, end)
            if isinstance(event, CollectionStartEvent) and event.flow_style:
                depth += 1
            elif isinstance(event, CollectionEndEvent) and end > start:
                depth -= 1
    except (YAMLError, UnicodeError):
        # The parser looks ahead: brackets it has seen may not have been told.
        for found in _BRACKET.finditer(text, behind, index):
            depth += 1 if found[0] in "[{" else -1
    return max(0, depth)


def _tab(lines: Lines, line: int) -> Finding:
    count = sum(1 for _ in _TABBED.finditer(lines.text))
    others = f"; {count} lines of this file begin with one" if count > 1 else ""
    column = lines.excerpt(line).index("\t")
    hint = "indent with spaces, two for each level"
    return Finding("P103", f"YAML takes no tab as indentation{others}", lines.start(line) + column, 1, hint)


def needs_quotes(excerpt: str, begin: int, suspect: Suspect) -> Finding | None:
    """Make the finding of a text without its quotes; `None` where quotes around it are not the cure."""
    start, end = suspect.start, suspect.end
    content = excerpt[start:end]
    expression = _EXPRESSION.search(excerpt, start, end)
    if suspect.reason is Reason.AFTER_QUOTES and expression is None and content[0] == content[-1]:
        cure = "write it twice" if content[0] == "'" else "write a backslash before it"
        message = f"a quote inside {content[0]}…{content[0]} ends the text too early"
        return Finding(
            "P103", message, begin + start, end - start, f"{cure}, or use the other kind of quotes around"
        )
    message = f"quote this text: {suspect.reason.value}"
    quote = (begin + start, begin + end) if end - start <= _LONGEST_QUOTED else None
    if expression is not None:
        length = expression.end() - expression.start()
        return Finding("P114", message, begin + expression.start(), length, "", (), quote)
    code = "P114" if content[0] == ">" and suspect.reason is Reason.INDICATOR else "P103"
    hint = ""
    if suspect.reason is Reason.INDICATOR and content[0] == "|":
        hint = "for a block of text, begin the text on the next line, indented"
    return Finding(code, message, begin + start, end - start, hint, (), quote)


def _sentence(failure: MarkedYAMLError, lines: Lines, index: int) -> Finding:
    problem = f"{failure.context or ''}: {failure.problem or ''}"
    context = failure.context_mark.index if failure.context_mark else index
    if "quoted scalar" in problem and re.search("end of stream|document", problem):
        quote = lines.text[context : context + 1]
        hint = f"write {quote} where the text ends"
        return Finding("P103", f"this {quote} has no second one to end its text", context, 1, hint)
    if re.search("scanning a simple key", problem):
        message, hint = "this line is not 'key: value'", "a key needs a colon and a space behind it"
        return Finding("P103", message, context, _rest(lines, context), hint)
    if "values are not allowed" in problem:
        return _stray_colon(lines, index)
    if re.search("expected ',' or", problem):
        return _open_bracket(lines, context, index)
    found = lines.text[index : index + 1]
    if "node content" in problem and found != ":":
        hint = "write the value, or remove this; quote it if it belongs to a text"
        return Finding("P103", f"a value is missing before this {shown(found)}", index, 1, hint)
    if "cannot start any token" in problem:
        message = f"no value can begin with {shown(lines.text[index : index + 1])}"
        return Finding("P103", message, index, 1, "put the text between quotes")
    if problem.startswith("while parsing a block mapping") or "node content" in problem:
        return _stray_line(lines, context, index)
    if "escape character" in problem and lines.text[index - 1 : index] == "\\":
        index -= 1
    for pattern, message, hint in _SENTENCES:
        if pattern.search(problem):
            return Finding("P103", message, index, 1, hint)
    hint = "look at the quotes, brackets and colons of this line and the one above"
    return Finding("P103", "this is not well-formed YAML", index, 1, hint)


def _rest(lines: Lines, index: int) -> int:
    line, _ = lines.position(index)
    return max(1, lines.end(line) - index)


def _indentation(excerpt: str) -> int:
    return len(excerpt) - len(excerpt.lstrip(" "))


def _line_above(lines: Lines, line: int) -> int:
    """Give the nearest line above that holds more than a comment, or 0."""
    above = line - 1
    while above and (not lines.excerpt(above).strip() or lines.excerpt(above).lstrip().startswith("#")):
        above -= 1
    return above


def _stray_colon(lines: Lines, index: int) -> Finding:
    """Explain a colon where no key can stand: the line above has said all there is, or is no key itself."""
    line, _ = lines.position(index)
    above = _line_above(lines, line)
    excerpt, before = lines.excerpt(line), lines.excerpt(above) if above else ""
    is_deeper = bool(above) and _indentation(excerpt) > _indentation(before)
    if _KEY_END.search(before) is None and not (is_deeper and _ITEM.match(before)) and above:
        start = lines.start(above) + _indentation(before)
        hint = "a key needs a colon and a space behind it"
        return Finding("P103", "this line is not 'key: value'", start, _rest(lines, start), hint)
    if is_deeper:
        start = lines.start(line) + _indentation(excerpt)
        message = f"line {above} has a value already, so nothing can be nested below it"
        hint = f"begin this line in column {_indentation(before) + 1}"
        if _KEY_END.search(before):
            hint += f"; a text of several lines needs a '|' behind the colon of line {above}"
        return Finding("P103", message, start, _rest(lines, start), hint)
    return Finding("P103", "a key cannot end here", index, 1, "quote the text if the colon belongs to it")


def _open_bracket(lines: Lines, opened: int, index: int) -> Finding:
    """Explain a `{` or `[` that goes on where its author saw it end."""
    bracket = lines.text[opened : opened + 1]
    close = {"{": "}", "[": "]"}.get(bracket, "}")
    first, _ = lines.position(opened)
    line, _ = lines.position(index)
    at_end = index >= len(lines.text.rstrip()) - 1
    if at_end or (line > first and _indentation(lines.excerpt(line)) <= _indentation(lines.excerpt(first))):
        return Finding(
            "P103", f"this {shown(bracket)} is never closed", opened, 1, f"close it with {shown(close)}"
        )
    found = lines.text[index : index + 1]
    if found == ":":
        hint = "quote the text if the colon belongs to it"
        return Finding(
            "P103", f"a comma is missing between {bracket} and {close} before this ':'", index, 1, hint
        )
    message = f"a ',' or {shown(close)} is missing before this"
    return Finding("P103", message, index, 1, "quote the text if this belongs to it")


def _stray_line(lines: Lines, mapping: int, index: int) -> Finding:
    """Explain what cannot follow the keys of a mapping."""
    found = lines.text[index : index + 1]
    if found in ("}", "]"):
        return Finding(
            "P103", f"this {shown(found)} closes nothing", index, 1, "remove it, or quote the text"
        )
    if found == ":":
        return Finding("P103", "a key is missing before this colon", index, 1, "write a name before it")
    if found == "-":
        message = "a list item cannot stand among the keys of a mapping"
        return Finding("P103", message, index, 1, "indent it below the key that it belongs to")
    line, column = lines.position(index)
    first, keys = lines.position(mapping)
    above = _line_above(lines, line)
    nearest = _indentation(lines.excerpt(above)) + 1 if above else keys
    if lines.excerpt(line)[: column - 1].strip():
        return Finding(
            "P103", "nothing can follow on this line", index, _rest(lines, index), "quote the whole text"
        )
    message = f"this line begins in column {column}, where no line above has begun its keys"
    hint = f"begin it in column {nearest}, as line {above} does" if above else ""
    if nearest != keys:
        hint += f", or in column {keys}, as line {first} does"
    return Finding("P103", message, index, _rest(lines, index), hint)
