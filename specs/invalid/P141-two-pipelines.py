# P141 at 5:10
import penstock

nightly = penstock.Pipeline("nightly")
weekly = penstock.Pipeline("weekly")
