"""Mini-batches of files: by number, by size, or by the folders that partition keys name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock_azure.azureml.emulator.parallel.settings import BYTES, FILES, Settings
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import is_list, is_mapping, mapping

TABLE = "MLTable"
_READERS = ("read_delimited", "read_parquet", "read_json_lines", "read_delta_lake")
_PARTS = "extract_columns_from_partition_format"


@dataclass(frozen=True, slots=True)
class Batch:
    """One mini-batch.

    Attributes:
        number: from 0 on, in the order of the data.
        what: for the driver: `files`, or `table` with `rows` or a `group`; `key`, the partition's.
        items: files or rows; 0 where only the driver can tell.
    """

    number: int
    what: Mapping[str, Any]
    items: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is handed out: files, or the table whose rows are.

    Attributes:
        root: paths of files are told from there, for partitions.
        format: of partitions, as the table writes it; empty for folders.
        table: a folder with a table in it, read by the driver; empty for files.
    """

    files: tuple[str, ...] = ()
    root: str = ""
    format: str = ""
    table: str = ""


def source_of(place: str, kind: str) -> Source:
    """Look at the data of a node. Raises TaskFault."""
    path = Path(place)
    if not path.exists():
        raise TaskFault(f"the input data '{place}' is not of this machine", "P433")
    if path.is_file():
        return Source((place,), str(path.parent))
    if (path / TABLE).is_file() and kind in ("mltable", ""):
        return _table(path)
    if kind == "mltable":
        raise TaskFault(f"the input data is of type mltable, and there is no file {TABLE} in it", "P433")
    return Source(tuple(files_below(place)), place)


def batches_of(source: Source, settings: Settings) -> list[Batch]:
    """Divide files into mini-batches. Raises TaskFault."""
    if settings.keys:
        groups: dict[tuple[str, ...], list[str]] = {}
        for each in source.files:
            groups.setdefault(_key(each, source, settings.keys), []).append(each)
        return [
            Batch(
                number,
                {"files": files, "key": dict(zip(settings.keys, key, strict=True))},
                len(files),
            )
            for number, (key, files) in enumerate(sorted(groups.items()))
        ]
    parts = _by_size(source.files, settings.bytes) if settings.bytes else _by_number(source.files, settings)
    return [Batch(number, {"files": files}, len(files)) for number, files in enumerate(parts)]


def plan_of(source: Source, settings: Settings) -> dict[str, Any]:
    """Say what the driver has to find out of a table: its rows can be counted there alone."""
    return {
        "table": source.table,
        "keys": list(settings.keys),
        "bytes": settings.bytes or settings.files or BYTES,
    }


def files_below(folder: str) -> list[str]:
    """Give every file below a folder, in the order of their paths."""
    found: list[str] = []
    for top, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.join(top, each) for each in names]
    return sorted(found, key=lambda each: os.path.relpath(each, folder).split(os.sep))


def _by_number(files: Sequence[str], settings: Settings) -> Iterator[list[str]]:
    size = settings.files or FILES
    for start in range(0, len(files), size):
        yield [*files[start : start + size]]


def _by_size(files: Sequence[str], most: int) -> Iterator[list[str]]:
    held: list[str] = []
    size = 0
    for each in files:
        more = os.stat(each).st_size
        if held and size + more > most:
            yield held
            held, size = [], 0
        held.append(each)
        size += more
    if held:
        yield held


def _key(file: str, source: Source, keys: Sequence[str]) -> tuple[str, ...]:
    """Tell which partition a file is in: by the table's format, by folders `key=value`, or by folders in order."""
    path = os.path.relpath(file, source.root).replace(os.sep, "/")
    if source.format:
        found = _pattern(source.format).search(f"/{path}")
        named = found.groupdict() if found else {}
    else:
        folders = path.split("/")[:-1]
        named = dict(each.split("=", 1) for each in folders if "=" in each)
        if not named.keys() >= set(keys) and len(folders) >= len(keys):
            named = dict(zip(keys, folders, strict=False))
    if not named.keys() >= set(keys):
        raise TaskFault(f"'{path}' is in no partition of {', '.join(keys)}", "P433")
    return tuple(named[each] for each in keys)


def _pattern(format: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(?::[^}]*)?\}", format.lstrip("/"))
    words = [f"(?P<{each}>[^/]+?)" if at % 2 else re.escape(each) for at, each in enumerate(parts)]
    try:
        return re.compile("/" + "".join(words) + "$")
    except re.error:
        raise TaskFault(f"the partition format '{format}' cannot be read", "P433") from None


def _table(folder: Path) -> Source:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load((folder / TABLE).read_text(encoding="utf-8"), loader)  # a safe loader either way
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as fault:
        raise TaskFault(f"the file {TABLE} cannot be read: {fault}", "P433") from None
    table = mapping(found)
    steps = table.get("transformations")
    made: dict[str, Any] = {}
    for each in steps if is_list(steps) else []:
        made |= mapping(each) if is_mapping(each) else {str(each): {}}
    if any(each in made for each in _READERS):
        return Source(table=str(folder))
    format = str(mapping(made.get(_PARTS)).get("partition_format") or "")
    paths = table.get("paths")
    files: list[str] = []
    for each in paths if is_list(paths) else []:
        for kind, path in mapping(each).items():
            files += _found(folder, str(kind), str(path))
    return Source(tuple(dict.fromkeys(files)), str(folder), format)


def _found(folder: Path, kind: str, path: str) -> list[str]:
    if "://" in path or path.startswith("azureml:"):
        raise TaskFault(f"the file {TABLE} names '{path}', which is not reached from here", "P433")
    if kind == "pattern":
        pattern = path.removeprefix("./")
        return sorted(str(each) for each in folder.glob(pattern) if each.is_file() and each.name != TABLE)
    place = os.path.normpath(folder / path)
    if kind == "file" and os.path.isfile(place):
        return [place]
    if kind == "folder" and os.path.isdir(place):
        return [each for each in files_below(place) if os.path.basename(each) != TABLE]
    raise TaskFault(f"the file {TABLE} names the {kind} '{path}', which is not there", "P433")
