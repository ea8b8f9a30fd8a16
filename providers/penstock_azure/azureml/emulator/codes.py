"""Code folders, taken into the store before the first step runs: edits during a run do not reach it.

Which files belong to a folder is the service's rule: `.amlignore` where it stands, else `.gitignore`, at the folder's
top and in every folder below.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.bundle_folder import copy_asset
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.provider import Asset
from penstock.runtime.artifacts import Artifact
from penstock.runtime.offline import OfflineRun
from penstock.runtime.sweeping import delete
from penstock.runtime.tree import ArtifactError
from penstock_azure.azureml.emulator.code_files import CodeFault, copy_code
from penstock_azure.azureml.emulator.reading.documents import beside
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.validation.report import is_list, is_mapping, mapping


class Codes:
    """The code of every step. `known`: code as documents name it → artifact."""

    def __init__(self, known: Mapping[str, Artifact]) -> None:
        self._known = known

    def of(self, step: Step) -> Artifact | None:
        """Give a step's code; `None` for a step without."""
        folder, included = code_of(step)
        return self._known.get("|".join((folder, *included))) if folder or included else None


def code_of(step: Step) -> tuple[str, tuple[str, ...]]:
    """Give the places of a step's code and of what is added to it, from the bundle's root; empty for none."""
    holder = step.component if "code" in step.component else mapping(step.component.get("task"))
    code, added = holder.get("code"), step.component.get("additional_includes")
    folder = _place(step, code) if isinstance(code, str) and code else ""
    paths = [each for each in added if isinstance(each, str)] if is_list(added) else []
    return folder, tuple(_place(step, each) for each in paths)


def _place(step: Step, path: str) -> str:
    return path if os.path.isabs(path) else beside(step.file, path.removeprefix("file:"))


def take_codes(steps: Iterable[Step], bundle: Bundle, run: OfflineRun) -> Codes:
    """Take all code in, or find what an earlier attempt at this run took. Raises RunError (P251)."""
    before = mapping(run.record.details.get("codes"))
    assets = {each.path: each for each in bundle.assets}
    known: dict[str, Artifact] = {}
    for step in steps:
        folder, included = code_of(step)
        name = "|".join((folder, *included))
        if not (folder or included) or name in known:
            continue
        try:
            found = _earlier(before.get(name), run) or _stored(assets.get(folder), included, run)
            known[name] = found or _take(folder, included, assets, bundle, run)
        except (ArtifactError, CodeFault, OSError) as fault:
            said = (fault.strerror or fault) if isinstance(fault, OSError) else fault
            message = f"the code of step '{step.name}' ({name}) cannot be taken: {said}"
            raise RunError([error("P251", message, hint="start the run again")]) from None
    if known:
        run.describe({**run.record.details, "codes": {name: each.to_json() for name, each in known.items()}})
    return Codes(known)


def _earlier(row: Any, run: OfflineRun) -> Artifact | None:
    if not is_mapping(row):
        return None
    found = Artifact.from_json(row)
    return found if run.store.has(found.digest) and not run.store.check_unmodified(found) else None


def _stored(asset: Asset | None, included: tuple[str, ...], run: OfflineRun) -> Artifact | None:
    """Find compiled code by its digest: a folder without files of ours is in the store under it."""
    if asset is None or included or asset.added or not asset.files or not run.store.has(asset.digest):
        return None
    found = Artifact(asset.digest, "folder", 0, len(asset.files))
    if run.store.check_unmodified(found):
        run.store.discard(found.digest)
        return None
    return found


def _take(
    folder: str, included: tuple[str, ...], assets: Mapping[str, Asset], bundle: Bundle, run: OfflineRun
) -> Artifact:
    draft = run.folder / "code"
    delete(draft)
    draft.mkdir(parents=True, exist_ok=True)
    asset = assets.get(folder)
    root = bundle.folder or Path()
    if asset is not None and (asset.files or asset.added):
        draft.rmdir()
        copy_asset(asset, draft)
    elif folder:
        copy_code(Path(asset.source) if asset is not None and asset.source else root / folder, draft)
    for each in included:
        place = root / each
        copy_code(place, draft / place.name if place.is_dir() else draft)
    return run.store.put(draft, move=True)
