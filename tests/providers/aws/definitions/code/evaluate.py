import csv
import json
import pathlib
import sys
import tarfile

root = pathlib.Path("/opt/ml/processing")
with tarfile.open(root / "model" / "model.tar.gz") as tar:
    file = tar.extractfile("slope.json")
    assert file is not None
    slope = json.load(file)
with open(root / "test" / "test.csv") as rows:
    pairs = [(float(x), float(y)) for y, x in csv.reader(rows)]
error = sum((y - slope * x) ** 2 for x, y in pairs) / len(pairs)
report = {"regression_metrics": {"mse": {"value": round(error, 4)}}, "said": sys.argv[1:]}
(root / "evaluation" / "evaluation.json").write_text(json.dumps(report))
