"""The folders of one attempt at a node, and what of them is left when it has ended.

work/            the working directory: a private writable copy of the code, with outputs/ and logs/ in it
inputs/NAME      one entry an input: read-only where it is mounted, writable where it is downloaded
outputs/NAME     one entry an output: an empty folder, or for a file the path outputs/NAME/NAME
home/ tmp/       private HOME and TMPDIR
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from penstock.runtime.artifacts import Artifact, ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import OfflineRun
from penstock.runtime.sweeping import Sweeper
from penstock.runtime.tree import ArtifactError, content_digest
from penstock_azure.azureml.emulator.reading.binding import LITERALS
from penstock_azure.azureml.emulator.reading.model import DEFAULT, Slot, Step
from penstock_azure.azureml.emulator.tasks import Given, TaskFault

LARGEST = 64 << 20
"""Bytes of data up to which a step gets what is its own; larger data is read in its place."""

_MOST = 1_000
_KEPT = ("outputs", "logs")
# A value is written to a file, as data is.
_FILES = ("uri_file", *sorted(LITERALS))


class Places:
    """The folders of one attempt."""

    def __init__(self, folder: Path, step: Step) -> None:
        self.folder = folder
        self.step = step
        self.work = folder / "work"
        self.home = folder / "home"
        self.tmp = folder / "tmp"
        self.in_place: dict[str, Given] = {}

    def output(self, name: str, slot: Slot) -> Path:
        """Say where the node writes an output."""
        place = self.folder / "outputs" / name
        return place / name if slot.type in _FILES else place

    def lay_out(self, code: Artifact | None, store: ArtifactStore, sweeper: Sweeper) -> None:
        """Make the folders, taking away what an earlier attempt left."""
        folder = str(self.folder)
        if os.path.lexists(folder):
            sweeper.sweep(self.folder)
        os.makedirs(folder)
        for name in ("home", "tmp", "inputs", "outputs"):
            os.mkdir(f"{folder}/{name}")
        for name in self.step.outputs:
            os.mkdir(f"{folder}/outputs/{name}")
        self.work_copy(self.work, code, store)

    def work_copy(self, work: Path, code: Artifact | None, store: ArtifactStore) -> None:
        """Make one machine's working directory."""
        if code is None:
            os.mkdir(work)
        else:
            store.place_writable(code, work)
        for name in _KEPT:
            os.makedirs(f"{work}/{name}", exist_ok=True)

    def hand_over(self, inputs: Mapping[str, Given], run: OfflineRun) -> dict[str, str | None]:
        """Put every input in its place, and give the text that stands for it; `None` where it is unset."""
        return {name: self._hand_over(name, given, run) for name, given in inputs.items()}

    def _hand_over(self, name: str, given: Given, run: OfflineRun) -> str | None:
        if given.text is not None:
            return given.text
        place = self.folder / "inputs" / name
        if given.artifact is not None:
            return str(self._give(given.artifact, given.name, place, name, run.store))
        if given.path is None:
            return None
        if not _is_small(given.path):
            self.in_place[name] = given
            return str(given.path)
        artifact = run.store.put(given.path, move=False, index=run.index)
        return str(self._give(artifact, given.name, place, name, run.store))

    def _give(self, artifact: Artifact, file: str, place: Path, name: str, store: ArtifactStore) -> Path:
        target = place / (file or name) if artifact.kind == "file" else place
        if self.step.modes.get(name) in ("download", "eval_download"):
            store.place_writable(artifact, target)
        else:
            store.place(artifact, target)
        return target

    def changed(self, inputs: Mapping[str, Given], run: OfflineRun) -> str:
        """Say which input the node changed, empty where none; a spoilt artifact leaves the store."""
        for name, given in inputs.items():
            mounted = self.step.modes.get(name) not in ("download", "eval_download")
            if given.artifact is not None and mounted and run.store.check_unmodified(given.artifact):
                run.store.discard(given.artifact.digest)
                return f"it changed its input '{name}', which is mounted read-only"
        for name, given in self.in_place.items():
            assert given.path is not None
            if not _holds(given.path, given.digest, run.index):
                return f"its input '{name}' changed while it was reading it"
        return ""

    def take(self, store: ArtifactStore) -> dict[str, Artifact]:
        """Take what was left into the store: declared outputs, and the default one. Raises TaskFault."""
        found: dict[str, Artifact] = {}
        for name, slot in self.step.outputs.items():
            if name == DEFAULT and not _has_content(self.output(name, slot)):
                continue
            found[name] = self._take(name, slot, store)
        default = self.default(self.work)
        if DEFAULT not in found and default is not None:
            found[DEFAULT] = store.put(default, move=True)
        return found

    def _take(self, name: str, slot: Slot, store: ArtifactStore) -> Artifact:
        place = self.output(name, slot)
        if slot.type in _FILES and not place.is_file():
            holder = self.folder / "outputs" / name
            other = [each for each in holder.iterdir() if each.is_file()] if holder.is_dir() else []
            if place.is_dir():
                raise TaskFault(f"output '{name}' is of type uri_file, and a folder stands there", "P411")
            if len(other) != 1:
                raise TaskFault(f"output '{name}' was not written: there is no file at its path", "P411")
            place = other[0]
        if slot.type not in _FILES and not place.is_dir():
            raise TaskFault(f"output '{name}' is of type {slot.type}, and no folder stands there", "P411")
        try:
            return store.put(place, move=True)
        except ArtifactError as fault:
            raise TaskFault(f"output '{name}' cannot be kept: {fault}", "P411") from None

    def default(self, work: Path) -> Path | None:
        """Gather `./outputs` and `./logs` as the default artifacts; `None` where they are empty."""
        kept = [each for each in _KEPT if _has_content(work / each)]
        if not kept:
            return None
        folder = self.folder / "default"
        folder.mkdir()
        for each in kept:
            (work / each).rename(folder / each)
        return folder


def _has_content(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    with os.scandir(folder) as found:
        return next(found, None) is not None


def _is_small(path: Path) -> bool:
    if path.is_file():
        return path.stat().st_size <= LARGEST
    size = count = 0
    for folder, folders, files in os.walk(path):
        count += len(folders) + len(files)
        size += sum(os.lstat(os.path.join(folder, each)).st_size for each in files)
        if count > _MOST or size > LARGEST:
            return False
    return True


def _holds(path: Path, digest: str, index: StatIndex) -> bool:
    try:
        return content_digest(path, index) == digest
    except (ArtifactError, OSError):
        return False
