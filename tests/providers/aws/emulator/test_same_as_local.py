"""What the language says means on SageMaker what it means on `local`: small pipelines, run on both and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.providers.aws.emulator.small_specs_for_tests import PARTS, SPECS, Small
from tests.same_as_local_for_tests import differences
from tests.specs_for_tests import Shop

import penstock

LONG = {
    "a search by chance",
    "a search that learns",
    "a search whose objective is in the log",
    "a map over a range",
    "a map over batches of files",
    "longer than it may take",
}


def ran(small: Small, folder: Path, on: str) -> penstock.Run:
    """Run a pipeline in a folder of its own."""
    shop = Shop(folder / on)
    for name, content in small.files.items():
        shop.file(name, content)
    asked = dict(small.asked)
    if "datasets" in asked:
        asked["datasets"] = {name: shop.folder / path for name, path in asked["datasets"].items()}
    return shop.run(small.text.replace("MARK", str(shop.folder / "mark")), on=on, **asked)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] if each in LONG else []) for each in SPECS]
)
def test_it_means_the_same_compiled(name: str, tmp_path: Path) -> None:
    local, compiled = (ran(SPECS[name], tmp_path, on) for on in ("local", "sagemaker"))

    assert local.status == SPECS[name].ends, local.record.message
    assert differences(local, compiled) == []


DIFFERENT: dict[str, tuple[Small, str, str]] = {
    "a file that a step does not write is missed by who reads it, and no fault of the step": (
        Small("steps: {one: {run: 'true ${{ outputs.o }}', outputs: {o: file}}}"),
        "one: output 'o' was not written",
        "",
    ),
    "an empty folder has no objects, and cannot be an input": (
        Small("""
            steps:
              one: {run: "ls ${{ outputs.o }}", outputs: {o: folder}}
              two: {run: "ls ${{ inputs.o }}", inputs: {o: "${{ steps.one.outputs.o }}"}}
        """),
        "",
        "two: ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: No S3 objects found",
    ),
    "an input that is read directly is an address, and no path": (
        Small(
            """
            datasets: {parts: {type: folder, path: parts}}
            steps:
              one:
                run: case ${{ inputs.parts }} in s3://*) exit 7;; esac
                inputs: {parts: {value: "${{ datasets.parts }}", mode: direct}}
            """,
            PARTS,
        ),
        "",
        "one: AlgorithmError: See job logs for more information, exit code: 7",
    ),
    "a machine that gets no share of the data has an empty folder": (
        Small(
            """
            datasets: {parts: {type: folder, path: parts}}
            steps:
              one:
                run: ls ${{ inputs.parts }}/*.csv
                inputs: {parts: {value: "${{ datasets.parts }}", shard: true}}
                compute: {count: 2}
            """,
            {"parts/a.csv": "1\n"},
        ),
        "",
        "one: AlgorithmError: See job logs for more information, exit code: 2",
    ),
}
"""Where the service's contract is not that of `local`: spec, and what the runs say in the end."""


@pytest.mark.parametrize("name", DIFFERENT)
def test_it_means_what_the_service_makes_of_it(name: str, tmp_path: Path) -> None:
    small, on_local, on_sagemaker = DIFFERENT[name]

    said = [ran(small, tmp_path, on).record.message for on in ("local", "sagemaker")]

    for found, wanted in zip(said, (on_local, on_sagemaker), strict=True):
        assert found.startswith(wanted) and bool(found) is bool(wanted)
