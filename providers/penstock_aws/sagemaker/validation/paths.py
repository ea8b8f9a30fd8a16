"""The two path grammars of a definition, as text taken apart: step properties, and JSON paths.

`Steps.fit.FinalMetricDataList['recall'].Value` names a property of a step, `macro avg.recall[0]` a value inside
a JSON file. In both a name with a dot in it can only be addressed in brackets, with quotes of either kind.
"""

from __future__ import annotations

import re

from penstock_aws.sagemaker.validation.findings import shown

Segment = str | int
"""One part of a property path: `.Member`, `'key` (its leading quote tells it from a member), or a position."""

_STEP = re.compile(r"Steps\.([A-Za-z0-9_\-]+)")
_SEGMENT = re.compile(r"""\.([A-Za-z0-9_\-]+)|\['([^']*)'\]|\["([^"]*)"\]|\[([0-9]{1,9})\]""")
_PROPERTY_FILE = re.compile(r"Steps\.([A-Za-z0-9_\-]+)\.PropertyFiles(?:\.(.+)|\['([^']+)'\])", re.DOTALL)
_KEY = re.compile(r"""([^.\[\]]+)|\['([^']*)'\]|\["([^"]*)"\]|\[([0-9]{1,9})\]""")
_LONGEST = 120


def split_property(text: str) -> tuple[str, list[Segment]] | None:
    """Split `Steps.s.A['b'][0]` into the step and `.A`, `'b`, 0; `None` where the text is no such path."""
    head = _STEP.match(text)
    if head is None:
        return None
    segments: list[Segment] = []
    start = head.end()
    while start < len(text):
        match = _SEGMENT.match(text, start)
        if match is None:
            return None
        member, single, double, index = match.groups()
        if member is not None:
            segments.append(f".{member}")
        else:
            segments.append(
                int(index) if index is not None else f"'{single if single is not None else double}"
            )
        start = match.end()
    return head[1], segments


def split_property_file(text: str) -> tuple[str, str] | None:
    """Split `Steps.s.PropertyFiles.p` into the step and the property file."""
    found = _PROPERTY_FILE.fullmatch(text)
    return (found[1], found[2] or found[3]) if found else None


def split_json_path(text: str) -> list[str | int] | None:
    """Split `a.b[0]['k.x']` into the keys (as they are) and positions that it leads through."""
    parts: list[str | int] = []
    start = 0
    while start < len(text):
        # A dot parts a key from what stands before it; the first key has none, a bracket needs none.
        if parts and text[start] == ".":
            start += 1
            if text[start : start + 1] == "[":
                return None
        elif parts and text[start] != "[":
            return None
        match = _KEY.match(text, start)
        if match is None:
            return None
        plain, single, double, index = match.groups()
        parts.append(
            int(index) if index is not None else next(x for x in (plain, single, double) if x is not None)
        )
        start = match.end()
    return parts or None


def written(segments: list[Segment]) -> str:
    """Write the segments of a property path as they stood, for a message."""
    parts = [
        f"[{each}]" if isinstance(each, int) else each if each[0] == "." else f"[{each}']"
        for each in segments
    ]
    joined = "".join(parts).lstrip(".")
    return joined if len(joined) <= _LONGEST and joined.isprintable() else shown(joined)
