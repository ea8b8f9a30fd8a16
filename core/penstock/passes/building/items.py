"""What a map goes over, with a key for every item, and the types of `item` and its fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from penstock.diagnostics import At, Path, error
from penstock.expressions.nodes import DatasetRef, OutputRef, Scalar
from penstock.expressions.text import text
from penstock.ir import Item, Over, PortType

if TYPE_CHECKING:
    from penstock.passes.building.jobs import JobReader
    from penstock.spec import items

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_MOST_SAID = 5
KEY = "key"


def read_over(reader: JobReader, spec: items.Over, path: Path) -> Over:
    """Read what a map goes over; `path` leads to `over`."""
    if "files" in spec.model_fields_set:
        source = reader.reference(spec.files, (*path, "files"), DatasetRef | OutputRef, "a folder")
        return Over("files", source=source, batch=spec.batch or 0)
    if "table" in spec.model_fields_set:
        source = reader.reference(spec.table, (*path, "table"), DatasetRef | OutputRef, "a table")
        return Over("table", source=source, by=tuple(dict.fromkeys(spec.by)))
    if spec.range is not None:
        numbers = range(spec.range.start, spec.range.stop, spec.range.step)
        return Over(items=tuple(Item(str(each), each) for each in numbers))
    return Over(items=_written(reader, spec, (*path, "items")))


def item_types(over: Over) -> dict[str, PortType]:
    """Give the type of `item` under the empty name, and those of its fields."""
    match over.kind:
        case "files":
            return {"": "folder" if over.batch else "file", KEY: "string", "name": "string"}
        case "table":
            return {"": "table", KEY: "string", **dict.fromkeys(over.by, "string")}
        case "items":
            found: dict[str, PortType] = {KEY: "string"}
            values = [each.value for each in over.items if each.value is not None]
            if values or not over.items:
                found[""] = _type(values)
            for name in over.items[0].fields if over.items else ():
                found[name] = _type(each.fields[name] for each in over.items if name in each.fields)
            return found


def _written(reader: JobReader, spec: items.Over, path: Path) -> tuple[Item, ...]:
    mappings = [isinstance(each, Mapping) for each in spec.items]
    if any(mappings) and not all(mappings):
        at = At((*path, mappings.index(not mappings[0])))
        hint = "write all items as values, or all as mappings with a key"
        reader.found.append(error("P289", "items are all values or all mappings", at, hint))
        return ()
    found: list[Item] = []
    seen: dict[str, int] = {}
    wrong, at = 0, At(path)
    fields = list(cast("dict[str, Scalar]", spec.items[0])) if mappings and mappings[0] else []
    for position, each in enumerate(spec.items):
        item = _mapping(each) if isinstance(each, Mapping) else Item(text(each), each)
        problem, hint = _problem(each, item, fields, seen)
        seen.setdefault(item.key, position)
        if problem:
            wrong += 1
            at = At((*path, position))
            if wrong <= _MOST_SAID:
                reader.found.append(error("P289", f"item {position + 1} {problem}", at, hint))
            continue
        found.append(item)
    if wrong > _MOST_SAID:
        message = f"{wrong - _MOST_SAID} more items have such faults"
        # At the last of them, behind all that are told.
        reader.found.append(error("P289", message, at, "mend the first of them, and check again"))
    return tuple(found)


def _mapping(each: Mapping[str, Scalar]) -> Item:
    return Item(text(each[KEY]) if KEY in each else "", None, dict(each))


def _problem(
    each: Scalar | Mapping[str, Scalar], item: Item, fields: list[str], seen: Mapping[str, int]
) -> tuple[str, str]:
    if isinstance(each, Mapping):
        if KEY not in each:
            return "lacks 'key'", "a key names the item's folder: {key: NO, …}"
        if set(each) != set(fields):
            odd = sorted(set(each) ^ set(fields))[0]
            return f"has other fields than the first: '{odd}'", f"the first has {', '.join(fields)}"
    if item.key in seen:
        return (
            f"has the key of item {seen[item.key] + 1}: '{item.key:.60}'",
            "give each item a key of its own",
        )
    if not _KEY.fullmatch(item.key) or ".." in item.key:
        hint = "keys name folders: letters, digits, _ . and -, at most 100; write {key: …, value: …}"
        return f"has a key that cannot name a folder: '{item.key:.60}'", hint
    return "", ""


def _type(values: Iterable[Scalar]) -> PortType:
    kinds = {type(each) for each in values}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "number"
    return "string"
