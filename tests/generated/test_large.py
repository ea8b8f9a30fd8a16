"""Large pipelines compile, and what a service would refuse of them is announced; `tests/bench` holds the times."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bench.graphs import write_pipeline

from penstock import discovery
from penstock.compiler import compile_bundle

CLOUDS = sorted(set(discovery.targets()) - {"local"})


def write_map(folder: Path, items: int) -> Path:
    rows = ", ".join(f"{{key: k{each}, n: {each}}}" for each in range(items))
    path = folder / "pipeline.yaml"
    path.write_text(
        "penstock: v1\nkind: pipeline\nname: wide\n"
        "environments: {e: {image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1'}}\n"
        "defaults: {environment: e}\nsteps:\n  each:\n    kind: map\n"
        f"    over: {{items: [{rows}]}}\n"
        "    run: echo ${{ item.n }} > ${{ outputs.made }}\n    outputs: {made: file}\n"
        'outputs: {made: "${{ steps.each.outputs.made }}"}\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.slow
@pytest.mark.sampled(1, rest="exhaustive")
@pytest.mark.parametrize("target", CLOUDS)
def test_ten_thousand_steps_compile(target: str, tmp_path: Path) -> None:
    bundle = compile_bundle(write_pipeline(tmp_path, 10_000), target)

    assert all(f"s{each}" in bundle.texts[bundle.document] for each in range(0, 10_000, 999))
    said = " ".join(each.message + each.hint for each in bundle.diagnostics)
    if target == "sagemaker":
        assert "has 10000 steps; the service takes 50 unless the quota was raised" in said
        (upload,) = bundle.manifest()["uploads"]
        assert upload["path"] == bundle.document
        assert "PipelineDefinitionS3Location" in bundle.texts["create-pipeline.json"]
        assert "characters" not in said


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", CLOUDS)
def test_a_map_over_a_hundred_thousand_items_is_one_job(target: str, tmp_path: Path) -> None:
    bundle = compile_bundle(write_map(tmp_path, 100_000), target)

    # The items stand in a file beside the code: the document stays as small as that of a few.
    assert len(bundle.texts[bundle.document]) < 50_000
    assert any("k99999" in text for asset in bundle.assets for text in asset.added.values())
