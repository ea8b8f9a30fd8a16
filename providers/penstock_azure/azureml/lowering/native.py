"""Native steps: a node in the service's own words, with what it refers to filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from penstock.diagnostics import At, Path, error
from penstock.expressions.nodes import (
    Expression,
    InputRef,
    Literal,
    OwnOutputRef,
    ParameterRef,
    RunRef,
    Template,
)
from penstock.expressions.parser import parse_value
from penstock.expressions.references import render
from penstock.expressions.text import text
from penstock.ir import SCALARS, SINGLE_FILES, Native
from penstock_azure.azureml.lowering.components import MARKER, add_guards, is_bound
from penstock_azure.azureml.lowering.draft import Draft, port
from penstock_azure.azureml.lowering.gates import guard_lines, needed
from penstock_azure.azureml.lowering.ports import binding

TARGET = "azureml"
# Where `${{inputs.x}}` is the node's own word, and stays.
_OWN_WORDS = ("command", "args", "input_data", "task", "environment_variables")
_OUTPUT = re.compile(r"outputs\.[A-Za-z_]\w*")
_ELSEWHERE = re.compile(r"azureml:|git\+|[a-z]+://|/subscriptions/|\$\{\{")
_FILES = (
    ("code",),
    ("component",),
    ("trial",),
    ("task", "code"),
    ("environment", "conda_file"),
    ("environment", "build", "path"),
)


def lower_native(step: Native, draft: Draft) -> None:
    """Add the node that a step's body describes."""
    node = draft.nodes[step.name]
    body = step.bodies.get(TARGET)
    if body is None:
        others = ", ".join(step.bodies) or "no target"
        message = f"step '{step.name}' has a body for {others}, and none for azureml"
        hint = "write one under 'azureml:', or give the step a kind that every target has"
        draft.found.append(error("P354", message, At(step.path, key=True), hint))
        draft.jobs[node] = {"type": "command"}
        return
    for name, made in ((each.name, each) for each in step.outputs):
        own = cast("Mapping[str, Any]", body.get("outputs") or {})
        if not _OUTPUT.fullmatch(made.source) and port(name) not in own:
            message = (
                f"output '{name}' of step '{step.name}' says '{made.source}', which names no output of a node"
            )
            at = At((*step.path, "outputs", name, "from"))
            draft.found.append(error("P354", message, at, f"write from: outputs.{name}"))
    _refuse_files(body, step, draft)
    words = _Words(step, draft)
    job: dict[str, Any] = {"type": "command"}
    job |= {key: words.filled(value, (key,)) for key, value in body.items()}
    given = cast("dict[str, Any]", job.get("inputs") or {})
    # What the body hands on under a name of its own is no input of the node by the step's name too.
    inputs = {
        port(each.name): words.input(each.name)
        for each in step.inputs
        if each.name in words.named or each.name not in words.handed_on
    }
    job["inputs"] = {**inputs, **given}
    _order(step, job, draft)
    for key, value in (("display_name", step.display_name), ("description", step.description)):
        if value:
            job.setdefault(key, value)
    if step.tags:
        job["tags"] = {**step.tags, **cast("dict[str, Any]", job.get("tags") or {})}
    if not job["inputs"]:
        del job["inputs"]
    draft.jobs[node] = job
    draft.origins[draft.file, ("jobs", node)] = (*step.path, TARGET)


