"""What stands for the addresses of data: files beside the document, what the caller brings, the workspace's assets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from penstock.bundle import Bundle
from penstock.frozen import dataclass
from penstock.runtime.artifacts import Artifact
from penstock.runtime.stand_ins import StandIns
from penstock_azure.azureml.emulator.reading.documents import beside
from penstock_azure.azureml.emulator.reading.model import Data
from penstock_azure.azureml.emulator.workspace import Workspace

_REMOTE = re.compile(r"(?:https?|wasbs?|abfss?|adl|azureml|hdfs|s3|gs)://|azureml:|/subscriptions/")
_ASSET_ID = re.compile(r".*/(data|models|datasets)/([^/]+)/versions/([^/]+)/?$")
_DATASTORE = re.compile(r"azureml://(?:.*/)?datastores/([^/]+)/paths/(.*)$")


class SourceFault(Exception):
    """Raised for an address at which nothing stands; the message is for the user, and so is the hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Found:
    """Where data stands: a path of this machine, or an artifact of the store with the file's name."""

    path: Path | None = None
    artifact: Artifact | None = None
    name: str = ""


class Sources:
    """Finds data.

    Args:
        replace: address → path of this machine; an address that it begins counts too.
        datastores: where what steps write to datastores of the service is kept for the length of the run.
    """

    def __init__(
        self,
        bundle: Bundle,
        replace: Mapping[str, str],
        stand_ins: StandIns,
        workspace: Workspace,
        datastores: Path,
    ) -> None:
        self._bundle = bundle
        self._assets = {each.path: each for each in bundle.assets}
        own = {uri: str(stand_ins.folder / path) for uri, path in stand_ins.replace.items()}
        self._replace = {**own, **replace}
        self._workspace = workspace
        self._datastores = datastores

    def find(self, data: Data) -> Found:
        """Find what stands at an address. Raises SourceFault."""
        address = data.address
        replaced = self._replaced(address)
        if replaced is not None:
            return Found(_existing(replaced, address))
        if not is_remote(address):
            return Found(_existing(self.local(address, data.file), address))
        stored = datastore_path(address)
        if stored is not None:
            place = self._datastores / stored
            if place.exists() and place.resolve().is_relative_to(self._datastores.resolve()):
                return Found(place)
        elif (asset := asset_of(address)) is not None:
            found = self._workspace.find(*asset)
            if found is not None:
                return Found(artifact=found.artifact, name=found.file)
        raise SourceFault(f"nothing of this machine stands for '{address}'", hint_for(data))

    def local(self, path: str, file: str) -> Path:
        """Give the place of a path that a document writes."""
        if os.path.isabs(path):
            return Path(path)
        name = beside(file, path.removeprefix("file:"))
        asset = self._assets.get(name)
        if asset is not None and asset.source:
            return Path(asset.source)
        return (self._bundle.folder or Path()) / name

    def _replaced(self, address: str) -> Path | None:
        best = max(
            (uri for uri in self._replace if address == uri or address.startswith(f"{uri.rstrip('/')}/")),
            key=len,
            default="",
        )
        if not best:
            return None
        rest = address[len(best) :].strip("/")
        return Path(self._replace[best]) / rest if rest else Path(self._replace[best])


def is_remote(address: str) -> bool:
    """Tell an address of the service's, or of the network, from a path."""
    return _REMOTE.match(address) is not None


def asset_of(address: str) -> tuple[str, str] | None:
    """Give name and version of a registered asset: `azureml:NAME:VERSION`, `azureml:NAME@latest`, or its whole id."""
    if address.startswith("azureml://registries/"):
        return None
    whole = _ASSET_ID.match(address)
    if whole is not None:
        return whole[2], whole[3]
    if not address.startswith("azureml:") or address.startswith("azureml://"):
        return None
    rest = address.removeprefix("azureml:")
    name, at, label = rest.partition("@")
    if at:
        return name, label
    name, _, version = rest.partition(":")
    return name, version or "latest"


def datastore_path(address: str) -> str | None:
    """Give a path below the folder that stands for all datastores; `None` for other addresses."""
    found = _DATASTORE.match(address)
    return None if found is None else f"{found[1]}/{found[2].strip('/')}"


def hint_for(data: Data) -> str:
    """Say how data of this machine stands in for an address."""
    by_name = f"-d {data.name}=PATH, or " if data.name else ""
    return f"{by_name}--replace {data.address}=PATH names data of this machine"


def _existing(path: Path, address: str) -> Path:
    if not path.exists():
        raise SourceFault(f"'{address}' is not there: there is no file or folder {path}")
    return path
