"""What reading finds wrong, by index into the text; `reading` turns it into placed diagnostics."""

from __future__ import annotations

from typing import Final

from penstock.diagnostics import Path
from penstock.frozen import dataclass

MOST: Final = 100
"""Findings kept of one text; a file with more is broken in one way many times."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a text.

    Attributes:
        code: the diagnostic's code.
        message: the diagnostic's message.
        index: where in the text that was parsed.
        length: characters to underline.
        hint: the diagnostic's hint; for a finding with `quote`, empty where the corrected line says it.
        path: the node, as far as reading had come.
        quote: the span that means what the user meant once it stands between quotes; `None` where quotes
            would not mend it.
    """

    code: str
    message: str
    index: int
    length: int = 1
    hint: str = ""
    path: Path = ()
    quote: tuple[int, int] | None = None
