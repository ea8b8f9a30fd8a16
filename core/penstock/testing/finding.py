"""From what a call names to tests files: a tests file itself, a pipeline with tests beside it, or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from penstock.diagnostics import Diagnostic, error
from penstock.errors import RunError
from penstock.loader import file_and_name
from penstock.source import read_source
from penstock.testing.envelope import NAMES, may_hold_tests
from penstock.testing.suite import is_tests, spec_of

_HINT = "write tests.yaml beside the pipeline; `penstock explain P514` shows one"


def find_tests(named: Iterable[Path]) -> list[Path]:
    """Find the tests files that files, pipelines and folders stand for, each once, in order.

    Raises:
        RunError: something is not there (P101), or has no tests (P514); everything wrong is said at once.
    """
    found: dict[Path, Path] = {}
    wrong: list[Diagnostic] = []
    for each in named:
        files = _below(each) if each.is_dir() else _of_file(each, wrong)
        if each.is_dir() and not files:
            wrong.append(error("P514", f"there are no tests in {each}", hint=_HINT))
        for file in files:
            found.setdefault(file.resolve(), file)
    if wrong:
        raise RunError(wrong)
    return list(found.values())


def _of_file(named: Path, wrong: list[Diagnostic]) -> list[Path]:
    file, pipeline = file_and_name(str(named))
    path = Path(file)
    source = read_source(path)
    if any(each.code == "P101" for each in source.diagnostics):
        wrong += source.diagnostics
        return []
    # A file with mistakes is told as what it says it is.
    if is_tests(source.value) or (source.value is None and path.name.lower().endswith(NAMES)):
        return [path]
    beside = [each for each in sorted(path.absolute().parent.iterdir()) if may_hold_tests(each)]
    wanted = path.resolve()
    found = [_near(each) for each in beside if _tests(each, wanted, pipeline)]
    if not found:
        others = f"; {beside[0].name} tests another pipeline" if beside else ""
        wrong.append(error("P514", f"there are no tests of {named} beside it{others}", hint=_HINT))
    return found


def _tests(path: Path, wanted: Path, pipeline: str) -> bool:
    spec = spec_of(read_source(path))
    return spec is not None and spec[0].resolve() == wanted and pipeline in ("", spec[1])


def _below(folder: Path) -> list[Path]:
    return [each for each in _walk(folder) if may_hold_tests(each) and is_tests(read_source(each).value)]


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        # `.penstock`, `.venv`, `.git`: what stands there is nobody's source.
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from (Path(place, each) for each in sorted(files))


def _near(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
