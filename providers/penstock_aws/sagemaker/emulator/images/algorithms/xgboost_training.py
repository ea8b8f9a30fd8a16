"""Training of the built-in XGBoost algorithm: hyperparameters and channels in, rounds in the log, a model out.

Inside the job, started by `xgboost_start.py` beside it; Python 3.7 and later, xgboost 0.90 and later.
PENSTOCK_IMAGE_VERSION says which image it stands for: models are pickled before 1.3, and the library's own after.
"""

# pyright: basic
# (the job's packages are not known here, and what it reads is JSON from outside)
from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any


def beside(name: str) -> Any:
    """Load a script that is shipped with this one."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = spec_from_file_location("penstock_" + name, path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.images.algorithms import xgboost_data, xgboost_settings
else:
    xgboost_data = beside("xgboost_data")
    xgboost_settings = beside("xgboost_settings")

ROOT = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
MODEL = os.path.join(ROOT, "model", "xgboost-model")
OWN = (
    *("accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "precision", "precision_macro"),
    *("precision_micro", "r2", "recall", "recall_macro", "recall_micro"),
)
"""Metrics of the container, which the library does not have."""


def main() -> int:
    """Train; a failure is told as the container tells it, in the log and in the failure file."""
    # Older releases are at odds with a newer pandas, of which a user can do nothing.
    warnings.simplefilter("ignore", FutureWarning)
    try:
        train()
    # What the user can mend is a ValueError of ours, and so is what the library says of the data.
    except Exception as fault:
        kind = "UserError" if type(fault) is ValueError else "AlgorithmError"
        told = f"framework error: \n{kind}: {fault}"
        print(told, file=sys.stderr, flush=True)
        os.makedirs(os.path.join(ROOT, "output"), exist_ok=True)
        with open(os.path.join(ROOT, "output", "failure"), "w", encoding="utf-8") as file:
            file.write(told)
        return 1
    return 0


def train() -> None:
    """Do what the job's configuration says."""
    channels = configured("inputdataconfig")
    resources = configured("resourceconfig")
    xgboost = import_module("xgboost")
    version = os.environ.get("PENSTOCK_IMAGE_VERSION") or xgboost.__version__
    settings = xgboost_settings.settings(configured("hyperparameters"), version)
    xgboost_settings.check_channels(channels)
    if len(resources.get("hosts", ())) > 1:
        raise ValueError("penstock's stand-in for xgboost trains on one host: set InstanceCount to 1")
    if os.path.exists(os.path.join(ROOT, "input", "config", "checkpointconfig.json")):
        print("penstock: the stand-in for xgboost writes no checkpoints", flush=True)
    weighted = settings.pop("csv_weights", 0) == 1
    training = matrix(xgboost, "train", channels, weighted)
    if training is None:
        raise ValueError(f"No data in training channel path {folder('train')}")
    print(f"Train matrix has {training.num_row()} rows and {training.num_col()} columns", flush=True)
    watched = [(training, "train")]
    if "validation" in channels:
        validation = matrix(xgboost, "validation", channels, weighted)
        if validation is None:
            raise ValueError(f"No data in validation channel path {folder('validation')}")
        print(f"Validation matrix has {validation.num_row()} rows", flush=True)
        watched.append((validation, "validation"))
    model = fit(xgboost, settings, watched, version)
    save(model, version)


