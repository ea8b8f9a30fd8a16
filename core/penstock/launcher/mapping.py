"""Penstock's map: runs one command for each item of a step, some at a time, and gathers what was mapped elsewhere.

    mapping.py run (--items FILE | --files DIR [--batch N] | --table DIR --by COLUMN ...) [--parallel N] [--tolerate N]
                   [--shard I/N|auto] [--output NAME=DIR[=FILE]] [--value NAME=TEXT]
                   [--fill POSITION=PARTS] [--env NAME=PARTS] (--plan FILE | -- COMMAND ...)
    mapping.py gather --output DIR [--name FILE] [--part KEY=PATH] ...

PARTS is a JSON list joined into one text: strings, {"item": ""} (the item itself), {"item": FIELD}, {"output": NAME}
(the item's own path, DIR/KEY or DIR/KEY/FILE), {"value": NAME} and {"variable": NAME} (of the job's environment). A
plan is {"command": [text or PARTS, ...], "env": {NAME: PARTS}}. A DIR that holds `=` needs one more behind it. Where
items are sharded, `--tolerate` counts on each machine by itself. Standard library only, Python 3.7 and later; its other
scripts stand beside it.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.launcher import items as of_items
    from penstock.launcher import plan as of_plan
    from penstock.launcher import running as of_running
    from penstock.launcher import tables as of_tables
    from penstock.launcher.items import Item

RESOURCES = "/opt/ml/config/resourceconfig.json"


def beside(name: str) -> Any:
    """Load a script that is shipped with this one: by its place, since a step's code may have a module so named."""
    path = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), os.path.basename(__file__).replace("mapping", name)
    )
    # A bundle's folder stays as it was shipped.
    sys.dont_write_bytecode = True
    spec = spec_from_file_location(f"penstock_{name}", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    of_items, of_plan, of_running, of_tables = map(beside, ("items", "plan", "running", "tables"))


def main(argv: list[str]) -> int:
    """Do what the command line says and give the exit code."""
    verb = argv[0] if argv else ""
    if verb not in ("run", "gather"):
        sys.exit(f"{__doc__}\npenstock: the first word is run or gather, not {verb!r}")
    if verb == "gather":
        parser = argparse.ArgumentParser(prog="mapping gather", allow_abbrev=False)
        parser.add_argument("--output", required=True)
        parser.add_argument("--name")
        parser.add_argument("--part", action="append", default=[])
        options = parser.parse_args(argv[1:])
        return gather(options.output, options.name, options.part)
    end = argv.index("--") if "--" in argv else len(argv)
    options = of_plan.parsed(argv[1:end])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, of_running.stop)
    plan = of_plan.Plan(options, argv[end + 1 :], __file__)
    with tempfile.TemporaryDirectory(prefix="penstock-map-") as work:
        items = shard(found_items(options, work), options.shard)
        failed, started = of_running.run_items(items, plan, options.parallel, options.tolerate)
    if of_running.STOPPED:
        return 128 + of_running.STOPPED[0]
    return summary(items, failed, started, options.tolerate)


def found_items(options: argparse.Namespace, work: str) -> list[Item]:
    """Find the items that the options name; what has to be written for them goes below `work`."""
    if options.items:
        return of_items.listed_items(options.items)
    if options.table:
        if not options.by:
            raise ValueError("--table needs --by")
        names = of_items.files_below(options.table) if os.path.isdir(options.table) else [""]
        files = [os.path.join(options.table, name) if name else options.table for name in names]
        return of_items.group_items(options.by, of_tables.groups(files, options.by, work))
    if not options.files:
        raise ValueError("one of --items, --files and --table is needed")
    return of_items.file_items(options.files, of_items.file_keys(options.files), options.batch, work)


def shard(items: list[Item], which: str | None) -> list[Item]:
    """Keep the items that are this machine's: every N-th, from the I-th on."""
    if not which:
        return items
    if which == "auto":
        with open(os.environ.get("PENSTOCK_RESOURCE_CONFIG", RESOURCES), encoding="utf-8") as file:
            machines = json.load(file)
        hosts = sorted(machines["hosts"])
        return items[hosts.index(machines["current_host"]) :: len(hosts)]
    first, step = map(int, which.split("/"))
    if not 0 <= first < step:
        raise ValueError(f"there is no shard {which}")
    return items[first::step]


def summary(items: list[Item], failed: dict[str, str], started: int, tolerate: int) -> int:
    """Print how the items ended, and give the exit code."""
    line = f"penstock: {started - len(failed)} of {len(items)} items succeeded"
    if not items:
        line = "penstock: there are no items; the outputs stay empty"
    if failed:
        line += "; failed: " + ", ".join(
            f"{of_running.shown(key)} ({fault})" for key, fault in failed.items()
        )
    if started < len(items):
        line += f"; not started: {len(items) - started}"
    of_running.say(line.encode("utf-8", "replace"))
    return 1 if len(failed) > tolerate else 0


def gather(output: str, name: str | None, parts: list[str]) -> int:
    """Copy what was mapped elsewhere into one folder.

    Args:
        output: the folder.
        name: what a part that is a file is called in it; without one it keeps its own name.
        parts: KEY=PATH each; either may hold `=`, and the first split whose path exists holds.
    """
    os.makedirs(output, exist_ok=True)
    done: set[str] = set()
    for part in parts:
        splits = [(part[:at], part[at + 1 :]) for at, sign in enumerate(part) if sign == "="]
        found = [(key, path) for key, path in splits if os.path.exists(path)]
        if not found:
            raise ValueError(f"the part {part!r} is not there")
        key, path = found[0]
        if key in done or not of_items.is_folder_name(key):
            raise ValueError(
                f"the key {key!r} is " + ("given twice" if key in done else "no name for a folder")
            )
        done.add(key)
        target = os.path.join(output, key)
        shutil.rmtree(target, ignore_errors=True)
        if os.path.isdir(path):
            shutil.copytree(path, target)
        else:
            os.makedirs(target)
            shutil.copy2(path, os.path.join(target, name or os.path.basename(path)))
    of_running.say(f"penstock: gathered {len(done)} parts".encode())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, csv.Error) as fault:
        sys.exit(f"penstock: {type(fault).__name__}: {fault}")
