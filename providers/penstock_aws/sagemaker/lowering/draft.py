"""What a lowering gathers while it goes through the graph: assets, reasons for the launcher, findings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256

from penstock.diagnostics import Diagnostic, Path
from penstock.ir import Environment, Graph, Step
from penstock.provider import Asset, LauncherUse
from penstock_aws.sagemaker.document import Place


@dataclass
class Draft:
    """The state of one lowering.

    `metrics` are (step, output) pairs that some expression reads fields of; `generated` names steps that run nothing
    of the user's. `brought` holds, by a step's name, where in it options of the user's stand, and where they come from.
    """

    graph: Graph
    place: Place
    assets: dict[str, Asset] = field(
        default_factory=dict[str, Asset]
    )  # by the address that they are uploaded to
    launcher: list[LauncherUse] = field(default_factory=list[LauncherUse])
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    origins: dict[Path, Path] = field(default_factory=dict[Path, Path])
    metrics: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    placeholders: set[str] = field(default_factory=set[str])
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    generated: frozenset[str] = frozenset()
    brought: dict[str, list[tuple[Path, Path]]] = field(default_factory=dict[str, list[tuple[Path, Path]]])

    def environment(self, name: str) -> Environment | None:
        """Give an environment; `None` for a step without one."""
        return self.graph.environments.get(name)

    def upload(self, asset: Asset, folder: str = "") -> str:
        """Add an asset and give its address: content-addressed, so that equal content is uploaded once."""
        address = folder or self.place.address(self.graph.name, "assets", asset.digest[:16])
        placed = replace(asset, upload_to=f"{address}/{asset.name}")
        self.assets[placed.upload_to] = placed
        return placed.upload_to

    def scripts(self, contents: dict[str, bytes]) -> str:
        """Add generated files that stand in one folder, and give the folder's address."""
        digest = sha256(
            b"".join(name.encode() + b"\0" + text + b"\0" for name, text in sorted(contents.items()))
        )
        folder = self.place.address(self.graph.name, "assets", digest.hexdigest()[:16])
        for name, text in contents.items():
            self.upload(Asset(name, sha256(text).hexdigest(), text), folder)
        return folder
