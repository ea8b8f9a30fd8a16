"""What is said where a step's interpreter cannot be had."""

from __future__ import annotations

from pathlib import Path

from penstock.diagnostics import error
from penstock.errors import RunError


class EnvironmentFault(RunError):
    """Raised when a step's interpreter cannot be had; `log` is what uv wrote, where it got that far.

    Codes: P404, this machine lacks the Python version; P405, the environment cannot be built; P406, the
    environment is described in words that mean nothing.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", details: tuple[str, ...] = (), log: Path | None = None
    ) -> None:
        super().__init__([error(code, message, hint=hint, details=details)])
        self.log = log

    @property
    def told(self) -> str:
        """One line for a step's record: message, hint, code."""
        found = self.diagnostics[0]
        hint = f"; {found.hint}" if found.hint else ""
        return f"{found.message}{hint} [{found.code}]"
