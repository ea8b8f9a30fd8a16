"""What a call brings: the fields of its JSON or its query, each read as what it has to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from penstock_azure.azureml.mlflow.faults import MlflowFault, invalid

Json = dict[str, Any]

_LARGEST = 2**63 - 1
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Asked:
    """The fields of one call, or of a part of it. A field that is null counts as left out."""

    def __init__(self, fields: Mapping[str, object], path: str = "") -> None:
        self._fields = fields
        self._path = path

    def has(self, name: str) -> bool:
        """Tell whether a field is given."""
        return self._fields.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Give a field's text; a number counts as its digits, as versions come either way."""
        found = self._fields.get(name)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise self._refused(name, found, "a text")
        # Half a character comes through JSON, and through no file or database.
        return str(found).encode("utf-8", "replace").decode("utf-8")

    def needed(self, *names: str) -> str:
        """Give the text of the first of these fields that is given; there has to be one."""
        for name in names:
            found = self.text(name)
            if found:
                return found
        raise invalid(f"Missing value for required parameter '{self._path}{names[0]}'.")

    def whole(self, name: str, default: int) -> int:
        """Give a whole number, which MLflow's clients send as a number or as digits."""
        found = self._fields.get(name)
        if found is None:
            return default
        try:
            if isinstance(found, bool) or not isinstance(found, str | int | float):
                raise ValueError
            number = int(found)
        except (ValueError, OverflowError):
            raise self._refused(name, found, "a whole number") from None
        if abs(number) > _LARGEST:
            raise self._refused(name, found, "a whole number of 64 bits")
        return number

    def number(self, name: str) -> float:
        """Give a number, which has to be there; what is none in JSON comes as a word."""
        found = self._fields.get(name)
        if found is None:
            raise invalid(f"Missing value for required parameter '{self._path}{name}'.")
        try:
            if isinstance(found, str):
                return _WORDS[found] if found in _WORDS else float(found)
            if isinstance(found, bool) or not isinstance(found, int | float):
                raise ValueError
            return float(found)
        except (ValueError, OverflowError):
            raise self._refused(name, found, "a number") from None

    def truth(self, name: str) -> bool:
        """Give a yes or no; left out is no."""
        found = self._fields.get(name)
        if found is None or isinstance(found, bool):
            return bool(found)
        if str(found).lower() in ("true", "false"):
            return str(found).lower() == "true"
        raise self._refused(name, found, "true or false")

    def parts(self, name: str) -> list[Asked]:
        """Give a list of objects; left out is empty."""
        found: list[Asked] = []
        for index, each in enumerate(self._listed(name)):
            path = f"{self._path}{name}[{index}]"
            if not isinstance(each, dict):
                raise invalid(f"Invalid value for parameter '{path}' supplied: it has to be an object.")
            found.append(Asked(cast("dict[str, object]", each), f"{path}."))
        return found

    def part(self, name: str) -> Asked:
        """Give an object, which has to be there."""
        found = self._fields.get(name)
        if not isinstance(found, dict):
            raise invalid(f"Missing value for required parameter '{self._path}{name}'.")
        return Asked(cast("dict[str, object]", found), f"{self._path}{name}.")

    def texts(self, name: str) -> list[str]:
        """Give a list of texts; one alone, as a query has it, is a list of one."""
        found = self._fields.get(name)
        if isinstance(found, str):
            return [found]
        values = self._listed(name)
        if not all(isinstance(each, str) for each in values):
            raise self._refused(name, values, "a list of texts")
        return [str(each) for each in values]

    def pairs(self, name: str) -> dict[str, str]:
        """Give a list of `key` and `value` by key."""
        return {each.needed("key"): each.text("value") for each in self.parts(name)}

    def _listed(self, name: str) -> list[object]:
        found = self._fields.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self._refused(name, found, "a list")
        return cast("list[object]", found)

    def _refused(self, name: str, found: object, wanted: str) -> MlflowFault:
        shown = repr(found)[:100]
        return invalid(
            f"Invalid value {shown} for parameter '{self._path}{name}' supplied: it has to be {wanted}."
        )


def pairs(found: Mapping[str, str]) -> list[Json]:
    """Write values by key as MLflow does."""
    return [{"key": key, "value": value} for key, value in found.items()]


def number(value: float | None) -> float | str:
    """Write a number as JSON can hold it; SQLite has nothing for what is no number."""
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
