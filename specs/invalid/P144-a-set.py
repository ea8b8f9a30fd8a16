# P144 at 5:39
import penstock

pipeline = penstock.Pipeline("example")
pipeline.environment("slim", packages={"pandas", "numpy"})
