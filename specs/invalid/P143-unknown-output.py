# P143 at 6:76
import penstock

pipeline = penstock.Pipeline("example")
first = pipeline.command("first", run="echo 1 > ${{ outputs.train }}", outputs={"train": "file"})
pipeline.command("second", run="cat ${{ inputs.train }}", inputs={"train": first.outputs.trian})
