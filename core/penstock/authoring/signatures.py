"""What a function's signature says about its ports, and the command that calls it."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Union, cast, get_args, get_origin, get_type_hints

from penstock.authoring.annotations import Port, Written
from penstock.authoring.callsites import NAME, line_place
from penstock.authoring.refusal import refuse
from penstock.authoring.values import Value
from penstock.diagnostics import At, error
from penstock.errors import SpecError
from penstock.frozen import dataclass
from penstock.suggest import nearest

DRIVER = "penstock_step.py"
"""The name under which `driver.py` is shipped."""

_SCALARS: dict[object, str] = {int: "integer", float: "number", bool: "boolean", str: "string"}


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter that takes something.

    Attributes:
        type: the language's.
        read: whether a metrics file is handed over as a dictionary.
        required: whether it has no default.
        choices: the only values that a `Literal` allows; empty for every value of the type.
    """

    type: str
    read: bool = False
    required: bool = True
    choices: tuple[object, ...] = ()

    @property
    def suffix(self) -> str:
        """What the driver's command line says of its type; paths go without."""
        return f":{self.type}" if self.read or self.type in _SCALARS.values() else ""


@dataclass(frozen=True, slots=True)
class Signature:
    """The ports of a function.

    Attributes:
        function: the function.
        kind: of the steps made from it.
        inputs: parameter → what it takes, in order.
        outputs: parameter → the type of what the function writes there.
        returned: the output for what it returns; empty where that is nothing.
        files: output → the name of its file, where that is not the port's own.
    """

    function: Callable[..., object]
    kind: str
    inputs: dict[str, Input] = field(default_factory=dict[str, Input])
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    returned: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    def bind(self, step: str, given: Mapping[str, object]) -> dict[str, object]:
        """Hold a step's inputs against the parameters; artifacts of another type are announced as seen here.

        Raises:
            SpecError: an input that the function does not take, or lacks, or a value of another type (P146).
        """
        name = self.function.__name__
        for each in given:
            if each not in self.inputs:
                message = f"step '{step}' binds '{each}', which {name}() does not take"
                at = At(("inputs", each), key=True)
                refuse("P146", message, nearest(each, self.inputs, "its inputs"), at=at)
        for each, port in self.inputs.items():
            if port.required and each not in given:
                hint = f"add it: inputs={{'{each}': …}}"
                message = f"step '{step}' does not bind '{each}', which {name}() needs"
                refuse("P146", message, hint, at=At(("inputs",), key=True), names=(NAME,))
        for each, port in self.inputs.items():
            wrong = _misfit(given[each], port) if each in given else ""
            if wrong:
                message = f"step '{step}' binds {wrong} to '{each}' of {name}()"
                takes = (
                    f"one of {', '.join(map(repr, port.choices))}" if port.choices else f"type {port.type}"
                )
                refuse("P146", message, f"it takes {takes}", at=At(("inputs", each)))
        return {each: _viewed(given[each], port) for each, port in self.inputs.items() if each in given}

    def body(self, bound: Mapping[str, object]) -> dict[str, object]:
        """Give the step's keys, but for `code`."""
        words: list[object] = ["python", DRIVER, f"{module_name(self.function)}:{self.function.__name__}"]
        for name, each in bound.items():
            pair = [f"--{name}{self.inputs[name].suffix}", f"${{{{ inputs.{name} }}}}"]
            optional = (
                isinstance(each, Mapping) and cast("Mapping[str, object]", each).get("optional") is True
            )
            words += [pair] if optional else pair
        for name in self.outputs:
            words += [f"--{name}", f"${{{{ outputs.{name} }}}}"]
        outputs: dict[str, object] = dict(self.outputs)
        if self.returned:
            words += [f"--{self.returned}:returned", f"${{{{ outputs.{self.returned} }}}}"]
            outputs[self.returned] = "metrics"
        outputs |= {
            name: {"type": outputs.get(name, "file"), "file": file} for name, file in self.files.items()
        }
        description = (inspect.getdoc(self.function) or "").split("\n\n")[0].replace("\n", " ").strip()
        body: dict[str, object] = {} if self.kind == "command" else {"kind": self.kind}
        body |= {"description": description} if description else {}
        body["run"] = words
        body |= {"inputs": dict(bound)} if bound else {}
        return body | ({"outputs": outputs} if outputs else {})


def module_name(function: Callable[..., object]) -> str:
    """Name a function's module as the step's process imports it; a script is named for its file."""
    name = function.__module__
    file = str(getattr(function, "__globals__", {}).get("__file__") or "")
    return name if name != "__main__" else Path(file).stem


