"""`run.sh`: a step's command as a file, with its values as positional words.

Container entrypoints and arguments end at 256 characters and take no newline (pattern and bounds of
ContainerEntrypointString and ContainerArgument in the service model), so the script travels as an asset and only
the values are arguments. Each is exactly one word.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, cast

from penstock.diagnostics import At, error
from penstock.expressions.nodes import Expression, InputRef, ItemRef, OwnOutputRef, RunRef
from penstock.expressions.shell import script
from penstock.ir import SCALARS, Command, Environment, Input, Shell, Train, Word
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import default_text, join, string, value

LONGEST = 256
# Into the interpreter that the command will find. The settings are for images whose Python the system manages.
_INSTALL = (
    "PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore "
    '"$(command -v python || command -v python3)" -m pip install '
    "--disable-pip-version-check --no-cache-dir --quiet"
)


def run_script(
    step: Command | Train,
    environment: Environment | None,
    code: str,
    links: Sequence[str],
    folders: Sequence[str] = (),
) -> bytes:
    """Write a step's script.

    Args:
        step: with a command.
        environment: its packages are installed when the container starts.
        code: the folder to work in; empty for a private empty one.
        links: lines that show inputs under fixed paths.
        folders: those that outputs are written into.
    """
    run = step.run
    assert run is not None
    lines = [
        "#!/bin/bash",
        # It names no step: steps that run the same share one file.
        "# A step's command. The values are its arguments, in order.",
        "set -euo pipefail",
    ]
    if environment and environment.packages:
        lines.append(" ".join([_INSTALL, *map(shlex.quote, environment.packages)]))
    lines.append('cd "$(mktemp -d)"')
    if code:
        # Inputs may be read-only, and objects bear no permissions: scripts in the copy can be started again.
        lines += [f"cp -R {code}/. .", "chmod -R u+rwx ."]
    if folders:
        lines.append(" ".join(["mkdir -p", *map(shlex.quote, folders)]))
    lines += links
    body = script(run)[0] if isinstance(run, Shell) else 'exec "$@"'
    return ("\n".join([*lines, body.rstrip("\n")]) + "\n").encode()


def arguments(
    step: Command | Train, paths: dict[str, Any], outputs: dict[str, str], draft: Draft
) -> list[Any]:
    """Give the values that the script's words stand for, in order."""
    run = step.run
    assert run is not None
    inputs = {each.name: each for each in step.inputs}
    if isinstance(run, Shell):
        return [_argument(word, step, inputs, paths, outputs, draft) for word in script(run)[1]]
    found: list[Any] = []
    for parts in run.arguments:
        before = len(draft.found)
        values = [
            each if isinstance(each, str) else _argument(each, step, inputs, paths, outputs, draft)
            for each in parts
        ]
        if not all(isinstance(each, str) for each in values):
            found.append(values[0] if len(values) == 1 else join("", *values))
            continue
        argument = "".join(cast("list[str]", values))
        # Where a value was refused by itself, the argument that it stands in is no fault of its own.
        told = len(draft.found) > before
        found.append(argument if told else _checked(argument, At((*step.path, "run")), step, draft))
    return found


def _argument(
    word: Word,
    step: Command | Train,
    inputs: dict[str, Input],
    paths: dict[str, Any],
    outputs: dict[str, str],
    draft: Draft,
) -> Any:
    match word.value:
        case OwnOutputRef(name):
            return outputs[name]
        case RunRef():
            return value(word.value, draft)
        case InputRef(name) if inputs[name].source_type in SCALARS:
            return scalar(name, inputs[name].value, step, draft)
        case InputRef(name):
            return paths[name]
        case ItemRef():
            raise TypeError(f"{word.value} was announced as unsupported and cannot be here")


def scalar(name: str, expression: Expression, step: Command | Train, draft: Draft) -> Any:
    """Lower a scalar that becomes an argument; text that the service would refuse is an error here."""
    _checked(default_text(expression, draft.graph), At((*step.path, "inputs", name)), step, draft)
    return string(expression, draft)


def _checked(word: str, at: At, step: Command | Train, draft: Draft) -> str:
    hint = "put it into a file of the code folder, or into a dataset"
    if len(word) > LONGEST:
        message = f"a value of step '{step.name}' has {len(word)} characters; sagemaker takes {LONGEST} in an argument"
        draft.found.append(error("P393", message, at, hint))
    elif "\n" in word or "\r" in word:
        message = f"a value of step '{step.name}' has a line break, which sagemaker refuses in an argument"
        draft.found.append(error("P393", message, at, hint))
    return word
