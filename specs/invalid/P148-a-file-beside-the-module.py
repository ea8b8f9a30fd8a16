# P148 at 9:47
from pathlib import Path

import penstock as ps


@ps.step
def count(kept: ps.Output[ps.File]) -> None:
    kept.write_text((Path(__file__).parent / "P107-empty.yaml").read_text())


pipeline = ps.Pipeline("example")
counted = pipeline.step("count", count)
pipeline.output("kept", counted.outputs.kept)
