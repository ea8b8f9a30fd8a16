"""One process of a parallel node: loads the entry module, and calls it for each mini-batch that it is told of.

    driver.py ASKED ANSWERED FOLDER ENTRY [ARGUMENT ...]

ASKED and ANSWERED are pipes. A line of ASKED is a number, whose mini-batch stands in FOLDER/NUMBER.json, `plan`, or
`end`; each has one line of JSON in ANSWERED. What the module returned stands in FOLDER/NUMBER.rows, a line a row, as
the service writes it. Standard library only, Python 3.7 and later.
"""

# pyright: basic
# (the entry module and its tables are the step's own)
from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

_LONGEST = 2000
TABLES: dict[str, Any] = {}


class Context:
    """What `run` is told of its mini-batch, where it wants to know."""

    def __init__(self, number: int, key: dict[str, Any] | None) -> None:
        """Take the mini-batch's number, and the values of its partition."""
        self.minibatch_index = number
        self.partition_key_value = key


def main(argv: list[str]) -> int:
    """Answer what is asked until the end."""
    asked, answered, folder, entry, *words = argv
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.getcwd(), *(each for each in sys.path if os.path.abspath(each or ".") != here)]
    sys.argv = [entry, *words]
    with open(asked, encoding="utf-8") as questions, open(answered, "w", encoding="utf-8") as answers:

        def answer(**found: Any) -> None:
            answers.write(json.dumps(found) + "\n")
            answers.flush()

        try:
            module = loaded(entry)
            if hasattr(module, "init"):
                module.init()
            if not hasattr(module, "run"):
                raise AttributeError(f"{entry} defines no run(mini_batch)")
        except BaseException as fault:
            traceback.print_exc()
            answer(fault=told(fault))
            return 1
        answer(ready=True)
        for line in questions:
            word = line.strip()
            if word == "end":
                getattr(module, "shutdown", lambda: None)()
                return 0
            try:
                answer(**(plan(folder) if word == "plan" else called(module, folder, int(word))))
            except BaseException as fault:
                traceback.print_exc()
                answer(fault=told(fault))
    return 0


def told(fault: BaseException) -> str:
    """Say what went wrong in a few words."""
    return f"{type(fault).__name__}: {fault}"[:_LONGEST]


def loaded(entry: str) -> Any:
    """Import the entry module by its name, or by its path where it stands in a folder."""
    name, kind = os.path.splitext(os.path.normpath(entry))
    if not os.path.isfile(entry) or kind != ".py":
        raise FileNotFoundError(f"there is no Python file {entry} in the code")
    if name.isidentifier() and name not in sys.modules:
        return importlib.import_module(name)
    sys.path.insert(1, os.path.dirname(os.path.abspath(entry)))
    spec = spec_from_file_location(os.path.basename(name), entry)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules.setdefault(os.path.basename(name), module)
    spec.loader.exec_module(module)
    return module


def called(module: Any, folder: str, number: int) -> dict[str, Any]:
    """Call the module for one mini-batch, and write down the rows that it gave."""
    with open(os.path.join(folder, f"{number}.json"), encoding="utf-8") as file:
        what = json.load(file)
    batch, items = taken(what)
    wants = [
        each
        for each in inspect.signature(module.run).parameters.values()
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.VAR_POSITIONAL)
    ]
    more = [Context(number, what.get("key"))] if len(wants) > 1 else []
    found = module.run(batch, *more)
    lines = rows(found)
    with open(os.path.join(folder, f"{number}.rows"), "w", encoding="utf-8", newline="") as file:
        file.write(lines)
    return {"done": len(found), "items": items}


def taken(what: dict[str, Any]) -> tuple[Any, int]:
    """Give a mini-batch as `run` takes it, and how many items it has."""
    if "files" in what:
        return what["files"], len(what["files"])
    frame = table(what["table"])
    if "keys" in what:
        values = partitions(frame, what["keys"])[what["group"]]
        for at, name in enumerate(what["keys"]):
            frame = frame[frame[name] == values[at]]
    else:
        start, stop = what["rows"]
        frame = frame.iloc[start:stop]
    return frame.reset_index(drop=True), len(frame)


def plan(folder: str) -> dict[str, Any]:
    """Divide a table into mini-batches, and write them down."""
    with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
        asked = json.load(file)
    frame = table(asked["table"])
    parts: list[dict[str, Any]] = []
    if asked["keys"]:
        for group, values in enumerate(partitions(frame, asked["keys"])):
            key = {name: plain(values[at]) for at, name in enumerate(asked["keys"])}
            parts.append({"group": group, "keys": asked["keys"], "key": key})
    else:
        size = len(frame.to_csv(index=False).encode("utf-8")) / max(1, len(frame))
        each = max(1, int(asked["bytes"] / max(size, 1)))
        parts = [{"rows": [start, start + each]} for start in range(0, len(frame), each)]
    with open(os.path.join(folder, "planned.json"), "w", encoding="utf-8") as file:
        json.dump([{"table": asked["table"], **part} for part in parts], file)
    return {"planned": len(parts)}


def partitions(frame: Any, keys: list[str]) -> list[tuple[Any, ...]]:
    """Give the values of the keys that come together, sorted."""
    found = frame[keys].drop_duplicates().sort_values(keys)
    return [tuple(each) for each in found.itertuples(index=False)]


def plain(value: Any) -> Any:
    """Give a value that JSON can hold."""
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def table(place: str) -> Any:
    """Read a table, once for all mini-batches of this process."""
    if place not in TABLES:
        mltable = importlib.import_module("mltable")
        TABLES[place] = mltable.load(place).to_pandas_dataframe()
    return TABLES[place]


def rows(found: Any) -> str:
    """Write what `run` gave: a data frame's rows with blanks between values and no header, all else a line each."""
    if hasattr(found, "to_csv"):
        written: str = found.to_csv(sep=" ", header=False, index=False)
        return written
    if isinstance(found, (str, bytes)) or not hasattr(found, "__len__"):
        raise TypeError(f"run() must give a list, a tuple or a data frame, and gave a {type(found).__name__}")
    return "".join(f"{each}\n" for each in found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
