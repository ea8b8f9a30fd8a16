# P146 at 12:15
import penstock as ps

pipeline = ps.Pipeline("example")


@ps.step
def clean(rows: ps.File) -> None:
    print(rows)


pipeline.step("clean", clean)
