"""The code folder of a function: the file of its module, the local modules that it imports, and the driver.

Local is what lies beside the module, or in the packages that lie there; what is installed belongs into the step's
environment. Imports are read, never executed, so that the same sources always ship the same files.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from penstock.authoring.callsites import line_place, shown
from penstock.authoring.left_behind import left_behind
from penstock.authoring.module_names import hold, lines_left_out
from penstock.authoring.signatures import DRIVER, module_name
from penstock.diagnostics import Diagnostic, error
from penstock.errors import SpecError
from penstock.frozen import dataclass


@dataclass(frozen=True, slots=True)
class CodeFolder:
    """What a step's working folder will hold: relative path → content.

    `name` tells the module and the content, so that one name always means the same files. `left` warns of files that
    the code opens and that stay behind.
    """

    name: str
    files: Mapping[str, bytes]
    left: tuple[Diagnostic, ...] = ()

    def write(self, parent: Path) -> Path:
        """Lay the files out in a folder of that name; one that already holds them stays. Raises OSError."""
        folder = parent / self.name
        if _holds(folder, self.files):
            return folder
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=parent, prefix=".draft-"))
        try:
            for path, content in self.files.items():
                (draft / path).parent.mkdir(parents=True, exist_ok=True)
                (draft / path).write_bytes(content)
            draft.chmod(0o755)
            if folder.exists():
                # Somebody changed it: what runs has to be what the sources say.
                shutil.rmtree(folder)
            with suppress(OSError):
                # Where another process was quicker, its folder is the same.
                draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder


Gathered = dict[Path, tuple[Mapping[str, int], CodeFolder]]
"""File of a module → the names that only building binds there, and its code folder."""


def code_folder(function: Callable[..., object], gathered: Gathered | None = None) -> CodeFolder:
    """Gather what a function needs to run where nothing of Penstock is installed.

    Args:
        function: the step's.
        gathered: modules that were read for functions before, while none of them changed; takes this one's too.

    Raises:
        SpecError: a local module cannot be read, or is no Python (P147); the function reads what building made,
            which is not there when its step runs (P145).
    """
    module = module_name(function)
    file = Path(str(function.__globals__["__file__"])).absolute()
    root = file.parent
    package = file.name == "__init__.py"
    for _ in range(module.count(".") + package):
        root = root.parent
    gathered = {} if gathered is None else gathered
    if file not in gathered:
        _, tree = _parsed(file)
        gathered[file] = (lines_left_out(tree), _module_folder(file, root, module, package))
    left_out, folder = gathered[file]
    hold(function, left_out, root)
    return folder


def _module_folder(file: Path, root: Path, module: str, package: bool) -> CodeFolder:
    left: list[Diagnostic] = []
    files = dict(sorted(_local_files(file, root, module, package, left)))
    files[DRIVER] = (Path(__file__).parent / "driver.py").read_bytes()
    digest = hashlib.sha256()
    for path, content in files.items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return CodeFolder(f"{module.rpartition('.')[2]}-{digest.hexdigest()[:16]}", files, tuple(left))


def _local_files(
    file: Path, root: Path, module: str, package: bool, left: list[Diagnostic]
) -> Iterator[tuple[str, bytes]]:
    """Follow the imports of a module through what lies below the root; `left` takes warnings."""
    # Among installed packages only the module's own is local.
    installed = bool({"site-packages", "dist-packages"} & set(root.parts))
    own = module.partition(".")[0] if installed else ""
    waiting = [(file, module, package)]
    seen: set[Path] = set()
    while waiting:
        here, name, is_package = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        content, tree = _parsed(here)
        yield here.relative_to(root).as_posix(), content
        for wanted in [name, *_imports(tree, name, is_package)]:
            if not own or wanted.partition(".")[0] == own:
                waiting += _found(wanted, root)
        lines_left_out(tree)
        left += left_behind(tree, here)


def _parsed(file: Path) -> tuple[bytes, ast.Module]:
    try:
        content = file.read_bytes()
        return content, ast.parse(content)
    except OSError as fault:
        message = f"the module {shown(str(file))} cannot be shipped with a step: {fault.strerror}"
        raise SpecError([error("P147", message, hint="give yourself permission to read it")]) from None
    except (SyntaxError, ValueError) as fault:
        line = getattr(fault, "lineno", None) or 1
        message = f"a local module that a step imports is no Python: {getattr(fault, 'msg', fault)}"
        found = error("P147", message, hint="mend it, or move the import out of the step's module")
        raise SpecError([found.placed(line_place(str(file), line))]) from None


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Name every module that may be imported, also inside functions; `from a import b` may mean a.b."""
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            parts = module.split(".")
            up = each.level - is_package
            base = ".".join(parts[: len(parts) - up] if up > 0 else parts) if each.level else ""
            origin = ".".join(part for part in (base, each.module or "") if part)
            yield origin
            yield from (f"{origin}.{alias.name}" if origin else alias.name for alias in each.names)


def _found(wanted: str, root: Path) -> Iterator[tuple[Path, str, bool]]:
    """Give the files of a module and of the packages above it, as far as they lie below the root."""
    parts = wanted.split(".")
    for length in range(1, len(parts) + 1):
        if not all(part.isidentifier() for part in parts[:length]):
            return
        place = root.joinpath(*parts[:length])
        name = ".".join(parts[:length])
        if (place / "__init__.py").is_file():
            yield place / "__init__.py", name, True
        elif place.with_name(place.name + ".py").is_file():
            yield place.with_name(place.name + ".py"), name, False
            return
        elif not place.is_dir():
            return


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    try:
        there = {
            os.path.relpath(os.path.join(base, name), folder).replace(os.sep, "/")
            for base, _, names in os.walk(folder)
            for name in names
            if not name.endswith(".pyc")
        }
        return there == set(files) and all((folder / each).read_bytes() == files[each] for each in files)
    except OSError:
        return False
