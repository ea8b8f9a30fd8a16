"""Where a check stands: the value's path, the step it belongs to, and the document around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock_aws.sagemaker.validation import conditions, expressions
from penstock_aws.sagemaker.validation.document import Document, Step
from penstock_aws.sagemaker.validation.findings import Findings, place, shown
from penstock_aws.sagemaker.validation.shapes import Shape


class Walk:
    """Carries one value's surroundings through the shapes.

    Attributes:
        path: keys and positions from the root of the document; shapes push and pop.
        step: the step in hand, or `None` in the envelope.
        whole: what messages call the document.
    """

    __slots__ = ("_base", "document", "findings", "path", "step", "whole")

    def __init__(self, document: Document, findings: Findings, whole: str = "the definition") -> None:
        """Begin at the root of the document."""
        self.document = document
        self.whole = whole
        self.findings = findings
        self.path: list[str | int] = []
        self.step: Step | None = None
        self._base = 0

    def enter(self, step: Step) -> None:
        """Take up a step: what is reported from here on is reported of it."""
        self.step = step
        self.path = list(step.path)
        self._base = len(step.path)

    @property
    def owner(self) -> str:
        """Who a message is about."""
        if self.step is None:
            return self.whole
        if self.step.name:
            return f"step {shown(self.step.name)}"
        return f"the step at {place(self.step.path)}"

    def place(self) -> str:
        """Write the path as seen from the step."""
        inside = self.path[self._base :]
        if len(inside) > 1 and inside[0] == "Arguments":
            del inside[0]
        return place(tuple(inside)) or "it"

    def inside(self) -> str:
        """Write the path as the end of a clause, or nothing at the step itself."""
        return f" in {self.place()}" if len(self.path) > self._base else ""

    def report(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        at: tuple[str | int, ...] = (),
        warning: bool = False,
    ) -> None:
        """Keep a finding about the value in hand, or about `at` inside it."""
        self.findings.add((*self.path, *at), code, f"{self.owner} {message}", hint, warning=warning)

    def did_you_mean(self, word: str, among: Iterable[str], what: str) -> str:
        """Compose a hint with the nearest word, or nothing."""
        return self.findings.did_you_mean(word, among, what)

    def expression(self, value: dict[str, Any], slot: Shape) -> None:
        """Check an expression and whether its value can stand in `slot`."""
        expressions.check_in_slot(value, slot, self)

    def expressions_inside(self, value: Any) -> None:
        """Check the expressions anywhere inside a value that has no shape."""
        expressions.check_inside(value, self)

    def condition(self, value: Any) -> None:
        """Check one condition of a Condition step."""
        conditions.check(value, self)
