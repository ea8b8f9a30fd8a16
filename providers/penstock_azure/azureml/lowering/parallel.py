"""Parallel nodes: the service hands a folder's files out to processes, which call a shipped entry module for each few.

Arguments reach the module as one text, which the service splits as a shell does. So text of the spec's own stands in a
file beside the module, and free text of parameters in variables of the node.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from penstock.diagnostics import At, error, note, warning
from penstock.expressions.nodes import (
    DatasetRef,
    Literal,
    ParameterRef,
)
from penstock.expressions.text import text
from penstock.ir import SCALARS, Code, Environment, Input, Map, Predict
from penstock_azure.azureml.document import PARALLEL_SCHEMA
from penstock_azure.azureml.images import environment, is_taken_as_it_is, with_packages
from penstock_azure.azureml.lowering.components import (
    MARKER,
    add_guards,
    announce_registered,
    head,
    is_bound,
    reads_run,
    refuse,
    refuse_twins,
    resources,
    tidy,
)
from penstock_azure.azureml.lowering.draft import Draft, port
from penstock_azure.azureml.lowering.ports import binding, declare, output

PACKAGES = ("azureml-core", "azureml-dataset-runtime[fuse]")
"""What the service's own driver imports in a parallel node's environment, as its examples list it."""

_LONGEST = 259200
"""Seconds that one call of the entry module may take: three days, the most that the service allows; it is a minute
unless said otherwise (limits of ParallelRunConfig.run_invocation_timeout)."""

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,${}-]+")


@dataclass
class Entry:
    """What a parallel node calls, and with what.

    Attributes:
        script: the module, in `code`.
        data: the input whose files are handed out.
        arguments: words, quoted as a shell wants them.
        size: files in a call.
        errors: calls that may fail, and files that may fail; -1 for any number.
        at_once: calls at once on a machine; 0 leaves it to the service, which counts its cores.
    """

    script: str
    code: Code
    environment: str
    data: str
    arguments: list[str]
    inputs: tuple[Input, ...]
    variables: dict[str, str] = field(default_factory=dict[str, str])
    size: int = 1
    errors: tuple[int, int] = (0, 0)
    at_once: int = 0


def lower_parallel(step: Map | Predict, entry: Entry, draft: Draft) -> None:
    """Add a parallel component and its node."""
    node = draft.nodes[step.name]
    inputs: dict[str, Any] = {}
    bound: dict[str, Any] = {}
    for each in entry.inputs:
        if is_bound(each.value) or each.source_type not in SCALARS:
            inputs[port(each.name)] = declare(each, draft)
            bound[port(each.name)] = binding(each, draft)
        refuse(each, step, draft)
    refuse_twins("inputs", [each.name for each in entry.inputs], step, draft)
    refuse_twins("outputs", [each.name for each in step.outputs], step, draft)
    add_guards(step, inputs, bound, draft)
    outputs = {port(each.name): {**output(each), "type": "uri_folder"} for each in step.outputs}
    task: dict[str, Any] = {
        "type": "run_function",
        "code": draft.code(entry.code, {}),
        "entry_script": entry.script,
        "program_arguments": " ".join(entry.arguments),
        "environment": _environment(step, entry.environment, draft),
    }
    if step.name in draft.markers:
        # What a node waits for is written when all is done: the list of the files.
        outputs[MARKER] = {"type": "uri_file"}
        task["append_row_to"] = f"${{{{outputs.{MARKER}}}}}"
    retry = {"max_retries": step.retry.attempts - 1, "timeout": min(step.timeout or _LONGEST, _LONGEST)}
    calls, files = entry.errors
    component = head(step, node, draft, kind="map" if isinstance(step, Map) else "predict")
    component |= {
        "$schema": PARALLEL_SCHEMA,
        "type": "parallel",
        "is_deterministic": step.cache.enabled and not reads_run(step),
        "inputs": inputs,
        "outputs": outputs,
        "input_data": f"${{{{inputs.{port(entry.data)}}}}}",
        "mini_batch_size": str(entry.size),
        "mini_batch_error_threshold": calls,
        "error_threshold": files,
        "retry_settings": retry,
        "max_concurrency_per_instance": entry.at_once or None,
        "logging_level": "INFO",
        "task": task,
    }
    job = tidy({"inputs": bound, "environment_variables": _variables(step, entry, draft)})
    # Of these two the SDK takes no zero over from the component.
    job |= {"mini_batch_error_threshold": calls, "error_threshold": files}
    job |= tidy({"resources": resources(step, draft)})
    _announce(step, draft)
    announce_registered(step, draft)
    draft.add(node, tidy(component), job, step.path)


def argument(name: str, each: Input, *, bare: bool = False) -> str:
    """Refer to an input as one word; `bare` leaves the quotes to the caller. Data keeps names with blanks."""
    written = f"${{{{inputs.{port(name)}}}}}"
    return f'"{written}"' if isinstance(each.value, DatasetRef) and not bare else written


def quoted(words: str) -> str:
    """Quote a word where a blank in it, or in a path that stands for an input, would part it."""
    return words if _PLAIN.fullmatch(words) and "{{inputs." not in words else f'"{words}"'


def _variables(step: Map | Predict, entry: Entry, draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = dict(entry.variables)
    for key, value in step.env.items():
        if key in entry.variables:
            message = f"step '{step.name}' sets {key}, by which azureml hands it a parameter"
            path = At((*step.path, "env", key), key=True)
            draft.found.append(error("P235", message, path, f"rename the variable {key}"))
        match value:
            case Literal(given) if is_bound(value):
                found[key] = text(given)
            case ParameterRef(name):
                found[key] = f"${{{{parent.inputs.{port(name)}}}}}"
            case _:
                pass
    return found


def _environment(step: Map | Predict, name: str, draft: Draft) -> Any:
    """Add what the service's driver imports, or say that it has to be there."""
    described, override = draft.environment(name), draft.image(name)
    if described is None:
        described = Environment("parallel", "", PACKAGES)
    elif is_taken_as_it_is(described, override):
        message = (
            f"environment '{name}' is taken as it is, and the parallel node of step '{step.name}' needs more"
        )
        at = At(("environments", name), key=True)
        hint = f"see that it has {' and '.join(PACKAGES)}, which the service's driver imports"
        draft.found.append(warning("P394", message, at, hint))
    else:
        described = with_packages(described, PACKAGES)
    return environment(described, override)


def _announce(step: Map | Predict, draft: Draft) -> None:
    if step.timeout is not None:
        message = (
            f"the time limit of step '{step.name}' is one of each call on azureml, not of the parallel node"
        )
        at = At((*step.path, "timeout"), key=True)
        draft.found.append(note("P312", message, at, "parallel nodes have no limit of their own"))
    if step.retry.attempts > 1 and step.retry.delay:
        message = f"step '{step.name}': parallel nodes of azureml repeat a call at once"
        at = At((*step.path, "retry", "delay"), key=True)
        draft.found.append(note("P311", message, at, "leave 'delay' out, or wait in the script"))
    if step.compute.spot is not None:
        message = f"step '{step.name}': a parallel node of azureml has no tier, its cluster has"
        at = At((*step.path, "compute", "spot"), key=True)
        draft.found.append(note("P315", message, at, "name a low-priority cluster in the profile"))
