"""Train a classifier on a CSV file."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

FAMILIES = {
    "linear": lambda: LogisticRegression(max_iter=500),
    "trees": lambda: DecisionTreeClassifier(max_depth=4, random_state=0),
    "neighbours": lambda: KNeighborsClassifier(n_neighbors=5),
}

parser = argparse.ArgumentParser()
parser.add_argument("--train", type=Path, required=True)
parser.add_argument("--label", required=True)
parser.add_argument("--family", choices=FAMILIES, required=True)
parser.add_argument("--model", type=Path, required=True, help="a folder")
options = parser.parse_args()

rows = pd.read_csv(options.train)
if options.label not in rows:
    raise SystemExit(f"error: {options.train.name}: missing column {options.label}")
model = make_pipeline(StandardScaler(), FAMILIES[options.family]())
model.fit(rows.drop(columns=options.label).to_numpy(), rows[options.label])
joblib.dump(model, options.model / "model.joblib")
columns = [name for name in rows if name != options.label]
(options.model / "model.json").write_text(json.dumps({"family": options.family, "columns": columns}))
print(f"trained {options.family} on {len(rows)} rows")
