"""Train a linear model on tumours that are known."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LABEL, MALIGNANT = "diagnosis", "malignant"

parser = argparse.ArgumentParser()
parser.add_argument("--known", type=Path, required=True)
parser.add_argument("--model", type=Path, required=True, help="a folder")
options = parser.parse_args()

known = pd.read_csv(options.known)
if LABEL not in known:
    raise SystemExit(f"error: {options.known.name}: missing column {LABEL}")
columns = [name for name in known if name != LABEL]
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
model.fit(known[columns].to_numpy(), known[LABEL] == MALIGNANT)
joblib.dump(model, options.model / "model.joblib")
(options.model / "columns.json").write_text(json.dumps(columns))
print(f"trained on {len(known)} tumours")
