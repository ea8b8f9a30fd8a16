"""The scripts that a step's command starts, and whether the step has them."""

from __future__ import annotations

import os
import re

from penstock.diagnostics import At, Diagnostic, warning
from penstock.files import Files
from penstock.ir import Code, Command, Map, Shell, Train, Tune, Word
from penstock.suggest import nearest

_SCRIPT = re.compile(
    r"(?:^|[\s;&|])(?:python3?|bash|sh|Rscript)\s+((?!-)[\w./-]+\.(?:py|sh|R))(?=\s|$)",
)
_FIRST = re.compile(
    r"""\s*+ (?:\w+=\S*+\s++)*+
    (?: (?:python3?|bash|sh|Rscript) \s++ (?:-(?![cm]\b)[\w-]+\s++)*+ (?P<given> (?![-/])[\w./-]+\.(?:py|sh|R) )
      | (?P<run> (?:\.|\w[\w.-]*)/[\w./-]*\.(?:py|sh|R) ) )
    (?= [\s;&|<>] | $ )""",
    re.VERBOSE,
)
"""The script at the very beginning of a command, where nothing before it can have made it or gone elsewhere."""


def missing_scripts(step: Command | Train | Tune | Map, code: Code | None, files: Files) -> list[Diagnostic]:
    """Warn of scripts that the command starts and the step lacks; the command may make the later ones itself."""
    if code is None:
        return _without_code(step, files)
    if not code.digest:
        return []
    found: list[Diagnostic] = []
    for script in _SCRIPT.findall(_text(step)):
        name = os.path.normpath(script)
        if name not in code.files and not os.path.isabs(name):
            hint = nearest(name, code.files, "files there")
            message = f"the command starts '{script}', which is not in the step's code folder"
            found.append(warning("P253", message, At((*step.path, "run"), needle=script), hint))
    return found


def _without_code(step: Command | Train | Tune | Map, files: Files) -> list[Diagnostic]:
    first = _FIRST.match(_text(step))
    if first is None:
        return []
    script = first["given"] or first["run"]
    folder = "." if files.resolve(script).is_file() else "FOLDER"
    message = f"the command starts '{script}', and the step has no 'code' that brings it"
    hint = f"name the folder that holds it: code: {folder}"
    return [warning("P253", message, At((*step.path, "run"), needle=script), hint)]


def _text(step: Command | Train | Tune | Map) -> str:
    if isinstance(step.run, Shell):
        return "".join("\0" if isinstance(part, Word) else part for part in step.run.parts)
    words = [part for each in step.run.arguments[:3] for part in each] if step.run else []
    return " ".join(part for part in words if isinstance(part, str))
