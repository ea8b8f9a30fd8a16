"""Divide patients into folds of nearly equal size, the same ones each time."""

import argparse
from pathlib import Path

import pandas as pd

TARGET = "target"

parser = argparse.ArgumentParser()
parser.add_argument("--patients", type=Path, required=True, help="a CSV file with a header")
parser.add_argument("--folds", type=Path, required=True, help="an existing folder for fold-N.csv")
parser.add_argument("--number", type=int, required=True)
options = parser.parse_args()

patients = pd.read_csv(options.patients)
if TARGET not in patients:
    raise SystemExit(f"error: {options.patients.name}: missing column {TARGET}")
if len(patients) < 2 * options.number:
    raise SystemExit(f"error: {len(patients)} patients are too few for {options.number} folds")
shuffled = patients.sample(frac=1, random_state=11)
for fold in range(options.number):
    shuffled.iloc[fold :: options.number].to_csv(options.folds / f"fold-{fold}.csv", index=False)
print(f"{len(patients)} patients in {options.number} folds")
