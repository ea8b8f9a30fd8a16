"""A Python file as a spec: it is executed, in this process, and the pipeline that it makes is taken.

What its user does wrong there becomes a diagnostic at the line where it happened. What the file changed of the
interpreter's paths and modules is put back.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from penstock.authoring.callsites import CallSite, line_place, shown
from penstock.authoring.pipeline import Pipeline
from penstock.diagnostics import At, Diagnostic, Place, error
from penstock.errors import PenstockError
from penstock.loader import Loaded, file_and_name, load_source
from penstock.source import Source, read_source
from penstock.yaml_core.quoting import Mended

_OWN = str(Path(__file__).parents[1]) + os.sep

_OFFERED: ContextVar[dict[str, Pipeline] | None] = ContextVar("_OFFERED", default=None)
"""Pipelines of this process that stand for their file while they are checked, compiled or run."""


@contextmanager
def offering(pipeline: Pipeline) -> Generator[Path]:
    """Give the path under which `load_script` finds this very pipeline, without executing its file again."""
    file = pipeline.file or Path.cwd() / f"{pipeline.name}.py"
    path = file.absolute().with_suffix(".py")
    token = _OFFERED.set({**(_OFFERED.get() or {}), str(path): pipeline})
    try:
        yield path
    finally:
        _OFFERED.reset(token)


def load_script(path: str | os.PathLike[str]) -> Loaded:
    """Read a pipeline from `FILE.py`, or one of several from `FILE.py:NAME`."""
    text = os.fspath(path)
    offered = (_OFFERED.get() or {}).get(os.path.abspath(text))
    file, name = file_and_name(text)
    try:
        pipeline = offered or _pipeline(Path(file), name)
        return load_source(pipeline.source())
    except PenstockError as fault:
        empty = Source(shown(file), Path(file), "", "", None, (), Mended(""))
        return Loaded(empty, None, fault.diagnostics)


def _pipeline(file: Path, name: str) -> Pipeline:
    if not file.is_file():
        raise PenstockError(read_source(file).diagnostics)
    found = {
        key: each for key, each in vars(_executed(file.absolute())).items() if isinstance(each, Pipeline)
    }
    place = Place(shown(str(file)), 1, 1, 1, line_place(str(file), 1).excerpt)
    names = ", ".join(found)
    if name:
        if name not in found:
            hint = (
                f"its pipelines: {names}" if found else "make one at the top level: pipeline = ps.Pipeline(…)"
            )
            raise _refused("P141", f"{shown(str(file))} holds no pipeline '{name}'", hint, place)
        return found[name]
    distinct = {id(each): each for each in found.values()}
    if not distinct:
        hint = "make it at the top level of the file: pipeline = penstock.Pipeline(…)"
        raise _refused("P141", "the file holds no pipeline", hint, place)
    if len(distinct) > 1:
        hint = f"name one: {shown(str(file))}:{next(iter(found))}"
        _, second, *_ = distinct.values()
        made = second.draft.sites.get(())
        message = f"the file holds {len(distinct)} pipelines: {names}"
        raise _refused("P141", message, hint, made.place(At()) if made else place)
    return next(iter(distinct.values()))


def _executed(file: Path) -> ModuleType:
    """Execute a file as a module of its own name; what it prints goes to stderr."""
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise _refused("P140", "the file cannot be loaded as Python", "give it the ending .py", None)
    module = module_from_spec(spec)
    with _put_back(file), redirect_stdout(sys.stderr):
        sys.modules[file.stem] = module
        try:
            exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), module.__dict__)
        except PenstockError as fault:
            site = _place(fault, file)
            raise PenstockError(
                each if each.place else each.placed(site) for each in fault.diagnostics
            ) from None
        except SyntaxError as fault:
            place = line_place(fault.filename or str(file), fault.lineno or 1, fault.offset or 1)
            raise _refused("P140", f"the file is no Python: {fault.msg}", "mend this line", place) from None
        except (Exception, SystemExit) as fault:
            raise PenstockError([_failure(fault, file)]) from None
    return module


@contextmanager
def _put_back(file: Path) -> Generator[None]:
    """Let a file import what lies beside it, and forget those modules afterwards: another file has its own."""
    path, before, writes = list(sys.path), dict(sys.modules), sys.dont_write_bytecode
    folder = str(file.parent)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        sys.path[:] = path
        for name, each in list(sys.modules.items()):
            top = name.partition(".")[0]
            # An interpreter, or a checkout of Penstock, may lie below the folder too.
            if top.startswith("penstock") or top in sys.stdlib_module_names:
                continue
            if before.get(name) is not each and _is_local(each, folder):
                del sys.modules[name]
                if name in before:
                    sys.modules[name] = before[name]


def _is_local(module: ModuleType, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        paths = list(getattr(module, "__path__", ()))
        return bool(paths) and all(str(each).startswith(folder + os.sep) for each in paths)
    return str(file).startswith(folder + os.sep) and "site-packages" not in str(file)


def _failure(fault: BaseException, file: Path) -> Diagnostic:
    """Say what went wrong in the user's code, and the way there."""
    if isinstance(fault, SystemExit):
        said = "it ended the interpreter"
        hint = "keep sys.exit() below `if __name__ == '__main__':`"
    elif isinstance(fault, ModuleNotFoundError) and fault.name:
        said, hint = str(fault), _import_elsewhere(fault.name.partition(".")[0], file.parent)
    else:
        said = " ".join(traceback.format_exception_only(fault)[-1].split())
        hint = "mend what this line does; `python FILE` shows the whole traceback"
    frames = [
        each for each in traceback.extract_tb(fault.__traceback__) if not each.filename.startswith(_OWN)
    ]
    way = tuple(f"{shown(each.filename)}:{each.lineno} in {each.name}" for each in frames[-6:])
    found = error("P140", f"executing the file failed: {said:.300}", hint=hint, details=way)
    return found.placed(_place(fault, file))


def _import_elsewhere(top: str, folder: Path) -> str:
    if (folder / "src" / top).is_dir() or (folder / "src" / f"{top}.py").is_file():
        return (
            f"'{top}' lies in src/: begin with sys.path.insert(0, str(Path(__file__).parent / 'src')), "
            "or install it here"
        )
    return (
        f"what only the step's environment has is imported inside the function that uses it; "
        f"elsewhere '{top}' has to be installed beside Penstock too"
    )


def _place(fault: BaseException, file: Path) -> Place:
    """Point at the innermost line that lies in the file's folder."""
    folder = str(file.parent) + os.sep
    frames = traceback.extract_tb(fault.__traceback__)
    own = [
        each for each in frames if each.filename.startswith(folder) and "site-packages" not in each.filename
    ]
    if not own:
        return line_place(str(file), 1)
    last = own[-1]
    end = (last.end_lineno or 0, last.end_colno or 0)
    return CallSite(last.filename, last.lineno or 1, last.colno or 0, end).place(At())


def _refused(code: str, message: str, hint: str, place: Place | None) -> PenstockError:
    return PenstockError([error(code, message, hint=hint).placed(place)])
