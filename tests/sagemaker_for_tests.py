"""Specs written as text and compiled for SageMaker, and their definitions taken apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from penstock.bundle import Bundle
from penstock.compiler import compile_bundle
from penstock.diagnostics import Diagnostic
from penstock.errors import PenstockError

HEAD = "penstock: v1\nkind: pipeline\nname: probe\n"
PROFILES = """
profiles:
  dev:
    target: sagemaker
    region: eu-west-1
    role: "arn:aws:iam::123456789012:role/ml"
    bucket: my-ml
    prefix: teams/churn
"""


@dataclass(frozen=True)
class Compiled:
    """A bundle for SageMaker and its definition."""

    bundle: Bundle

    @property
    def definition(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.bundle.texts["pipeline.json"])
        return found

    def step(self, name: str) -> dict[str, Any]:
        return next(each for each in walk(self.definition["Steps"]) if each["Name"] == name)

    def arguments(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.step(name)["Arguments"]
        return found

    def parameter(self, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.definition["Parameters"]
        return next(each for each in found if each["Name"] == name)

    def scripts(self) -> str:
        """Give every generated script, one behind the other."""
        return "".join(
            each.content.decode() for each in self.bundle.assets if each.name == "run.sh" and each.content
        )

    def codes(self) -> list[str]:
        return [each.code for each in self.bundle.diagnostics]


def walk(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Go through steps and those in the branches of conditions."""
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from walk(step["Arguments"]["IfSteps"])
            yield from walk(step["Arguments"]["ElseSteps"])


def spec(folder: Path, text: str) -> Path:
    """Write a spec beside some code, data and profiles."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "work.py").write_text("print('working')\n", encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "cells.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "penstock.yaml").write_text(PROFILES, encoding="utf-8")
    path = folder / "pipeline.yaml"
    path.write_text(HEAD + dedent(text), encoding="utf-8")
    return path


def compiled(folder: Path, text: str, profile: str = "") -> Compiled:
    return Compiled(compile_bundle(spec(folder, text), "sagemaker", profile))


def refused(folder: Path, text: str, profile: str = "") -> tuple[Diagnostic, ...]:
    """Compile what has to be refused, and give what was said."""
    with pytest.raises(PenstockError) as caught:
        compiled(folder, text, profile)
    return tuple(caught.value.diagnostics)


def excerpts(found: tuple[Diagnostic, ...], code: str) -> list[str]:
    """Give what each finding of a code points at, to the end of its line."""
    return [
        each.place.excerpt[each.place.column - 1 :]
        for each in found
        if each.code == code and each.place is not None
    ]
