# P143 at 6:8
import penstock

pipeline = penstock.Pipeline("example")
first = pipeline.command("first", run="mkdir ${{ outputs.train }}", outputs={"train": "folder"})
good = first.outputs.train["recall"] > 0.9
