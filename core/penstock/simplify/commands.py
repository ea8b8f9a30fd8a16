"""Maps and batch inference as commands: the scripts that bundles ship do their work inside the step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from penstock import launcher
from penstock.expressions.nodes import (
    Expression,
    InputRef,
    ItemRef,
    Literal,
    OwnOutputRef,
    ParameterRef,
    RunRef,
    Template,
)
from penstock.expressions.references import references
from penstock.expressions.shell import script
from penstock.expressions.text import text
from penstock.frozen import replace
from penstock.ir import Argv, Code, Command, Input, Map, PortType, Predict, Shell, Word, offered

PREFIX = "penstock_"
PLAN, ITEMS, ITEM_SCRIPT = f"{PREFIX}plan.json", f"{PREFIX}items.json", f"{PREFIX}item.sh"
SOURCE = f"{PREFIX}source"
"""The input under which a map's folder or table reaches its command."""

_SHARED = (
    *(
        "name",
        "path",
        "display_name",
        "description",
        "tags",
        "guards",
        "after",
        "needs",
        "options",
        "component",
    ),
    *("environment", "compute", "env_from", "retry", "timeout", "cache"),
)


def map_command(step: Map, *options: str, parallel: int | None = None) -> Command:
    """Write a map as one command that runs its items as processes of its own, in one folder.

    Args:
        step: after the snapshot stage.
        options: further options of `mapping.py run`.
        parallel: items at once, in the place of the step's own number.
    """
    plan = MapPlan(step)
    words: list[tuple[str | Word, ...]] = [("python3",), (f"{PREFIX}mapping.py",), ("run",)]
    over = step.over
    if over.source is None:
        words += [("--items",), (ITEMS,)]
    else:
        words += [(f"--{over.kind}",), (Word(InputRef(SOURCE)),)]
        if over.kind == "files" and over.batch:
            words += [("--batch",), (str(over.batch),)]
        for column in over.by:
            words += [("--by",), (column,)]
    if at_once := step.parallel if parallel is None else parallel:
        words += [("--parallel",), (str(at_once),)]
    words += [("--tolerate",), (str(step.tolerate),), *((each,) for each in options)]
    for each in step.outputs:
        words += [("--output",), (f"{each.name}=", Word(OwnOutputRef(each.name)), f"={each.file}")]
    for name, word in plan.values.items():
        words += [("--value",), (f"{name}=", word)]
    words += [("--plan",), (PLAN,)]
    shared = {name: getattr(step, name) for name in _SHARED}
    added = {**plan.files, **scripts(launcher.MAPPING)}
    return Command(
        **shared,
        run=Argv(tuple(words)),
        code=with_files(step.code, added),
        inputs=plan.inputs,
        outputs=offered(step),
        env=plan.shared_env,
    )


class MapPlan:
    """What a map's scripts are told in files, and what only its command can tell them.

    Attributes:
        files: name → text, to stand beside the step's code.
        values: name → the word that the command hands over as `--value NAME=WORD`.
        inputs: those that are the same for every item, and the folder or table that is gone over.
        shared_env: variables that are the same for every item.
    """

    def __init__(self, step: Map) -> None:
        self.step = step
        self.values: dict[str, Word] = {}
        self._inputs = {each.name: each for each in step.inputs}
        per_item = {each.name for each in step.inputs if _has_item(each.value)}
        shared = [each for each in step.inputs if each.name not in per_item]
        if step.over.source is not None:
            kind: PortType = "table" if step.over.kind == "table" else "folder"
            shared.append(Input(SOURCE, kind, kind, step.over.source))
        self.inputs = tuple(shared)
        self.shared_env = {key: each for key, each in step.env.items() if not _has_item(each)}
        env = {key: self._parts(each) for key, each in step.env.items() if _has_item(each)}
        self.files: dict[str, str] = {}
        command = [*self._command()]
        self.files[PLAN] = json.dumps({"command": command, "env": env}, ensure_ascii=False, indent=1) + "\n"
        if step.over.source is None:
            items = [
                {"key": each.key, "value": each.value, "fields": each.fields} for each in step.over.items
            ]
            lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in items)
            self.files[ITEMS] = f"[\n{lines}\n]\n" if items else "[]\n"

    def _command(self) -> Iterator[Any]:
        run = self.step.run
        assert run is not None
        if isinstance(run, Argv):
            for argument in run.arguments:
                yield [part for each in argument for part in self._part(each)]
            return
        body, words = script(Shell(run.parts))
        self.files[ITEM_SCRIPT] = body if body.endswith("\n") else body + "\n"
        yield from ("bash", "-euo", "pipefail", ITEM_SCRIPT)
        for word in words:
            yield self._part(word)

    def _part(self, part: str | Word) -> list[Any]:
        if isinstance(part, str):
            return [part]
        match part.value:
            case ItemRef(field):
                return [{"item": field}]
            case OwnOutputRef(name):
                return [{"output": name}]
            case InputRef(name) if _has_item(self._inputs[name].value):
                return self._parts(self._inputs[name].value)
            case InputRef(name):
                self.values[name] = Word(InputRef(name))
                return [{"value": name}]
            case RunRef(name):
                self.values[f"run.{name}"] = Word(RunRef(name))
                return [{"value": f"run.{name}"}]

    def _parts(self, value: Expression) -> list[Any]:
        match value:
            case ItemRef(field):
                return [{"item": field}]
            case Literal(literal):
                return [text(literal)]
            case InputRef() | RunRef():
                return self._part(Word(value))
            case ParameterRef(name):
                # Text around an item may name a parameter: the job needs it as an input of its own.
                unseen = f"parameter_{name}"
                if unseen not in self._inputs:
                    self._inputs[unseen] = Input(unseen, "string", "string", value)
                    self.inputs = (*self.inputs, self._inputs[unseen])
                return self._part(Word(InputRef(unseen)))
            case Template(parts):
                return [
                    part
                    for each in parts
                    for part in ([each] if isinstance(each, str) else self._parts(each))
                ]
            case _:
                raise TypeError(f"{value} beside an item was refused before")


def predict_command(step: Predict) -> Command:
    """Write batch inference as a command that calls the serving functions for one file after another."""
    serving = step.serving
    words: list[tuple[str | Word, ...]] = [
        ("python3",),
        (f"{PREFIX}scoring.py",),
        ("--entry",),
        (serving.entry,),
        ("--model",),
        (Word(InputRef("model")),),
        ("--data",),
        (Word(InputRef("data")),),
        ("--output",),
        (Word(OwnOutputRef(step.outputs[0].name)),),
    ]
    for option, types in (("--content-type", serving.content_types), ("--accept", serving.response_types)):
        if types:
            words += [(option,), (types[0],)]
    return Command(
        **{name: getattr(step, name) for name in _SHARED},
        run=Argv(tuple(words)),
        code=with_files(serving.code, scripts(launcher.SCORING)),
        inputs=step.inputs,
        outputs=step.outputs,
        env=step.env,
    )


def scripts(names: tuple[str, ...]) -> dict[str, str]:
    """Give scripts that bundles ship, by the name that they have beside a step's code."""
    return {f"{PREFIX}{name}": launcher.source(name).decode() for name in names}


def with_files(code: Code | None, added: dict[str, str]) -> Code:
    """Put generated files beside a step's code."""
    base = code or Code("")
    together = {**base.added, **added}
    texts = "".join(f"\0{name}\0{content}" for name, content in sorted(together.items()))
    return replace(base, digest=sha256((base.digest + texts).encode()).hexdigest(), added=together)


def _has_item(value: Expression) -> bool:
    return any(isinstance(each, ItemRef) for each in references(value))
