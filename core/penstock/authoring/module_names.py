"""What a function reads of its module that is not there in the step's process.

The driver leaves out the statements that build the pipeline. A name that only such a statement binds would be a
stand-in without a value there, and a comparison with it false: that is said where the name is read.
"""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, get_origin

from penstock.authoring.callsites import CallSite, line_place
from penstock.authoring.driver import names, without_building
from penstock.authoring.functions import StepFunction
from penstock.authoring.values import Step, StepOutputs, Value
from penstock.diagnostics import At, Place, error
from penstock.errors import SpecError


def lines_left_out(tree: ast.Module) -> dict[str, int]:
    """Take the building out of a module, as the driver does; give what that leaves without a value, with lines."""
    before = set(map(id, tree.body))
    without_building(tree)
    found: dict[str, int] = {}
    for each in tree.body:
        if id(each) not in before and isinstance(each, ast.ImportFrom):
            found |= {alias.name: each.lineno for alias in each.names}
        else:
            # What binds a name again, further below, counts.
            for name in _bound(each):
                found.pop(name, None)
    return found


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (each.asname or each.name.partition(".")[0] for each in statement.names)
    else:
        yield from names(statement, ast.Store)


def hold(function: Callable[..., object], left_out: Mapping[str, int], root: Path) -> None:
    """Refuse a function that would read, or be, a stand-in (P145).

    Args:
        function: the step's.
        left_out: names of its module's top level that only building binds, each with its line.
        root: what lies below it is local.
    """
    own = function.__name__
    if own in left_out:
        hint = f"call the step something else, such as {own}_step = pipeline.step('{own}', {own}, …)"
        place = line_place(function.__code__.co_filename, left_out[own])
        _refuse(
            function, "its name is given to something else here, and the module would hold that", hint, place
        )
    for site, scope, name in _read_names(function, root):
        value = scope[name]
        here = scope is function.__globals__
        built = isinstance(value, Value | Step | StepOutputs) or _is_pipeline(value)
        # An alias such as `Rows = Annotated[ps.File, …]` says something to readers alone.
        if built or (here and name in left_out and get_origin(value) is None):
            what = f"it reads '{name}', which exists only while the pipeline is built"
            hint = f"give the value as an input: a parameter of {own}(), bound in inputs="
            _refuse(function, what, hint, site.place(At()))


def _is_pipeline(value: object) -> bool:
    from penstock.authoring.steps import StepKinds

    return isinstance(value, StepKinds)


def _read_names(
    function: Callable[..., object], root: Path
) -> Iterator[tuple[CallSite, Mapping[str, Any], str]]:
    """Go through the global names that a function reads, and the local functions that it calls by them."""
    waiting: list[Any] = [function]
    seen: set[types.CodeType] = set()
    while waiting:
        one = waiting.pop()
        scope: Mapping[str, Any] = one.__globals__
        codes: list[types.CodeType] = [one.__code__]
        while codes:
            code = codes.pop()
            if code in seen:
                continue
            seen.add(code)
            codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
            for each in dis.get_instructions(code):
                if each.opname not in ("LOAD_GLOBAL", "LOAD_NAME") or each.argval not in scope:
                    continue
                yield _site(code, each), scope, each.argval
                value = scope[each.argval]
                value = value.function if isinstance(value, StepFunction) else value
                if isinstance(value, types.FunctionType) and _is_local(value, root):
                    waiting.append(value)


def _is_local(function: types.FunctionType, root: Path) -> bool:
    file = function.__code__.co_filename
    return file.startswith(f"{root}/") and "site-packages" not in file


def _site(code: types.CodeType, read: dis.Instruction) -> CallSite:
    at = read.positions
    end = (at.end_lineno or 0, at.end_col_offset or 0) if at else (0, 0)
    line, column = (at.lineno, at.col_offset) if at else (None, None)
    return CallSite(code.co_filename, line or code.co_firstlineno, column or 0, end)


def _refuse(function: Callable[..., object], why: str, hint: str, place: Place) -> NoReturn:
    found = error("P145", f"{function.__name__}() cannot be a step: {why}", hint=hint)
    raise SpecError([found.placed(place)])
