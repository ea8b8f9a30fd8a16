"""What the items of Penstock's map are: the entries of a list, the files of a folder, the groups of a table.

Shipped beside `mapping.py`, which runs a command for each. Standard library only, Python 3.7 and later. Files keep one
order everywhere, so that every machine numbers and names the items alike.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from typing import Any


class Item:
    """One item: its folder's name in every output, what it is, its fields, and for a batch its folder and files."""

    def __init__(self, key: str, value: Any, fields: dict[str, Any], files: list[str] | None = None) -> None:
        """Make an item; a batch names its folder first and then the files' relative paths."""
        self.key, self.value, self.fields, self.files = key, value, fields, files or []

    def text(self, field: str) -> str:
        """Give the item as text, or a field of it where one is named."""
        if field and field not in self.fields:
            raise ValueError(f"item {self.key!r} has no field {field!r}")
        if not field and self.value is None:
            raise ValueError(f"item {self.key!r} has fields and no value of its own")
        return text(self.fields[field] if field else self.value)

    def link(self) -> None:
        """Put a batch's files into its folder under their relative paths, as links where the machine has them."""
        self.unlink()
        for path in self.files[1:]:
            source, target = os.path.join(self.files[0], path), os.path.join(self.value, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            try:
                os.symlink(os.path.abspath(source), target)
            except (OSError, NotImplementedError):
                shutil.copy2(source, target)

    def unlink(self) -> None:
        """Take a batch's folder away."""
        if self.files:
            shutil.rmtree(self.value, ignore_errors=True)


def text(value: Any) -> str:
    """Write a scalar as Penstock does everywhere: `true`, `4`, `5.0`; strings as they are."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)


def is_folder_name(key: str) -> bool:
    """Tell whether a key names one folder, inside the one that it is joined to."""
    return key not in ("", ".", "..") and not any(each in key for each in ("/", "\0", os.sep))


def folder_name(name: str, taken: dict[str, int]) -> str:
    """Make a folder's name short enough for a file system (255 bytes) and unlike those taken before."""
    encoded = name.encode("utf-8", "surrogateescape")
    if len(encoded) > 200:
        name = encoded[:180].decode("utf-8", "ignore") + "-" + hashlib.sha256(encoded).hexdigest()[:12]
    given = name
    while name in taken:
        taken[given] += 1
        name = f"{given}-{taken[given]}"
    taken[name] = 1
    return name


def files_below(folder: str) -> list[str]:
    """Give the relative paths of a folder's files, sorted; hidden ones and `_SUCCESS` marks are left out."""
    if not os.path.isdir(folder):
        raise ValueError(f"{folder} is no folder")
    found = []
    for top, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not left_out(each)]
        kept = [os.path.join(top, each) for each in names if not left_out(each)]
        found += [os.path.relpath(each, folder).replace(os.sep, "/") for each in kept]
    return sorted(found)


def left_out(path: str) -> bool:
    """Tell whether a relative path is hidden, or a mark that other programs leave."""
    return any(each.startswith(".") or each == "_SUCCESS" for each in path.split("/"))


def relative(path: str, folder: str) -> str:
    """Give a file's path below the folder of the input; its name where the input is that file."""
    for near, far in (
        (os.path.abspath(path), os.path.abspath(folder)),
        map(os.path.realpath, (path, folder)),
    ):
        found = os.path.relpath(near, far).replace(os.sep, "/")
        if not found.startswith("../"):
            return os.path.basename(path) if found == "." else found
    raise ValueError(f"penstock: {path} is not below {folder}")


def listed_items(path: str) -> list[Item]:
    """Read the items of a JSON list: a key, a scalar or null as value, and fields of scalars."""
    with open(path, encoding="utf-8") as file:
        items = [
            Item(each["key"], each.get("value"), {"key": each["key"], **(each.get("fields") or {})})
            for each in json.load(file)
        ]
    for each in items:
        if not is_folder_name(each.key):
            raise ValueError(f"the key {each.key!r} is no name for a folder")
    if len({each.key for each in items}) != len(items):
        raise ValueError("two items have one key")
    return items


def file_keys(folder: str) -> dict[str, str]:
    """Give each file's key, by relative path."""
    taken: dict[str, int] = {}
    return {path: folder_name(path.replace("/", "__"), taken) for path in files_below(folder)}


def file_items(folder: str, keys: dict[str, str], batch: int, work: str) -> list[Item]:
    """Make items of a folder's files: each one by itself, or `batch` of them linked into a folder below `work`."""
    paths = list(keys)
    items = []
    for first in range(0, len(paths), batch or 1):
        path = paths[first]
        fields = {"key": keys[path], "name": os.path.basename(path)}
        if batch:
            files = paths[first : first + batch]
            items.append(Item(keys[path], os.path.join(work, str(first)), fields, [folder, *files]))
        else:
            items.append(Item(keys[path], os.path.join(folder, path), fields))
    return items


def group_items(by: list[str], groups: dict[tuple[str, ...], str]) -> list[Item]:
    """Make items of a table's groups: the columns' values → the folder that holds the rows."""
    taken: dict[str, int] = {}
    items = []
    for values, folder in groups.items():
        name = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(values)) or "_"
        key = folder_name("_" * len(name) if name in (".", "..") else name, taken)
        columns = {name: values[place] for place, name in enumerate(by)}
        items.append(Item(key, folder, {**columns, "key": key}))
    return items
