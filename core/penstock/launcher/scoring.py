"""Penstock's scoring: calls a model's serving functions for each file of a folder.

    scoring.py --entry FILE --model DIR --data PATH --output DIR [--content-type TYPE] [--accept TYPE]

The entry file defines `model_fn(model_dir)`, and either `transform_fn(model, body, content_type, accept)` or any of
`input_fn(body, content_type)`, `predict_fn(data, model)` and `output_fn(prediction, accept)`; a function that takes one
more argument gets None as its context. Bodies of `text/csv` and `application/json` come as text, all others as bytes, a
file at a time. Each file's result stands in `<its relative path>.out`. Hidden files and `_SUCCESS` marks are left out.

It is the entry module of a parallel job as well (`init`, `run`); there its arguments begin with `--penstock_`, and the
service hands out the files. Standard library only, Python 3.7 and later; `formats.py` and `items.py`
stand beside it.
"""

# pyright: basic
# (numpy and the serving functions are the step's own)
from __future__ import annotations

import argparse
import inspect
import os
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.launcher import formats as of_formats
    from penstock.launcher import items as of_items

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
OTHER = "application/octet-stream"
TYPES = {".csv": CSV, ".json": JSON, ".jsonl": "application/jsonlines", ".npy": NPY}
JOB: dict[str, Any] = {}


def beside(name: str) -> Any:
    """Load a script that is shipped with this one: by its place, since a step's code may have a module so named."""
    path = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), os.path.basename(__file__).replace("scoring", name)
    )
    # A bundle's folder stays as it was shipped.
    sys.dont_write_bytecode = True
    spec = spec_from_file_location(f"penstock_{name}", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    of_formats, of_items = beside("formats"), beside("items")


def known(words: list[str], prefix: str) -> tuple[argparse.Namespace, list[str]]:
    """Read the options, and give the words that are none of them."""
    parser = argparse.ArgumentParser(prog="scoring", allow_abbrev=False)
    for name in ("entry", "model", "data", "output"):
        parser.add_argument(prefix + name, dest=name, required=True)
    parser.add_argument(prefix + ("content_type" if prefix != "--" else "content-type"), dest="content_type")
    parser.add_argument(prefix + "accept", dest="accept")
    return parser.parse_known_args(words)


def main(argv: list[str]) -> int:
    """Score every file, in order, and give the exit code; the first that fails ends it."""
    options, others = known(argv, "--")
    if others:
        sys.exit(f"penstock: unknown words: {' '.join(others)}")
    files = files_below(options.data)
    start(options)
    for path, name in files:
        fault = score(path, name)
        if fault:
            sys.exit(fault)
    print(f"penstock: scored {len(files)} files", flush=True)
    return 0


def init() -> None:
    """Read a parallel job's arguments, and load the model once for each of the service's processes."""
    options, _ = known(sys.argv[1:], "--penstock_")
    start(options)


def run(mini_batch: list[str]) -> list[str]:
    """Score files, and give those that succeeded, relative to the input.

    Raises:
        RuntimeError: none succeeded, so that the service counts the call as failed (and may repeat it).
    """
    faults, done = [], []
    for path in mini_batch:
        name = of_items.relative(path, JOB["options"].data)
        # Files that scoring leaves out count as done: the service compares rows with the files that it handed out.
        fault = "" if of_items.left_out(name) else score(path, name)
        faults += [fault] if fault else []
        done += [] if fault else [name]
    for each in faults:
        print(each, flush=True)
    if faults and not done:
        raise RuntimeError("\n".join(faults))
    return done


def files_below(path: str) -> list[tuple[str, str]]:
    """Give a folder's files and their relative paths, sorted by these; a file stands for itself."""
    if os.path.isfile(path):
        return [(path, os.path.basename(path))]
    return [(os.path.join(path, each), each) for each in of_items.files_below(path)]


def start(options: argparse.Namespace) -> None:
    """Load the entry file and its model."""
    code = loaded(options.entry)
    parts = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(code, name)]
    if not hasattr(code, "model_fn"):
        sys.exit(f"penstock: {options.entry} defines no model_fn(model_dir), which loads the model")
    if hasattr(code, "transform_fn") and parts:
        sys.exit(
            f"penstock: {options.entry} defines transform_fn and {parts[0]}: it is either one or the other"
        )
    try:
        model = called(code.model_fn, options.model)
    except Exception as fault:
        traceback.print_exc()
        sys.exit(f"penstock: model_fn of {options.entry} failed: {type(fault).__name__}: {fault}")
    JOB.update(options=options, code=code, model=model)


def loaded(entry: str) -> Any:
    """Import the entry file under its own name, sought beside this script too; its folder's modules are found first."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), entry)
    path = os.path.abspath(entry if os.path.isfile(entry) else beside)
    if not os.path.isfile(path):
        sys.exit(f"penstock: there is no {entry}")
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = spec_from_file_location(name, path)
    if not spec or not spec.loader:
        sys.exit(f"penstock: {entry} is no Python file")
    code = module_from_spec(spec)
    # Pickles and dataclasses look their module up; a module that is there already keeps its name.
    sys.modules.setdefault(name, code)
    try:
        spec.loader.exec_module(code)
    except Exception as fault:
        traceback.print_exc()
        sys.exit(f"penstock: {entry} does not import: {type(fault).__name__}: {fault}")
    return code


def score(path: str, name: str) -> str:
    """Score one file, and say what went wrong, if anything; the traceback goes to the log."""
    options = JOB["options"]
    given = options.content_type or TYPES.get(os.path.splitext(path)[1].lower(), OTHER)
    try:
        with open(path, "rb") as file:
            body = file.read()
        result = answer(body, given, options.accept)
        target = os.path.join(options.output, name + ".out")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(result)
    except Exception as fault:
        traceback.print_exc()
        return f"penstock: scoring {name!r} failed: {type(fault).__name__}: {fault}"
    return ""


def answer(body: bytes, given: str, accept: str | None) -> bytes:
    """Put one body through the serving functions."""
    code, model = JOB["code"], JOB["model"]
    accept = JSON if accept in (None, "", "*/*") else accept
    content: Any = body.decode("utf-8") if given in (CSV, JSON) else body
    if hasattr(code, "transform_fn"):
        result = called(code.transform_fn, model, content, given, accept)
    else:
        data = called(getattr(code, "input_fn", of_formats.decode), content, given)
        prediction = called(getattr(code, "predict_fn", of_formats.predict), data, model)
        result = called(getattr(code, "output_fn", of_formats.encode), prediction, accept)
    result = result[0] if isinstance(result, tuple) else result
    if not isinstance(result, (str, bytes, bytearray)):
        raise TypeError(f"the result is a {type(result).__name__}, neither text nor bytes")
    return result.encode("utf-8") if isinstance(result, str) else bytes(result)


def called(function: Any, *words: Any) -> Any:
    """Call a serving function, with None as its context where it takes one more argument than there is."""
    taken = inspect.signature(function).parameters
    return function(*words, None) if len(taken) == len(words) + 1 else function(*words)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError) as fault:
        sys.exit(f"penstock: {type(fault).__name__}: {fault}")
