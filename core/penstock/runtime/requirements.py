"""What an environment asks for, and whether the interpreter that runs Penstock has it already."""

from __future__ import annotations

import hashlib
import os
import re
import site
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from penstock.frozen import dataclass
from penstock.runtime.versions import clauses, satisfies

# Text and not patterns: most runs ask for none, and `re` keeps what it compiled.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = (
    rf"(?P<name>{_NAME})\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?:@\s*(?P<url>[^\s;]+)\s*|\(?\s*(?P<specifiers>[^;@()]*?)\s*\)?\s*)(?:;(?P<marker>.*))?"
)
_PLAIN_VERSION = r"\d+(\.\d+)*"
_METADATA = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
_NAMED = 3
"""How many shortfalls a message names."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a step's interpreter must have.

    Attributes:
        python: a specifier such as `>=3.11`, or a plain version, of which `3.11` means any 3.11; empty for
            any.
        packages: requirement strings, as pip takes them on its command line.
    """

    python: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """One requirement string, taken apart; `name` and `extras` are normalised."""

    name: str
    extras: tuple[str, ...] = ()
    specifiers: str = ""
    url: str = ""
    marker: str = ""

    def __str__(self) -> str:
        """Give the one spelling that equal requirements share."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        what = f" @ {self.url} " if self.url else self.specifiers
        return f"{self.name}{extras}{what}{';' + self.marker if self.marker else ''}".rstrip()


@lru_cache(1024)
def parse_package(text: str) -> Package:
    """Take a requirement string apart.

    Raises:
        ValueError: it is none: an option, a path, a misspelt operator.
    """
    found = re.fullmatch(_REQUIREMENT, text.strip())
    if found is None:
        raise ValueError(f"{text.strip()!r} is not a package requirement")
    try:
        given = clauses(found["specifiers"] or "")
    except ValueError as fault:
        raise ValueError(f"{text.strip()!r} is not a package requirement: {fault}") from fault
    return Package(
        name=normalise(found["name"]),
        extras=tuple(sorted(normalise(each) for each in (found["extras"] or "").split(",") if each.strip())),
        specifiers=",".join(sorted({operator + version for operator, version in given})),
        url=found["url"] or "",
        marker=" ".join((found["marker"] or "").split()),
    )


def python_specifier(python: str) -> str:
    """Give the specifier that a `python` setting stands for: `3.11` is `==3.11.*`, `3.11.7` is `==3.11.7`.

    Raises:
        ValueError: it is neither a version nor a specifier.
    """
    python = python.strip()
    if re.fullmatch(_PLAIN_VERSION, python):
        return f"=={python}" if python.count(".") > 1 else f"=={python}.*"
    try:
        clauses(python)
    except ValueError as fault:
        raise ValueError(f"{python!r} is not a Python version: {fault}") from fault
    return python


def current_python() -> str:
    """Give this interpreter's version, as in `3.13.0rc1`."""
    major, minor, micro, level, serial = sys.version_info
    suffix = "" if level == "final" else f"{ {'alpha': 'a', 'beta': 'b', 'candidate': 'rc'}[level] }{serial}"
    return f"{major}.{minor}.{micro}{suffix}"


def digest(requirements: Requirements) -> str:
    """Name the content of an environment: the same for any order and spelling of the same packages."""
    packages = sorted({str(parse_package(each)) for each in requirements.packages})
    return hashlib.sha256("\n".join(packages).encode()).hexdigest()[:16]


def shortfall(requirements: Requirements) -> str:
    """Say why the current interpreter does not satisfy requirements; empty where it does.

    What is asked about are the packages named, not what these depend on in turn: whoever installed them saw
    to that. Extras, markers and URLs are not looked into, and count as unsatisfied.

    Raises:
        ValueError: the python setting or a package is malformed.
    """
    has = current_python()
    python = python_specifier(requirements.python)
    if not satisfies(has, python):
        return f"current interpreter is Python {has}, not {requirements.python}"
    if not sys.executable:
        return "current interpreter has no executable of its own"
    if not requirements.packages:
        return ""
    # A changed folder has another time, so that what the user installs between two runs of one process is
    # seen.
    return _lacking(requirements.packages, tuple(_package_folders()))


@lru_cache(256)
def _lacking(packages: tuple[str, ...], folders: tuple[tuple[str, int], ...]) -> str:
    found = [reason for each in packages if (reason := _lack(parse_package(each), folders))]
    more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return "current interpreter " + ", ".join(found[:_NAMED]) + more if found else ""


def _lack(package: Package, folders: tuple[tuple[str, int], ...]) -> str:
    if package.url or package.extras or package.marker:
        return f"may lack {package.name} (with extras, a marker or a URL it gets an environment of its own)"
    versions = next((found for each in folders if (found := _versions(package.name, each))), list[str]())
    if not versions:
        return f"lacks {package}"
    try:
        unfit = [each for each in versions if not satisfies(each, package.specifiers)]
    except ValueError:
        return f"has {package.name} in a version that cannot be read"
    return f"has {package.name} {unfit[0]}, not {package}" if unfit else ""


def _package_folders() -> Iterator[tuple[str, int]]:
    """Give the folders that a step's process finds packages in, with their times.

    That is not `sys.path`: steps get neither PYTHONPATH nor the user's own site folder.
    """
    for folder in site.getsitepackages():
        try:
            yield folder, os.stat(folder).st_mtime_ns
        except OSError:
            continue


def _versions(name: str, folder: tuple[str, int]) -> list[str]:
    """Give the versions that a folder has of a package: more than one where an upgrade was cut short."""
    return [
        version for each in _installed(folder).get(name, ()) if (version := _version(Path(folder[0], each)))
    ]


@lru_cache(16)
def _installed(folder: tuple[str, int]) -> dict[str, list[str]]:
    """Give the metadata entries of a folder by normalised package name.

    The names of the entries say it all, and reading them takes a fraction of what importing
    `importlib.metadata` does.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for entry in os.listdir(folder[0]):
        stem, dot, _ = entry.rpartition(".")
        if dot and entry[len(stem) :] in _METADATA and not entry.startswith("~"):
            found[normalise(stem.partition("-")[0])].append(entry)
    return found


def _version(entry: Path) -> str:
    """Read the version off an entry's name or, where that has none, its metadata; empty without metadata."""
    metadata = entry / _METADATA[entry.suffix] if entry.is_dir() else entry
    if not metadata.is_file():
        return ""
    parts = entry.stem.split("-")
    if len(parts) > 1:
        return parts[1].replace("_", "-")
    for line in metadata.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("Version:"):
            return line.partition(":")[2].strip()
    return ""


def normalise(name: str) -> str:
    """Give a package name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
