"""Judge the line on points that it has not seen: R squared and the mean absolute error."""

import argparse
import csv
import json
from pathlib import Path
from statistics import fmean

parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--report", type=Path, required=True)
arguments = parser.parse_args()

line = json.loads((arguments.model / "line.json").read_text())
with (arguments.data / "points.csv").open(newline="") as file:
    rows = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
errors = [y - (line["slope"] * x + line["intercept"]) for x, y in rows]
mean = fmean(y for _, y in rows)
r2 = 1 - sum(error * error for error in errors) / sum((y - mean) ** 2 for _, y in rows)
report = {"r2": r2, "mean_absolute_error": fmean(abs(error) for error in errors), "n": len(rows)}
arguments.report.write_text(json.dumps(report, indent=2))
print(f"R squared {r2:.3f} on {len(rows)} points")
