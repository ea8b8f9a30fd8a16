"""The packages of an environment, whether the spec lists them, a requirements file or a conda file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.files import Files, read_text
from penstock.frozen import replace
from penstock.ir import Environment
from penstock.runtime.requirements import parse_package, python_specifier

_CONTINUED = r"\\\r?\n"
_CONDA_PYTHON = r"python(?:\s+|(?=[=<>!~]))(?P<version>.+)"


def read_packages(environment: Environment, files: Files, found: list[Diagnostic]) -> Environment:
    """Give an environment the packages of its files, and say which of them are none."""
    path: Path = ("environments", environment.name)
    if environment.requirements:
        at = At((*path, "requirements"))
        text = read_text(environment.requirements, at, files, found)
        listed = list(_listed(environment.requirements, _lines(text or ""), at, found))
        environment = replace(environment, packages=tuple(listed))
    elif environment.conda:
        environment = _conda(environment, files, found)
    else:
        for position, package in enumerate(environment.packages):
            fault = _fault(package)
            if fault:
                hint = "write NAME==VERSION, such as pandas==2.3.3"
                found.append(error("P206", fault, At((*path, "packages", position)), hint))
    try:
        python_specifier(environment.python)
    except ValueError as fault:
        at = At((*path, "conda" if environment.conda else "python"))
        found.append(error("P206", str(fault), at, "write a version or bounds: '3.11' or '>=3.11,<3.14'"))
    return environment


def _lines(text: str) -> Iterator[str]:
    """Give the lines of a requirements file without comments, continued ones joined."""
    for line in re.sub(_CONTINUED, " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if line:
            yield line


def _listed(written: str, lines: Iterator[str], at: At, found: list[Diagnostic]) -> Iterator[str]:
    for line in lines:
        if line.startswith("-"):
            message = f"'{line:.80}' in {written} is an option, not a package"
            hint = "options of pip are not portable: list packages alone"
            found.append(error("P254", message, at, hint))
            continue
        fault = _fault(line)
        if fault:
            hint = "write NAME==VERSION on a line, without options"
            found.append(error("P254", f"in {written}, {fault}", at, hint))
            continue
        yield line


def _fault(package: str) -> str:
    try:
        parse_package(package)
    except ValueError as fault:
        return str(fault)[:200]
    return ""


def _conda(environment: Environment, files: Files, found: list[Diagnostic]) -> Environment:
    written = str(environment.conda["file"])
    at = At(("environments", environment.name, "conda"))
    text = read_text(written, at, files, found)
    if text is None:
        return environment
    # Here and not above: few pipelines have a conda file, and the YAML reader takes its time to import.
    from penstock.source import Source

    source = Source.from_text(text, file=written)
    hint = "write it as conda does: 'dependencies:' and a list below it"
    for fault in source.diagnostics:
        place = f"{written}:{fault.place.line}:{fault.place.column}" if fault.place else written
        found.append(error("P254", f"{place}: {fault.message}", at, fault.hint or hint))
    if source.diagnostics or source.value is None:
        return environment
    listed: object = source.value.get("dependencies")
    if not isinstance(listed, list):
        found.append(error("P254", f"{written} has no list of 'dependencies'", at, hint))
        return environment
    lines: list[str] = []
    python = environment.python
    for each in cast("list[object]", listed):
        if isinstance(each, Mapping):
            named = cast("Mapping[str, object]", each).get("pip")
            lines += [str(line) for line in cast("list[object]", named)] if isinstance(named, list) else []
        elif isinstance(each, str) and (version := re.match(_CONDA_PYTHON, each)):
            python = python or _python(version["version"])
    packages = tuple(_listed(written, iter(lines), at, found))
    conda = dict(cast("Mapping[str, Any]", source.value))
    return replace(environment, conda=conda, packages=packages, python=python)


def _python(version: str) -> str:
    """Write conda's `3.11`, `=3.11`, `==3.11.9=build` and `>=3.11` as a Python version or specifier."""
    version = version.replace(" ", "")
    if version[0] in "=0123456789":
        return version.lstrip("=").partition("=")[0].removesuffix(".*")
    return version
