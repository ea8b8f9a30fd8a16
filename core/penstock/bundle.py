"""A compiled pipeline: documents, content-addressed assets, and a manifest that says what goes where.

    pipeline.json        the target's own document (its name differs by target)
    assets/<digest>/…    code, scripts and data that the document names, stored once by content
    manifest.json        target, uploads, where the launcher stands and why, placeholders
    interface.json       parameters, goal and outputs as the spec has them, and where outputs stand (see `interface`)
    source-map.json      place in a document → line of the spec

Two compiles of the same spec give the same bytes. Writing is all or nothing: a bundle is laid out beside its
folder and then takes its place.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from penstock.diagnostics import Diagnostic
from penstock.frozen import dataclass
from penstock.provider import Asset, LauncherUse

FORMAT = 1
MANIFEST = "manifest.json"
SOURCE_MAP = "source-map.json"
INTERFACE = "interface.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a compile gives.

    Attributes:
        target: such as `local`.
        document: path of the main document inside the bundle.
        texts: path in the bundle → the document's text.
        folder: where it was written; `None` for one that exists in memory alone.
        uploads: the texts that submit uploads instead of handing them over in a call → the address of each.
        interface: what the pipeline is from outside (`penstock.interface`); empty where the target reads none.
        source_map: file → JSON pointer → `spec.yaml:line:column`; a file that the spec uses is named from its folder.
        diagnostics: warnings and announcements; a bundle is never made where there are errors.
    """

    target: str
    pipeline: str
    document: str
    texts: Mapping[str, str]
    assets: tuple[Asset, ...] = ()
    launcher: tuple[LauncherUse, ...] = ()
    placeholders: tuple[str, ...] = ()
    uploads: Mapping[str, str] = field(default_factory=dict[str, str])
    interface: Mapping[str, Any] = field(default_factory=dict[str, Any])
    source_map: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    diagnostics: tuple[Diagnostic, ...] = ()
    folder: Path | None = None

    def manifest(self) -> dict[str, Any]:
        """Give the manifest: everything that a submit, or a reviewer, has to know beside the document.

        What is uploaded is every row with an `upload_to`: assets, and documents that are too long for a call. `files`
        are those of a folder or archive of code, each with its own digest.
        """
        documents = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.texts.items()}
        uploads = [
            {"path": path, "sha256": documents[path], "upload_to": address}
            for path, address in self.uploads.items()
        ]
        assets: list[dict[str, Any]] = []
        for each in self.assets:
            row: dict[str, Any] = {"path": each.path, "sha256": each.digest}
            if each.upload_to:
                row["upload_to"] = each.upload_to
            if each.files or each.added:
                # The digest of these counts more than their bytes, so that it does not show which file was edited.
                added = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in each.added.items()}
                row["files"] = dict(sorted({**each.files, **added}.items()))
            assets.append(row)
        return {
            "format": FORMAT,
            "target": self.target,
            "pipeline": self.pipeline,
            "document": self.document,
            "documents": documents,
            **({"uploads": uploads} if uploads else {}),
            "assets": assets,
            "launcher": [{"step": each.step, "reason": each.reason} for each in self.launcher],
            "placeholders": list(self.placeholders),
        }

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the bundle, replacing an earlier bundle there.

        Raises:
            PenstockError: the folder holds something that is not of a bundle (P150), or cannot be written (P151).
        """
        # Runs keep their bundle in one file, and do without what writing a folder takes.
        from penstock.bundle_folder import write

        return write(self, Path(folder).absolute())

    def to_sdk(self, session: Any = None) -> Any:
        """Give the pipeline as an object of the service's own Python SDK, for notebooks.

        Args:
            session: of the SDK; by default it makes one itself.

        Raises:
            RunError: the target has no such SDK (P450), or it is not installed (P451).
        """
        from penstock import discovery
        from penstock.diagnostics import error
        from penstock.errors import RunError

        bridge = discovery.target(self.target).bridge()
        if bridge is None:
            raise RunError([error("P450", f"{self.target} has no SDK that takes pipelines")])
        return bridge.to_sdk(self, session)
