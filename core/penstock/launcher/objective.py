"""Penstock's reporter of objectives: tells MLflow the number that a search is after, once the trial has ended.

    objective.py --name NAME --file METRICS [--key KEY] ...
    objective.py --name NAME --value NUMBER

A trial writes its metrics to a JSON file; services that steer a search by what MLflow was told read it from there.
Each `--key` leads one level down into the file: a field's name, or a position written as `#0`. It needs mlflow in the
trial's environment; the tracking address and the run are the service's to set.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import argparse
import json
import math
import sys
from importlib import import_module
from typing import Any


def main(argv: list[str]) -> int:
    """Find the number and report it."""
    parser = argparse.ArgumentParser(prog="objective", allow_abbrev=False)
    parser.add_argument("--name", required=True)
    parser.add_argument("--file")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--value", type=float)
    options = parser.parse_args(argv)
    value = options.value if options.file is None else number(options.file, options.key)
    # By name: only the trial's environment has it.
    mlflow = import_module("mlflow")
    mlflow.log_metric(options.name, value)
    print(f"penstock: {options.name} is {value:g}", flush=True)
    return 0


def number(path: str, keys: list[str]) -> float:
    """Give the number that the keys lead to; anything else ends the trial."""
    with open(path, encoding="utf-8") as file:
        found: Any = json.load(file)
    for key in keys:
        if isinstance(found, list) and key[:1] == "#" and key[1:].isdigit() and int(key[1:]) < len(found):
            found = found[int(key[1:])]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            sys.exit(f"penstock: the metrics have no {key!r}, which the search is after")
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
        sys.exit(f"penstock: {found!r} is no number that a search can be after")
    return float(found)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError) as fault:
        sys.exit(f"penstock: {type(fault).__name__}: {fault}")
