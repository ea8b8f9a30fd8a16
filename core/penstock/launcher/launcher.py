"""Penstock's launcher: stands in front of a step's command where the service cannot carry a port by itself.

    launcher.py run [--unpack ARCHIVE=DIR] [--one-file DIR=PATH] [--metrics FILE]
                    [--attempts N] [--delay S] [--backoff X] [--errors any|platform] -- COMMAND ...
    launcher.py decide --expression JSON [--metrics NAME=FILE] [--value NAME=TEXT] --output FILE

Standard library only, Python 3.7 and later: it runs inside any image that has a python3. `run` prepares inputs, runs
the command and prints its metrics; `decide` writes `true` or `false`, the outcome of a condition.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import argparse
import json
import math
import operator as op
import os
import signal
import subprocess
import sys
import tarfile
import time
from functools import partial
from typing import Any

STOPPED: list[int] = []


def main(argv: list[str]) -> int:
    """Do what the command line says and give the exit code."""
    words, command = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    parser = argparse.ArgumentParser(prog="launcher", allow_abbrev=False)
    parser.add_argument("verb", choices=["run", "decide"])
    for name in ("--unpack", "--one-file", "--metrics", "--value"):
        parser.add_argument(name, action="append", default=[])
    for name, default in (("--attempts", 1), ("--delay", 0.0), ("--backoff", 1.0)):
        parser.add_argument(name, type=type(default), default=default)
    parser.add_argument("--errors", choices=["any", "platform"], default="any")
    parser.add_argument("--expression")
    parser.add_argument("--output")
    options = parser.parse_args(words)
    if options.verb == "decide":
        return decide(options)
    return run(options, command)


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Prepare the inputs and run the command, again where that is asked for."""
    for each in options.unpack:
        unpack(*each.split("=", 1))
    for each in options.one_file:
        folder, path = each.split("=", 1)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.abspath(one_file(folder)), path)
    delay = options.delay
    for attempt in range(1, options.attempts + 1):
        child = subprocess.Popen(command, start_new_session=True)
        # The service asks a job to stop by SIGTERM; the command and all that it started have to hear of it.
        signal.signal(signal.SIGTERM, partial(stop, child))
        code = child.wait()
        # Killed by a signal, or by one inside the shell: the machine's doing, as when memory runs out.
        retried = options.errors == "any" or code < 0 or code > 128
        if code == 0 or attempt == options.attempts or not retried or STOPPED:
            break
        print(f"penstock: attempt {attempt} ended with {code}; trying again in {delay:g} s", flush=True)
        time.sleep(delay)
        delay *= options.backoff
    if code == 0:
        for path in options.metrics:
            print_metrics(path)
    # A process ended by signal N shows itself as the shell would show it.
    return code if code >= 0 else 128 - code


def stop(child: subprocess.Popen[bytes], number: int, _: object) -> None:
    """Pass a request to stop on to the command, and try nothing again."""
    STOPPED.append(number)
    os.killpg(child.pid, number)


def one_file(folder: str) -> str:
    """Give the only file below a folder; a path that is a file already is given as it is."""
    if os.path.isfile(folder):
        return folder
    found = [os.path.join(top, name) for top, _, names in os.walk(folder) for name in names]
    if len(found) != 1:
        sys.exit(f"penstock: one file was expected in {folder}, and there are {len(found)}")
    return found[0]


def unpack(archive: str, folder: str) -> None:
    """Unpack a tar archive into a folder; nothing may land outside it."""
    with tarfile.open(one_file(archive)) as tar:
        os.makedirs(folder, exist_ok=True)
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
            return
        root = os.path.realpath(folder)
        for member in tar.getmembers():
            target = os.path.realpath(os.path.join(root, member.name))
            if not (member.isfile() or member.isdir()) or os.path.commonpath([root, target]) != root:
                sys.exit(f"penstock: the archive holds {member.name!r}, which is no plain file inside it")
        tar.extractall(folder)


def print_metrics(path: str) -> None:
    """Print numeric fields as `penstock_metric NAME=VALUE;`, one a line, nested names joined by dots."""
    with open(path, encoding="utf-8") as file:
        waiting = [("", json.load(file))]
    while waiting:
        name, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting = [(f"{name}.{key}" if name else key, value[key]) for key in value] + waiting
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            print(f"penstock_metric {name}={float(value)!r};", flush=True)


def decide(options: argparse.Namespace) -> int:
    """Evaluate a condition: nested lists, operator first, over metrics, values and literals."""
    metrics = {}
    for each in options.metrics:
        name, path = each.split("=", 1)
        with open(one_file(path), encoding="utf-8") as file:
            metrics[name] = json.load(file)
    values = dict(each.split("=", 1) for each in options.value)
    decision = str(boolean(value_of(json.loads(options.expression), metrics, values))).lower()
    print(f"penstock: the condition is {decision}")
    os.makedirs(os.path.dirname(options.output) or ".", exist_ok=True)
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(decision)
    return 0


READ: dict[str, Any] = {"string": str, "integer": int, "number": float}
READ["boolean"] = lambda word: {"true": True, "false": False}[word.strip().lower()]
COMPARE: dict[str, Any] = {"==": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}
CALCULATE: dict[str, Any] = {"+": op.add, "-": op.sub, "*": op.mul, "/": op.truediv, "%": op.mod}


def kind(value: Any) -> str:
    """Name what a value is; a number that is not finite is nothing."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)) and math.isfinite(value):
        return "number"
    return "string" if isinstance(value, str) else "nothing"


def boolean(value: Any) -> bool:
    """Give a truth value; anything else ends the step."""
    return value if isinstance(value, bool) else sys.exit(f"penstock: {value!r} is neither true nor false")


def compare(name: str, left: Any, right: Any) -> bool:
    """Compare two values of one kind; only numbers and texts have an order."""
    if (
        kind(left) != kind(right)
        or kind(left) == "nothing"
        or (kind(left) == "boolean" and name not in ("==", "!="))
    ):
        sys.exit(f"penstock: {left!r} {name} {right!r} does not compare")
    return bool(COMPARE[name](left, right))


def value_of(node: Any, metrics: dict[str, Any], values: dict[str, str]) -> Any:
    """Evaluate one node of an expression."""
    if not isinstance(node, list):
        return node
    name, rest = node[0], node[1:]
    if name == "metric":
        found = metrics[rest[0]]
        for key in rest[1]:
            found = found[key]
        return found
    if name == "value":
        return READ[rest[1]](values[rest[0]])
    if name in ("and", "or"):
        return (all if name == "and" else any)(boolean(value_of(each, metrics, values)) for each in rest)
    operands = [value_of(each, metrics, values) for each in rest]
    if name == "not":
        return not boolean(operands[0])
    if name == "in":
        return any([compare("==", operands[0], each) for each in operands[1:]])
    if name in COMPARE:
        return compare(name, *operands)
    if any(kind(each) != "number" for each in operands):
        sys.exit(f"penstock: {name!r} needs numbers, not {operands!r}")
    return -operands[0] if name == "negative" else CALCULATE[name](*operands)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, tarfile.TarError) as fault:
        sys.exit(f"penstock: {type(fault).__name__}: {fault}")
