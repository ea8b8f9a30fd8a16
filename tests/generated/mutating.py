"""Every single change of a spec and its used files: a field deleted, or changed to another well-typed value.

A change is judged by what it leaves behind, target by target: findings, documents, assets, manifest, launcher list.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from penstock import discovery
from penstock.compiler import Plan, compile_plan, plan
from penstock.diagnostics import Diagnostic, has_errors
from penstock.diagnostics import Path as SpecPath
from penstock.errors import SpecError
from penstock.runtime.hashing import StatIndex

Kind = Literal["delete", "change"]
Seen = Mapping[str, object]
"""What one compile left behind, by the name of the thing."""

_CHOICES = [
    ["string", "integer", "number", "boolean"],
    ["file", "folder", "table", "model", "metrics"],
    ["mount", "download", "direct", "stream"],
    ["grid", "random", "bayesian"],
    ["linear", "log", "reverse_log"],
    ["maximize", "minimize"],
    ["platform", "any"],
    ["manual", "approved"],
    ["open", "supported", "refuted"],
    ["command", "train"],
]
"""Words of which one stands for another."""

_MOST_CHANGES = 6
"""Values that are tried of one field."""

_COMPARISONS = {">=": ">", "<=": "<", ">": ">=", "<": "<=", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Mutation:
    """One change: `file` is empty for the spec itself, `path` leads into that file."""

    file: str
    path: SpecPath
    kind: Kind
    value: object = None

    def __str__(self) -> str:
        place = ".".join(map(str, self.path))
        return f"{self.kind} {self.file or 'pipeline.yaml'}:{place}" + (
            f" -> {self.value!r}" if self.kind == "change" else ""
        )

    @property
    def at(self) -> SpecPath:
        """The path as findings give it."""
        return (f"@{self.file}", *self.path) if self.file else self.path


@dataclass
class Subject:
    """A spec in a folder of its own, which is mutated there.

    Attributes:
        home: the folder that the spec stands in, with all that it names.
        folder: an empty one, which gets a copy of it.
    """

    home: Path
    folder: Path
    index: StatIndex = field(default_factory=lambda: StatIndex(None))

    def __post_init__(self) -> None:
        shutil.copytree(self.home, self.folder, dirs_exist_ok=True)

    @cached_property
    def documents(self) -> dict[str, Any]:
        """The spec under the empty name, and the files that it uses, by their path."""
        used = [name for name, _ in plan(self.home / "pipeline.yaml", data=False).used]
        found: dict[str, Any] = {}
        for name in ["", *sorted(used)]:
            text = (self.home / (name or "pipeline.yaml")).read_text(encoding="utf-8")
            found[name] = json.loads(json.dumps(yaml.load(text, yaml.CSafeLoader)))
        return found

    def fields(self) -> Iterator[tuple[str, SpecPath, object]]:
        """Give every field that holds one value, and every empty one: file, path, value."""
        for file, document in self.documents.items():
            for path, value in nodes(document):
                if not isinstance(value, dict | list) or not value:
                    yield file, path, value

    def changes(self, file: str, path: SpecPath, value: object) -> Iterator[Mutation]:
        """Give other values of a field, the likeliest to be accepted first."""
        for other in [*self._beside(value), *others(value, self._expressions)]:
            yield Mutation(file, path, "change", other)

    def _beside(self, value: object) -> list[str]:
        """Give another file of the same folder and kind, where the value names a file that is there."""
        if not isinstance(value, str) or "." not in value:
            return []
        here = next((each for each in self._files if each.as_posix().endswith(f"/{value}")), None)
        if here is None:
            return []
        alike = [each for each in self._files if (each.parent, each.suffix) == (here.parent, here.suffix)]
        return [each.name for each in alike if each != here][:1]

    @cached_property
    def _files(self) -> list[Path]:
        return sorted(self.home.rglob("*.*"))

    @cached_property
    def _expressions(self) -> list[str]:
        texts = {each for document in self.documents.values() for each in _texts(document)}
        return sorted(filter(_is_lone, texts))

    def unheard(self, file: str, path: SpecPath, value: object) -> set[str]:
        """Change one field in several ways, and name whom no change has reached.

        That is a target, where what is compiled for it stays the same and nothing is said of the field; and
        `anybody`, where all is the same everywhere. Another value that is refused shows that checking reads the
        field, and nothing of the targets; that a key is required does not show that it is read.
        """
        reached: set[str] = set()
        refused = False
        changes = [*islice(self.changes(file, path, value), _MOST_CHANGES), Mutation(file, path, "delete")]
        for each in changes:
            seen = self.seen(each)
            if len(seen) == 1:
                refused = refused or each.kind == "change"
                continue
            reached |= self._effects(each, seen)
            if reached >= self.heard:
                return set()
        if reached:
            return self.heard - reached
        return set() if refused else {"anybody"}

    @cached_property
    def base(self) -> dict[str, Seen]:
        """What the spec as it is leaves behind."""
        return self.seen()

    @cached_property
    def heard(self) -> set[str]:
        """The targets that the spec as it is compiles for."""
        return {name for name, seen in self.base.items() if name != "check" and not seen.get("refused")}

    def _effects(self, mutation: Mutation, seen: dict[str, Seen]) -> set[str]:
        """Name the targets that a change reaches: all, where checking alone says something else."""
        if not same(self.base["check"], seen["check"]):
            return self.heard
        return {
            name
            for name in self.heard
            if not same(self.base[name], seen[name])
            or announced(mutation, self.base[name])
            or announced(mutation, seen[name])
        }

    def seen(self, mutation: Mutation | None = None) -> dict[str, Seen]:
        """Compile for every target: the outcome by target, and under `check` what checking alone says."""
        checked = self._checked(mutation)
        found: dict[str, Seen] = {"check": {"diagnostics": _said(checked.diagnostics)}}
        if checked.graph is None or has_errors(checked.diagnostics):
            return found
        for target in sorted(discovery.targets()):
            found[target] = _outcome(checked, target)
        return found

    def _checked(self, mutation: Mutation | None) -> Plan:
        spec = self.folder / "pipeline.yaml"
        documents = self.documents
        for name, document in documents.items():
            changed = document
            if mutation is not None and mutation.file == name:
                changed = copy.deepcopy(document)
                apply(changed, mutation)
            # JSON is YAML, and a tenth of the time to write.
            (self.folder / (name or "pipeline.yaml")).write_text(json.dumps(changed), encoding="utf-8")
        return plan(spec, index=self.index)


def share(file: str, path: SpecPath, parts: int) -> int:
    """Give a field one of `parts` numbers, the same in every process."""
    name = f"{file}:{'.'.join(map(str, path))}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % parts


def apply(document: Any, mutation: Mutation) -> None:
    """Make the change in place."""
    *above, last = mutation.path
    for part in above:
        document = document[part]
    if mutation.kind == "delete":
        del document[last]
    else:
        document[last] = mutation.value


def nodes(value: object, path: SpecPath = ()) -> Iterator[tuple[SpecPath, object]]:
    """Give every node below the root with its path."""
    children: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        children += cast("dict[Any, object]", value).items()
    elif isinstance(value, list):
        children += enumerate(cast("list[object]", value))
    for key, child in children:
        yield (*path, key), child
        yield from nodes(child, (*path, key))


def others(value: object, expressions: list[str]) -> list[object]:
    """Give values of the same type as this one, the likeliest to be accepted first."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [each for each in (value + 1, value - 1, 1, value * 20) if each != value]
    if isinstance(value, float):
        return [value * 0.875, value + 1, value / 100]
    if not isinstance(value, str):
        return []
    for choices in _CHOICES:
        if value in choices:
            return [each for each in choices if each != value]
    if _is_lone(value):
        return [_not(value), *(each for each in expressions if each != value)]
    if "${{" in value:
        return [value.replace("${{", "x ${{", 1), value.replace(" ${{", " x ${{", 1)]
    if compared := re.match(r"[<>=!]=?", value):
        return [
            _COMPARISONS[compared[0]] + value[compared.end() :],
            value + "5",
            "<" + value[compared.end() :],
        ]
    if re.search(r"\d", value):
        bumped = re.sub(r"\d(?=\D*$)", lambda each: str((int(each[0]) + 1) % 10), value)
        return [bumped, re.sub(r"\d+", lambda each: f"{each[0]}0", value, count=1), "x" + value]
    return [value + "x"]


