"""Which call is answered by what: the REST interface of MLflow as its clients use it, versions 2 and 3 alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from penstock_azure.azureml.mlflow.asked import Asked, Json
from penstock_azure.azureml.mlflow.faults import MlflowFault
from penstock_azure.azureml.mlflow.logging_calls import LoggingCalls
from penstock_azure.azureml.mlflow.stores import Stores

Call = Callable[[Asked], Json]

_PREFIXES = tuple(f"/{kind}/{version}/mlflow/" for kind in ("api", "ajax-api") for version in ("2.0", "3.0"))
_LOGGED = "logged-models"


class Routes:
    """The calls of one server, but for those that carry files."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._calls = _calls(stores)

    def answer(self, method: str, path: str, asked: Asked) -> Json:
        """Answer one call. Raises MlflowFault."""
        prefix = next((each for each in _PREFIXES if path.startswith(each)), "")
        below = path[len(prefix) :].rstrip("/") if prefix else ""
        call = self._calls.get((method, below)) or self._of_logged_model(method, below)
        if call is None:
            raise MlflowFault(
                "ENDPOINT_NOT_FOUND",
                f"{method} {path[:200]} is not answered here: Penstock serves MLflow's experiments, runs, artifacts, "
                "registered and logged models.",
            )
        return call(asked)

    def _of_logged_model(self, method: str, path: str) -> Call | None:
        """Find a call that has the model's id in its path."""
        first, *rest = (unquote(each) for each in path.split("/"))
        if first != _LOGGED:
            return None
        models, artifacts = self._stores.logged, self._stores.artifacts
        match method, rest:
            case "GET", [model]:
                return lambda asked: models.get(model, asked)
            case "PATCH", [model]:
                return lambda asked: models.finalize(model, asked)
            case "DELETE", [model]:
                return lambda asked: models.delete(model, asked)
            case "PATCH", [model, "tags"]:
                return lambda asked: models.set_tags(model, asked)
            case "DELETE", [model, "tags", key]:
                return lambda asked: models.delete_tag(model, key, asked)
            case "POST", [model, "params"]:
                return lambda asked: models.log_params(model, asked)
            case "GET", [model, "artifacts", "directories"]:
                return lambda asked: artifacts.list_of_model(model, asked)
            case _:
                return None


def _calls(stores: Stores) -> Mapping[tuple[str, str], Call]:
    experiments, runs, logging = stores.experiments, stores.runs, LoggingCalls(stores)
    models, versions = stores.models, stores.versions
    return {
        ("GET", "experiments/get"): experiments.get,
        ("GET", "experiments/get-by-name"): experiments.get_by_name,
        ("POST", "experiments/create"): experiments.create,
        ("POST", "experiments/search"): experiments.search,
        ("GET", "experiments/search"): experiments.search,
        ("POST", "experiments/update"): experiments.update,
        ("POST", "experiments/delete"): experiments.delete,
        ("POST", "experiments/restore"): experiments.restore,
        ("POST", "experiments/set-experiment-tag"): experiments.set_tag,
        ("POST", "experiments/delete-experiment-tag"): experiments.delete_tag,
        ("POST", "runs/create"): runs.create,
        ("GET", "runs/get"): runs.get,
        ("POST", "runs/update"): runs.update,
        ("POST", "runs/delete"): runs.delete,
        ("POST", "runs/restore"): runs.restore,
        ("POST", "runs/search"): runs.search,
        ("POST", "runs/log-metric"): logging.metric,
        ("POST", "runs/log-parameter"): logging.param,
        ("POST", "runs/set-tag"): logging.set_tag,
        ("POST", "runs/delete-tag"): logging.delete_tag,
        ("POST", "runs/log-batch"): logging.batch,
        ("POST", "runs/log-model"): logging.model,
        ("POST", "runs/log-inputs"): logging.inputs,
        ("POST", "runs/outputs"): logging.outputs,
        ("GET", "metrics/get-history"): logging.history,
        ("GET", "artifacts/list"): stores.artifacts.list_of_run,
        ("POST", "registered-models/create"): models.create,
        ("GET", "registered-models/get"): models.get,
        ("PATCH", "registered-models/update"): models.update,
        ("POST", "registered-models/rename"): models.rename,
        ("DELETE", "registered-models/delete"): models.delete,
        ("GET", "registered-models/search"): models.search,
        ("GET", "registered-models/get-latest-versions"): models.latest_versions,
        ("POST", "registered-models/get-latest-versions"): models.latest_versions,
        ("POST", "registered-models/set-tag"): models.set_tag,
        ("DELETE", "registered-models/delete-tag"): models.delete_tag,
        ("POST", "registered-models/alias"): models.set_alias,
        ("DELETE", "registered-models/alias"): models.delete_alias,
        ("GET", "registered-models/alias"): models.by_alias,
        ("POST", "model-versions/create"): versions.create,
        ("GET", "model-versions/get"): versions.get,
        ("PATCH", "model-versions/update"): versions.update,
        ("POST", "model-versions/transition-stage"): versions.transition,
        ("DELETE", "model-versions/delete"): versions.delete,
        ("GET", "model-versions/search"): versions.search,
        ("GET", "model-versions/get-download-uri"): versions.download_uri,
        ("POST", "model-versions/set-tag"): versions.set_tag,
        ("DELETE", "model-versions/delete-tag"): versions.delete_tag,
        ("POST", _LOGGED): stores.logged.create,
        ("POST", f"{_LOGGED}/search"): stores.logged.search,
    }
