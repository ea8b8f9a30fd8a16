"""Split points into a training and a test set: every fourth point is kept for the test."""

import argparse
import csv
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--points", type=Path, required=True)
parser.add_argument("--train", type=Path, required=True)
parser.add_argument("--test", type=Path, required=True)
arguments = parser.parse_args()

with arguments.points.open(newline="") as file:
    header, *rows = csv.reader(file)
parts = {arguments.train: [row for i, row in enumerate(rows) if i % 4], arguments.test: rows[::4]}
for folder, part in parts.items():
    with (folder / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *part])
    print(f"{folder.name}: {len(part)} points")
