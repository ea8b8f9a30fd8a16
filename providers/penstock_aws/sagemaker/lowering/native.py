"""Native steps: the body as it was written, with expressions in it as references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from penstock.diagnostics import At, Path, error
from penstock.expressions.nodes import (
    DatasetRef,
    Expression,
    InputRef,
    Literal,
    OutputRef,
    ParameterRef,
    RunRef,
    Template,
)
from penstock.expressions.parser import parse_value
from penstock.expressions.text import text
from penstock.ir import Native
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import join, value
from penstock_aws.sagemaker.lowering.ports import source_of
from penstock_aws.sagemaker.validation.findings import is_list, is_object

TARGET = "sagemaker"
_STEP = re.compile(r"Steps\.([A-Za-z0-9_\-]+)")


def native(step: Native, draft: Draft) -> dict[str, Any]:
    """Give the keys of a native step; what the step says of itself stands behind what its body says."""
    body = step.bodies.get(TARGET)
    if body is None:
        message = f"step '{step.name}' has no body for {TARGET}"
        hint = f"write one: {TARGET}: {{Type: Lambda, FunctionArn: …, Arguments: {{…}}}}"
        draft.found.append(error("P354", message, At(step.path, key=True), hint))
        return {"Type": "Lambda"}
    path: Path = (*step.path, TARGET)
    if not isinstance(body.get("Type"), str):
        hint = "write Type: Callback, Lambda, EMR, QualityCheck or another of the service's"
        draft.found.append(
            error("P354", f"the body of step '{step.name}' lacks 'Type'", At(path, key=True), hint)
        )
        return {"Type": ""}
    if body.get("Name", step.name) != step.name:
        message = (
            f"step '{step.name}' is called '{body['Name']}' in its body, and others know it by its own name"
        )
        draft.found.append(error("P354", message, At((*path, "Name")), "leave 'Name' out"))
    written = cast("dict[str, Any]", _Body(step, draft).lowered(body, path))
    found: dict[str, Any] = {**written, "Name": step.name}
    named = found.get("DependsOn", [])
    # What is no list stays, for validation to refuse at its place.
    if is_list(named) and (waits := [*named, *step.after, *_unseen(step, written)]):
        found["DependsOn"] = [each for index, each in enumerate(waits) if each not in waits[:index]]
    return found


def _unseen(step: Native, written: dict[str, Any]) -> Iterator[str]:
    """Name the steps that make what is bound, and that the body does not refer to: the service sees references."""
    seen = set(_steps(written))
    for each in step.inputs:
        if isinstance(each.value, OutputRef) and each.value.step not in seen:
            yield each.value.step


def _steps(written: Any) -> Iterator[str]:
    if is_object(written):
        for key, each in written.items():
            if key == "Get" and isinstance(each, str) and (found := _STEP.match(each)):
                yield found[1]
            yield from _steps(each)
    elif is_list(written):
        for each in written:
            yield from _steps(each)


class _Body:
    """Reads one body."""

    def __init__(self, step: Native, draft: Draft) -> None:
        self.step = step
        self.draft = draft
        self.inputs = {each.name: each for each in step.inputs}

    def lowered(self, given: Any, path: Path) -> Any:
        """Give a part of the body with its expressions lowered; what holds none stays as it is."""
        if isinstance(given, str):
            return self.expression(parse_value(given), path) if "${{" in given else given
        if is_object(given):
            return {key: self.lowered(each, (*path, str(key))) for key, each in given.items()}
        if is_list(given):
            return [self.lowered(each, (*path, position)) for position, each in enumerate(given)]
        return given

    def expression(self, found: Expression, path: Path) -> Any:
        match found:
            case InputRef(name) if name in self.inputs:
                return self.bound(name, path)
            case InputRef(name):
                message = f"input '{name}' of step '{self.step.name}' is unset, and its body reads it"
                hint = "give its dataset a path, or a default in the profile"
                self.draft.found.append(error("P331", message, At(path), hint))
                return ""
            case Template(parts):
                return self.joined(parts, path)
            case Literal() | ParameterRef() | RunRef():
                return value(found, self.draft)
            case _:
                message = f"the body of step '{self.step.name}' calculates, and {TARGET} cannot"
                hint = "pass the parameters as they are"
                self.draft.found.append(error("P307", message, At(path), hint))
                return ""

    def bound(self, name: str, path: Path) -> Any:
        """Give what an input is bound to: the address of an artifact, or the value."""
        each = self.inputs[name]
        if not isinstance(each.value, DatasetRef | OutputRef):
            return self.expression(each.value, path)
        source = source_of(each, self.draft)
        # A file's address is its own; the property of the step that made it holds its folder.
        return join("/", source.uri, source.file) if source.file and not self.whole(source) else source.uri

    def whole(self, source: Any) -> bool:
        """Whether the address that is known is that of the one file, or of the archive around it."""
        return bool(source.unnamed or source.archive)

    def joined(self, parts: tuple[str | Expression, ...], path: Path) -> Any:
        values: list[Any] = []
        for part in parts:
            found = part if isinstance(part, str) else self.expression(part, path)
            values.append(found if isinstance(found, str | dict) else text(found))
        if all(isinstance(each, str) for each in values):
            return "".join(values)
        return join("", *values)