class _Words:
    """Fills in what a body refers to.

    Attributes:
        named: inputs that the node's own words name.
        handed_on: inputs that something else in the body is bound to.
    """

    def __init__(self, step: Native, draft: Draft) -> None:
        self.step, self.draft = step, draft
        self.named: set[str] = set()
        self.handed_on: set[str] = set()
        self._inputs = {each.name: each for each in step.inputs}

    def filled(self, value: Any, path: Path) -> Any:
        """Give a part of the body; texts without expressions stay as they are."""
        if isinstance(value, Mapping):
            found = cast("Mapping[str, Any]", value)
            return {key: self.filled(each, (*path, key)) for key, each in found.items()}
        if isinstance(value, list):
            return [
                self.filled(each, (*path, number)) for number, each in enumerate(cast("list[object]", value))
            ]
        if not isinstance(value, str) or "${{" not in value:
            return value
        expression = parse_value(value)
        if isinstance(expression, Template):
            return "".join(
                each if isinstance(each, str) else self._text(each, path) for each in expression.parts
            )
        return self._value(expression, path)

    def input(self, name: str) -> Any:
        """Give what an input of the step is bound to."""
        each = self._inputs[name]
        if each.source_type not in SCALARS or is_bound(each.value):
            return binding(each, self.draft)
        message = (
            f"input '{name}' of step '{self.step.name}' is composed, and a node binds what is there as it is"
        )
        at = At((*self.step.path, "inputs", name))
        hint = "bind the parameters one by one, and put them together in the command"
        self.draft.found.append(error("P308", message, at, hint))
        return ""

    def _text(self, expression: Expression, path: Path) -> str:
        value = self._value(expression, path)
        # How an input is delivered has no place in a text.
        return str(cast("dict[str, Any]", value)["path"]) if isinstance(value, dict) else text(value)

    def _value(self, expression: Expression, path: Path) -> Any:
        own = path[0] in _OWN_WORDS
        match expression:
            case Literal(value):
                return value
            case InputRef(name) if own:
                self.named.add(name)
                return f"${{{{inputs.{port(name)}}}}}"
            case InputRef(name):
                self.handed_on.add(name)
                return self.input(name)
            case OwnOutputRef(name) if own:
                return f"${{{{outputs.{self.draft.port(self.step.name, name)}}}}}"
            case ParameterRef(name) if not own or path[0] == "environment_variables":
                return f"${{{{parent.inputs.{port(name)}}}}}"
            case ParameterRef(name):
                message = f"'{path[0]}' of a node reads its own inputs, and no parameter"
                hint = f"bind it, inputs: {{{name}: ${{{{ parameters.{name} }}}}}}, and write ${{{{ inputs.{name} }}}}"
                return self._refused("P354", message, path, expression, hint)
            case OwnOutputRef():
                message = "an output is known inside the node's command alone"
                return self._refused("P354", message, path, expression, "name it in 'command' or 'task'")
            case RunRef(name):
                message = f"a node of azureml is not told run.{name}"
                hint = "its command finds the run in the variable AZUREML_ROOT_RUN_ID"
                return self._refused("P332", message, path, expression, hint)
            case _:
                message = "a node of azureml calculates nothing"
                return self._refused("P354", message, path, expression, "refer to one value, as it is")

    def _refused(self, code: str, message: str, path: Path, expression: Expression, hint: str) -> str:
        at = At((*self.step.path, TARGET, *path), needle=render(expression))
        self.draft.found.append(error(code, message, at, hint))
        return ""


def _order(step: Native, job: dict[str, Any], draft: Draft) -> None:
    """Put gates and markers into a command; a node of another form has no place for them."""
    marked = step.name in draft.markers
    guards = needed(step.guards, draft)
    if not (guards or marked or step.after):
        return
    command = job.get("command")
    if job["type"] != "command" or not isinstance(command, str):
        message = f"step '{step.name}' is no command on azureml, and nothing else can "
        if guards:
            hint = "write the body as type: command, or guard the steps behind it"
            at = At((*step.path, "when"), key=True)
            draft.found.append(error("P305", message + "be skipped there", at, hint))
        else:
            hint = "let data go from one to the other, or write the body as type: command"
            at = At((*step.path, "after") if step.after else step.path, key=True)
            draft.found.append(error("P309", message + "wait, or be waited for, without data", at, hint))
        return
    declared: dict[str, Any] = {}
    add_guards(step, declared, job["inputs"], draft)
    lines: list[str] = []
    if marked:
        outputs = cast("dict[str, Any]", job.get("outputs") or {})
        job["outputs"] = {**outputs, MARKER: {"type": "uri_file"}}
        lines.append(f": > ${{{{outputs.{MARKER}}}}}")
    empty = [
        f": > ${{{{outputs.{draft.port(step.name, each.name)}}}}}"
        for each in step.outputs
        if each.type in SINGLE_FILES
    ]
    gates = guard_lines(guards, [], empty)
    # A gate that cannot be read ends the node as failed; the body decides for itself what its own errors do.
    lines += ["set -e", *gates, "set +e"] if gates else []
    job["command"] = "\n".join([*lines, command])


def _refuse_files(body: Mapping[str, Any], step: Native, draft: Draft) -> None:
    """Refuse files beside the spec: a body goes as it is, and nothing goes with it."""
    places: list[tuple[str, ...]] = [*_FILES]
    inputs = body.get("inputs")
    if isinstance(inputs, Mapping):
        places += [("inputs", name, "path") for name in cast("Mapping[str, Any]", inputs)]
    for place in places:
        value: Any = body
        for key in place:
            value = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and not _ELSEWHERE.match(value):
            message = f"step '{step.name}' names the file '{value}', and a native body takes no files along"
            at = At((*step.path, TARGET, *place))
            hint = "register it and write azureml:NAME:VERSION, or use a step of kind command with 'code'"
            draft.found.append(error("P354", message, at, hint))
