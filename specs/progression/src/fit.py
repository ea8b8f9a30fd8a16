"""Train boosted trees on all folds but one, and measure them on that one."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score

TARGET = "target"

parser = argparse.ArgumentParser()
parser.add_argument("--folds", type=Path, required=True)
parser.add_argument("--held-out", type=int, required=True, help="the fold to measure on")
parser.add_argument(
    "--settings", type=Path, help="a report of this script, in the place of the four settings"
)
parser.add_argument("--trees", type=int, default=60)
parser.add_argument("--depth", type=int, default=2)
parser.add_argument("--rate", type=float, default=0.1)
parser.add_argument("--loss", default="squared_error")
parser.add_argument("--model", type=Path, help="a folder for model.joblib")
parser.add_argument("--report", type=Path, required=True)
options = parser.parse_args()

settings = {key: getattr(options, key) for key in ("trees", "depth", "rate", "loss")}
if options.settings:
    settings = json.loads(options.settings.read_text())["settings"]
folds = sorted(options.folds.glob("fold-*.csv"))
held_out = options.folds / f"fold-{options.held_out}.csv"
if held_out not in folds:
    raise SystemExit(f"error: there is no {held_out.name}; {len(folds)} folds were found")
train = pd.concat([pd.read_csv(fold) for fold in folds if fold != held_out])
test = pd.read_csv(held_out)

model = GradientBoostingRegressor(
    n_estimators=settings["trees"],
    max_depth=settings["depth"],
    learning_rate=settings["rate"],
    loss=settings["loss"],
    random_state=3,
)
model.fit(train.drop(columns=TARGET), train[TARGET])
predicted = model.predict(test.drop(columns=TARGET))
report = {
    "r2": r2_score(test[TARGET], predicted),
    "mae": mean_absolute_error(test[TARGET], predicted),
    "n": len(test),
    "settings": settings,
}
options.report.write_text(json.dumps(report, indent=1))
if options.model:
    joblib.dump(model, options.model / "model.joblib")
print(f"fold {options.held_out}: R2 {report['r2']:.3f}, mean absolute error {report['mae']:.1f}")
