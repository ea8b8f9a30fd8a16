"""Checks values against the SDK's field tables, one finding a fault.

A union is resolved before it is judged: by the kind of the value, then by its `type` or `task`, then by the
alternative with the fewest faults. So a wrong key is reported once, not once an alternative.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Protocol, cast

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml import snapshot
from penstock_azure.azureml.snapshot import RawField
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.report import SCHEMA, UNREAD, Report, is_list, is_mapping, shown
from penstock_azure.azureml.validation.scalars import Scalar, is_text, report_null, stands_for_anything

_DISCRIMINATORS = ("type", "task")
# Above this likeness an unknown key is taken for a slip, even where unknown keys are let through.
_SLIP = 0.8


class Check(Protocol):
    """Judges one value. `expected` says in words what it wants; `binds`: `${{…}}` may stand for a scalar."""

    expected: str

    def run(self, value: object, path: Path, report: Report, binds: bool) -> None:
        """Report what is wrong with the value."""
        ...


class Listing:
    """A list of items of one kind."""

    expected = "a list"

    def __init__(self, raw: RawField) -> None:
        self.item = check(raw["item"]) if "item" in raw else None
        self.null = raw.get("null", False)

    def run(self, value: object, path: Path, report: Report, binds: bool) -> None:
        """See Check."""
        if is_list(value):
            if self.item is not None:
                for position, item in enumerate(value):
                    self.item.run(item, (*path, position), report, binds)
        elif value is None:
            if not self.null:
                report_null(path, report, self.expected)
        elif not is_placeholder(value):
            report.error(path, SCHEMA, f"{report.place(path)} must be a list, not {shown(value)}")


class Table:
    """A mapping with keys of the user's choice."""

    expected = "a mapping"

    def __init__(self, raw: RawField) -> None:
        self.item = check(raw["item"]) if "item" in raw else None
        self.null, self.binds = raw.get("null", False), raw.get("binds", False)

    def run(self, value: object, path: Path, report: Report, binds: bool) -> None:
        """See Check."""
        if is_mapping(value):
            for key, item in cast("Mapping[object, object]", value).items():
                if not isinstance(key, str):
                    message = f"the key {key} in {report.place(path)} must be text"
                    report.error(path, SCHEMA, message, f'write "{key}", in quotes')
                elif self.item is not None:
                    self.item.run(item, (*path, key), report, binds or self.binds)
        elif value is None:
            if not self.null:
                report_null(path, report, self.expected)
        elif not is_placeholder(value):
            report.error(path, SCHEMA, f"{report.place(path)} must be a mapping, not {shown(value)}")


class Record:
    """A mapping with the keys of one schema class; its fields are made on first use, as schemas contain themselves."""

    expected = "a mapping"

    def __init__(self, name: str, opened: bool, null: bool = False) -> None:
        self.name, self.open, self.null = name, opened, null
        raw = snapshot.load().schemas[name]
        self.raw = raw["fields"]
        self.ignored = frozenset(raw.get("ignored", ()))
        self.file = raw.get("file", False)
        self.required = tuple(key for key, field in self.raw.items() if field.get("required"))
        self.scope = frozenset(raw["binds"]) if "binds" in raw else None
        self._fields: dict[str, Check] | None = None

    @property
    def fields(self) -> dict[str, Check]:
        """The check of every key."""
        if self._fields is None:
            self._fields = {key: check(field) for key, field in self.raw.items()}
        return self._fields

    def allowed(self, key: str) -> list[str] | None:
        """Give the values that a key takes where they are few: `None` for a key that is free or unknown."""
        raw = self.raw.get(key)
        return raw.get("values") if raw is not None else None

    def run(self, value: object, path: Path, report: Report, binds: bool, skip: Collection[str] = ()) -> None:
        """See Check. Keys in `skip` are another's to judge, present or missing."""
        if not is_mapping(value):
            if value is None and not self.null:
                report_null(path, report, self.expected)
            elif value is not None and not self._stands_elsewhere(value):
                message = f"{report.place(path)} must be a mapping, not {shown(value)}"
                report.error(path, SCHEMA, message)
            return
        given = cast("Mapping[Any, object]", value)
        fields, scope = self.fields, self.scope
        for key, item in given.items():
            field = fields.get(key)
            if key in skip:
                continue
            if field is not None:
                inner = (binds and key != "type") if scope is None else key not in scope
                field.run(item, (*path, key), report, inner)
            elif key not in self.ignored:
                self._unknown(key, path, report)
        for key in self.required:
            if key not in given and key not in skip:
                self._missing(key, path, report)

    def _stands_elsewhere(self, value: object) -> bool:
        return is_placeholder(value) or (self.file and isinstance(value, str) and value.startswith("file:"))

    def _missing(self, key: str, path: Path, report: Report) -> None:
        owner = report.place(path)
        report.error(
            (*path, key), SCHEMA, f"{owner} lacks '{key}'", f"'{key}' is {self.fields[key].expected}"
        )

    def _unknown(self, key: object, path: Path, report: Report) -> None:
        owner, known = report.place(path), sorted(self.raw)
        if not isinstance(key, str):
            report.error(path, SCHEMA, f"the key {key} in {owner} must be text")
        elif not self.open or get_close_matches(key, known, 1, _SLIP):
            hint = nearest(key, known, "known keys")
            unread = UNREAD if self.open else ""
            report.error((*path, key), SCHEMA, f"{owner} has the unknown key '{key}'{unread}", hint)
        else:
            message = f"{owner} has the key '{key}', which azure-ai-ml passes on unread"
            report.warning((*path, key), SCHEMA, message, "known keys: " + ", ".join(known))


