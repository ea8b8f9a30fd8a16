# P140 at 6:12
import penstock

pipeline = penstock.Pipeline("example")
packages = {"pandas": "2.3.3"}
versions = packages["numpy"]
