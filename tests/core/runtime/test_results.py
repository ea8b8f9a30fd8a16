"""Outputs of a run as paths: what is given is what the step made, whatever became of its place or of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock.errors import RunError
from penstock.runtime.artifacts import ArtifactStore, Way

SPEC = """
    steps:
      make:
        run: |
          echo whole > ${{ outputs.page }}
          echo a > ${{ outputs.tree }}/a
        outputs: {page: file, tree: folder}
"""


def no_reflink(*_: object) -> None:
    return None


def spoil(path: Path) -> None:
    path.chmod(0o644)
    path.write_text("spoilt\n")


@pytest.fixture
def run(shop: Shop) -> penstock.Run:
    return shop.run(SPEC)


@pytest.mark.parametrize(("port", "inner", "wanted"), [("page", "", "whole\n"), ("tree", "a", "a\n")])
def test_an_output_that_was_changed_at_its_place_is_laid_out_anew(
    run: penstock.Run, port: str, inner: str, wanted: str
) -> None:
    spoil(run.output("make", port) / inner)

    given = run.output("make", port)

    assert (given / inner).read_text() == wanted
    assert [each.name for each in (run.folder / "outputs" / "make").iterdir()] == [port]


@pytest.mark.parametrize(("port", "inner"), [("page", ""), ("tree", "a")])
def test_an_output_that_is_damaged_in_the_store_is_refused(
    run: penstock.Run, monkeypatch: pytest.MonkeyPatch, port: str, inner: str
) -> None:
    # As what is too large to be copied, the place shares its bytes with the store.
    monkeypatch.setattr("penstock.runtime.results.LARGEST_COPY", -1)
    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_reflink)
    spoil(run.output("make", port) / inner)

    with pytest.raises(RunError) as refused:
        run.output("make", port)

    assert [each.code for each in refused.value.diagnostics] == ["P421"]


def test_an_output_is_a_copy_that_shares_nothing_with_the_store(
    run: penstock.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_reflink)

    page = run.output("make", "page")

    assert page.stat().st_nlink == 1
    assert page.stat().st_mode & 0o777 == 0o444


def test_an_output_stands_where_the_store_has_forgotten_it(run: penstock.Run) -> None:
    tree = run.output("make", "tree")
    for each in run.steps["make"].outputs:
        run.store.discard(each.digest)

    assert run.output("make", "tree") == tree
    assert (tree / "a").read_text() == "a\n"


def test_a_place_without_sharing_is_never_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_reflink)
    store = ArtifactStore(tmp_path / "store")
    (tmp_path / "file").write_text("content")
    artifact = store.put(tmp_path / "file", move=True)

    assert store.place(artifact, tmp_path / "linked") is Way.LINK
    assert store.place(artifact, tmp_path / "copied", share=False) is Way.COPY
    assert store.check_placed(artifact, tmp_path / "copied") == []
    spoil(tmp_path / "copied")
    assert store.check_placed(artifact, tmp_path / "copied") == ["."]
    assert store.check_unmodified(artifact) == []
