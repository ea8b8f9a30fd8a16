"""The whole way from text to value and placed diagnostics, going on behind what can be mended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from penstock.diagnostics import At, Diagnostic, Place, error
from penstock.frozen import dataclass, replace
from penstock.yaml_core import positions
from penstock.yaml_core.build import Built, Value, build
from penstock.yaml_core.findings import MOST, Finding
from penstock.yaml_core.quoting import Mended
from penstock.yaml_core.syntax import explain, needs_quotes
from penstock.yaml_core.text import Lines
from penstock.yaml_core.unquoted import unquoted_expressions

_MOST_READINGS: Final = 20
_MOST_READ: Final = 8 * 1024 * 1024
"""Characters read over all readings of one text: keeps a large broken file from being read for minutes."""

_LONGEST_HINT: Final = 120


@dataclass(frozen=True, slots=True)
class Read:
    """What a text gave.

    Attributes:
        value: the root mapping; `None` where the text has none that could be read.
        diagnostics: everything wrong, placed.
        mended: the text with the quotes that it lacks, which the value was read from.
    """

    value: dict[str, Value] | None
    diagnostics: tuple[Diagnostic, ...]
    mended: Mended


def read(text: str, file: str) -> Read:
    """Read a text of allowed characters. Never raises for what it holds."""
    mended = Mended(text)
    noted: list[Finding] = []
    rounds = min(_MOST_READINGS, max(2, _MOST_READ // max(1, len(text))))
    lines = Lines("")
    while True:
        built = build(mended.text)
        findings = built.findings
        if built.failure is not None:
            lines = Lines(mended.text)
            findings = [*findings, explain(built.failure, lines)]
        curable = [each for each in findings if each.quote is not None]
        rounds -= 1
        if not curable or rounds == 0 or len(noted) >= MOST:
            break
        noted += _mend(mended, curable)
    if built.failure is not None:
        failed_at, _ = lines.position(max(each.index for each in findings))
        curable += _further_down(lines, failed_at)
    noted += [_in_original(each, mended) for each in findings if each.quote is None]
    noted += _mend(mended, curable)
    noted += _root_findings(built, mended)
    root = built.roots[0] if built.roots else None
    placed = _placed(noted, mended, lines if lines.text is text else Lines(text), file) if noted else ()
    return Read(root if isinstance(root, dict) else None, placed, mended)


def _mend(mended: Mended, curable: Iterable[Finding]) -> list[Finding]:
    """Put quotes where findings lack them, and give the findings by their place in the original."""
    noted: list[Finding] = []
    for each in sorted(curable, key=lambda finding: finding.quote or (0, 0), reverse=True):
        noted.append(_in_original(each, mended))
        if each.quote is not None:
            mended.quote(*each.quote)
    return noted


def _further_down(lines: Lines, line: int) -> list[Finding]:
    found: list[Finding] = []
    for number, suspect in unquoted_expressions(lines, line):
        finding = needs_quotes(lines.excerpt(number), lines.start(number), suspect)
        if finding is not None:
            found.append(finding)
        if len(found) == MOST:
            break
    return found


def _in_original(finding: Finding, mended: Mended) -> Finding:
    start = mended.original(finding.index)
    length = mended.original(finding.index + finding.length) - start
    return replace(finding, index=start, length=max(1, length))


def _root_findings(built: Built, mended: Mended) -> list[Finding]:
    """Say what is wrong with a document that is no mapping."""
    if built.failure is not None or (built.findings and not built.roots):
        return []
    root = built.roots[0] if built.roots else None
    if isinstance(root, dict):
        return []
    if root is None:
        hint = "write 'key: value' lines; 'penstock init' makes a small pipeline to start from"
        return [Finding("P107", "the file holds nothing to read", 0, 1, hint)]
    start = mended.original(positions.read_positions(mended.text).start)
    kind = "a list" if isinstance(root, list) else "one value"
    message = f"the file holds {kind}, not a mapping of keys to values"
    return [Finding("P106", message, start, 1, "write 'key: value' lines, a space behind each colon")]


def _placed(noted: list[Finding], mended: Mended, lines: Lines, file: str) -> tuple[Diagnostic, ...]:
    corrected = Lines(mended.text) if mended.text is not lines.text else lines
    tree = positions.read_positions(mended.text) if any(each.code == "P104" for each in noted) else None
    found: dict[tuple[int, str, int], Diagnostic] = {}
    for each in sorted(noted, key=lambda finding: finding.index):
        line, column = lines.position(each.index)
        message, hint = each.message, each.hint
        if each.code == "P104" and tree is not None:
            first = positions.find(tree, each.path)
            if first.whole and first.key is not None:
                message += f"; the first is on line {lines.position(mended.original(first.key[0]))[0]}"
        if each.quote is not None:
            shown = corrected.excerpt(line).strip()
            hint = f"{hint}; or quote" if hint else "quote"
            hint += f" it: {shown}" if len(shown) <= _LONGEST_HINT else " it"
        elif each.code in ("P103", "P114") and not hint:
            hint = "put the whole text between quotes"
        length = max(1, min(each.length, lines.end(line) - each.index))
        place = Place(file, line, column, length, lines.excerpt(line))
        # One finding for several texts of a line that lack quotes: its hint shows them all.
        key = (line, each.code, 0 if each.quote is not None else column)
        found.setdefault(key, error(each.code, message, At(each.path), hint).placed(place))
    shown_first = list(found.values())[:MOST]
    if len(noted) > MOST:
        shown_first[-1] = replace(shown_first[-1], details=(f"only the first {len(shown_first)} are shown",))
    return tuple(shown_first)
