"""Fit a straight line by least squares and save it as JSON."""

import argparse
import csv
import json
from pathlib import Path
from statistics import linear_regression

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--model", type=Path, required=True)
arguments = parser.parse_args()

with (arguments.data / "points.csv").open(newline="") as file:
    rows = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
line = linear_regression([x for x, _ in rows], [y for _, y in rows])
(arguments.model / "line.json").write_text(json.dumps({"slope": line.slope, "intercept": line.intercept}))
print(f"y = {line.slope:.3f} x + {line.intercept:.3f}, from {len(rows)} points")
