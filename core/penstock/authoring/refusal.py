"""Refusing what a call was given, at once and at the line of the call."""

from __future__ import annotations

from typing import NoReturn

from penstock.authoring.callsites import caller
from penstock.diagnostics import At, error
from penstock.errors import SpecError


def refuse(
    code: str,
    message: str,
    hint: str = "",
    *,
    at: At = At(),
    names: tuple[str, ...] = (),
    details: tuple[str, ...] = (),
) -> NoReturn:
    """Raise a SpecError that points into the call under way outside Penstock.

    Args:
        code: of the finding.
        message: one sentence.
        hint: what to write instead.
        at: from the call to the argument in question.
        names: the keys that the call's positional arguments stand for.
        details: further lines.
    """
    site = caller(names)
    found = error(code, message, at, hint, details)
    raise SpecError([found.placed(site.place(at, at.path)) if site else found])
