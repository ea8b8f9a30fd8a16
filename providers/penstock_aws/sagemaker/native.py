"""Reading a pipeline definition that Penstock did not write, and everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import Diagnostic, Place, error, has_errors, warning
from penstock.errors import SpecError
from penstock.frozen import replace
from penstock.json_document import JsonDocument, read_json
from penstock.json_text import lay_out
from penstock.provider import Problem
from penstock_aws.sagemaker.document import DOCUMENT
from penstock_aws.sagemaker.validation import validate
from penstock_aws.sagemaker.validation.findings import is_object, place

REQUEST_KEY = "PipelineDefinition"


class Written:
    """A definition as its file has it.

    Attributes:
        name: the pipeline's.
        definition: its value; `None` for a file that holds none.
    """

    def __init__(self, document: JsonDocument, path: Path) -> None:
        self._document = document
        self.name, self.definition, self._inner = _definition(document, path)

    @staticmethod
    def read(path: Path) -> Written | None:
        """Read a file again that held a definition; `None` where it holds none any more."""
        document = read_json(path, str(path))
        try:
            return None if document.diagnostics else Written(document, path)
        except SpecError:
            return None

    def placed(self, found: Diagnostic, pointer: str) -> Diagnostic:
        """Show a finding at what a JSON pointer of the definition leads to."""
        value, path = self.definition, list[str | int]()
        for part in pointer.split("/")[1:]:
            step = int(part) if isinstance(value, list) and part.isdigit() else part
            path.append(step)
            try:
                value = value[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
        return found.placed(self.at(tuple(path)))

    def at(self, path: tuple[str | int, ...]) -> Place:
        """Give a path's place; inside of a text that is the text's own line."""
        if self._inner is not None:
            return self._document.place((REQUEST_KEY,), key=True)
        return self._document.place(path)


def read(path: Path) -> Bundle | None:
    """Read a definition, or a CreatePipeline request or DescribePipeline answer that holds one as text.

    Raises:
        SpecError: it is one, or may be one, and has errors: each with file, line and column.
    """
    if path.suffix.lower() != ".json":
        return None
    bundle = _bundle(read_json(path, str(path)), path)
    return bundle and replace(bundle, source_map={DOCUMENT: {"": f"{path}:1:1"}})


def of_text(text: str, name: str, folder: Path) -> Bundle:
    """Read a definition that stands in no file, such as one that an SDK wrote.

    Args:
        text: the definition.
        name: the pipeline's.
        folder: where penstock.yaml is looked for, and upwards.

    Raises:
        SpecError: it has errors, each with its line and column in the text, laid out.
    """
    # What is no JSON is told below.
    with suppress(ValueError, RecursionError):
        text = lay_out(json.loads(text))
    bundle = _bundle(JsonDocument(text, f"{name} (its definition)"), folder / f"{name}.json")
    if bundle is None:
        raise SpecError([error("P438", f"what defines '{name}' is not a pipeline definition")])
    return bundle


def _bundle(document: JsonDocument, path: Path) -> Bundle | None:
    if document.diagnostics:
        raise SpecError(document.diagnostics)
    written = Written(document, path)
    definition = written.definition
    if definition is None:
        return None
    problems = validate(definition)
    found = [_located(each, written) for each in problems]
    if has_errors(found):
        raise SpecError(found, offline=_unplayed(definition, written, problems))
    return Bundle(
        target="sagemaker",
        pipeline=written.name,
        document=DOCUMENT,
        texts={DOCUMENT: json.dumps(definition, ensure_ascii=False)},
        diagnostics=tuple(found),
        folder=path.absolute().parent,
    )


def _definition(document: JsonDocument, path: Path) -> tuple[str, dict[str, Any] | None, JsonDocument | None]:
    """Give the pipeline's name, its definition, and where that is text inside of the file its own document."""
    value = document.value
    if not is_object(value):
        return "", None, None
    if "Steps" in value:
        return path.stem, value, None
    text = value.get(REQUEST_KEY)
    if not isinstance(text, str):
        return "", None, None
    inner = JsonDocument(text, document.file)
    if inner.diagnostics or not is_object(inner.value):
        at = document.place((REQUEST_KEY,))
        said = inner.diagnostics[0].message if inner.diagnostics else "it is no JSON object"
        raise SpecError([error("P103", f"{REQUEST_KEY}: {said}").placed(at)])
    return str(value.get("PipelineName") or path.stem), inner.value, inner


def _unplayed(
    definition: dict[str, Any], written: Written, problems: Sequence[Problem]
) -> Iterator[Diagnostic]:
    """Name the steps that would not run offline either, so that whoever runs it hears of everything at once."""
    from penstock_aws.sagemaker.emulator.unplayed import refused_in

    for path, each in refused_in(definition, {problem.path for problem in problems}):
        told = replace(each, details=(f"in the definition: {place(path)}",))
        yield told.placed(written.at(path))


def _located(problem: Problem, written: Written) -> Diagnostic:
    """Show a finding at the line that it is about."""
    make = warning if problem.warning else error
    details = (f"in the definition: {place(problem.path)}",) if problem.path else ()
    found = make(problem.code, problem.message, hint=problem.hint, details=details)
    return found.placed(written.at(problem.path))
