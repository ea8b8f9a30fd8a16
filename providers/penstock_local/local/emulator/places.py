"""The folders of one step's attempt, and the words of its command.

work/      the working directory: a private writable copy of the code
inputs/    one entry an input, read-only
outputs/   one entry an output: a folder that exists, or the path of a file to be written
home/ tmp/ private HOME and TMPDIR
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from penstock.expressions.errors import EvaluationError
from penstock.expressions.nodes import InputRef, ItemRef, OwnOutputRef, RunRef
from penstock.expressions.shell import script
from penstock.expressions.text import text
from penstock.ir import SINGLE_FILES, Argv, Command, Input, Output, Shell, Train, Word
from penstock.runtime.artifacts import Artifact, ArtifactStore
from penstock.runtime.offline import OfflineRun
from penstock.runtime.sweeping import Sweeper
from penstock.runtime.tree import ArtifactError
from penstock_local.local.emulator.bound import Bound
from penstock_local.local.emulator.changes import holds, no_longer
from penstock_local.local.emulator.copies import Copy, take_copy

if TYPE_CHECKING:
    from collections.abc import Generator

_FIXED: dict[str, Lock] = {}
_FIXED_LOCK = Lock()


class PlaceFault(Exception):
    """Raised when a step's folders cannot be laid out; the message is one sentence for the user, with a code."""


class Places:
    """The folders of one attempt; `copies` are the datasets that the step got as its own, by input."""

    def __init__(self, folder: Path, step: Command | Train) -> None:
        self.folder = folder
        self.step = step
        self.work = folder / "work"
        self.home = folder / "home"
        self.tmp = folder / "tmp"
        self.copies: dict[str, Copy] = {}

    def output(self, output: Output) -> Path:
        """Say where the step writes an output."""
        place = self.folder / "outputs" / output.name
        return place / output.file if output.type in SINGLE_FILES else place

    def lay_out(self, code: Artifact | None, store: ArtifactStore, sweeper: Sweeper) -> None:
        """Make the folders, taking away what an earlier attempt left."""
        folder = str(self.folder)
        try:
            os.mkdir(folder)
        except FileExistsError:
            sweeper.sweep(self.folder)
            os.mkdir(folder)
        except FileNotFoundError:
            os.makedirs(folder)
        for name in ("home", "tmp", "inputs", "outputs"):
            os.mkdir(f"{folder}/{name}")
        for output in self.step.outputs:
            os.mkdir(f"{folder}/outputs/{output.name}")
        if code is None:
            os.mkdir(f"{folder}/work")
        else:
            store.place_writable(code, self.work)

    def hand_over(self, inputs: Mapping[str, Bound], run: OfflineRun) -> dict[str, str]:
        """Put every input in its place and give the word that stands for it in the command."""
        words: dict[str, str] = {}
        for each in self.step.inputs:
            bound = inputs[each.name]
            if bound.scalar is not None:
                words[each.name] = text(bound.scalar)
            elif bound.artifact is not None or bound.path is not None:
                words[each.name] = str(self._hand_over(each, bound, run))
            else:
                words[each.name] = ""
        return words

    def _hand_over(self, each: Input, bound: Bound, run: OfflineRun) -> Path:
        place = self.folder / "inputs" / each.name
        if bound.path is not None:
            return self._pack(bound.path, place) if each.packed else self._data(each.name, bound, place, run)
        store = run.store
        assert bound.artifact is not None
        destination = place / bound.name if bound.artifact.kind == "file" else place
        if not each.packed:
            store.place(bound.artifact, destination)
            return destination
        unpacked = self.folder / "unpacked" / each.name
        store.place(bound.artifact, unpacked)
        packed = self._pack(unpacked, place)
        shutil.rmtree(unpacked, ignore_errors=True)
        return packed

    def _data(self, name: str, bound: Bound, place: Path, run: OfflineRun) -> Path:
        """Give a dataset as the step's own copy where that is cheap, else where it stands."""
        assert bound.path is not None
        copy: Copy | None = None
        try:
            copy = take_copy(bound.path, place)
        except (ArtifactError, OSError):
            if not bound.digest or holds(bound.path, bound.digest, run):
                raise
        if bound.digest and not holds(bound.path, bound.digest, run):
            raise PlaceFault(f"its input '{name}' cannot be given: {no_longer(bound.path)} [P413]")
        if copy is None:
            return bound.path
        self.copies[name] = copy
        return copy.path

    def _pack(self, folder: Path, place: Path) -> Path:
        """Make the archive that a step with `packed` opens itself; the same content gives the same bytes."""
        import gzip
        import tarfile

        def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
            info.mtime = info.uid = info.gid = 0
            info.uname = info.gname = ""
            return info

        place.mkdir(parents=True, exist_ok=True)
        archive = place / "model.tar.gz"
        with (
            archive.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            for path in sorted(folder.rglob("*")):
                tar.add(path, str(path.relative_to(folder)), recursive=False, filter=plain)
        return archive

    def argv(self, words: Mapping[str, str], context: Mapping[str, str]) -> list[str]:
        """Compose the command line; every value is exactly one word, whatever it holds."""
        run = self.step.run
        assert run is not None
        outputs = {each.name: str(self.output(each)) for each in self.step.outputs}

        def value(word: Word) -> str:
            match word.value:
                case InputRef(name):
                    return words[name]
                case OwnOutputRef(name):
                    return outputs[name]
                case RunRef(name):
                    return context[name]
                case ItemRef():
                    raise EvaluationError(f"{word.value} has no value here")

        match run:
            case Shell():
                body, used = script(run)
                return ["bash", "-euo", "pipefail", "-c", body, "bash", *map(value, used)]
            case Argv(arguments):
                return ["".join(_joined(each, value)) for each in arguments]

    @contextmanager
    def fixed(self, inputs: Mapping[str, str]) -> Generator[None]:
        """Show inputs that ask for a fixed path under it, by a link, as long as the step runs."""
        with ExitStack() as stack:
            for each in self.step.inputs:
                if each.at and inputs[each.name]:
                    stack.enter_context(_link(Path(each.at), Path(inputs[each.name]), each))
            yield

    def tidy(self, sweeper: Sweeper) -> None:
        """Take the folders away; after a failure nobody calls this, so that they can be looked at."""
        sweeper.sweep(self.folder)


def _joined(parts: Iterable[str | Word], value: Callable[[Word], str]) -> Iterable[str]:
    for part in parts:
        yield part if isinstance(part, str) else value(part)


@contextmanager
def _link(at: Path, source: Path, each: Input) -> Generator[None]:
    """Hold a fixed path for one step at a time; what stands there already is never touched."""
    target = source.parent if source.is_file() else source
    with _FIXED_LOCK:
        lock = _FIXED.setdefault(str(at), Lock())
    with lock:
        try:
            at.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(target, at)
        except FileExistsError:
            message = f"input '{each.name}' asks for {at}, where something stands already [P414]"
            raise PlaceFault(message) from None
        except OSError as fault:
            message = f"input '{each.name}' asks for {at}, which cannot be made: {fault.strerror} [P414]"
            raise PlaceFault(message) from None
        try:
            yield
        finally:
            at.unlink(missing_ok=True)