class Union:
    """A value of one of several kinds."""

    def __init__(self, raw: RawField) -> None:
        cases = [each for members in raw.get("cases", {}).values() for each in members]
        members = [check(each) for each in [*raw.get("of", []), *cases]]
        self.null = raw.get("null", False)
        self.scalars = [each for each in members if isinstance(each, Scalar)]
        self.records = [each for each in members if isinstance(each, Record)]
        self.others = [each for each in members if isinstance(each, Table | Listing)]
        for nested in members:
            if isinstance(nested, Union):
                self.scalars += nested.scalars
                self.records += nested.records
                self.others += nested.others
        self.tables = [each for each in self.others if isinstance(each, Table)]
        self.lists = [each for each in self.others if isinstance(each, Listing)]
        self.text = any(each.accepts is is_text for each in self.scalars)
        self.known: dict[str, list[Record]] = {}
        named = [each.expected for each in [*self.scalars, *self.others, *self.records]]
        self.expected = _either(["text"] if self.text and not self.others + self.records else named)

    def run(self, value: object, path: Path, report: Report, binds: bool) -> None:
        """See Check."""
        if self.text and type(value) is str:
            return
        if value is None:
            if not self.null:
                report_null(path, report, self.expected)
            return
        for each in self.scalars:
            if each.accepts(value):
                return
        if is_mapping(value):
            self._among([*self.tables, *self._candidates(value, path, report)], value, path, report, binds)
        elif is_list(value):
            self._among(self.lists, value, path, report, binds)
        elif not stands_for_anything(value, binds) and not self._names_a_file(value):
            values = [each for scalar in self.scalars for each in scalar.values]
            hint = nearest(value, values, "allowed") if values and isinstance(value, str) else ""
            message = f"{report.place(path)} must be {self.expected}, not {shown(value)}"
            report.error(path, SCHEMA, message, hint)

    def _names_a_file(self, value: object) -> bool:
        begins = isinstance(value, str) and value.startswith("file:")
        return begins and any(each.file for each in self.records)

    def _candidates(self, value: Mapping[Any, object], path: Path, report: Report) -> list[Record]:
        """Narrow the records down by `type` or `task`; report, and give none, where that fits no record."""
        found, named = self.records, value.get("type")
        if isinstance(named, str) and named in self.known and "task" not in value:
            return self.known[named]
        for key in _DISCRIMINATORS:
            tables = [each for each in found if key in each.raw]
            if not tables:
                continue
            if key in value:
                word = value[key]
                fitting = [each for each in tables if _fits(each.fields[key], word)]
                if not fitting:
                    allowed = [word for each in tables for word in each.allowed(key) or []]
                    asked = f"must be one of {', '.join(allowed)}, not {shown(word)}"
                    message = f"{report.place((*path, key))} {asked}"
                    report.error((*path, key), SCHEMA, message, nearest(str(word), allowed, "allowed"))
                    return []
                found = fitting
            elif all(key in each.required for each in tables) and len(tables) == len(found) > 1:
                allowed = [word for each in tables for word in each.allowed(key) or []]
                message = f"{report.place(path)} lacks '{key}'"
                report.error((*path, key), SCHEMA, message, f"one of {', '.join(allowed)}")
                return []
        if isinstance(named, str) and "task" not in value and not stands_for_anything(named, binds=True):
            self.known[named] = found
        return found

    def _among(
        self,
        members: Sequence[Table | Listing | Record],
        value: object,
        path: Path,
        report: Report,
        binds: bool,
    ) -> None:
        if not members:
            if not (self.records and is_mapping(value)):
                message = f"{report.place(path)} must be {self.expected}, not {shown(value)}"
                report.error(path, SCHEMA, message)
            return
        if len(members) == 1:
            members[0].run(value, path, report, binds)
            return
        best: Report | None = None
        for each in members:
            tried = report.apart()
            each.run(value, path, tried, binds)
            if best is None or len(tried.problems) < len(best.problems):
                best = tried
            if not best.problems:
                return
        if best is not None:
            report.problems.extend(best.problems)


def _fits(field: Check, word: object) -> bool:
    if isinstance(field, Scalar):
        return field.accepts(word) or stands_for_anything(word, binds=True)
    return isinstance(field, Union) and any(each.accepts(word) for each in field.scalars)


def _either(words: list[str]) -> str:
    once = list(dict.fromkeys(words))
    return once[0] if len(once) == 1 else f"{', '.join(once[:-1])} or {once[-1]}" if once else "empty"


def check(raw: RawField) -> Check:
    """Make the check of a field."""
    match raw["type"]:
        case "object":
            return Record(raw.get("schema", ""), raw.get("open", False), raw.get("null", False))
        case "union":
            return Union(raw)
        case "list":
            return Listing(raw)
        case "map":
            return Table(raw)
        case _:
            return Scalar(raw)


@cache
def record(name: str, opened: bool = False) -> Record:
    """Give the check of a schema, made once in a process."""
    return Record(name, opened)
