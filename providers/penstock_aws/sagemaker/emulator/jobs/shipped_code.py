"""What code that a job brings along will install, read before its container starts.

The service installs packages inside the container. Offline the environment has them before, so that a job neither
waits for them nor needs a network: what is overlooked here is installed by the job itself, and takes longer.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from pathlib import Path

from penstock_aws.sagemaker.emulator.images.packages_asked import pip_installs, requirements_in

_LARGEST = 1 << 20
_REQUIREMENTS = "requirements.txt"
_ARCHIVES = (".tar.gz", ".tgz")


def asked_in(folders: Iterable[Path]) -> list[str]:
    """Name the packages of requirements files and shell scripts at the top of folders, and of archives there."""
    found: dict[str, None] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file():
                found |= dict.fromkeys(_asked(path))
    return list(found)


def _asked(path: Path) -> list[str]:
    try:
        if path.name == _REQUIREMENTS and path.stat().st_size <= _LARGEST:
            return requirements_in(path.read_text(encoding="utf-8", errors="replace"))
        if path.suffix == ".sh" and path.stat().st_size <= _LARGEST:
            return pip_installs(path.read_text(encoding="utf-8", errors="replace"))
        if path.name.endswith(_ARCHIVES) and path.name.startswith("source"):
            with tarfile.open(path) as tar:
                member = next((each for each in tar if each.name.removeprefix("./") == _REQUIREMENTS), None)
                file = tar.extractfile(member) if member and member.size <= _LARGEST else None
                return requirements_in(file.read().decode("utf-8", "replace")) if file else []
    except (OSError, tarfile.TarError, EOFError):
        # Whoever opens it will say what is wrong with it.
        return []
    return []
