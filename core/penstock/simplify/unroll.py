"""A map over written items as one step an item, and one that gathers what they made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from penstock import launcher
from penstock.expressions.nodes import (
    Expression,
    InputRef,
    ItemRef,
    Literal,
    OutputRef,
    OwnOutputRef,
    Reference,
)
from penstock.expressions.references import substitute
from penstock.frozen import replace
from penstock.ir import Argv, Code, Command, Input, Item, Map, Output, Shell, Train, Word, offered
from penstock.simplify.commands import PREFIX, scripts, with_files

_HEAD = ("path", "description", "tags", "guards", "after", "needs", "options", "component")
_JOB = ("code", "environment", "compute", "env_from", "retry", "timeout", "cache", "checkpoint")


def unrolled(step: Map) -> list[Command | Train]:
    """Give one step for each written item, named `<map>__<key>`, in the order of the items.

    Raises:
        ValueError: the items are known only at run time.
    """
    if step.over.source is not None:
        raise ValueError(f"the items of {step.name} are known at run time alone")
    names = member_names(step)
    return [_member(step, item, name) for item, name in zip(step.over.items, names, strict=True)]


def member_names(step: Map) -> list[str]:
    """Name the steps of a map's items; keys that differ in other characters alone get a number."""
    found: dict[str, None] = {}
    for item in step.over.items:
        name = base = f"{step.name}__{re.sub(r'[^A-Za-z0-9_]', '_', item.key)}"
        number = 1
        while name in found:
            number += 1
            name = f"{base}_{number}"
        found[name] = None
    return list(found)


def gathering(step: Map, outputs: tuple[Output, ...] | None = None) -> Command:
    """Give the step, named as the map, whose outputs are the folders that other steps see.

    Args:
        step: the map.
        outputs: those of its outputs that are wanted; all of them by default.
    """
    wanted = step.outputs if outputs is None else outputs
    words: list[tuple[str | Word, ...]] = []
    inputs: list[Input] = []
    commands: list[str | Word] = []
    for output in wanted:
        words = [
            ("python3",),
            (f"{PREFIX}mapping.py",),
            ("gather",),
            ("--output",),
            (Word(OwnOutputRef(output.name)),),
        ]
        if output.file:
            words += [("--name",), (output.file,)]
        for item, name in zip(step.over.items, member_names(step), strict=True):
            port = f"{name.removeprefix(step.name + '__')}__{output.name}"
            port = port if port[0].isalpha() else f"item_{port}"
            inputs.append(Input(port, output.type, output.type, OutputRef(name, output.name)))
            words += [("--part",), (f"{item.key}=", Word(InputRef(port)))]
        commands += [*_line(words), "\n"]
    return Command(
        **{name: getattr(step, name) for name in _HEAD if name not in ("after", "options")},
        name=step.name,
        display_name=step.display_name or f"{step.name}: gather",
        run=Argv(tuple(words)) if len(wanted) == 1 else Shell(tuple(commands)),
        code=with_files(Code(""), scripts(launcher.MAPPING)),
        inputs=tuple(inputs),
        outputs=tuple(each for each in offered(step) if any(each.name == other.name for other in wanted)),
        environment=step.environment,
        compute=replace(step.compute, count=1, spot=None, gpu=0),
        cache=step.cache,
    )


def _line(words: list[tuple[str | Word, ...]]) -> Iterator[str | Word]:
    for position, argument in enumerate(words):
        yield " " if position else ""
        for part in argument:
            yield part if isinstance(part, Word) else _plain(part)


def _plain(text: str) -> str:
    # Keys, port names and file names hold nothing that a shell would read, but for the file name's blanks.
    return text if re.fullmatch(r"[A-Za-z0-9_./=-]*", text) else "'" + text.replace("'", "'\\''") + "'"


def _member(step: Map, item: Item, name: str) -> Command | Train:
    def value(reference: Reference) -> Expression | None:
        return Literal(_of(item, reference.field)) if isinstance(reference, ItemRef) else None

    inputs = tuple(replace(each, value=substitute(each.value, value)) for each in step.inputs)
    added: dict[str, Input] = {}
    run = _run(step, item, {each.name for each in inputs}, added)
    taken = (*inputs, *added.values())
    kind: Any = Train if step.trains else Command
    made: Command | Train = kind(
        **{key: getattr(step, key) for key in (*_HEAD, *_JOB)},
        name=name,
        display_name=f"{step.display_name or step.name} [{item.key}]",
        run=run,
        inputs=taken,
        outputs=step.outputs,
        env={key: substitute(each, value) for key, each in step.env.items()},
    )
    return made


def _run(step: Map, item: Item, taken: set[str], added: dict[str, Input]) -> Shell | Argv | None:
    """Turn what a command says of the item into inputs of the one step: values stay out of the script."""
    run = step.run

    def word(part: str | Word) -> str | Word:
        if isinstance(part, str) or not isinstance(part.value, ItemRef):
            return part
        port = f"item_{part.value.field}" if part.value.field else "item"
        while port in taken:
            port += "_"
        added[port] = _input(port, part.value.field, item, step.over.items)
        return replace(part, value=InputRef(port))

    match run:
        case Shell(parts):
            return replace(run, parts=tuple(word(part) for part in parts))
        case Argv(arguments):
            return replace(run, arguments=tuple(tuple(word(part) for part in each) for each in arguments))
        case None:
            return None


def _input(port: str, name: str, item: Item, items: tuple[Item, ...]) -> Input:
    """Declare an item's value, or a field of it: an integer where it is one in all items, else its text."""
    from penstock.expressions.text import text

    value = _of(item, name)
    if all(type(_of(each, name)) is int for each in items):
        return Input(port, "integer", "integer", Literal(value))
    return Input(port, "string", "string", Literal(text(value)))


def _of(item: Item, field: str) -> Any:
    if field in item.fields:
        return item.fields[field]
    return item.key if field == "key" else item.value
