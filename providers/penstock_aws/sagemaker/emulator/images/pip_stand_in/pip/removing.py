"""`pip uninstall` for an interpreter that has no pip of its own: from the job's own folder, and from no other."""

from __future__ import annotations

import os
import sys
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip.asked import read
    from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip.provided import normalise, split
else:
    from pip.asked import read
    from pip.provided import normalise, split


def remove(words: list[str]) -> int:
    """Take packages away; one that is not there is none of the caller's faults, as with pip."""
    try:
        asked, _ = read(words)
    except (OSError, ValueError) as fault:
        print(f"ERROR: Could not open requirements file: {fault}", file=sys.stderr)
        return 1
    target = os.environ.get("PENSTOCK_PIP_TARGET", "")
    code = 0
    for name in (split(each)[0] for each in asked):
        there = [each for each in distributions() if normalise(str(each.metadata["Name"] or "")) == name]
        own = [each for each in there if target and _is_in(str(each.locate_file("")), target)]
        if not there:
            print(f"WARNING: Skipping {name} as it is not installed.", file=sys.stderr)
        elif not own:
            said = "it belongs to the environment, which other jobs use too"
            print(f"ERROR: Cannot uninstall {name} {there[0].version}: {said}", file=sys.stderr)
            code = 1
        for each in own:
            # Its version stands in what is deleted.
            print(f"Successfully uninstalled {name}-{each.version}")
            _delete(each, target)
    return code


def _delete(package: Distribution, target: str) -> None:
    root = os.path.realpath(target)
    for file in package.files or ():
        path = os.path.realpath(str(package.locate_file(file)))
        if not _is_in(path, root) or not os.path.lexists(path):
            continue
        os.unlink(path)
        folder = os.path.dirname(path)
        while folder != root and not os.listdir(folder):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def _is_in(path: str, folder: str) -> bool:
    root = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(path), root]) == root
