"""A step that runs a process, as a command component and a node."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.diagnostics import At, error, note, warning
from penstock.expressions.nodes import Expression, Literal, OutputRef, ParameterRef, RunRef
from penstock.expressions.references import references
from penstock.expressions.shell import script
from penstock.expressions.text import text
from penstock.ir import (
    SCALARS,
    SINGLE_FILES,
    Command,
    Compute,
    Environment,
    Fail,
    Input,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Shell,
    Train,
    Tune,
    Word,
    input_names,
)
from penstock_azure.azureml.catalogue import pick
from penstock_azure.azureml.document import COMMAND_SCHEMA
from penstock_azure.azureml.images import environment, is_registered
from penstock_azure.azureml.lowering.draft import LAUNCHER, Draft, component_tag, launcher_file, port
from penstock_azure.azureml.lowering.gates import gate_input, gate_output, guard_lines, needed
from penstock_azure.azureml.lowering.ports import binding, declare, is_file, output, scalar
from penstock_azure.azureml.lowering.words import Words, escape

MARKER = "penstock_done"
SCRIPT = "penstock_run.sh"
# What leaves the shell, its folder or its rules, and a last line that goes on.
_LEAVES = re.compile(r"\b(?:exit|exec|trap|return|cd|pushd|set)\b|\\\s*\Z")


Process = Command | Train | Tune | Map | Predict


def lower_job(step: Command | Train, draft: Draft, varied: frozenset[str] = frozenset()) -> None:
    """Add a step's component and node; `varied` inputs stay out of the component (see `Words`)."""
    words = Words(step, draft, varied=varied)
    component, bound = describe(step, words, draft, kind="training" if isinstance(step, Train) else "")
    node = _node(step, bound, words, draft)
    draft.add(draft.nodes[step.name], component, node, step.path, step.component)


