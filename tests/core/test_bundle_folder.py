"""Where a bundle may be written: over an earlier one, and over nothing that somebody else put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

import penstock

SPEC = """
    datasets: {tree: {type: folder, path: data}}
    steps: {one: {run: "python main.py ${{ inputs.d }}", code: src, inputs: {d: "${{ datasets.tree }}"}}}
"""


@pytest.fixture
def folder(shop: Shop) -> Path:
    shop.file("src/main.py", "print(1)")
    shop.file("data/a/b.csv", "1")
    return penstock.compile(shop.write(SPEC), "sagemaker").write(shop.folder / "out")


def recompiled(shop: Shop, folder: Path) -> str:
    """Compile another spec into a folder; give the finding where it is refused."""
    shop.file("src/main.py", "print(2)")
    bundle = penstock.compile(shop.write(SPEC.replace("one:", "two:")), "sagemaker")
    try:
        bundle.write(folder)
    except penstock.PenstockError as refused:
        (found,) = refused.diagnostics
        assert found.code == "P150"
        return found.message
    return ""


def test_a_bundle_is_replaced_by_the_next(shop: Shop, folder: Path) -> None:
    before = sorted(folder.rglob("*"))

    assert recompiled(shop, folder) == ""
    assert sorted(folder.rglob("*")) != before


@pytest.mark.parametrize(
    "name", ["notes.md", "assets/mine/notes.md", ".penstock/ledger.db", "assets/0123.txt"]
)
def test_a_file_that_is_not_the_bundles_own_is_named_and_kept(shop: Shop, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("ten years of work")

    said = recompiled(shop, folder)

    assert said == f"{folder} holds what is not of the bundle that stands there: {name}"
    assert (folder / name).read_text() == "ten years of work"


def test_a_link_is_named_too(shop: Shop, folder: Path) -> None:
    (folder / "elsewhere").symlink_to(shop.folder)

    assert recompiled(shop, folder).endswith(": elsewhere")
    assert (folder / "elsewhere").is_symlink()


def test_of_many_files_some_are_named(shop: Shop, folder: Path) -> None:
    for number in range(9):
        (folder / f"{number}.md").write_text("")

    assert recompiled(shop, folder).endswith(": 0.md, 1.md, 2.md, 3.md, 4.md and 4 more")


@pytest.mark.parametrize(
    "manifest", ["{}", "[]", "x", '{"documents": 1, "assets": []}', '{"name": "web app"}']
)
def test_another_programs_manifest_makes_no_bundle(shop: Shop, manifest: str) -> None:
    (shop.folder / "site").mkdir()
    (shop.folder / "site" / "manifest.json").write_text(manifest)
    shop.file("src/main.py", "print(1)")
    shop.file("data/a.csv", "1")

    assert recompiled(shop, shop.folder / "site").endswith("site exists and is not a bundle")
    assert os.listdir(shop.folder / "site") == ["manifest.json"]
