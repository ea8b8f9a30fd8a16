"""The pipeline that `penstock init` writes: standard library alone, so that it runs anywhere at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from penstock.diagnostics import error
from penstock.errors import PenstockError

_FILES = Path(__file__).parent / "files"


def write(folder: Path) -> list[Path]:
    """Write the files into a folder; nothing that is there is overwritten.

    Raises:
        PenstockError: a file of that name is there already (P152), or the folder cannot be written (P151).
    """
    sources = sorted(path for path in _FILES.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    targets = [folder / path.relative_to(_FILES) for path in sources]
    taken = [path for path in targets if os.path.lexists(path)]
    if taken:
        hint = "name another folder: penstock init FOLDER"
        raise PenstockError([error("P152", f"{path} is there already", hint=hint) for path in taken])
    try:
        for source, target in zip(sources, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    except OSError as fault:
        message = f"{folder} cannot be written: {fault.strerror or fault}"
        hint = "name another folder: penstock init FOLDER"
        raise PenstockError([error("P151", message, hint=hint)]) from None
    return targets
