"""Judge the model on the held-out rows, through the code that serves it, and beside its linear baseline.

The report answers what a clinician asks of a test: how many cancers were missed (counts.fn), how many healthy
people were alarmed (counts.fp), and how far the recall may be luck (confidence), as the test set holds few
malignant masses.
"""

import argparse
import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from cells import LABEL, MALIGNANT, BadInputError, read_cells, run
from inference import Model, model_fn, predict_fn
from scipy.stats import binomtest
from sklearn.metrics import brier_score_loss, roc_auc_score

LEVEL = 0.95
RESAMPLES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge the model on held-out rows.")
    parser.add_argument("--model", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--test", type=Path, required=True, help="folder of CSV files to judge it on")
    parser.add_argument("--report", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    arguments = parser.parse_args()

    cells = read_cells(arguments.test)
    model, baseline = load(arguments.model)
    malignant = (cells[LABEL] == MALIGNANT).to_numpy()
    print(f"judging on {len(cells)} rows, {int(malignant.sum())} malignant", flush=True)

    prediction = predict_fn(cells, model)
    report = {
        **measure(malignant, prediction),
        "threshold": model.threshold,
        "confidence": confidence(malignant, prediction, arguments.seed),
        "baseline": {**measure(malignant, predict_fn(cells, baseline)), "threshold": baseline.threshold},
    }

    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    counts, interval = report["counts"], report["confidence"]
    print(
        f"recall {report['recall']:.3f} ({interval['recall_low']:.3f} to {interval['recall_high']:.3f}): "
        f"{counts['fn']} of {counts['tp'] + counts['fn']} cancers missed",
        flush=True,
    )
    print(f"specificity {report['specificity']:.3f}: {counts['fp']} false alarms", flush=True)
    print(
        f"linear baseline: recall {report['baseline']['recall']:.3f}, "
        f"specificity {report['baseline']['specificity']:.3f}",
        flush=True,
    )


def load(folder: Path) -> tuple[Model, Model]:
    """Return the model and its baseline, each with its own threshold."""
    for name in ("model.json", "model.joblib", "baseline.joblib"):
        if not (folder / name).is_file():
            raise BadInputError(f"{folder}: not a model folder, {name} is missing")
    try:
        model = model_fn(str(folder))
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        linear = joblib.load(folder / "baseline.joblib")
        return model, Model(linear, card["baseline"]["threshold"], model.features)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise BadInputError(f"{folder / 'model.json'}: not a model card ({error!r})") from None


def measure(malignant: np.ndarray, prediction: pd.DataFrame) -> dict[str, object]:
    """Return the figures of one classifier; a malignant mass is the positive case."""
    called = (prediction["diagnosis"] == MALIGNANT).to_numpy()
    probability = prediction["probability"].to_numpy()
    tp, fn = int((called & malignant).sum()), int((~called & malignant).sum())
    fp, tn = int((called & ~malignant).sum()), int((~called & ~malignant).sum())
    return {
        "recall": tp / (tp + fn),
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "specificity": tn / (tn + fp),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "roc_auc": float(roc_auc_score(malignant, probability)),
        "brier": float(brier_score_loss(malignant, probability)),
        "n": len(malignant),
        "counts": {"tp": tp, "fn": fn, "fp": fp, "tn": tn},
    }


def confidence(malignant: np.ndarray, prediction: pd.DataFrame, seed: int) -> dict[str, object]:
    """Return intervals of the recall: bootstrap, and exact binomial.

    The bootstrap knows only the misses that occurred: with none, its interval has no width.
    """
    found = (prediction["diagnosis"] == MALIGNANT).to_numpy()[malignant]
    picks = np.random.default_rng(seed).integers(0, len(found), size=(RESAMPLES, len(found)))
    low, high = np.quantile(found[picks].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    exact = binomtest(int(found.sum()), len(found)).proportion_ci(LEVEL, method="exact")
    return {
        "level": LEVEL,
        "resamples": RESAMPLES,
        "recall_low": float(low),
        "recall_high": float(high),
        "exact_low": float(exact.low),
        "exact_high": float(exact.high),
    }


if __name__ == "__main__":
    run(main)
