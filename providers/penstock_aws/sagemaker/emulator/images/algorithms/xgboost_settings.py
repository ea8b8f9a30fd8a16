"""Hyperparameters and channels of the built-in XGBoost algorithm, checked before anything is read.

Standard library only, Python 3.7 and later: it runs inside the job. A fault of the user's is a ValueError.
"""

# pyright: basic
# (what it reads is JSON from outside: the checks that matter happen when it runs)
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

HIGHER_IS_BETTER = (
    *(
        "accuracy",
        "auc",
        "aucpr",
        "balanced_accuracy",
        "f1",
        "f1_binary",
        "f1_macro",
        "map",
        "ndcg",
        "precision",
    ),
    *("precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro"),
)
LOWER_IS_BETTER = (
    *(
        "aft-nloglik",
        "cox-nloglik",
        "error",
        "gamma-deviance",
        "gamma-nloglik",
        "interval-regression-accuracy",
    ),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)
OBJECTIVES = (
    *(
        "binary:logistic",
        "binary:logitraw",
        "binary:hinge",
        "count:poisson",
        "multi:softmax",
        "multi:softprob",
    ),
    *(
        "rank:pairwise",
        "rank:ndcg",
        "rank:map",
        "reg:linear",
        "reg:squarederror",
        "reg:logistic",
        "reg:gamma",
    ),
    *("reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft"),
    "survival:cox",
)
_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
_LARGEST = float("inf")
# Name → lowest and highest; a third word where one of the ends is not itself allowed.
_WHOLE: dict[str, tuple[float, float]] = {
    "num_round": (1, _LARGEST),
    "csv_weights": (0, 1),
    "early_stopping_rounds": (1, _LARGEST),
    "verbosity": (0, 3),
    "silent": (0, 1),
    "nthread": (1, _LARGEST),
    "max_depth": (0, _LARGEST),
    "refresh_leaf": (0, 1),
    "max_leaves": (0, _LARGEST),
    "max_bin": (0, _LARGEST),
    "one_drop": (0, 1),
    "num_class": (2, _LARGEST),
    "seed": (-(2**31) + 1, 2**31 - 2),
    "num_parallel_tree": (1, _LARGEST),
    "prob_buffer_row": (2, _LARGEST),
    "_kfold": (2, _LARGEST),
    "_num_cv_round": (1, _LARGEST),
}
_REAL: dict[str, tuple[float, float, str]] = {
    "eta": (0, 1, ""),
    "gamma": (0, _LARGEST, ""),
    "min_child_weight": (0, _LARGEST, ""),
    "max_delta_step": (0, _LARGEST, ""),
    "subsample": (0, 1, "above"),
    "colsample_bytree": (0, 1, "above"),
    "colsample_bylevel": (0, 1, "above"),
    "colsample_bynode": (0, 1, "above"),
    "lambda": (0, _LARGEST, ""),
    "alpha": (0, _LARGEST, ""),
    "sketch_eps": (0, 1, "between"),
    "scale_pos_weight": (0, _LARGEST, "above"),
    "rate_drop": (0, 1, ""),
    "skip_drop": (0, 1, ""),
    "lambda_bias": (0, 1, ""),
    "tweedie_variance_power": (1, 2, "between"),
    "base_score": (0, _LARGEST, ""),
    "aft_loss_distribution_scale": (0, _LARGEST, ""),
}
_WORDS = {
    "booster": ("gbtree", "gblinear", "dart"),
    "tree_method": ("auto", "exact", "approx", "hist", "gpu_hist"),
    "dsplit": ("row", "col"),
    "process_type": ("default", "update"),
    "grow_policy": ("depthwise", "lossguide"),
    "predictor": ("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": ("uniform", "weighted"),
    "normalize_type": ("tree", "forest"),
    "objective": OBJECTIVES,
    "save_model_on_termination": ("true", "false"),
    "aft_loss_distribution": ("normal", "logistic", "extreme"),
    "deterministic_histogram": ("true", "false"),
    "sampling_method": ("uniform", "gradient_based"),
    "use_dask_gpu_training": ("true", "false"),
}
_FREE: dict[str, Callable[[str], Any]] = {
    "updater": str,
    "monotone_constraints": str,
    "interaction_constraints": str,
    "_tuning_objective_metric": str,
    "eval_metric": lambda text: [each.strip() for each in text.split(",")],
}
_THRESHOLD = ("error", "ndcg", "map")
NEITHER_HERE = {
    "_kfold": "cross validation (_kfold)",
    "use_dask_gpu_training": "training on several GPUs (use_dask_gpu_training)",
}
"""What the stand-in cannot do, and refuses."""


def settings(given: dict[str, Any], version: str) -> dict[str, Any]:
    """Give hyperparameters as values: texts, or JSON texts, come in."""
    found: dict[str, Any] = {}
    for name, text in given.items():
        known = _ALIASES.get(name, name)
        if known == "silent" and release(version) >= (1, 3):
            raise ValueError("Extraneous hyperparameter found: silent")
        found[known] = _value(known, _plain(text))
    if "num_round" not in found:
        raise ValueError("Missing required hyperparameter: num_round")
    _check_together(found)
    for name, what in NEITHER_HERE.items():
        if found.pop(name, "false") not in ("false",):
            raise ValueError(f"{what} is not to be had offline: penstock's stand-in trains on one processor")
    found.pop("silent", None)
    # The older name of the same; recent releases of the library have dropped it.
    if found.get("objective") == "reg:linear":
        found["objective"] = "reg:squarederror"
    return found


def release(version: str) -> tuple[int, ...]:
    """Read a version such as 1.0-1 or 1.7.4; one that is not known counts as the newest."""
    numbers = [each for each in version.replace("-", ".").split(".") if each.isdigit()]
    return tuple(int(each) for each in numbers) or (99,)


def _plain(text: Any) -> str:
    """Take the quotes off a text that an SDK wrote as JSON."""
    if isinstance(text, str) and text[:1] == '"':
        try:
            decoded = json.loads(text)
        except ValueError:
            return text
        return decoded if isinstance(decoded, str) else text
    return text if isinstance(text, str) else json.dumps(text)


def _value(name: str, text: str) -> Any:
    if name in _WORDS:
        if text not in _WORDS[name]:
            raise ValueError(f"Hyperparameter {name}: {text} is not in {list(_WORDS[name])}")
        return text
    if name in _FREE:
        found = _FREE[name](text)
        if name == "eval_metric":
            for each in found:
                _check_metric(each)
        return found
    whole = name in _WHOLE
    if not whole and name not in _REAL:
        raise ValueError(f"Extraneous hyperparameter found: {name}")
    try:
        value: float = int(text) if whole else float(text)
    except ValueError:
        raise ValueError(f"Hyperparameter {name}: could not parse value (caused by ValueError)") from None
    low, high, ends = (*_WHOLE[name], "") if whole else _REAL[name]
    above = value > low if ends else value >= low
    below = value < high if ends == "between" or high == _LARGEST else value <= high
    if not (above and below):
        left, right = "(" if ends else "[", ")" if ends == "between" or high == _LARGEST else "]"
        raise ValueError(f"Hyperparameter {name}: value {text} not in range {left}{low}, {high}{right}")
    return value


def _check_metric(metric: str) -> None:
    name, at, threshold = metric.partition("@")
    if not at and metric in (*HIGHER_IS_BETTER, *LOWER_IS_BETTER):
        return
    if name not in _THRESHOLD or not at:
        known = [*HIGHER_IS_BETTER, *LOWER_IS_BETTER]
        raise ValueError(f"Hyperparameter eval_metric: value {metric} not in range {known}")
    try:
        float(threshold.rstrip("-"))
    except ValueError:
        raise ValueError(f"Threshold value 't' in '{name}@t' expects float input.") from None


def _check_together(found: dict[str, Any]) -> None:
    objective = found.get("objective", "")
    if objective.startswith("multi:") and "num_class" not in found:
        raise ValueError("Require input for parameter 'num_class' for multi-classification")
    metrics = found.get("eval_metric", [])
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise ValueError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise ValueError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def check_channels(channels: dict[str, Any]) -> None:
    """Refuse what the algorithm does not take as input."""
    if "train" not in channels:
        raise ValueError("Missing required channel: train")
    for name in channels:
        if name not in ("train", "validation", "code"):
            raise ValueError(f"Extraneous channel found: {name}")
