"""What a map goes over: items written out, a range, the files of a folder, or the groups of a table."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from penstock.spec.structure import Name, Scalar, SpecModel, fault

_KINDS = ("items", "range", "files", "table")
_MOST_ITEMS = 1_000_000


class Range(SpecModel):
    """Whole numbers from `start` up to, and without, `stop`. The short form is `stop` alone."""

    start: int = Field(0, description="The first number.")
    stop: int = Field(description="Where it ends; itself left out.")
    step: int = Field(1, description="May be negative, never 0.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"stop": value} if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _ends(self) -> Range:
        if self.step == 0:
            raise fault("P207", "a step of 0 is out of bounds", "1 or more, or below 0", "step")
        if len(range(self.start, self.stop, self.step)) > _MOST_ITEMS:
            raise fault("P207", "a range of that length is out of bounds", f"at most {_MOST_ITEMS:,} items")
        return self


class Over(SpecModel):
    """Exactly one of `items`, `range`, `files` and `table`."""

    items: list[Scalar | dict[Name, Scalar]] = Field(
        default_factory=list[Scalar | dict[str, Scalar]],
        max_length=_MOST_ITEMS,
        description="All scalars, or flat mappings with the same fields and a `key` that is unique.",
        examples=[[{"key": "NO", "depth": 4}, {"key": "NL", "depth": 6}]],
    )
    range: Range | None = Field(None, description="Whole numbers, 0 to 4 as `range: 5`.", examples=[5])
    files: str = Field("", description="A folder: `${{ datasets.NAME }}` or `${{ steps.S.outputs.O }}`.")
    batch: int | None = Field(None, ge=1, le=100_000, description="With `files`: how many make one item.")
    table: str = Field("", description="A table: `${{ datasets.NAME }}` or `${{ steps.S.outputs.O }}`.")
    by: list[str] = Field(
        default_factory=list[str], description="With `table`: the columns whose values make a group."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Over:
        stated = [key for key in _KINDS if key in self.model_fields_set]
        if not stated:
            raise fault(
                "P202", "'over' names nothing to go over", "add 'items:', 'range:', 'files:' or 'table:'"
            )
        if len(stated) > 1:
            message = f"'{stated[0]}' and '{stated[1]}' exclude each other"
            raise fault("P208", message, "keep one of them", stated[1])
        for key, kind in (("batch", "files"), ("by", "table")):
            if key in self.model_fields_set and stated[0] != kind:
                raise fault("P208", f"'{key}' goes with '{kind}'", f"remove '{key}'", key)
        if stated[0] == "table" and not self.by:
            raise fault("P202", "'table' lacks 'by'", "name the columns that make a group: by: [country]")
        twice = next((each for each in self.by if self.by.count(each) > 1), None)
        if twice is not None:
            raise fault("P208", f"'by' names the column '{twice}' twice", "name each column once", "by")
        return self
