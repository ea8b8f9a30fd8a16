"""The catalogue of diagnostic codes: what `penstock explain` prints.

    P1xx  finding things: files, YAML, providers, profiles, folders to write
    P2xx  what a spec says: its form, its references, its types, its files
    P3xx  what a target cannot keep, and faults of compiled documents
    P4xx  running
    P5xx  tests of pipelines
    P9xx  left to providers that are not Penstock's own

A code is never given a second meaning, and one that falls out of use stays retired.
"""

from __future__ import annotations

from functools import cache

from penstock.codes import (
    authoring,
    document,
    emulating,
    finding,
    form,
    meaning,
    portability,
    running,
    steps,
    steps_carried,
    submitting,
    testing,
)
from penstock.codes.code import Code
from penstock.diagnostics import error
from penstock.errors import PenstockError

__all__ = ["Code", "all_codes", "find"]


def all_codes() -> list[Code]:
    """Give every code, in order."""
    return list(_catalogue().values())


def find(code: str) -> Code:
    """Give one code, in upper or lower case.

    Raises:
        PenstockError: there is no such code (P160); the hint names the nearest.
    """
    asked = code.strip().upper()
    known = _catalogue()
    if asked in known:
        return known[asked]
    near = sorted(known, key=lambda each: (abs(_number(each) - _number(asked)), each))[:3]
    hint = (
        f"near it: {', '.join(near)}"
        if _number(asked)
        else "codes are written P203; without one, all are listed"
    )
    raise PenstockError([error("P160", f"there is no code '{code:.20}'", hint=hint)])


@cache
def _catalogue() -> dict[str, Code]:
    rows = (
        *finding.CODES,
        *authoring.CODES,
        *form.CODES,
        *meaning.CODES,
        *steps.CODES,
        *portability.CODES,
        *steps_carried.CODES,
        *document.CODES,
        *running.CODES,
        *emulating.CODES,
        *submitting.CODES,
        *testing.CODES,
    )
    return {each.code: each for each in sorted(rows, key=lambda each: each.code)}


def _number(code: str) -> int:
    digits = code.removeprefix("P")
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0
