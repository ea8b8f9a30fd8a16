"""`pip list`, `freeze` and `show` for an interpreter that has no pip of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip.provided import normalise
else:
    from pip.provided import normalise


def installed() -> dict[str, str]:
    """Give the version of every package, by normalised name."""
    return {name: version for name, (_, version) in _all().items()}


def version_of(name: str) -> str:
    """Give the version of an installed package; empty for none."""
    return installed().get(normalise(name), "")


def show(words: list[str]) -> int:
    """Answer one of the verbs."""
    verb, rest = words[0], [each for each in words[1:] if not each.startswith("-")]
    packages = _all()
    if verb == "freeze":
        print("".join(f"{name}=={version}\n" for name, version in packages.values()), end="")
        return 0
    if verb == "list":
        width = max([len("Package"), *(len(name) for name, _ in packages.values())])
        as_freeze = "--format=freeze" in words
        lines = [f"{'Package':{width}} Version", f"{'-' * width} -------"]
        lines += [f"{name:{width}} {version}" for name, version in packages.values()]
        frozen = [f"{name}=={version}" for name, version in packages.values()]
        print("\n".join(frozen if as_freeze else lines))
        return 0
    missing = [each for each in rest if normalise(each) not in packages]
    if missing:
        print(f"WARNING: Package(s) not found: {', '.join(missing)}", file=sys.stderr)
    found = [packages[normalise(each)] for each in rest if normalise(each) in packages]
    print("\n---\n".join(f"Name: {name}\nVersion: {version}" for name, version in found))
    return 0 if found else 1


def _all() -> dict[str, tuple[str, str]]:
    """Give names and versions by normalised name; of several the one that imports find."""
    from importlib.metadata import distributions

    found: dict[str, tuple[str, str]] = {}
    for each in distributions():
        name = str(each.metadata["Name"] or "")
        if name:
            found.setdefault(normalise(name), (name, each.version))
    return dict(sorted(found.items()))
