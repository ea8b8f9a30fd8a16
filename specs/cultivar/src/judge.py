"""Measure a classifier."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--test", type=Path, required=True)
parser.add_argument("--label", required=True)
parser.add_argument("--report", type=Path, required=True)
options = parser.parse_args()

rows = pd.read_csv(options.test)
about = json.loads((options.model / "model.json").read_text())
predicted = joblib.load(options.model / "model.joblib").predict(rows[about["columns"]].to_numpy())
report = {
    "accuracy": accuracy_score(rows[options.label], predicted),
    "f1": f1_score(rows[options.label], predicted, average="macro"),
    "n": len(rows),
    "family": about["family"],
}
options.report.write_text(json.dumps(report, indent=1))
print(json.dumps(report))
