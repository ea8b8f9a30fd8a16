"""Conda files, read for what pip can install: Python, pip's own part, and packages that both know by one name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.runtime.environments import Requirements
from penstock.runtime.requirements import parse_package
from penstock_azure.azureml.validation.report import is_list, is_mapping

# Names that conda has for what pip calls otherwise; empty for what is no Python package.
_NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "tensorflow-gpu": "tensorflow",
    "py-xgboost": "xgboost",
    "matplotlib-base": "matplotlib",
    "dask-core": "dask",
    **dict.fromkeys(
        ("pip", "python", "cudatoolkit", "cudnn", "gcc", "gxx", "git", "setuptools", "wheel"), ""
    ),
    **dict.fromkeys(("nodejs", "openmpi", "mpi", "libgcc", "openblas", "mkl", "jupyter", "ipykernel"), ""),
}
# The service's own packages, which reach it alone: what they do in a run is done here by a server of Penstock's.
_OWN = re.compile(r"azureml-(?!mlflow)|azureml-mlflow")
_DEPENDENCY = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)\s*(.*)")


class CondaFault(Exception):
    """Raised for a conda file that cannot be read; the message is for the user."""


def requirements_of(conda: object) -> tuple[Requirements, str]:
    """Give what a conda file asks for, and what of it is left out, in words.

    Raises:
        CondaFault: it is no conda file.
    """
    if not is_mapping(conda):
        raise CondaFault("it is no mapping")
    dependencies = conda.get("dependencies")
    if dependencies is not None and not is_list(dependencies):
        raise CondaFault("'dependencies' is no list")
    python, packages, left_out = "", list[str](), list[str]()
    for each in dependencies or []:
        if is_mapping(each):
            packages += _pip(each, left_out)
            continue
        found = _DEPENDENCY.fullmatch(str(each).strip())
        if found is None:
            raise CondaFault(f"'{each}' is no dependency")
        name, version = found[1].lower(), _version(found[2])
        if name == "python":
            python = version.removeprefix("==").removesuffix(".*") if version.startswith("==") else version
        elif mapped := _NAMES.get(name, name):
            packages.append(f"{mapped}{version}")
    note = f"not installed offline: {', '.join(left_out)}" if left_out else ""
    return Requirements(python, tuple(dict.fromkeys(packages))), note


def _pip(part: Mapping[str, Any], left_out: list[str]) -> list[str]:
    found: list[str] = []
    listed = part.get("pip")
    for each in listed if is_list(listed) else []:
        text = str(each).strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("-"):
            left_out.append(text)
            continue
        try:
            parsed = parse_package(text)
        except ValueError as fault:
            raise CondaFault(str(fault)) from None
        if _OWN.match(parsed.name):
            left_out.append(parsed.name)
        else:
            found.append(text)
    return found


def _version(text: str) -> str:
    """Write conda's version as pip does: `=1.2` means any 1.2, `=1.2=build` and `==1.2` that one."""
    text = text.strip()
    if not text:
        return ""
    if text.startswith(("==", ">", "<", "!", "~")):
        return text.split("=py")[0].replace(" ", "")
    plain = text.lstrip("= ").split("=")[0].strip()
    exact = text.count("=") > 1 or plain.count(".") > 1 or plain.endswith("*")
    return f"=={plain}" if exact else f"=={plain}.*"
