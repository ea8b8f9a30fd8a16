from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock import discovery
from penstock.compiler import compile_bundle
from penstock.documents import open_document
from penstock.errors import PenstockError, RunError
from penstock.running import start
from penstock.runtime.project import Project

SPEC = Path(__file__).parents[2] / "specs" / "tumour" / "pipeline.yaml"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_bundle(SPEC, "sagemaker").write(tmp_path_factory.mktemp("bundles") / "tumour")


@pytest.mark.parametrize("part", ["", "pipeline.json"])
def test_a_bundle_is_opened_by_its_folder_or_its_document(compiled: Path, part: str) -> None:
    bundle = open_document(compiled / part)

    assert bundle is not None
    written = compile_bundle(SPEC, "sagemaker")
    assert (bundle.target, bundle.pipeline, bundle.document) == (
        "sagemaker",
        "tumour-classifier",
        "pipeline.json",
    )
    assert bundle.texts == written.texts
    assert bundle.interface == json.loads(json.dumps(written.interface))
    assert {each.upload_to for each in bundle.assets} == {each.upload_to for each in written.assets}
    assert all(Path(each.source).exists() for each in bundle.assets)


@pytest.mark.parametrize("name", ["pipeline.yaml", "folder", "none.json", "create.py"])
def test_what_is_no_document_is_left_to_others(tmp_path: Path, name: str) -> None:
    if name == "folder":
        (tmp_path / name).mkdir()
    elif name != "none.json":
        (tmp_path / name).write_text("{}", encoding="utf-8")

    assert open_document(tmp_path / name) is None


@pytest.mark.parametrize(
    ("names", "said", "hinted"),
    [
        ((), "is empty", "penstock compile SPEC --target TARGET -o "),
        (("pipeline.json", "assets"), "holds no manifest.json", "penstock compile SPEC --target TARGET -o "),
        (("flow.py",), "and no spec", "/flow.py"),
    ],
)
def test_a_folder_to_run_that_is_no_bundle_is_told_what_it_lacks(
    tmp_path: Path, names: tuple[str, ...], said: str, hinted: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in names:
        (folder / name).touch()

    with pytest.raises(RunError) as caught:
        start(folder, project=Project(tmp_path))

    (found,) = caught.value.diagnostics
    assert found.code == "P438"
    assert said in found.message
    assert hinted in found.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("wat", "targets: "),
        ("sagmaker", "did you mean 'sagemaker'? targets: sagemaker, "),
        ("lokal", "did you mean 'local'? targets: local, "),
    ],
)
@pytest.mark.parametrize("compiled_before", [True, False])
def test_a_target_that_is_not_there_is_told_with_those_that_are(
    compiled: Path, tmp_path: Path, name: str, hint: str, compiled_before: bool
) -> None:
    with pytest.raises(PenstockError) as caught:
        start(compiled if compiled_before else SPEC, on=name, project=Project(tmp_path))

    (found,) = caught.value.diagnostics
    assert found.code == "P121"
    assert found.hint.startswith(hint)
    assert all(target in found.hint for target in discovery.targets())


def test_json_of_no_service_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_text('{"name": "x"}', encoding="utf-8")

    with pytest.raises(RunError) as caught:
        open_document(path)

    (found,) = caught.value.diagnostics
    assert found.code == "P438"
    assert "sagemaker" in found.hint


def _without_asset(folder: Path) -> None:
    shutil.rmtree(next((folder / "assets").iterdir()))


def _outside(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["assets"][0]["path"] = "../../outside"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _without_document(folder: Path) -> None:
    (folder / "pipeline.json").unlink()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("manifest.json", "{", "cannot be read"),
        ("manifest.json", "[]", "no JSON object"),
        ("manifest.json", "{}", "missing in its manifest"),
        ("interface.json", "7", "no JSON object"),
    ],
)
def test_a_bundle_with_a_damaged_file_is_refused(
    compiled: Path, tmp_path: Path, file: str, text: str, said: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(compiled, folder)
    (folder / file).write_text(text, encoding="utf-8")

    with pytest.raises(PenstockError) as caught:
        open_document(folder)

    (found,) = caught.value.diagnostics
    assert found.code == "P438"
    assert said in found.message


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_document, "No such file"),
        (_without_asset, "is missing"),
        (_outside, "outside of the bundle"),
    ],
)
def test_a_damaged_bundle_is_refused(
    compiled: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(compiled, folder)
    damage(folder)

    with pytest.raises(PenstockError) as caught:
        open_document(folder)

    (found,) = caught.value.diagnostics
    assert found.code == "P438"
    assert said in found.message
