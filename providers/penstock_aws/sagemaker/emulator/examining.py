"""What stands against running a definition offline, found before anything runs: all of it at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import get_args

from penstock.bundle import Bundle
from penstock.diagnostics import Diagnostic, error
from penstock.errors import RunError
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import Request
from penstock.runtime.project import Project
from penstock.runtime.sandbox import Way, found_way, why_none
from penstock.suggest import nearest
from penstock_aws.sagemaker.emulator.account import account_of
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault
from penstock_aws.sagemaker.emulator.definition import Definition, Step
from penstock_aws.sagemaker.emulator.emulator import (
    given_parameters,
    opened,
    region_of,
    stand_ins_of,
    stock,
    with_parameters,
)
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.sagemaker.emulator.locating import located
from penstock_aws.sagemaker.emulator.refusals import Found, Known, refusals
from penstock_aws.sagemaker.emulator.retries import CODES
from penstock_aws.sagemaker.emulator.selection_of_steps import MOST
from penstock_aws.sagemaker.emulator.sources import inside, known_values, unfilled
from penstock_aws.sagemaker.emulator.unheard import unread
from penstock_aws.sagemaker.emulator.unplayed import refusal, unplayed


def examine(bundle: Bundle, request: Request, project: Project, index: StatIndex) -> Request:
    """Hold a run against its definition. Gives the request with typed parameters. Raises RunError, SpecError."""
    definition, interface = opened(bundle)
    stand_ins = stand_ins_of(request)
    found = [*_asked(request, definition), *_enclosure(request, definition)]
    parameters, faults = read_parameters(definition.parameters, given_parameters(request, interface))
    found += [error("P407", each.message, hint=each.hint or f"-p {each.name}=VALUE") for each in faults]
    account = account_of(bundle.pipeline, "examined", region_of(bundle))
    values = known_values(parameters, account)
    known = Known(definition, values, stand_ins)
    steps = definition.steps.values()
    placed = [each for step in steps for each in _refused(step, known, compiled=interface is not None)]
    storage = Storage(ArtifactStore(project.artifacts), index)
    try:
        stock(storage, bundle, request, region_of(bundle))
    except StorageFault as fault:
        found.append(
            error("P434", str(fault), hint="--replace s3://BUCKET/KEY=PATH names data of this machine")
        )
    else:
        if not faults:
            missed = unread(definition, values, request.replace)
            placed += unfilled(definition, values, storage, request.replace, missed)
    found += located(placed, bundle)
    if found:
        raise RunError(found)
    return request if interface is not None else with_parameters(request, parameters)


def _enclosure(request: Request, definition: Definition) -> Iterator[Diagnostic]:
    """Refuse what needs a sandbox where there is none, and a name of one that nobody knows."""
    chosen = os.environ.get("PENSTOCK_SANDBOX", "")
    if chosen not in ("", "none", *get_args(Way)):
        yield error("P420", why_none(), hint="write bubblewrap, namespaces or none, or leave it unset")
    if found_way() is not None:
        return
    hint = "on Linux, user namespaces or bubblewrap give a sandbox"
    if request.isolate:
        yield error("P420", f"--isolate needs a sandbox, and there is none: {why_none()}", hint=hint)
    for step in definition.steps.values():
        network = inside(step.arguments, "NetworkConfig", "EnableNetworkIsolation")
        if network is True or inside(step.arguments, "EnableNetworkIsolation") is True:
            message = f"step '{step.name}' is to run without a network, which needs a sandbox: {why_none()}"
            yield error("P420", message, hint=hint)


def _refused(step: Step, known: Known, *, compiled: bool) -> Iterator[Found]:
    """Say of a step that it does not run offline, and what to do."""
    what = unplayed(step.type, step.arguments)
    if what:
        yield f"{step.pointer}/Type", refusal(step.name, what, compiled=compiled)
    else:
        yield from refusals(step, known)


def _asked(request: Request, definition: Definition) -> Iterator[Diagnostic]:
    """Hold faults, selections and names of steps against the definition."""
    steps = definition.steps
    for name, (code, count) in request.faults.items():
        if name not in steps:
            hint = nearest(name, steps, "steps")
            yield error("P434", f"--fault: there is no step '{name}'", hint=hint)
        if code not in CODES:
            yield error("P434", f"--fault: there is no fault '{code}'", hint=nearest(code, CODES, "faults"))
        elif name in steps and steps[name].type in ("Condition", "Fail"):
            yield error("P434", f"--fault: step '{name}' calls nothing that could fail")
        if count < 1:
            yield error("P434", f"--fault: {count} attempts cannot fail", hint=f"--fault {name}={code}:1")
    for name in request.select:
        if name not in steps:
            yield error("P434", f"--select: there is no step '{name}'", hint=nearest(name, steps, "steps"))
    if len(request.select) > MOST:
        yield error("P434", f"--select: {len(request.select)} steps; the service takes {MOST}")
    if request.source and not request.select:
        yield error("P434", "--from goes with --select", hint="name the steps that are to run: --select STEP")
    for name in request.rerun:
        if not any(each == name or each.startswith(f"{name}__") for each in steps):
            yield error("P418", f"there is no step '{name}' to rerun", hint=nearest(name, steps, "steps"))
    if request.env_from:
        names = ", ".join(request.env_from)
        yield error("P434", f"variables of the caller reach no job there: {names}", hint="--pass-env NAME")
