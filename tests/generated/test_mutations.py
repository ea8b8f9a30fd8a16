"""Nothing is silently ignored: whatever field of a spec changes, a document, an asset or a finding changes with it.

Each target is asked on its own. Where a field leaves no trace in what is compiled for a target, a finding about that
target has to point at it, or the field stands in `WITHOUT_EFFECT`, with the reason why that is right.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.generated.mutating import Subject, share

ROOT = Path(__file__).parents[2]
SPECS = {
    **{path.parent.name: path.parent for path in sorted(ROOT.glob("specs/*/pipeline.yaml"))},
    "whole": Path(__file__).parent / "whole",
}
PARTS = {**dict.fromkeys(SPECS, 3), "whole": 12}
"""How many parts the fields of a spec are divided into: the first is always tested, the others are exhaustive."""

CLOUDS = "azureml|sagemaker"
WITHOUT_EFFECT: list[tuple[str, str, str]] = [
    (r".*:goal\.(statement|hypotheses\..*)", CLOUDS, "announced once for the whole goal, at its KPIs (P337)"),
    (r"nested\.yaml:goal\.statement", "anybody", "the goal that counts is that of the pipeline around it"),
    (
        r".*:(parameters|datasets|environments)\.\w+\.(description|display_name|tags\.\w+)",
        CLOUDS,
        "prose for readers of the spec; no document has a place for it",
    ),
    (r".*:datasets\.\w+\.version", CLOUDS, "for readers: documents name data by address and digest"),
    (
        r".*:parameters\.\w+\.maximum",
        "sagemaker",
        "announced once for all bounds of a parameter, at the first (P327)",
    ),
    (
        r".*:(datasets|parameters|(steps\.\w+\.)?(inputs|outputs))\.\w+(\.type)?",
        CLOUDS,
        "metrics are a file, and tables and models are folders, to a job; checking holds the edges to their types",
    ),
    (r":steps\.linear\.inputs\.family", "local|sagemaker", "the value that was written is the default"),
    (r".*:(.*\.)?inputs\.\w+\.optional", CLOUDS, "what may stay unset is set here"),
    (r".*:steps\.\w+\.compute\.(cpu|memory|gpu)", CLOUDS, "the step names the machine itself"),
    (
        r".*\.serving\.environment",
        "local|sagemaker",
        "the environment that was written is the default, or the only one",
    ),
    (
        r".*\.(sagemaker|azureml|local)(\..*)?",
        "local|azureml|sagemaker",
        "under the name of a target stands what belongs to that target",
    ),
    (
        r"(candidate|nested)\.yaml:(name|version|display_name|description|owner"
        r"|parameters\.\w+\.(default|description))",
        "local|sagemaker",
        "laid flat, a pipeline is its steps, under the name of the step that holds them (P356); parameters are bound",
    ),
    (r"components/fit\.yaml:step\.kind", "sagemaker", "every trial of a search is a training job there"),
    (
        r"components/\w+\.yaml:(inputs|outputs)\.\w+\.description",
        CLOUDS,
        "prose for whoever uses the component",
    ),
    (r":steps\.fit\.outputs\.log\.description", "sagemaker", "an output has no description there"),
    (
        r".*:steps\.answer\.parallel",
        "local",
        "files are answered one after the other; the answers are the same",
    ),
]
"""Field (`file:path`, a pattern), the targets that it may leave without a trace (a pattern), and why."""


def excused(field: str, target: str) -> bool:
    return any(
        re.fullmatch(where, field) and re.fullmatch(targets, target) for where, targets, _ in WITHOUT_EFFECT
    )


def parts() -> list[object]:
    return [
        pytest.param(name, part, id=f"{name}-{part}", marks=[pytest.mark.exhaustive] if part else [])
        for name in SPECS
        for part in range(PARTS[name])
    ]


@pytest.mark.slow
@pytest.mark.sampled(1)
@pytest.mark.parametrize(("name", "part"), parts())
def test_whatever_is_changed_leaves_a_trace(name: str, part: int, tmp_path: Path) -> None:
    subject = Subject(SPECS[name], tmp_path / name)

    silent = [
        f"{target} ignores {field} = {value!r}"
        for file, path, value in subject.fields()
        if share(file, path, PARTS[name]) == part
        for target in sorted(subject.unheard(file, path, value))
        if not excused(field := f"{file}:{'.'.join(map(str, path))}", target)
    ]

    assert silent == []


@pytest.mark.parametrize("name", SPECS)
def test_the_specs_compile_for_every_target(name: str, tmp_path: Path) -> None:
    subject = Subject(SPECS[name], tmp_path / name)

    assert sorted(subject.heard) == ["azureml", "local", "sagemaker"]
