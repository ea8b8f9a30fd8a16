"""Where artifacts are: each run's, and each logged model's, in a folder of its own that clients see as one address."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, unquote, urlsplit

from penstock_azure.azureml.mlflow.artifact_tree import ArtifactTree, Parts, parts_of
from penstock_azure.azureml.mlflow.asked import Asked, Json
from penstock_azure.azureml.mlflow.faults import MlflowFault, absent, invalid
from penstock_azure.azureml.mlflow.runs import artifact_uri
from penstock_azure.azureml.mlflow.tables import Tables

_LAST = "artifacts"


class Artifacts:
    """The artifacts of one server."""

    def __init__(self, tables: Tables, tree: ArtifactTree) -> None:
        self._tables = tables
        self._tree = tree

    def of_run(self, run: str) -> Parts:
        """Give the folder of a run's artifacts. Raises MlflowFault where there is no such run."""
        found = self._tables.read("SELECT experiment FROM run WHERE id = ?", (run,))
        if not found:
            raise absent(f"Run with id={run} not found")
        return str(found[0][0]), run, _LAST

    def of_model(self, model: str) -> Parts:
        """Give the folder of a logged model. Raises MlflowFault where there is no such model."""
        found = self._tables.read("SELECT experiment FROM logged WHERE id = ?", (model,))
        if not found:
            raise absent(f"Logged model with ID '{model}' not found.")
        return str(found[0][0]), "models", model, _LAST

    def path(self, parts: Parts) -> Path:
        """Give the folder or file itself."""
        return self._tree.path(parts)

    def found(self, source: str, model: str) -> Path | None:
        """Give the folder or file that a model was registered from; None where it is not this server's, or is gone."""
        try:
            parts = self._source(urlsplit(source), model)
        except MlflowFault:
            return None
        return self._tree.path(parts) if self._tree.holds(parts) else None

    def _source(self, split: SplitResult, model: str) -> Parts:
        path = unquote(split.path).strip("/")
        match split.scheme:
            case "models" if model:
                return self.of_model(model)
            case "runs":
                run, _, below = path.partition("/")
                return (*self.of_run(run), *parts_of(below))
            case "mlflow-artifacts":
                parts = parts_of(path)
                self._known(parts)
                return parts
            case _:
                raise absent(f"'{split.geturl()[:200]}' is kept elsewhere")

    def list_of_run(self, asked: Asked) -> Json:
        """List a folder of a run's artifacts."""
        parts = self.of_run(asked.needed("run_id", "run_uuid"))
        root = artifact_uri(parts[0], parts[1])
        return {"root_uri": root, "files": self._listed(parts, asked.text("path"), whole=True)}

    def list_of_model(self, model: str, asked: Asked) -> Json:
        """List a folder of a logged model."""
        parts = self.of_model(model)
        root = "mlflow-artifacts:/" + "/".join(parts)
        files = self._listed(parts, asked.text("artifact_directory_path"), whole=True)
        return {"root_uri": root, "files": files}

    def list_below(self, asked: Asked) -> Json:
        """List a folder by its address; names are seen from there."""
        path = asked.text("path")
        self._known(parts_of(path))
        return {"files": self._listed((), path, whole=False)}

    def upload(self, path: str, chunks: Iterable[bytes]) -> Json:
        """Take a file."""
        parts = parts_of(path)
        self._known(parts)
        if parts[-1] == _LAST and len(parts) == (4 if parts[1] == "models" else 3):
            raise invalid(f"Invalid path: '{path[:200]}' is where all artifacts are, and no file of its own")
        self._tree.write(parts, chunks)
        return {}

    def download(self, path: str) -> tuple[BinaryIO, int]:
        """Open a file, and give its size."""
        parts = parts_of(path)
        self._known(parts)
        return self._tree.read(parts)

    def delete(self, path: str) -> Json:
        """Remove a file or folder."""
        parts = parts_of(path)
        self._known(parts)
        self._tree.remove(parts)
        return {}

    def _listed(self, root: Parts, path: str, *, whole: bool) -> list[Json]:
        below = parts_of(path)
        shown: list[Json] = []
        for each in self._tree.listing((*root, *below)):
            name = "/".join((*below, each.name)) if whole else each.name
            entry: Json = {"path": name, "is_dir": each.folder}
            shown.append(entry if each.folder else entry | {"file_size": each.size})
        return shown

    def _known(self, parts: Parts) -> None:
        """Refuse what belongs to no run and no logged model: it would be found by nobody."""
        if (
            len(parts) >= 3
            and parts[1] != "models"
            and parts[2] == _LAST
            and parts[0] == self.of_run(parts[1])[0]
        ):
            return
        if len(parts) >= 4 and parts[1] == "models" and parts[:4] == self.of_model(parts[2]):
            return
        raise absent(f"No run and no logged model has artifacts at '{'/'.join(parts)[:200]}'")
