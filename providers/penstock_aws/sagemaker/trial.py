"""Starts one trial of a search: training toolkits call this script, since tuning jobs take no container command.

    python penstock_trial.py [what the toolkit makes of the hyperparameters: not read]

Standard library only, Python 3.7 and later. Values come from hyperparameters.json as the service wrote it: the
toolkit decodes what it hands on, and 007 or 1e3 would no longer be the text that was meant. Lowering puts a plan in
the place of `PLAN`; one file holds all, for toolkits that install the script as a module first.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

PLAN = "[]"
"""JSON: the command's words. A word is a list of parts: a text, [hyperparameter, kind], or [folder, "checkpoint"]."""


def main() -> None:
    """Become the trial's command, with its values as words."""
    folder = os.environ.get("SM_INPUT_CONFIG_DIR", "/opt/ml/input/config")
    with open(os.path.join(folder, "hyperparameters.json"), encoding="utf-8") as file:
        given = json.load(file)
    command = words(json.loads(PLAN), given)
    sys.stdout.flush()
    os.execvp(command[0], command)


def words(plan: list[Any], given: dict[str, str]) -> list[str]:
    """Fill the values in."""
    return ["".join(part if isinstance(part, str) else value(part, given) for part in word) for word in plan]


def value(part: list[str], given: dict[str, str]) -> str:
    """Give a hyperparameter as text: `plain` as it is, others out of their quotes and in their type's own form.

    Of a folder of checkpoints it is the trial's own subfolder: the trials of a search share one address.
    """
    name, kind = part
    if kind == "checkpoint":
        folder = os.path.join(name, trial(given))
        os.makedirs(folder, exist_ok=True)
        return folder
    found = given[name]
    if kind == "plain":
        return found
    if found.startswith('"'):
        found = json.loads(found)
    if kind == "integer":
        return str(whole(found))
    return found.lower() if kind == "boolean" else found


def trial(given: dict[str, str]) -> str:
    """Name the trial, the same after a restart: by its job, else by its values."""
    values = json.dumps(given, sort_keys=True).encode()
    return os.environ.get("TRAINING_JOB_NAME") or hashlib.sha256(values).hexdigest()[:16]


def whole(found: str) -> int:
    """Read an integer, which a sampler of the service may write as 4.0."""
    try:
        return int(found)
    except ValueError:
        number = float(found)
        if number != int(number):
            raise
        return int(number)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, LookupError, ArithmeticError) as fault:
        sys.exit(f"penstock: {type(fault).__name__}: {fault}")