def configured(name: str) -> dict[str, Any]:
    """Read one of the job's configuration files; a missing one is empty."""
    try:
        with open(os.path.join(ROOT, "input", "config", name + ".json"), encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def folder(channel: str) -> str:
    """Give a channel's folder."""
    return os.path.join(ROOT, "input", "data", channel)


def matrix(xgboost: Any, channel: str, channels: dict[str, Any], weighted: bool) -> Any:
    """Read a channel; None where it has no data."""
    # The container reads both channels as it is told to read the first.
    told = channels["train"]
    kind = xgboost_data.kind_of(told.get("ContentType"))
    if channels[channel].get("TrainingInputMode") == "Pipe":
        raise ValueError(
            f"Pipe mode is not supported for {kind} data. Please use File mode or FastFile mode."
        )
    found = xgboost_data.read_channel(folder(channel), kind, weighted)
    if found is None:
        return None
    features, labels, weights = found
    return xgboost.DMatrix(features, label=labels, weight=weights)


def fit(xgboost: Any, settings: dict[str, Any], watched: list[Any], version: str) -> Any:
    """Run the rounds, one line of metrics each."""
    rounds = settings.pop("num_round")
    stop_after = settings.pop("early_stopping_rounds", None)
    keep_each = settings.pop("save_model_on_termination", "false") == "true"
    asked = settings.pop("eval_metric", None)
    tuned = settings.pop("_tuning_objective_metric", "")
    metrics = sorted({*(asked or ()), tuned.split(":")[1]}) if ":" in tuned else asked
    options: dict[str, Any] = {"evals": watched, "num_boost_round": rounds, "verbose_eval": False}
    own = [each for each in metrics or () if each in OWN]
    library = [each for each in metrics or () if each not in OWN]
    if library:
        settings["eval_metric"] = library
    if own:
        name = "custom_metric" if xgboost_settings.release(xgboost.__version__) >= (1, 6) else "feval"
        options[name] = measured(own, settings.get("objective", ""), name == "feval")
    decisive = tuned.split(":")[1] if ":" in tuned else (metrics or [None])[-1]
    try:
        options["callbacks"] = callbacks(
            xgboost, stop_after if len(watched) > 1 else None, decisive, keep_each, version
        )
        if stop_after and len(watched) > 1 and not hasattr(xgboost.callback, "EarlyStopping"):
            options["early_stopping_rounds"] = stop_after
            options["maximize"] = decisive in xgboost_settings.HIGHER_IS_BETTER
        return xgboost.train(settings, watched[0][0], **options)
    except Exception as fault:
        raise RuntimeError(f"XGB train call failed with exception:\n {fault}") from fault


def callbacks(
    xgboost: Any, stop_after: int | None, decisive: str | None, keep_each: bool, version: str
) -> list[Any]:
    """Make what is called after each round: the report, the model so far, the early end."""
    modern = hasattr(xgboost.callback, "TrainingCallback")
    if not modern:
        return [lambda env: report(env.iteration, env.evaluation_result_list)]

    class Report(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # the job's own class
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            """Tell the round's metrics."""
            report(
                epoch,
                [
                    (f"{data}-{metric}", values[-1])
                    for data, metrics in evals_log.items()
                    for metric, values in metrics.items()
                ],
            )
            if keep_each:
                save(model, version)
            return False

    found: list[Any] = [Report()]
    if keep_each:
        # What a stopped job leaves is the last round's model.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if stop_after:
        higher = decisive in xgboost_settings.HIGHER_IS_BETTER if decisive else None
        early = xgboost.callback.EarlyStopping(
            rounds=stop_after, data_name="validation", metric_name=decisive, maximize=higher, save_best=True
        )
        found.append(early)
    return found


def report(epoch: int, results: list[Any]) -> None:
    """Print a round as the service's log shows it, where a tab is #011."""
    print("#011".join([f"[{epoch}]", *(f"{each[0]}:{each[1]:.5f}" for each in results)]), flush=True)


def measured(
    names: list[str], objective: str, margins: bool
) -> Callable[[Any, Any], list[tuple[str, float]]]:
    """Make the function that computes the container's own metrics."""
    metrics = import_module("sklearn.metrics")
    averages = {"f1": "macro", "precision": "binary", "recall": "binary"}

    def value(name: str, labels: Any, predictions: Any) -> float:
        if name == "mse":
            return float(metrics.mean_squared_error(labels, predictions))
        if name == "r2":
            return float(metrics.r2_score(labels, predictions))
        if predictions.ndim > 1:
            classes = predictions.argmax(axis=-1)
        elif objective.startswith("multi:"):
            classes = predictions
        else:
            classes = (predictions > (0 if margins or objective == "binary:logitraw" else 0.5)).astype(int)
        if name in ("accuracy", "balanced_accuracy"):
            return float(getattr(metrics, name + "_score")(labels, classes))
        base, _, average = name.partition("_")
        compute = getattr(metrics, base + "_score")
        return float(compute(labels, classes, average=average or averages[base], zero_division=0))

    def all_of_them(predictions: Any, data: Any) -> list[tuple[str, float]]:
        return [(name, value(name, data.get_label(), predictions)) for name in names]

    return all_of_them


def save(model: Any, version: str) -> None:
    """Write the model; a reader never sees half of one."""
    os.makedirs(os.path.dirname(MODEL), exist_ok=True)
    draft = MODEL + ".part"
    if xgboost_settings.release(version) < (1, 3):
        with open(draft, "wb") as file:
            pickle.dump(model, file, protocol=4)
    else:
        model.save_model(draft)
    os.replace(draft, MODEL)


if __name__ == "__main__":
    sys.exit(main())
