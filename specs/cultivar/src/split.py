"""Divide a CSV file in two."""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=Path, required=True)
parser.add_argument("--share", type=float, required=True, help="of the rows that go to --test")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--stratify", help="a column whose values keep their shares")
parser.add_argument("--train", type=Path, required=True)
parser.add_argument("--test", type=Path, required=True)
options = parser.parse_args()

rows = pd.read_csv(options.rows)
if options.stratify is not None and options.stratify not in rows:
    raise SystemExit(f"error: {options.rows.name}: missing column {options.stratify}")
classes = rows[options.stratify] if options.stratify else None
train, test = train_test_split(rows, test_size=options.share, random_state=options.seed, stratify=classes)
train.to_csv(options.train, index=False)
test.to_csv(options.test, index=False)
print(f"{len(train)} rows to train on, {len(test)} to test on")
