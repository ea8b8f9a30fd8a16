# P201 at 5:43
import penstock

pipeline = penstock.Pipeline("example")
pipeline.command("prepare", run="echo 1", descripton="Say one.")
