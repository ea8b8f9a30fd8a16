"""What type checkers find in a pipeline before it runs: each line here is an error to them, and to no one else.

This module is never imported. A comment that is no longer needed is itself an error to mypy.
"""

from __future__ import annotations

from pathlib import Path

import penstock as ps

pipeline = ps.Pipeline("probe")
rows = pipeline.dataset("rows", "fil")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
count = pipeline.parameter("n", "integer", default=[1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

pipeline.command("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pipeline.command("b", run="x", descripton="y")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pipeline.command("c", run="x", compute={"cpuu": 3})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
pipeline.command("d", run="x", retry=ps.Retry(delay="1s"))  # type: ignore[typeddict-item]  # pyright: ignore[reportCallIssue]


@ps.step
def fit(rows: ps.File, model: ps.Output[ps.Model], depth: int = 4) -> ps.Metrics:
    model.write_text(rows.read_text() * depth)
    return {"recall": 0.97}


pipeline.step("e", fit, inputs={"rows": [rows]})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
fit("rows.csv", Path("model"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