def _not(expression: str) -> str:
    inner = expression.removeprefix("${{").removesuffix("}}").strip()
    return (
        f"${{{{ {inner.removeprefix('not ')} }}}}"
        if inner.startswith("not ")
        else f"${{{{ not ({inner}) }}}}"
    )


def _is_lone(text: str) -> bool:
    return text.startswith("${{") and text.endswith("}}") and text.count("${{") == 1


def _texts(value: object) -> Iterator[str]:
    for _, each in nodes(value):
        if isinstance(each, str):
            yield each


def _outcome(checked: Plan, target: str) -> Seen:
    try:
        bundle = compile_plan(checked, target)
    except SpecError as refused:
        return {
            "diagnostics": _said(refused.diagnostics),
            "at": _places(refused.diagnostics),
            "refused": True,
        }
    return {
        "diagnostics": _said(bundle.diagnostics),
        "at": _places(bundle.diagnostics),
        "texts": dict(bundle.texts),
        "assets": [(each.path, each.digest, each.upload_to) for each in bundle.assets],
        "launcher": [(each.step, each.reason) for each in bundle.launcher],
        "placeholders": list(bundle.placeholders),
        "main": bundle.document,
    }


def _said(found: tuple[Diagnostic, ...] | list[Diagnostic]) -> list[tuple[str, ...]]:
    # Without places: an entry that is deleted moves the ones behind it.
    return sorted((str(each.severity), each.code, each.message, each.hint, *each.details) for each in found)


def _places(found: tuple[Diagnostic, ...] | list[Diagnostic]) -> set[SpecPath]:
    return {each.at.path for each in found}


def same(before: Seen, after: Seen) -> bool:
    """Tell whether two outcomes are one to whoever reads them."""
    return all(before.get(key) == after.get(key) for key in {*before, *after} - {"at"})


def announced(mutation: Mutation, outcome: Seen) -> bool:
    """Tell whether a finding about this target points at what was changed, at what is in it, or at what it is in."""
    for path in cast("set[SpecPath]", outcome.get("at", set[SpecPath]())):
        if path[: len(mutation.at)] == mutation.at:
            return True
        if mutation.at[: len(path)] == path and not _is_a_whole(path):
            return True
    return False


def _is_a_whole(path: SpecPath) -> bool:
    rest = path[1:] if path and str(path[0]).startswith("@") else path
    return not rest or rest == ("step",) or (rest[0] == "steps" and len(rest) < 3)
