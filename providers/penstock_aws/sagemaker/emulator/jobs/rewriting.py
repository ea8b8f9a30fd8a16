"""Where a machine gives no private file system: the container's paths are written anew.

Arguments, variables, configuration files and the scripts that the command line starts speak of the job's folders
then. What the code itself says of such a path stays, and is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from penstock_aws.sagemaker.emulator.jobs.containers import ML, SHIPPED, TOOLS, WORK, Container, Machine

_LARGEST = 1 << 20
_SCRIPTS = (".sh", ".json", ".env")
_CODE = (".py", ".R", ".r", ".jl", ".ipynb", ".yaml", ".yml", ".toml", ".cfg")
_MOST_TOLD = 5


def rewritten(
    container: Container, machine: Machine, env: Mapping[str, str]
) -> tuple[list[str], dict[str, str], Path, list[str]]:
    """Give arguments, environment and working folder for a process without a file system of its own.

    Scripts and configuration files of the job's folders are changed in place: they are copies.

    Returns:
        Also what is to be told: places in the code that name a path of the container.
    """
    roots = _roots(container, machine)
    pattern = re.compile("|".join(rf"(?<![\w.\-/]){re.escape(each)}(?![\w.\-])" for each in roots))

    def anew(text: str) -> str:
        return pattern.sub(lambda found: str(roots[found[0]]), text)

    argv = [anew(each) for each in container.argv]
    told: list[str] = []
    named = [ML, *container.places]
    for path in _files(machine):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if path.suffix in _SCRIPTS or str(path) in argv:
            changed = anew(text)
            if changed != text:
                path.write_text(changed, encoding="utf-8")
        else:
            told += _named(path.relative_to(machine.folder), text, named)
    if len(told) > _MOST_TOLD:
        told = [*told[:_MOST_TOLD], f"and {len(told) - _MOST_TOLD} more such places [P437]"]
    return argv, {key: anew(each) for key, each in env.items()}, _cwd(container, roots), told


def _roots(container: Container, machine: Machine) -> dict[str, Path]:
    """Give what stands for each path of the container, the longest first."""
    found = {
        ML: machine.ml,
        **{f"{TOOLS}/{folder.name}": folder for folder in SHIPPED},
        WORK: machine.place(WORK),
        "/tmp/penstock": machine.tmp / "penstock",
        "/tmp/penstock-serving": machine.tmp / "penstock-serving",
        "/tmp/code": machine.tmp / "code",
        **{path: machine.place(path) for path in container.places},
    }
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))


def _cwd(container: Container, roots: Mapping[str, Path]) -> Path:
    for root, folder in roots.items():
        if container.cwd == root or container.cwd.startswith(f"{root}/"):
            return folder / container.cwd[len(root) :].lstrip("/")
    return next(iter(roots.values())).parent


def _files(machine: Machine) -> Iterator[Path]:
    for root in (machine.ml, machine.tmp, machine.folder / "places"):
        for path in sorted(root.rglob("*")):
            if path.suffix in (*_SCRIPTS, *_CODE) and path.is_file() and path.stat().st_size <= _LARGEST:
                yield path


def _named(path: Path, text: str, named: Sequence[str]) -> Iterator[str]:
    if not any(each in text for each in named):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for each in named:
            if each in line:
                column = line.index(each) + 1
                yield f"{path}:{number}:{column} names {each}, which is not there on this machine [P437]"
