"""The exceptions that Penstock raises on purpose.

    PenstockError
    ├── SpecError       the spec (or penstock.yaml, or a document) has errors; carries every diagnostic
    └── RunError        a run could not be started or taken up again; carries diagnostics likewise

A failed *step* is not an exception: `run` returns a `Run` whose status says so. Anything else that leaves
Penstock's public functions is a bug of Penstock's.
"""

from __future__ import annotations

from collections.abc import Iterable

from penstock.diagnostics import Diagnostic, render


class PenstockError(Exception):
    """Raised for anything that the user can mend; `diagnostics` says what and where."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("\n\n".join(render(each) for each in self.diagnostics))


class SpecError(PenstockError):
    """Raised when a spec, a profile file or a native document cannot be used as it stands.

    `offline`: what is wrong besides where it is to run on this machine.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], offline: Iterable[Diagnostic] = ()) -> None:
        super().__init__(diagnostics)
        self.offline: tuple[Diagnostic, ...] = tuple(offline)


class RunError(PenstockError):
    """Raised when a run cannot start or resume: an unusable environment, a missing input, a foreign ledger."""
