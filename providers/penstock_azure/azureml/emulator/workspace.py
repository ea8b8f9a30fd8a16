"""The assets of a local workspace: data and models that runs of this project have registered, by name and version.

They stand in one JSON file of the project, which is replaced whole; what they hold is in the project's store. Models
are in the project's registry too, where `penstock models` shows them.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from penstock.frozen import dataclass
from penstock.runtime.artifacts import Artifact

_WRITING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Asset:
    """A registered version: what it holds, and the file's name where that is one file."""

    name: str
    version: str
    type: str
    artifact: Artifact
    file: str = ""
    run: str = ""


class Workspace:
    """The assets of one project. `folder` need not be there."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "assets.json"

    def find(self, name: str, version: str) -> Asset | None:
        """Give a version of an asset; `latest` is the one that was registered last."""
        rows = self._rows().get(name, [])
        wanted = [each for each in rows if version in ("latest", str(each["version"]))]
        return _asset(name, wanted[-1]) if wanted else None

    def register(self, asset: Asset) -> Asset:
        """Add a version: the one asked for, else the next. The same content under the newest version adds none."""
        with _WRITING:
            rows = self._rows()
            mine = rows.setdefault(asset.name, [])
            if not asset.version:
                if mine and mine[-1]["artifact"]["digest"] == asset.artifact.digest:
                    return _asset(asset.name, mine[-1])
                numbers = [int(each["version"]) for each in mine if str(each["version"]).isdigit()]
                version = str(max(numbers, default=0) + 1)
            else:
                version = asset.version
                mine[:] = [each for each in mine if str(each["version"]) != version]
            row: dict[str, Any] = {
                "version": version,
                "type": asset.type,
                "artifact": asset.artifact.to_json(),
                "file": asset.file,
                "run": asset.run,
            }
            mine.append(row)
            self._write(rows)
            return _asset(asset.name, row)

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        with suppress(OSError, ValueError):
            found: object = json.loads(self._file.read_bytes())
            if isinstance(found, dict):
                return cast("dict[str, list[dict[str, Any]]]", found)
        return {}

    def _write(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f".assets.{os.getpid()}.{threading.get_ident()}")
        draft.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        draft.replace(self._file)


def _asset(name: str, row: dict[str, Any]) -> Asset:
    return Asset(
        name,
        str(row["version"]),
        str(row.get("type", "")),
        Artifact.from_json(row["artifact"]),
        str(row.get("file", "")),
        str(row.get("run", "")),
    )
