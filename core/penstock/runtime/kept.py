"""The bundle of a run, kept in the run's folder so that `resume` needs nothing else: no spec, no recompile.

Documents and small generated assets are written whole. Code and data stay where they are and are held to their
digests when they are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.provider import Asset
from penstock.runtime.sealed import read_sealed, write_sealed

_FILE = "bundle.json"


def keep(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a run's folder, all or nothing. Raises OSError."""
    assets: list[dict[str, Any]] = []
    for each in bundle.assets:
        row: dict[str, Any] = {"name": each.name, "digest": each.digest, "source": each.source}
        if each.files:
            row["files"] = dict(each.files)
        if each.added:
            row["added"] = dict(each.added)
        if each.upload_to:
            row |= {"upload_to": each.upload_to, "archive": each.archive}
        if each.content is not None:
            row["content"] = each.content.decode("utf-8", "surrogateescape")
        assets.append(row)
    found = {
        "target": bundle.target,
        "pipeline": bundle.pipeline,
        "document": bundle.document,
        "texts": dict(bundle.texts),
        "assets": assets,
        "interface": dict(bundle.interface),
        "source_map": {file: dict(each) for file, each in bundle.source_map.items()},
        "folder": str(bundle.folder) if bundle.folder else "",
    }
    write_sealed(folder / _FILE, found)


def kept(folder: Path) -> Bundle:
    """Read a run's bundle.

    Raises:
        RunError: it is not there, or not readable (P419).
    """
    try:
        found = read_sealed(folder / _FILE)
        assets = tuple(
            Asset(
                each["name"],
                each["digest"],
                content=each["content"].encode("utf-8", "surrogateescape") if "content" in each else None,
                source=each["source"],
                files=each.get("files", {}),
                added=each.get("added", {}),
                upload_to=each.get("upload_to", ""),
                archive=each.get("archive", False),
            )
            for each in found["assets"]
        )
        return Bundle(
            target=found["target"],
            pipeline=found["pipeline"],
            document=found["document"],
            texts=found["texts"],
            assets=assets,
            interface=found.get("interface", {}),
            source_map=found.get("source_map", {}),
            folder=Path(found["folder"]) if found["folder"] else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        message = f"the run's own copy of the pipeline cannot be read: {fault}"
        raise RunError(
            [error("P419", message, hint="start a new run; what it already made is reused")]
        ) from None
