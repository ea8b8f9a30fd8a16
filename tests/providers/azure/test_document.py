"""Documents as text: every reader of YAML reads the same value, and equal specs give equal bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.compiler import compile_bundle
from penstock.source import Source
from penstock_azure.azureml.document import to_yaml

SPEC = Path(__file__).parents[3] / "specs/tumour"
TRAPS = [
    "1e3",
    "0o17",
    "017",
    "1_000",
    "yes",
    "NO",
    "on",
    "12:30:00",
    "2024-01-01",
    "~",
    "",
    "null",
    ".inf",
    "=",
    "<<",
]
LITERAL = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co", "Cc", "Zl", "Zp"])) | st.sampled_from(
    TRAPS
)


def ours(text: str) -> Any:
    source = Source.from_bytes(text.encode(), "document.yml")
    assert not source.diagnostics
    return source.value


def bundle_files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize(
    "text", [*TRAPS, "a\nb\n", " a\n b", "a \n", "\ta", "- a", "a: b", "# a", "${{x}}", "'", '"']
)
def test_text_stays_text_for_both_versions_of_yaml(text: str) -> None:
    written = to_yaml({"a": text, "b": [text]})

    assert yaml.safe_load(written) == ours(written) == {"a": text, "b": [text]}


@given(st.dictionaries(st.text("abcxyz", min_size=1), LITERAL | st.integers() | st.booleans(), min_size=1))
def test_any_document_is_read_back(document: dict[str, Any]) -> None:
    written = to_yaml(document)

    assert yaml.safe_load(written) == ours(written) == document


def test_every_document_of_a_pipeline_reads_alike() -> None:
    for text in compile_bundle(SPEC / "pipeline.yaml", "azureml").texts.values():
        assert yaml.safe_load(text) == ours(text)


@pytest.mark.slow
def test_other_processes_and_other_folders_give_the_same_bytes(tmp_path: Path) -> None:
    script = "import sys, penstock; penstock.compile(sys.argv[1], 'azureml').write(sys.argv[2])"
    shutil.copytree(SPEC, tmp_path / "copy")
    for seed, spec in (("1", SPEC), ("2", SPEC), ("3", tmp_path / "copy")):
        words = [sys.executable, "-c", script, str(spec / "pipeline.yaml"), str(tmp_path / seed)]
        subprocess.run(words, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)

    assert bundle_files(tmp_path / "1") == bundle_files(tmp_path / "2") == bundle_files(tmp_path / "3")


WORDS = st.sampled_from(
    [
        "set -euo pipefail\npython x.py ${{inputs.a}}\n",
        "${{parent.jobs.a.outputs.b}}",
        "../assets/a1/code",
        "Split the data, and go.",
        "a\n  b\n",
        "a\n\nb\n",
        "a\n\n",
        "a\nb",
        " a\nb\n",
        "a #b",
        "a: b",
        "1.0.0",
    ]
)
SCALAR = (
    WORDS
    | LITERAL
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
)
KEY = st.sampled_from(["$schema", "type", "inputs", "a_b"]) | st.text("abcxyz_1:- ", min_size=1, max_size=6)
TREE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(KEY, TREE, min_size=1, max_size=5))
def test_plain_lines_and_the_librarys_are_one_document(document: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(document)) == document
