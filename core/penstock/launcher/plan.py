"""The plan of Penstock's map: the options, and what they make of the command, the environment and the outputs.

Shipped beside `mapping.py`, which says what the options are. Standard library only, Python 3.7 and later.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.launcher.items import Item


def known(words: list[str], prefix: str) -> tuple[argparse.Namespace, list[str]]:
    """Read the options of `run`, and give the words that are none of them."""
    parser = argparse.ArgumentParser(prog="mapping run", allow_abbrev=False)
    for name in ("items", "files", "table", "shard", "plan"):
        parser.add_argument(prefix + name, dest=name)
    for name in ("by", "output", "value", "fill", "env"):
        parser.add_argument(prefix + name, dest=name, action="append", default=[])
    for name, default in (("batch", 0), ("parallel", os.cpu_count() or 1), ("tolerate", 0)):
        parser.add_argument(prefix + name, dest=name, type=int, default=default)
    return parser.parse_known_args(words)


def parsed(words: list[str]) -> argparse.Namespace:
    """Read the options of `run`, and nothing else."""
    options, others = known(words, "--")
    if others:
        raise ValueError(f"unknown words: {' '.join(others)}")
    return options


class Plan:
    """What is done for each item: the command, its environment and where its outputs go."""

    def __init__(self, options: argparse.Namespace, command: list[str], script: str) -> None:
        """Read the plan's file, sought beside the script too, and what the options add to it."""
        read: dict[str, Any] = {}
        if options.plan:
            beside = os.path.join(os.path.dirname(os.path.abspath(script)), options.plan)
            with open(options.plan if os.path.exists(options.plan) else beside, encoding="utf-8") as file:
                read = json.load(file)
        self.command: list[Any] = [*read.get("command", []), *command]
        if not self.command:
            raise ValueError("there is no command to run")
        for position, parts in pairs(options.fill):
            if not 0 <= int(position) < len(self.command):
                raise ValueError(f"the command has no word {position}")
            self.command[int(position)] = json.loads(parts)
        self.env: dict[str, Any] = dict(read.get("env", {}))
        self.env.update((name, json.loads(parts)) for name, parts in pairs(options.env))
        self.values = dict(pairs(options.value))
        self.outputs: dict[str, tuple[str, str]] = {}
        for name, rest in pairs(options.output):
            folder, _, file_name = rest.rpartition("=") if "=" in rest else (rest, "", "")
            self.outputs[name] = (folder, file_name)
            os.makedirs(folder, exist_ok=True)

    def folders(self, item: Item) -> list[str]:
        """Give the folder of an item in each output."""
        return [os.path.join(folder, item.key) for folder, _ in self.outputs.values()]

    def missing(self, item: Item) -> list[str]:
        """Give the files that an item should have written and did not."""
        return [
            name
            for folder, name in self.outputs.values()
            if name and not os.path.isfile(os.path.join(folder, item.key, name))
        ]

    def words(self, item: Item) -> list[str]:
        """Give the command for an item."""
        return [self.joined(each, item) for each in self.command]

    def environment(self, item: Item) -> dict[str, str]:
        """Give what is set in the environment of an item's process."""
        return {name: self.joined(each, item) for name, each in self.env.items()}

    def joined(self, parts: Any, item: Item) -> str:
        """Join the parts of one word for an item."""
        return parts if isinstance(parts, str) else "".join(self.part(each, item) for each in parts)

    def part(self, part: Any, item: Item) -> str:
        """Write one part of a word as text."""
        if isinstance(part, str):
            return part
        ((kind, name),) = part.items()
        if kind == "output":
            folder, file_name = self.outputs[name]
            return os.path.join(folder, item.key, *filter(None, [file_name]))
        if kind == "value":
            return self.values[name]
        if kind == "variable":
            if name not in os.environ:
                raise ValueError(f"the variable {name} is not set")
            return os.environ[name]
        if kind != "item":
            raise ValueError(f"{part!r} is no part of a word")
        return item.text(name)


def pairs(given: list[str]) -> list[tuple[str, str]]:
    """Part each NAME=REST at its first equals sign."""
    bad = [each for each in given if "=" not in each]
    if bad:
        raise ValueError(f"{bad[0]!r} is not of the form NAME=...")
    return [(each[: each.index("=")], each[each.index("=") + 1 :]) for each in given]
