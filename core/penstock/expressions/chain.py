"""From a chain such as `steps.evaluate.outputs.report['macro avg'].recall` to a reference, or to a hint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from penstock.expressions.errors import ExpressionError, shown
from penstock.expressions.lexer import STRING, Token, string_of
from penstock.expressions.lone import NAME
from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    InputRef,
    ItemRef,
    MetricRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    Reference,
    RunRef,
)
from penstock.expressions.text import path_text

_PART = re.compile(rf"\.(?P<name>\w+)|\[\s*(?:(?P<key>{STRING})|(?P<position>[0-9]+))\s*\]", re.DOTALL)
_ROOT = re.compile(r"\w+")
_NAME = re.compile(rf"(?:{NAME})(?:__[A-Za-z0-9_]+)?")
"""Names of nested pipelines, `outer__inner`, are longer than what may be written."""

_SIMPLE: dict[str, Callable[[str], Reference]] = {
    "parameters": ParameterRef,
    "datasets": DatasetRef,
    "conditions": ConditionRef,
    "inputs": InputRef,
    "outputs": OwnOutputRef,
}
_ROOTS = (*_SIMPLE, "steps", "run", "item")

_MEANT = {
    "param": "parameters",
    "params": "parameters",
    "args": "parameters",
    "data": "datasets",
    "jobs": "steps",
    "tasks": "steps",
    "needs": "steps",
    "when": "conditions",
}
"""Roots of other tools that do not resemble ours."""

_FOREIGN = {
    "github": "the run is described by run.id and run.started_at; pass anything else as a parameter",
    "env": "pass the value as a parameter, or as an input of the step",
    "vars": "pass the value as a parameter",
    "secrets": "a spec holds no secrets: pass the secret's name, and read it in the step's code",
    "matrix": "pass the value as a parameter",
    "self": "write inputs.NAME or outputs.NAME",
}
_NULLS = frozenset({"null", "none", "nil", "undefined", "nan", "inf", "infinity"})
_WORDS = {"and": "and", "or": "or", "not": "not", "in": "in", "true": "true", "false": "false"}

_Part = str | int
_RUN_FIELDS = ("id", "started_at")


def read_chain(token: Token) -> Reference:
    """Make the reference that a chain token spells. Raises ExpressionError with the nearest right spelling."""
    root = _ROOT.match(token.text)
    word = root.group() if root else token.text
    parts = list(_parts(token, len(word)))
    if word in _SIMPLE:
        return _simple(token, word, parts)
    if word == "steps":
        return _output(token, parts)
    if word == "run":
        return _run(token, parts)
    if word == "item":
        return _item(token, parts)
    raise _unknown_root(token, word, parts)


def _parts(token: Token, start: int) -> list[_Part]:
    found: list[_Part] = []
    for each in _PART.finditer(token.text, start):
        if each["name"] is not None:
            found.append(each["name"])
        elif each["key"] is not None:
            found.append(string_of(each["key"], token.offset + each.start("key")))
        elif len(each["position"]) > 9:
            raise _fault(token, f"no list has a position {shown(each['position'])}", "positions count from 0")
        else:
            found.append(int(each["position"]))
    return found


def _simple(token: Token, root: str, parts: list[_Part]) -> Reference:
    if not parts:
        raise _fault(token, f"{shown(root)} needs a name", f"write {root}.NAME")
    name = _name(token, parts[0], root)
    if not token.text.startswith(f"{root}.{name}"):
        raise _fault(token, f"{root} are reached by name", f"write {root}.{name}")
    if len(parts) == 1:
        return _SIMPLE[root](name)
    hints = {
        "datasets": "give the file to a step, and let that write the value into its metrics",
        "inputs": "pass the file, and read the field in the step's code",
        "outputs": "fields are read from outside: steps.STEP.outputs." + ".".join(map(str, parts)),
        "parameters": f"a parameter is one value: write parameters.{name}",
        "conditions": f"a condition is true or false: write conditions.{name}",
    }
    raise _fault(token, f"{shown(root + '.' + name)} has no fields", hints[root])


def _output(token: Token, parts: list[_Part]) -> Reference:
    if not parts:
        raise _fault(token, "'steps' needs a step and an output", "write steps.STEP.outputs.OUTPUT")
    step = _name(token, parts[0], "steps")
    if len(parts) == 1 or parts[1:] == ["outputs"]:
        raise _fault(token, f"{shown('steps.' + step)} names no output", f"write steps.{step}.outputs.OUTPUT")
    if parts[1] != "outputs":
        # `steps.s.output.o` and `steps.s.o` are the same slip, with and without the word.
        rest = parts[2:] if str(parts[1]) in ("output", "out", "outs", "result", "results") else parts[1:]
        meant = f"steps.{step}.outputs.{rest[0]}{path_text(tuple(rest[1:]))}" if rest else ""
        raise _fault(
            token,
            f"{shown(token.text)} lacks .outputs.",
            f"write {meant or f'steps.{step}.outputs.OUTPUT'}",
        )
    output = _name(token, parts[2], f"steps.{step}.outputs")
    path = tuple(parts[3:])
    if not token.text.startswith(f"steps.{step}.outputs.{output}"):
        raise _fault(
            token,
            "steps and outputs are reached by name",
            f"write steps.{step}.outputs.{output}{path_text(path)}",
        )
    return MetricRef(step, output, path) if path else OutputRef(step, output)


def _run(token: Token, parts: list[_Part]) -> Reference:
    if parts == ["id"]:
        return RunRef("id")
    if parts == ["started_at"]:
        return RunRef("started_at")
    nearest = difflib.get_close_matches(str(parts[0])[:63], _RUN_FIELDS, 1) if parts else []
    raise _fault(
        token,
        f"{shown(token.text)} is not known: run has id and started_at",
        f"write run.{nearest[0]}" if nearest else "write run.id or run.started_at",
    )


def _item(token: Token, parts: list[_Part]) -> ItemRef:
    match parts:
        case []:
            return ItemRef()
        case [str() as name] if name:
            return ItemRef(name)
        case [str() as name, *_] if name:
            written = f"item{path_text((name,))}"
            raise _fault(token, f"{shown(written)} has no fields", f"items are flat: write {written}")
        case _:
            raise _fault(
                token, "a field of an item is reached by name", "write item, item.FIELD or item['any key']"
            )


def _name(token: Token, part: _Part, owner: str) -> str:
    if isinstance(part, str) and _NAME.fullmatch(part):
        return part
    raise _fault(
        token,
        f"{shown(str(part))} cannot be a name in {owner}",
        "names begin with a letter and hold letters, digits and underscores, at most 63",
    )


def _unknown_root(token: Token, word: str, parts: list[_Part]) -> ExpressionError:
    lower = word.lower()
    if not parts and lower in _NULLS:
        return _fault(token, f"there is no {word} in expressions", _null_hint(lower))
    if not parts and lower in _WORDS:
        return _fault(token, f"{shown(word)} is written in small letters", f"write {_WORDS[lower]}")
    if word == "parent":
        return _fault(token, "'parent' is not known here", _parent_hint(parts))
    if word in _FOREIGN:
        return _fault(token, f"{shown(word)} is not known here", _FOREIGN[word])
    if not parts:
        return _fault(
            token,
            f"{shown(word)} is neither a reference nor a value",
            f'quote text: "{word}"; references begin with {", ".join(_ROOTS)}'
            if len(word) <= 63
            else f"references begin with {', '.join(_ROOTS)}",
        )
    nearest = [_MEANT[lower]] if lower in _MEANT else difflib.get_close_matches(lower[:63], _ROOTS, 1)
    if not nearest:
        return _fault(token, f"{shown(word)} is not known here", f"references begin with {', '.join(_ROOTS)}")
    return _fault(token, f"{shown(word)} is not known here", f"write {_corrected(nearest[0], parts)}")


def _corrected(root: str, parts: list[_Part]) -> str:
    if root != "steps":
        return root + path_text(tuple(parts))
    rest = parts[2:] if parts[1:2] in (["outputs"], ["output"]) else parts[1:]
    output = path_text(tuple(rest)) or ".OUTPUT"
    return f"steps{path_text((parts[0],))}.outputs{output}"


def _parent_hint(parts: list[_Part]) -> str:
    match parts:
        case ["inputs", name]:
            return f"write parameters.{name} (datasets.{name} for data)"
        case ["jobs", step, "outputs", output]:
            return f"write steps.{step}.outputs.{output}"
        case ["outputs", name]:
            return f"an output names its source: outputs: {{{name}: ${{{{ steps.STEP.outputs.OUTPUT }}}}}}"
        case _:
            return "write parameters.NAME, datasets.NAME or steps.STEP.outputs.OUTPUT"


def _null_hint(word: str) -> str:
    if word in ("nan", "inf", "infinity"):
        return "compare with a finite number"
    return "a metric always has a value; let the step write one that stands for 'absent'"


def _fault(token: Token, message: str, hint: str) -> ExpressionError:
    return ExpressionError(message, hint[:400], token.text, token.offset)
