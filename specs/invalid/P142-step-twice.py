# P142 at 6:18
import penstock

pipeline = penstock.Pipeline("example")
pipeline.command("prepare", run="echo 1")
pipeline.command("prepare", run="echo 2")
