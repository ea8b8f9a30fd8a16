"""The local document: the graph itself, whole, readable, and believed only where it reads back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock.codec import CodecError
from penstock.compiler import plan
from penstock.discovery import target
from penstock.ir import Command
from penstock_local.local.document import read, read_text, write

SPEC = """
    datasets: {cells: {type: file, path: data/cells.csv}}
    steps:
      one:
        run: python a.py ${{ inputs.cells }} ${{ outputs.o }}
        code: src
        inputs: {cells: "${{ datasets.cells }}"}
        outputs: {o: file}
"""


@pytest.fixture
def spec(shop: Shop) -> Path:
    shop.file("data/cells.csv", "a\n")
    shop.file("src/a.py", "")
    return shop.write(SPEC)


def test_a_graph_reads_back_as_it_was_written(spec: Path) -> None:
    graph = plan(spec).usable

    assert read(json.loads(json.dumps(write(graph)))) == graph


def test_the_document_names_files_inside_the_bundle_alone(spec: Path, shop: Shop) -> None:
    bundle = penstock.compile(spec, "local")
    folder = bundle.write(shop.folder / "out")

    text = (folder / "pipeline.json").read_text()
    assert str(shop.folder) not in text
    (step,) = read_text(text).steps
    assert isinstance(step, Command) and step.code
    assert (folder / step.code.path / "a.py").is_file()
    assert (folder / read_text(text).datasets["cells"].path).read_text() == "a\n"


def test_a_bundle_has_the_same_bytes_from_another_folder(
    spec: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Shop(tmp_path_factory.mktemp("elsewhere"))
    other.file("data/cells.csv", "a\n")
    other.file("src/a.py", "")

    one, two = (penstock.compile(each, "local") for each in (spec, other.write(SPEC)))

    assert one.texts == two.texts
    assert one.manifest() == two.manifest()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "no local pipeline document"),
        ("{}", "no local pipeline document"),
        ('{"format": 2, "graph": {}}', "format 1"),
        ('{"format": 1, "graph": {}}', "'name' is missing"),
        ('{"format": 1, "graph": {"name": "x", "nothing": 1}}', "'nothing' is not known here"),
        (
            '{"format": 1, "graph": {"name": "x", "steps": [{"kind": "tuna", "name": "y"}]}}',
            "'tuna' is not known",
        ),
        ('{"format": 1, "graph": ' + "[" * 100_000, "not JSON"),
    ],
)
def test_a_document_that_is_none_is_told(text: str, words: str) -> None:
    with pytest.raises(CodecError) as fault:
        read_text(text)

    assert words in str(fault.value)


def test_a_finding_about_the_document_leads_to_the_place(spec: Path) -> None:
    document = write(plan(spec).usable)
    document["graph"]["steps"][0]["timeout"] = "soon"

    (found,) = target("local").validate({"pipeline.json": document})

    assert (found.code, found.path) == ("P390", ("graph", "steps", 0, "timeout"))
