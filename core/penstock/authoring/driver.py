"""Calls one function of the module beside it with what the command line gives: Penstock ships this file with a step.

    penstock_step.py MODULE:FUNCTION [--NAME PATH] [--NAME:TYPE TEXT] [--NAME:returned PATH]

TYPE is integer, number, boolean, string, or metrics (a JSON file, handed over as a dictionary); `returned` takes what
the function returns, as JSON. Standard library only, Python 3.7 and later. Nothing of Penstock has to be installed:
what the module imports from it is a stand-in here, and the lines of the module that build the pipeline are left out.
"""

# pyright: basic
# (what it stands in for has no types here)
from __future__ import annotations

import ast
import importlib
import json
import math
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

OWN = "penstock"


def main(argv: list[str]) -> int:
    """Call the function and give the exit code."""
    module, _, name = argv[0].partition(":")
    given, returned = arguments(argv[1:])
    stand_in(os.path.dirname(os.path.realpath(__file__)))
    result = getattr(importlib.import_module(module), name)(**given)
    if returned:
        write(result, returned, name)
    return 0


def arguments(words: list[str]) -> tuple[dict[str, Any], str]:
    """Read the words after the function's name; also where what it returns belongs."""
    given: dict[str, Any] = {}
    returned = ""
    for flag, text in zip(words[::2], words[1::2]):  # noqa: B905 - newer than the oldest Python
        name, _, kind = flag[2:].partition(":")
        if kind == "returned":
            returned = text
        else:
            given[name] = value(kind, text)
    return given, returned


def value(kind: str, text: str) -> Any:
    """Turn a word into what the function's annotation asks for; a word without a type is a path."""
    if kind == "":
        return Path(text)
    if kind == "metrics":
        with open(text, encoding="utf-8") as opened:
            return json.load(opened)
    if kind == "boolean":
        return {"true": True, "false": False}[text.lower()]
    if kind == "integer":
        # A number that is whole may come as 4.0.
        return int(text) if text.lstrip("+-").isdigit() else int(float(text))
    return float(text) if kind == "number" else text


def write(result: Any, path: str, name: str) -> None:
    """Write what the function returned; numbers of numpy and its kin become plain ones."""
    if not hasattr(result, "keys"):
        sys.exit(f"{name} returned {type(result).__name__}, and metrics are a dictionary")

    def plain(number: Any) -> Any:
        if hasattr(number, "tolist"):
            return number.tolist()
        if hasattr(number, "item"):
            return number.item()
        raise TypeError(f"{name} returned a {type(number).__name__}, which JSON cannot hold")

    def finite(held: Any) -> Any:
        if isinstance(held, dict):
            return {key: finite(each) for key, each in held.items()}
        if isinstance(held, list):
            return [finite(each) for each in held]
        # JSON has no word for these, and other readers refuse Python's.
        return None if isinstance(held, float) and not math.isfinite(held) else held

    held = finite(json.loads(json.dumps(dict(result), default=plain)))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")


class Inert:
    """Stands for anything of Penstock's: every use gives another such, and nothing happens."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Do nothing."""
        return self

    def __mro_entries__(self, bases: Any) -> Any:
        return ()

    def __iter__(self) -> Any:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *fault: Any) -> None:
        return None

    def __bool__(self) -> bool:
        return False

    __hash__ = object.__hash__


_BINARY = "eq ne lt le gt ge add radd sub rsub mul rmul truediv rtruediv mod and rand or ror getitem"
for _each in _BINARY.split():
    setattr(Inert, f"__{_each}__", lambda self, other: self)
for _each in ("invert", "neg"):
    setattr(Inert, f"__{_each}__", lambda self: self)

INERT = Inert()


def step(function: Any = None, **options: Any) -> Any:
    """Stand in for the decorator: the function stays what it is."""
    return function if callable(function) else lambda function: function


class StandIn(ModuleType):
    """The module `penstock`, or one below it."""

    step = staticmethod(step)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return INERT


class Finder(MetaPathFinder, Loader):
    """Answers for Penstock before anything that is installed does: a step runs alike everywhere."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Take Penstock's modules, and no other."""
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == OWN else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Give the stand-in."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


class StepLoader(SourceFileLoader):
    """Loads the modules beside this file without the lines that build a pipeline."""

    def source_to_code(self, data: Any, path: Any, **more: Any) -> Any:  # type: ignore[override]
        """Compile what is left; line numbers stay."""
        return compile(without_building(ast.parse(data, path)), path, "exec", dont_inherit=True)


def stand_in(folder: str) -> None:
    """Put stand-ins in the place of Penstock, and load the modules of a folder without building anything."""
    sys.dont_write_bytecode = True
    for name in [each for each in sys.modules if each.split(".")[0] == OWN]:
        del sys.modules[name]
    sys.meta_path.insert(0, Finder())
    sys.path_hooks.insert(0, hook(folder))
    sys.path_importer_cache.clear()
    sys.path.insert(0, folder)


def hook(folder: str) -> Any:
    """Answer for the folder and those below it."""
    finder = FileFinder.path_hook((StepLoader, [".py"]))

    def at(path: str) -> Any:
        place = os.path.realpath(path or os.getcwd())
        if place != folder and not place.startswith(folder + os.sep):
            raise ImportError(path)
        return finder(path)

    return at


def without_building(tree: ast.Module) -> ast.Module:
    """Leave out top-level statements that use Penstock, or what such a statement made.

    Definitions and imports stay. A name that only a statement left out would bind becomes inert.
    """
    building: set[str] = set()
    kept: list[ast.stmt] = []
    for each in tree.body:
        if isinstance(each, (ast.Import, ast.ImportFrom)):
            building.update(imported(each))
            kept.append(each)
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if any(name in building for name in outer_names(each)):
                building.add(each.name)
            kept.append(each)
        elif any(name in building for name in names(each, ast.Load)):
            bound = sorted(set(names(each, ast.Store)))
            building.update(bound)
            kept += [inert(name, each) for name in bound]
        else:
            kept.append(each)
    tree.body = kept
    return tree


def imported(statement: Any) -> list[str]:
    """Give the names under which an import takes something from Penstock."""
    if isinstance(statement, ast.ImportFrom):
        own = not statement.level and (statement.module or "").split(".")[0] == OWN
        return [each.asname or each.name for each in statement.names] if own else []
    return [(each.asname or OWN) for each in statement.names if each.name.split(".")[0] == OWN]


def names(node: ast.AST, context: Any) -> list[str]:
    """Give the names that a statement reads, or binds, at any depth."""
    return [
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)
    ]


def outer_names(definition: Any) -> set[str]:
    """Give the names that the body of a definition reads and does not bind."""
    own = {each.arg for each in ast.walk(definition) if isinstance(each, ast.arg)}
    read: set[str] = set()
    for each in definition.body:
        read.update(names(each, ast.Load))
        own.update(names(each, ast.Store))
    return read - own


def inert(name: str, where: ast.stmt) -> ast.stmt:
    """Bind a name to a stand-in, at the line of the statement that would have bound it."""
    (made,) = ast.parse(f"from {OWN} import {name}").body
    return ast.fix_missing_locations(ast.copy_location(made, where))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
