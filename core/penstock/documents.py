"""Telling what a path to run is: a bundle's folder, a cloud's own document, or a spec."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from penstock import discovery
from penstock.bundle import INTERFACE, MANIFEST, SOURCE_MAP, Bundle
from penstock.diagnostics import Diagnostic, error
from penstock.errors import RunError
from penstock.provider import Asset
from penstock.runtime.hashing import StatIndex

_YAML = (".yaml", ".yml")


def open_document(path: Path) -> Bundle | None:
    """Read what is to be run, where it is no spec.

    Raises:
        SpecError: a document of a cloud's own that has errors.
        RunError: a bundle that cannot be read (P438).
    """
    manifest = _manifest(path)
    if manifest is not None:
        return read_bundle(path if path.is_dir() else path.parent, manifest)
    suffix = path.suffix.lower()
    if suffix not in (".json", *_YAML) or not path.is_file() or (suffix in _YAML and is_spec(path)):
        return None
    for target in discovery.targets().values():
        found = target.native(path)
        if found is not None:
            return found
    if suffix in _YAML:
        # Whoever reads specs says what it lacks.
        return None
    message = f"'{path}' is not a document of any service that Penstock knows"
    known = ", ".join(name for name, each in discovery.targets().items() if each.emulator() is not None)
    raise RunError([error("P438", message, hint=f"documents that run offline: those of {known}")])


def changes_in(path: Path, index: StatIndex) -> list[Diagnostic]:
    """Find what was edited in the bundle that a path leads to; nothing where it leads to another document.

    Raises:
        RunError: a file of the bundle is missing (P438).
    """
    manifest = _manifest(path)
    if manifest is None:
        return []
    from penstock.bundle_changes import changes

    return changes(path if path.is_dir() else path.parent, manifest, index)


def _manifest(path: Path) -> dict[str, Any] | None:
    """Give the manifest of the bundle that a path leads to, by its folder or its document."""
    folder = path if path.is_dir() else path.parent
    if not (folder / MANIFEST).is_file():
        return None
    manifest: dict[str, Any] = _json(folder / MANIFEST)
    return manifest if path.is_dir() or manifest.get("document") == path.name else None


def is_spec(path: Path) -> bool:
    """Tell a file of Penstock's own language by its envelope; one that cannot be read counts as such."""
    try:
        content = path.read_bytes()
    except OSError:
        return True
    return content.startswith(b"penstock:") or b"\npenstock:" in content or b'"penstock"' in content


def refuse_bare_folder(folder: Path) -> None:
    """Say of a folder that holds neither a bundle nor a spec what it lacks. Raises RunError (P438)."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    if any(name.endswith((".yaml", ".yml")) for name in names):
        # A spec is named by its file; who reads it says so.
        return
    what = "is empty" if not names else f"holds no {MANIFEST}, by which a bundle is known, and no spec"
    hint = (
        f"compile a spec into it, `penstock compile SPEC --target TARGET -o {folder}`, or name a spec's file"
    )
    if names:
        hint = f"a bundle is a whole folder as `penstock compile SPEC --target TARGET -o {folder}` writes it"
        scripts = [name for name in names if name.endswith(".py")]
        hint += f"; a pipeline in Python is named by its file, as {folder}/{scripts[0]}" if scripts else ""
    raise RunError([error("P438", f"the folder '{folder}' {what}", hint=hint)])


def read_bundle(folder: Path, manifest: Any = None) -> Bundle:
    """Read a bundle from its folder. Raises RunError (P438)."""
    found = manifest if manifest is not None else _json(folder / MANIFEST)
    try:
        assets = tuple(_asset(folder, each) for each in found["assets"])
        texts = {name: _inside(folder, name).read_text(encoding="utf-8") for name in dict(found["documents"])}
        interface: dict[str, Any] = _json(folder / INTERFACE) if (folder / INTERFACE).is_file() else {}
        source_map: dict[str, Any] = _json(folder / SOURCE_MAP) if (folder / SOURCE_MAP).is_file() else {}
        return Bundle(
            target=str(found["target"]),
            pipeline=str(found["pipeline"]),
            document=str(found["document"]),
            texts=texts,
            assets=assets,
            placeholders=tuple(found.get("placeholders", ())),
            uploads={str(each["path"]): str(each["upload_to"]) for each in found.get("uploads", ())},
            interface=interface,
            source_map=source_map,
            folder=folder.absolute(),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise _unreadable(folder, fault) from None


def _asset(folder: Path, row: Any) -> Asset:
    path = str(row["path"])
    if not isinstance(row.get("files", {}), dict):
        raise TypeError(f"the files of {path} are no JSON object")
    place = _inside(folder, path)
    if not place.exists():
        raise ValueError(f"{path} is missing")
    return Asset(
        place.name, str(row["sha256"]), source=str(place.absolute()), upload_to=str(row.get("upload_to", ""))
    )


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{name} lies outside of the bundle")
    return path


def _json(path: Path) -> Any:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as fault:
        raise _unreadable(path.parent, fault) from None
    if not isinstance(found, dict):
        raise _unreadable(path.parent, ValueError(f"{path.name} is no JSON object"))
    return found  # pyright: ignore[reportUnknownVariableType]


def _unreadable(folder: Path, fault: Exception) -> RunError:
    reason = (fault.strerror or str(fault)) if isinstance(fault, OSError) else str(fault)
    if isinstance(fault, KeyError):
        reason = f"{fault} is missing in its manifest"
    message = f"the bundle in {folder} cannot be read: {reason}"
    return RunError([error("P438", message, hint="compile it again")])
