"""Fit boosted trees, and choose the threshold above which a mass is called malignant.

The threshold comes from cross-validated predictions on the training rows: the highest one whose recall holds
the wanted minimum even at the low end of its exact confidence interval. The test rows play no part. A
logistic regression gets the same treatment, as the baseline that the trees have to beat.
"""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
from cells import LABEL, MALIGNANT, MEASUREMENTS, number, read_cells, run
from scipy.stats import binomtest
from sklearn.base import ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
REPEATS = 2  # the threshold hangs on a few masses, so on how the folds fell; a second split evens that out
LEVEL = 0.95  # of the confidence interval


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit boosted trees and choose a decision threshold.")
    parser.add_argument("--data", type=Path, required=True, help="folder of CSV files to train on")
    parser.add_argument("--depth", type=number(1, 16, int), default=4, help="depth of each tree, 1 to 16")
    parser.add_argument("--model", type=Path, required=True, help="folder to write the model to")
    parser.add_argument(
        "--min-recall",
        type=number(0.5, 0.999),
        default=0.95,
        help="share of malignant masses that the threshold must find, with confidence",
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    cells = read_cells(arguments.data, at_least=FOLDS)
    rows = cells.loc[:, list(MEASUREMENTS)].to_numpy()
    malignant = (cells[LABEL] == MALIGNANT).to_numpy()
    positives = int(malignant.sum())
    misses = permitted_misses(positives, arguments.min_recall)
    print(f"training on {len(rows)} rows, {positives} malignant; depth {arguments.depth}", flush=True)
    print(f"the threshold may miss {misses} of {positives} in cross-validation", flush=True)

    # Half of the rows for a tree, two columns for a split, wide leaves: few rows call for much randomness.
    trees = GradientBoostingClassifier(
        n_estimators=150,
        learning_rate=0.1,
        max_depth=arguments.depth,
        min_samples_leaf=20,
        subsample=0.5,
        max_features=2,
        random_state=arguments.seed,
    )
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))

    arguments.model.mkdir(parents=True, exist_ok=True)
    decisions = {}
    for name, classifier in (("model", trees), ("baseline", linear)):
        decisions[name] = choose_threshold(classifier, rows, malignant, misses, arguments.seed)
        joblib.dump(classifier.fit(rows, malignant), arguments.model / f"{name}.joblib")
        print(
            f"{name}: threshold {decisions[name]['threshold']:.4f}, cross-validated recall "
            f"{decisions[name]['recall']:.3f}, specificity {decisions[name]['specificity']:.3f}",
            flush=True,
        )

    card = {
        "features": list(MEASUREMENTS),
        "positive": MALIGNANT,
        "threshold": decisions["model"]["threshold"],
        "cross_validation": decisions["model"],
        "baseline": {"classifier": "logistic regression", **decisions["baseline"]},
        "training": {
            "rows": len(rows),
            "malignant": positives,
            "depth": arguments.depth,
            "min_recall": arguments.min_recall,
            "permitted_misses": misses,
            "seed": arguments.seed,
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("joblib", "numpy", "pandas", "scikit-learn")},
        },
    }
    (arguments.model / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print("wrote model.joblib, baseline.joblib, model.json", flush=True)


def permitted_misses(malignant: int, min_recall: float) -> int:
    """Return how many malignant rows may be missed while the recall is at least min_recall with confidence.

    None may be, where there are too few rows to be so sure.
    """
    misses = 0
    while binomtest(malignant - misses - 1, malignant).proportion_ci(LEVEL, method="exact").low >= min_recall:
        misses += 1
    return misses


def choose_threshold(
    classifier: ClassifierMixin, rows: np.ndarray, malignant: np.ndarray, misses: int, seed: int
) -> dict[str, float]:
    """Return the highest threshold that misses no more, and the recall and specificity that it gives.

    Each row is judged by models that never saw it; its probability is the mean over the repeats.
    """
    probability = np.mean(
        [
            cross_val_predict(
                classifier,
                rows,
                malignant,
                cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed + repeat),
                method="predict_proba",
            )[:, 1]
            for repeat in range(REPEATS)
        ],
        axis=0,
    )
    threshold = float(np.sort(probability[malignant])[misses])
    called = probability >= threshold
    return {
        "threshold": threshold,
        "recall": float(called[malignant].mean()),
        "specificity": float((~called[~malignant]).mean()),
    }


if __name__ == "__main__":
    run(main)