def describe(
    step: Process,
    words: Words,
    draft: Draft,
    kind: str = "",
    files: Mapping[str, str] | None = None,
    last: Sequence[str] = (),
    closed: Sequence[str] = (),
    described: Environment | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the component of a step that runs a process, and what its node binds its inputs to.

    Args:
        step: after the snapshot stage.
        words: gathers what the command needs beyond the inputs.
        draft: the lowering that it belongs to.
        kind: what a tag of the component says that it is.
        files: generated files to stand beside the code.
        last: lines behind the command.
        closed: commands for when a gate is closed.
        described: an environment in the place of the step's own.
    """
    inputs: dict[str, Any] = {}
    bound: dict[str, Any] = {}
    for each in step.inputs:
        # Composed text has no binding of its own: it reaches the command through variables, or stands in it.
        if each.name not in words.varied and (is_bound(each.value) or each.source_type not in SCALARS):
            inputs[port(each.name)] = declare(each, draft)
            if not draft.is_left_out(each.value):
                bound[port(each.name)] = binding(each, draft)
        refuse(each, step, draft)
    announce_files(step, draft)
    refuse_twins("inputs", [*input_names(step)], step, draft)
    refuse_twins("outputs", [each.name for each in step.outputs], step, draft)
    add_guards(step, inputs, bound, draft)
    command, added = _command(step, words, draft, last, closed)
    for name, parameter in words.parameters.items():
        _free(name, inputs, step, draft)
        inputs[name] = scalar(draft.graph.parameters[parameter])
        bound[name] = f"${{{{parent.inputs.{port(parameter)}}}}}"
    component = head(step, draft.nodes[step.name], draft, kind=kind)
    component |= {
        # What tells of the run itself differs in each: no earlier result may stand for it.
        "is_deterministic": step.cache.enabled and not reads_run(step),
        "inputs": inputs,
        "outputs": {port(each.name): output(each) for each in step.outputs},
    }
    if step.name in draft.markers:
        component["outputs"][MARKER] = {"type": "uri_file"}
    if code := draft.code(step.code, {**added, **(files or {})}):
        component["code"] = code
    own = described or draft.environment(step.environment)
    component["environment"] = environment(own, draft.image(step.environment))
    announce_registered(step, draft)
    component["command"] = command
    return tidy(component), bound


def head(step: Process | Register | Fail, node: str, draft: Draft, kind: str = "") -> dict[str, Any]:
    """Begin a component: what people read."""
    tags = {**step.tags, **component_tag(step.component), **({"penstock_kind": kind} if kind else {})}
    return {
        "$schema": COMMAND_SCHEMA,
        "type": "command",
        "name": draft.component(node),
        "version": draft.graph.version or "1",
        "display_name": step.display_name or (step.component.name if step.component else step.name),
        "description": step.description,
        "tags": tags,
    }


def tidy(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty."""
    return {key: value for key, value in document.items() if value not in ("", {}, None)}


def add_guards(
    step: Process | Register | Fail | Native, inputs: dict[str, Any], bound: dict[str, Any], draft: Draft
) -> None:
    """Bind the gates that a step is behind, and the markers of steps that it only waits for."""
    for guard in needed(step.guards, draft):
        _free(gate_input(guard.condition), inputs, step, draft)
        inputs[gate_input(guard.condition)] = {"type": "uri_file"}
        bound[gate_input(guard.condition)] = gate_output(guard.condition, draft)
    for name in step.after:
        _free(f"after_{name}", inputs, step, draft)
        inputs[f"after_{name}"] = {"type": "uri_file"}
        bound[f"after_{name}"] = f"${{{{parent.jobs.{draft.nodes[name]}.outputs.{MARKER}}}}}"


def is_bound(value: Expression) -> bool:
    """Tell whether a node can hold a value: in text, `${{` would be taken for an expression of the service's."""
    return isinstance(value, ParameterRef) or (isinstance(value, Literal) and "${{" not in text(value.value))


def refuse_twins(key: str, names: list[str], step: Process, draft: Draft) -> None:
    """Refuse ports that become one: names of dict's methods get an underscore."""
    if len(set(map(port, names))) == len(names):
        return
    for name in names:
        if port(name) != name and port(name) in names:
            message = f"'{name}' of step '{step.name}' is '{port(name)}' on azureml, and that is taken"
            path = At((*step.path, key, port(name)), key=True)
            draft.found.append(error("P235", message, path, f"rename '{port(name)}'"))


def _free(name: str, inputs: dict[str, Any], step: Process | Register | Fail | Native, draft: Draft) -> None:
    if name in inputs:
        message = f"input '{name}' of step '{step.name}' has the name by which azureml orders steps"
        path = At((*step.path, "inputs", name), key=True)
        draft.found.append(error("P235", message, path, f"rename the input '{name}'"))


def opening(step: Process | Register | Fail, draft: Draft, closed: Sequence[str] = ()) -> list[str]:
    """Give the first lines of a command: how bash runs it, its marker, and its gates."""
    outputs = () if isinstance(step, Register | Fail) else step.outputs
    # The marker comes first: it is delivered when the step ends well, and a script may end by `exit` or `exec`.
    done = [f": > ${{{{outputs.{MARKER}}}}}"] if step.name in draft.markers else []
    return ["set -euo pipefail", *done, *guard_lines(needed(step.guards, draft), outputs, closed)]


def _command(
    step: Process, words: Words, draft: Draft, last: Sequence[str], closed: Sequence[str]
) -> tuple[str, dict[str, str]]:
    lines = opening(step, draft, closed)
    added: dict[str, str] = {}
    for key, value in step.env.items():
        # What a node can hold is a variable of the node; sweeps have none.
        if isinstance(step, Tune) or not is_bound(value):
            lines.append(f'export {key}="{words.inside(value)}"')
    for each in step.inputs:
        if each.at:
            link = _link(each, draft)
            lines.append(f"$[[{link}]]" if each.optional else link)
    retry, run = step.retry, step.run
    if isinstance(run, Shell) and (retry.attempts > 1 or _is_misread(run)):
        command = _as_file(run, words, lines, added)
    else:
        command = words.command()
    if retry.attempts > 1:
        draft.uses_launcher(step.name, "retries: nodes have no retries of their own")
        added |= launcher_file()
        options = f"--attempts {retry.attempts} --delay {retry.delay:g} --backoff {retry.backoff:g}"
        options += f" --errors {retry.errors}"
        command = f"python {LAUNCHER} run {options} -- {command}"
    if last and isinstance(run, Shell) and _LEAVES.search("".join(map(str, run.parts))):
        # The lines behind it have to run as if it stood alone.
        command = f"(\n{command}\n)"
    return "\n".join([*lines, command, *last]) + "\n", added


def _as_file(run: Shell, words: Words, lines: list[str], added: dict[str, str]) -> str:
    """Put a script in a file, and give the command that runs it."""
    if not run.segments:
        body, used = script(run)
        added[SCRIPT] = f"set -euo pipefail\n{body.rstrip(chr(10))}\n"
        return " ".join(["bash", SCRIPT, *words.values(used)])
    # Whether a segment stays is known where the job runs: the file is written there.
    if _is_misread(run):
        message = f"step '{words.step.name}': text that azureml takes for its own stands beside a segment"
        hint = "move what is written with ${{ or $[[ into a script of the code folder"
        words.draft.found.append(error("P358", message, At((*words.step.path, "run")), hint))
    lines += [
        f"cat > {SCRIPT} <<'PENSTOCK_END'",
        "set -euo pipefail",
        words.command(),
        "PENSTOCK_END",
    ]
    return f"bash {SCRIPT}"


def _is_misread(run: Shell) -> bool:
    """Tell whether the service would take something in a script for its own: a file of the code it leaves alone."""
    return any("${{" in part or "$[[" in part for part in run.parts if isinstance(part, str))


def _link(each: Input, draft: Draft) -> str:
    """Show an input at its fixed path: a folder there, a file by its name in a folder there."""
    source, at = f'"${{{{inputs.{port(each.name)}}}}}"', escape(each.at)
    if each.source_type not in SINGLE_FILES:
        parent = escape(each.at.rstrip("/").rpartition("/")[0] or "/")
        return f'mkdir -p "{parent}" && ln -sfn {source} "{at}"'
    name = ""
    if isinstance(each.value, OutputRef):
        name = draft.made(each.value.step, each.value.output).file
    return f'mkdir -p "{at}" && ln -sf {source} "{at}/{escape(name)}"'


def _node(step: Command | Train, bound: dict[str, Any], words: Words, draft: Draft) -> dict[str, Any]:
    variables: dict[str, Any] = dict(words.variables)
    for key, value in step.env.items():
        if key in words.variables:
            message = f"step '{step.name}' sets {key}, by which azureml hands it a parameter"
            path = At((*step.path, "env", key), key=True)
            draft.found.append(error("P235", message, path, f"rename the variable {key}"))
        match value:
            case Literal(given) if is_bound(value):
                variables[key] = text(given)
            case ParameterRef(name):
                variables[key] = f"${{{{parent.inputs.{port(name)}}}}}"
            case _:
                pass
    return tidy(
        {"inputs": bound, "environment_variables": variables, "outputs": named(step, draft)}
        | machines(step, draft)
    )


def named(step: Process | Nested, draft: Draft) -> dict[str, Any]:
    """Give the outputs that the service registers as models."""
    return {
        port(each.name): {"type": "custom_model", "name": draft.registered[step.name, each.name]}
        for each in step.outputs
        if (step.name, each.name) in draft.registered
    }


def machines(step: Process, draft: Draft) -> dict[str, Any]:
    """Give what a node says of the machines that it runs on, and for how long."""
    found: dict[str, Any] = {"resources": resources(step, draft)}
    if step.timeout is not None:
        found["limits"] = {"timeout": step.timeout}
    if step.compute.spot is not None:
        if draft.profile and draft.profile.settings.get("compute"):
            message = f"step '{step.name}': whether machines of a cluster are spot is the cluster's to say"
            hint = (
                "name a low-priority cluster in the profile, or leave its compute out for serverless machines"
            )
            draft.found.append(note("P315", message, At((*step.path, "compute", "spot"), key=True), hint))
        else:
            found["queue_settings"] = {"job_tier": "Spot"}
    return found


def resources(step: Process, draft: Draft) -> dict[str, Any]:
    """Give the machines of a node: on a cluster of the profile's the cluster decides, else a size is picked."""
    compute = step.compute
    named = compute.instance.get("azureml") or (draft.profile.instance if draft.profile else "")
    found: dict[str, Any] = {}
    if named:
        found["instance_type"] = named
    elif not (draft.profile and draft.profile.settings.get("compute")) and _asks(compute):
        found["instance_type"] = pick(compute)
        if not found["instance_type"]:
            hint = "name one yourself: compute: {instance: {azureml: Standard_…}}"
            message = f"no VM size of the catalogue has what step '{step.name}' asks for"
            draft.found.append(error("P395", message, At((*step.path, "compute")), hint))
    if isinstance(compute.count, ParameterRef):
        found["instance_count"] = f"${{{{parent.inputs.{port(compute.count.name)}}}}}"
    elif compute.count != 1:
        found["instance_count"] = compute.count
    return found


def _asks(compute: Compute) -> bool:
    return bool(compute.cpu or compute.memory or compute.gpu)


def announce_registered(step: Process, draft: Draft) -> None:
    """Warn where an environment of the workspace's is taken without the packages that the spec lists."""
    described = draft.environment(step.environment)
    # An image of the profile's is put in place of the whole environment on purpose.
    if described is None or draft.image(step.environment):
        return
    if is_registered(described) and (described.packages or described.conda):
        message = f"environment '{described.name}' is registered on azureml and taken as it is, without the packages"
        path = At(("environments", described.name), key=True)
        draft.found.append(warning("P394", message, path, "name an image, or register one that has them"))


def announce_files(step: Process, draft: Draft) -> None:
    """Say which files get another name: what a command is given ends in the name of the port."""
    for each in step.outputs:
        name = port(each.name)
        if is_file(each) and each.file and each.file != name:
            message = f"the file of output '{each.name}' is called '{name}' on azureml, not '{each.file}'"
            path = At((*step.path, "outputs", each.name, "file"))
            draft.found.append(note("P359", message, path, "where the name matters, write it into a folder"))


def refuse(each: Input, step: Process, draft: Draft) -> None:
    """Refuse what no input there can be."""
    path = (*step.path, "inputs", each.name)
    if each.packed:
        message = f"input '{each.name}' of step '{step.name}' is a folder on azureml, never an archive"
        hint = "let the script take the folder, or pack it in the step that writes it"
        draft.found.append(error("P321", message, At((*path, "packed"), key=True), hint))
    if each.mode == "stream":
        message = f"input '{each.name}' of step '{step.name}' is mounted on azureml, which has no streams"
        draft.found.append(warning("P323", message, At((*path, "mode")), "mount reads what is needed, too"))


def reads_run(step: Process) -> bool:
    """Tell whether a step is told something about the run that it belongs to."""
    run = step.run
    parts = (
        () if run is None else run.parts if isinstance(run, Shell) else (p for a in run.arguments for p in a)
    )
    told = [part.value for part in parts if isinstance(part, Word)]
    bound = [*step.env.values(), *(each.value for each in step.inputs)]
    return any(isinstance(each, RunRef) for value in [*told, *bound] for each in references(value))
