"""What of the host a Python needs to run, and to find its packages."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_LINKS = 40


@cache
def interpreter_paths(executable: Path) -> tuple[Path, ...]:
    """Give the paths that must stay visible for an interpreter to work where homes and /tmp are hidden.

    They are its virtual environment, the installation that this was made from, each link on the way there, and
    the folders that .pth files of its site-packages name, as editable installs do.
    """
    found: dict[Path, None] = {}
    folders: list[Path] = []
    todo = [executable.absolute()]
    seen: set[Path] = set()
    while todo:
        python = todo.pop()
        if python in seen or not os.path.lexists(python):
            continue
        seen.add(python)
        # A virtual environment is told by the path as it is called, the installation by the file itself.
        real, links = _resolved(python)
        found.update(dict.fromkeys(links))
        environment = _environment(python)
        if environment is not None:
            place, more = _resolved(environment)
            found.update(dict.fromkeys(more))
            folders += [place, *_named(place)]
            if home := _setting(environment, "home"):
                todo += [Path(home, python.name), Path(home, "python3")]
        prefix = _prefix(real)
        folders += [prefix, *_named(prefix)]
    kept = [each for each in dict.fromkeys(folders) if not any(other in each.parents for other in folders)]
    return (*kept, *(each for each in found if not any(other in each.parents for other in kept)))


def _environment(python: Path) -> Path | None:
    for folder in (python.parent, python.parent.parent):
        if (folder / "pyvenv.cfg").is_file():
            return folder
    return None


def _setting(environment: Path, name: str) -> str:
    with suppress(OSError, UnicodeDecodeError):
        for line in (environment / "pyvenv.cfg").read_text("utf-8").splitlines():
            key, _, value = line.partition("=")
            if key.strip().lower() == name:
                return value.strip()
    return ""


def _prefix(real: Path) -> Path:
    """Give the installation that a program belongs to: the folder above `bin` with the library, else its own."""
    above = real.parent.parent
    return above if any((above / "lib").glob("python3*")) else real.parent


def _resolved(path: Path) -> tuple[Path, list[Path]]:
    """Give the real path and, in order, the links on the way to it, each by a path without links above it."""
    links: list[Path] = []
    done, todo = Path("/"), list(reversed(path.parts[1:]))
    while todo:
        part = todo.pop()
        if part == "..":
            done = done.parent
            continue
        there = done / part
        if not there.is_symlink() or len(links) >= _LINKS:
            done = there
            continue
        links.append(there)
        to = os.readlink(there)
        if to.startswith("/"):
            done = Path("/")
        todo += [each for each in reversed(to.split("/")) if each not in ("", ".")]
    return done, links


def _named(prefix: Path) -> Iterator[Path]:
    """Give the folders outside that the site-packages of an installation add to the module path."""
    for site in prefix.glob("lib*/python3*/*-packages"):
        with suppress(OSError):
            for file in sorted(site.iterdir()):
                if file.suffix == ".pth":
                    yield from _in_lines(site, file)
                elif file.name.startswith("__editable__") and file.suffix == ".py":
                    yield from _in_finder(file)


def _in_lines(site: Path, file: Path) -> Iterator[Path]:
    with suppress(OSError, UnicodeDecodeError):
        for line in file.read_text("utf-8").splitlines():
            name = line.strip()
            if name and not name.startswith(("#", "import ", "import\t")):
                folder = site / name
                if folder.exists():
                    yield folder.resolve()


def _in_finder(file: Path) -> Iterator[Path]:
    """Read the table of packages in the module that setuptools writes for editable installs."""
    with suppress(OSError, ValueError, SyntaxError):
        for node in ast.parse(file.read_bytes()).body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name("MAPPING")], value=ast.Dict(values=values))
                    | ast.AnnAssign(target=ast.Name("MAPPING"), value=ast.Dict(values=values))
                ):
                    names = [each.value for each in values if isinstance(each, ast.Constant)]
                    yield from (
                        Path(name) for name in names if isinstance(name, str) and os.path.exists(name)
                    )
                case _:
                    pass