def read_signature(
    function: Callable[..., object], kind: str, returns: str, files: Mapping[str, str]
) -> Signature:
    """Read the ports of a function. Raises SpecError where it cannot be a step (P145)."""
    _refuse_unreachable(function)
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as fault:
        reason = f"an annotation cannot be understood: {fault}"
        _refuse(function, reason, "import what it names at the top of the module, outside TYPE_CHECKING")
    inputs: dict[str, Input] = {}
    outputs: dict[str, str] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            hint = "give each input and output a name: data: ps.Folder"
            _refuse(function, f"'{name}' has no name of its own for callers", hint, name)
        if name not in hints:
            _refuse(
                function, f"parameter '{name}' has no annotation", f"say what it takes: {name}: ps.File", name
            )
        port = _port(hints[name], parameter.default is parameter.empty)
        if port is None:
            shown = re.sub(r"<class '(.*)'>", r"\1", str(parameter.annotation))
            hint = (
                "int, float, str, bool, ps.File, ps.Folder, ps.Table, ps.Model, ps.Metrics, or ps.Output[…]"
            )
            _refuse(function, f"parameter '{name}' has the type {shown}, which no port has", hint, name)
        if isinstance(port, str):
            outputs[name] = port
        else:
            inputs[name] = port
    returned = _returned(function, hints.get("return", type(None)), returns)
    if returned in outputs:
        hint = "name the other: @step(returns='…')"
        _refuse(function, f"'{returned}' is both written and returned", hint, returned)
    known = [*outputs, *([returned] if returned else [])]
    for name in files:
        if name not in known:
            hint = nearest(name, known, "its outputs")
            _refuse(function, f"it has no output '{name}' to name a file for", hint)
    return Signature(function, kind, inputs, outputs, returned, files)


def _returned(function: Callable[..., object], hint: Any, name: str) -> str:
    """Give the output for what a function returns; empty where that is nothing."""
    if hint is type(None):
        return ""
    if get_origin(hint) is Annotated and Port("metrics") in get_args(hint) and get_args(hint)[0] is not Path:
        return name
    _refuse(
        function,
        "it returns something other than metrics",
        "return ps.Metrics, or None; write other results to a parameter of type ps.Output[…]",
    )


def _port(hint: Any, required: bool) -> Input | str | None:
    """Give an input, or the type of an output; `None` for what is neither."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [each for each in get_args(hint) if each is not type(None)]
        return _port(inner[0], required) if len(inner) == 1 else None
    if get_origin(hint) is Literal:
        kinds = sorted({type(cast("object", each)).__name__ for each in get_args(hint)})
        known = {"str": "string", "int": "integer"}
        if len(kinds) != 1 or kinds[0] not in known:
            return None
        return Input(known[kinds[0]], required=required, choices=get_args(hint))
    if isinstance(hint, type) and hint in _SCALARS:
        return Input(_SCALARS[hint], required=required)
    if get_origin(hint) is not Annotated:
        return None
    base, *marks = get_args(hint)
    ports = [each.type for each in marks if isinstance(each, Port)]
    written = any(isinstance(each, Written) for each in marks)
    if not ports:
        return None if written else _port(base, required)
    if written:
        return ports[0] if base is Path else None
    return Input(ports[0], base is not Path, required)


def _misfit(value: object, port: Input) -> str:
    """Show a plain value that the parameter cannot take; empty for one that it can, and for what a run will know."""
    if isinstance(value, Mapping):
        value = cast("Mapping[str, object]", value).get("value")
    if isinstance(value, Value) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, str) and "${{" in value:
        return ""
    kinds = {bool: ("boolean",), int: ("integer", "number"), float: ("number",), str: ("string",)}
    fits = port.type in kinds[type(value)] if type(value) in kinds else True
    return "" if fits and (not port.choices or value in port.choices) else repr(value)


def _viewed(value: object, port: Input) -> object:
    """Say how the function sees an artifact, where its producer calls it otherwise."""
    stated: object = getattr(value, "type", port.type) if isinstance(value, Value) else port.type
    if isinstance(value, Value) and stated not in ("", port.type):
        return {"value": value, "type": port.type}
    return value


def _refuse_unreachable(function: Callable[..., object]) -> None:
    """Refuse what a step's process cannot take from a module by its name."""
    name = getattr(function, "__qualname__", "")
    if not inspect.isfunction(function):
        refuse("P145", "only a function can be a step", "put @step on a def of the module's top level")
    if "<lambda>" in name:
        _refuse(function, "a lambda cannot be a step", "write it as a def of the module's top level")
    if "." in name:
        what = "stands inside another function" if "<locals>" in name else "is a method"
        _refuse(function, f"it {what}", "move it to the top level of its module; values come as inputs")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        _refuse(function, "it is a coroutine or a generator", "write a plain def")
    file = function.__globals__.get("__file__")
    if not isinstance(file, str) or not Path(file).is_file():
        hint = "put it in a .py file and import it"
        _refuse(function, "its module is no file, as in a notebook or a shell", hint)


def _refuse(function: Callable[..., object], why: str, hint: str, parameter: str = "") -> NoReturn:
    code = getattr(function, "__code__", None)
    name = getattr(function, "__name__", "the function")
    found = error("P145", f"{name}() cannot be a step: {why}" if name != "<lambda>" else why, hint=hint)
    if code is not None:
        found = found.placed(_definition(code.co_filename, code.co_firstlineno, parameter))
    raise SpecError([found])


def _definition(file: str, first: int, parameter: str) -> Any:
    """Point at the `def`, or at a parameter below it."""
    import linecache

    lines = linecache.getlines(file)
    line = first
    while line <= len(lines) and not re.match(r"\s*(async\s+)?def\b|.*\blambda\b", lines[line - 1]):
        line += 1
    for each in range(line, min(line + 40, len(lines) + 1)) if parameter else ():
        found = re.search(rf"\b{re.escape(parameter)}\s*[:,=)]", lines[each - 1])
        if found:
            return line_place(file, each, found.start() + 1, len(parameter))
    return line_place(file, min(line, max(len(lines), 1)))
