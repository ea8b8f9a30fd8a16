"""One trial's command in the training toolkit's script mode: a shipped script, and hyperparameters that it reads."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from penstock.diagnostics import At, error
from penstock.expressions.nodes import Expression, InputRef, ItemRef, Literal, OwnOutputRef, RunRef
from penstock.expressions.shell import script
from penstock.ir import SCALARS, Shell, Train, Tune, Word
from penstock.provider import Asset, LauncherUse
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import default_text, string, value
from penstock_aws.sagemaker.lowering.ports import output_paths
from penstock_aws.sagemaker.lowering.ranges import refuse_reserved
from penstock_aws.sagemaker.lowering.training import Staged

FILE = "penstock_trial.py"
ARCHIVE = "sourcedir.tar.gz"
MOST, LONGEST = 100, 2500
"""Hyperparameters of a job, and characters of one (bounds of HyperParameters in the service model)."""
_SLOT = 'PLAN = "[]"\n'

Part = str | list[str]
"""A text, or [hyperparameter, kind], or [folder, "checkpoint"], as the script reads it."""


def script_mode(step: Tune, trial: Train, prepared: Staged, draft: Draft) -> dict[str, Any]:
    """Ship the script that starts a trial, and give the hyperparameters that do not vary."""
    plan, values = _plan(step, trial, prepared, draft)
    content = _source().replace(_SLOT, f"PLAN = {json.dumps(plan)!r}\n").encode()
    # A toolkit installs and runs what is in the archive: it holds nothing of the user's, which has its own channel.
    asset = Asset(ARCHIVE, sha256(content).hexdigest(), archive=True, added={FILE: content.decode()})
    address = draft.upload(asset)
    draft.launcher.append(LauncherUse(step.name, "starts a trial: tuning jobs take no container command"))
    own = {"program": FILE, "submit_directory": address, "region": draft.place.region}
    found = {
        **hyperparameters(step, values, draft, quoted=True),
        **{f"sagemaker_{key}": json.dumps(each) for key, each in own.items()},
    }
    if len(found) + len(step.space) > MOST:
        message = (
            f"step '{step.name}' has {len(found) + len(step.space)} hyperparameters; sagemaker takes {MOST}"
        )
        hint = "gather several values in a file of the code folder"
        draft.found.append(error("P393", message, At((*step.path, "inputs"), key=True), hint))
    return found


def hyperparameters(step: Tune, others: dict[str, Any], draft: Draft, *, quoted: bool) -> dict[str, Any]:
    """Lower the scalar inputs that do not vary. Written texts are in quotes where `quoted`, references never."""
    found: dict[str, Any] = {}
    for each in step.inputs:
        if each.source_type not in SCALARS:
            continue
        refuse_reserved(each.name, step, "inputs", draft)
        written = _quoted(each.value) if quoted else ""
        found[each.name] = written or string(each.value, draft)
        shown = written or default_text(each.value, draft.graph)
        if len(shown) > LONGEST or "\n" in shown:
            message = f"input '{each.name}' of a trial is not of one line and {LONGEST} characters, as sagemaker asks"
            hint = "put it into a file of the code folder, or into a dataset"
            draft.found.append(error("P393", message, At((*step.path, "inputs", each.name)), hint))
    return {**found, **others}


@cache
def _source() -> str:
    """Read the shipped script once: lowering looks at no file again."""
    return Path(__file__).parents[1].joinpath("trial.py").read_text(encoding="utf-8")


def _quoted(expression: Expression) -> str:
    """Write a literal text as JSON; empty for everything else."""
    match expression:
        case Literal(str(found)):
            return json.dumps(found)
        case _:
            return ""


def _plan(
    step: Tune, trial: Train, prepared: Staged, draft: Draft
) -> tuple[list[list[Part]], dict[str, Any]]:
    """Give the command's words for the script, and the hyperparameters that carry what only the run knows."""
    scalars = {each.name: each.value for each in step.inputs if each.source_type in SCALARS}
    space = {each.name: each.type for each in step.space}
    taken = {*scalars, *space}
    outputs: dict[str, Part] = {**output_paths(trial)}
    carried: dict[str, Any] = {}

    def part(word: str | Word) -> list[Part]:
        match word if isinstance(word, str) else word.value:
            case str(found):
                return [found]
            case OwnOutputRef(name) if name == step.checkpoint:
                # Trials share one address: each goes on from its own folder alone.
                return [[str(outputs[name]), "checkpoint"]]
            case OwnOutputRef(name):
                return [outputs[name]]
            case InputRef(name) if name in space:
                return [[name, space[name]]]
            case InputRef(name) if name in scalars:
                return [[name, "string" if _quoted(scalars[name]) else "plain"]]
            case InputRef(name) if isinstance(prepared.values[name], str):
                return [prepared.values[name]]
            case InputRef(name):
                carried[name] = prepared.values[name]
                return [[name, "plain"]]
            case RunRef(name):
                key = f"run_{name}"
                while key in taken:
                    key = f"penstock_{key}"
                carried[key] = value(RunRef(name), draft)
                return [[key, "plain"]]
            case ItemRef() as found:
                raise TypeError(f"{found} was announced as unsupported and cannot be here")

    run = trial.run
    assert run is not None
    plan: list[list[Part]] = [[each] for each in prepared.entrypoint]
    if isinstance(run, Shell):
        plan += [part(word) for word in script(run)[1]]
    else:
        plan += [[piece for each in parts for piece in part(each)] for parts in run.arguments]
    return plan, carried
