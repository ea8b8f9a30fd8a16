"""`compile` beside the clouds' own SDKs: the same chain of steps, whole processes, in one run.

An SDK is measured where its interpreter is named: PENSTOCK_BENCH_SAGEMAKER_2, PENSTOCK_BENCH_SAGEMAKER_3 and
PENSTOCK_BENCH_AZURE_AI_ML (`nox -f tests/noxfile.py -s clients_bench` makes all three). What an SDK takes for so many
steps that it would take minutes is measured with fewer.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.graphs import write_pipeline
from tests.bench.report import Row, both, seconds
from tests.bench.timing import PENSTOCK, Command, Pair, Refused, in_turn

_SCRIPTS = Path(__file__).parent / "sdks"
_SDKS = (
    ("SAGEMAKER_2", "SageMaker SDK 2", "sagemaker", 1_000),
    ("SAGEMAKER_3", "SageMaker SDK 3", "sagemaker", 100),
    ("AZURE_AI_ML", "azure-ai-ml", "azureml", 1_000),
)


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure each SDK that is there against the same number of steps."""
    for key, title, target, steps in _SDKS:
        steps = min(steps, 100) if quick else steps
        what = f"compile to {target}, {steps:,} steps"
        python = os.environ.get(f"PENSTOCK_BENCH_{key}", "")
        if not python:
            yield Row(what, f"left out: PENSTOCK_BENCH_{key} names no interpreter", title)
            continue
        place = folder / key.lower()
        write_pipeline(place, steps)
        script = str(_SCRIPTS / f"with_{key.lower()}.py")
        ours = (PENSTOCK, "compile", "pipeline.yaml", "--target", target, "-o", "bundle")
        pair = [
            Command(ours, place, partial(shutil.rmtree, place / "bundle", ignore_errors=True)),
            Command((python, script, str(steps), "theirs"), place),
        ]
        try:
            found = Pair(*in_turn(pair, 1 if steps > 100 else 3, warm=True))
        except Refused as told:
            yield Row(what, f"left out: {str(told).splitlines()[-1]}", title)
            continue
        yield Row(
            what,
            f"{seconds(found.a.cpu)} cpu, {seconds(found.a.wall)}",
            f"{title}: {seconds(found.b.cpu)} cpu, {seconds(found.b.wall)}",
            both(1 / found.cpu, 1 / found.wall) + ", theirs over ours",
        )
