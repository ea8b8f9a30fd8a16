"""A bundle that was edited by hand runs as it stands, and what was edited is told; what is missing is an error."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock.documents import changes_in
from penstock.errors import RunError
from penstock.runtime.events import Event, Notice, StepOutput
from penstock.runtime.hashing import StatIndex

SPEC = """
    datasets: {tree: {type: folder, path: data}, rows: {type: file, path: rows.csv}}
    steps:
      one:
        run: sh main.sh ${{ inputs.d }} ${{ inputs.r }}
        code: src
        inputs: {d: "${{ datasets.tree }}", r: "${{ datasets.rows }}"}
"""
SERVED = """
      fit: {kind: train, run: "true > ${{ outputs.m }}/w", outputs: {m: model}}
      answer:
        kind: predict
        model: ${{ steps.fit.outputs.m }}
        data: ${{ datasets.tree }}
        serving: {code: src, entry: serve.py, content_types: [text/csv]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.file("src/main.sh", "echo first")
    found.file("src/serve.py", "def model_fn(d): ...")
    found.file("data/a/b.csv", "1")
    found.file("rows.csv", "1")
    (found.folder / "data" / "link.csv").symlink_to("a/b.csv")
    return found


def written(shop: Shop, target: str, spec: str = SPEC) -> Path:
    return penstock.compile(shop.write(spec), target).write(shop.folder / "out")


def asset(folder: Path, name: str) -> Path:
    (found,) = (folder / "assets").glob(f"*/{name}")
    return found


def said(folder: Path) -> list[str]:
    with StatIndex(folder.parent / "index") as index:
        found = changes_in(folder, index)
    assert {each.code for each in found} <= {"P446"}
    return [each.message.removeprefix("assets/").partition("/")[2] or each.message for each in found]


def test_names_that_are_no_text_are_held_against_the_manifest_too(shop: Shop) -> None:
    bad = os.fsencode(shop.folder / "src") + b"/bad\xff.txt"
    with open(bad, "wb") as file:
        file.write(b"1")
    folder = written(shop, "sagemaker")

    assert said(folder) == []
    with open(os.fsencode(asset(folder, "code")) + b"/bad\xff.txt", "wb") as file:
        file.write(b"2")
    (changed,) = said(folder)
    assert changed.startswith("code/bad") and changed.isprintable()


@pytest.mark.parametrize("target", ["local", "sagemaker", "azureml"])
def test_a_bundle_that_nobody_touched_has_nothing_told_of_it(shop: Shop, target: str) -> None:
    folder = written(shop, target, SPEC + SERVED)
    code = next((folder / "assets").glob("*/code"))
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "x.pyc").touch()

    assert said(folder) == []


def test_what_was_edited_in_a_bundle_is_told_when_it_runs(shop: Shop) -> None:
    folder = written(shop, "sagemaker")
    with asset(folder, "code/main.sh").open("a") as script:
        script.write("\necho second\n")
    told: list[str] = []
    lines: list[str] = []

    def watch(event: Event) -> None:
        match event:
            # A machine without a sandbox says that too.
            case Notice(message) if "[P437]" not in message:
                told.append(message)
            case StepOutput(_, line):
                lines.append(line)
            case _:
                pass

    run = penstock.run(folder, project=shop.folder, watch=watch)

    assert run.succeeded, run.record.message
    name = asset(folder, "code/main.sh").relative_to(folder)
    assert told == [f"{name} has changed since the bundle was compiled [P446]"]
    assert lines == ["first", "second"]


def test_each_file_that_differs_is_named(shop: Shop) -> None:
    folder = written(shop, "sagemaker", SPEC + SERVED)
    for name in ("code/main.sh", "rows.csv", "data/a/b.csv"):
        asset(folder, name).write_text("edited")
    (asset(folder, "code") / "more.py").touch()
    asset(folder, "sourcedir.tar.gz").write_bytes(b"no archive")
    with (folder / "pipeline.json").open("a") as document:
        document.write("\n")

    changed, added = (
        " has changed since the bundle was compiled",
        " was not there when the bundle was compiled",
    )
    assert sorted(said(folder)) == sorted(
        [
            *(
                f"{name}{changed}"
                for name in ("code/main.sh", "rows.csv", "data/a/b.csv", "sourcedir.tar.gz")
            ),
            f"code/more.py{added}",
            f"pipeline.json{changed}",
        ]
    )


def test_a_file_of_an_archive_is_named(shop: Shop) -> None:
    folder = written(shop, "sagemaker", SPEC + SERVED)
    archive = asset(folder, "sourcedir.tar.gz")
    shop.file("src/serve.py", "def model_fn(d): return d")
    other = penstock.compile(shop.write(SPEC + SERVED), "sagemaker").write(shop.folder / "other")
    shutil.copy(asset(other, "sourcedir.tar.gz"), archive)

    assert said(folder) == ["sourcedir.tar.gz/serve.py has changed since the bundle was compiled"]


@pytest.mark.parametrize("name", ["code/main.sh", "rows.csv"])
def test_what_is_missing_is_an_error(shop: Shop, name: str) -> None:
    folder = written(shop, "sagemaker")
    asset(folder, name).unlink()

    with pytest.raises(RunError) as caught:
        penstock.run(folder, project=shop.folder)

    (found,) = caught.value.diagnostics
    assert found.code == "P438"
    assert found.message.endswith(f"{name} is missing")


@pytest.mark.parametrize("files", [7, ["a"], "text"])
def test_a_manifest_that_cannot_be_meant_is_refused(shop: Shop, files: Any) -> None:
    folder = written(shop, "sagemaker")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["assets"][0]["files"] = files
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(RunError) as caught:
        penstock.run(folder, project=shop.folder)

    assert [each.code for each in caught.value.diagnostics] == ["P438"]
