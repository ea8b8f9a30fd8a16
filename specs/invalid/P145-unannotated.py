# P145 at 8:11
import penstock as ps

pipeline = ps.Pipeline("example")


@ps.step
def clean(rows, kept: ps.Output[ps.File]) -> None:
    print(rows, kept)


pipeline.step("clean", clean)
