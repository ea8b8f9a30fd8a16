"""The documents that people read and clouds receive, as files: `pytest tests/golden --update-goldens` writes them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from penstock import discovery
from penstock.compiler import compile_bundle

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*/pipeline.*"))
HERE = Path(__file__).parent


def texts(spec: Path, target: str) -> dict[str, str]:
    bundle = compile_bundle(spec, target)
    manifest = json.dumps(bundle.manifest(), indent=2, ensure_ascii=False) + "\n"
    source_map = json.dumps(bundle.source_map, indent=2, ensure_ascii=False) + "\n"
    scripts = {
        each.path: each.content.decode()
        for each in bundle.assets
        if each.content is not None and each.name.endswith((".sh", ".json", ".yml"))
    }
    found = {**bundle.texts, **scripts, "manifest.json": manifest, "source-map.json": source_map}
    if bundle.interface:
        found["interface.json"] = json.dumps(bundle.interface, indent=2, ensure_ascii=False) + "\n"
    return found


@pytest.mark.parametrize("target", sorted(set(discovery.targets()) - {"local"}))
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.parent.name)
def test_the_documents_are_those_that_were_reviewed(
    spec: Path, target: str, request: pytest.FixtureRequest
) -> None:
    folder = HERE / spec.parent.name / target
    found = texts(spec, target)

    if request.config.getoption("--update-goldens"):
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in found.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")

    kept = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    assert sorted(found) == sorted(kept)
    for path, text in found.items():
        assert text == kept[path], f"{path} differs; if that is right: pytest tests/golden --update-goldens"
