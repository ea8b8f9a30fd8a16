"""How a service says no: the code and message that its clients turn into exceptions."""

from __future__ import annotations


class ServiceFault(Exception):
    """Raised for whatever the service would refuse; the wire's own file gives it the service's form.

    Attributes:
        code: such as `ValidationException` or `NoSuchKey`.
        status: of the HTTP response.
        details: what the service's error holds beside code and message, by name.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, *, details: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details or {}
