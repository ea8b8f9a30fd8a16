"""Penstock's pip: ends at once where a job's Python has what is asked for; else the real one does the work.

Standard library only, Python 3.7 and later. Code that imports parts of pip finds those of the interpreter's own.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def real_folder() -> str:
    """Give the folder of the interpreter's own pip; empty where it has none."""
    for folder in sys.path:
        found = os.path.join(folder, "pip")
        if os.path.isfile(os.path.join(found, "__init__.py")) and not os.path.samefile(found, HERE):
            return found
    return ""


if real_folder():
    __path__ = [*__path__, real_folder()]


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError("module 'pip' has no attribute " + repr(name))
    from importlib import import_module

    # By this module's own name: inside a job that is `pip`.
    return str(import_module(__name__ + ".listing").version_of("pip") or "0")
