"""The environment of a component: a base image, and a conda specification that the service builds into it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from penstock.frozen import replace
from penstock.ir import Environment
from penstock.runtime.versions import satisfies

BASE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
"""Azure ML's own base image with conda, as its examples use it."""

_REGISTERED = re.compile(r"azureml:.+|azureml://.+")
_EXACT = re.compile(r"(?:==\s*)?(\d+(?:\.\d+){0,2})(?:\.\*)?")
_AT_LEAST = re.compile(r">=?\s*(3\.\d+)")


def environment(described: Environment | None, override: str = "") -> Any:
    """Give what stands under `environment:`: a registered one by its name, else an inline image with packages."""
    image = image_of(described, override)
    if _REGISTERED.fullmatch(image):
        return image
    inline: dict[str, Any] = {"image": image or BASE}
    if described is None or (image and not described.packages and not described.conda):
        return inline
    inline["conda_file"] = _conda(described)
    return inline


def _conda(described: Environment) -> dict[str, Any]:
    if described.conda:
        return dict(described.conda)
    dependencies: list[Any] = [f"python={python_of(described.python)}", "pip"]
    if described.packages:
        dependencies.append({"pip": list(described.packages)})
    return {"name": described.name, "channels": ["conda-forge"], "dependencies": dependencies}


def with_packages(described: Environment, packages: tuple[str, ...]) -> Environment:
    """Add packages that an environment does not name yet, to the pip part of its conda file where it has one."""
    if not described.conda:
        return replace(described, packages=(*described.packages, *_lacking(packages, described.packages)))
    dependencies: list[Any] = list(described.conda.get("dependencies") or [])
    pip: list[str] = []
    others: list[Any] = []
    for each in dependencies:
        if isinstance(each, dict) and "pip" in each:
            pip += cast("dict[str, list[str]]", each)["pip"]
        else:
            others.append(each)
    if "pip" not in {_project(str(each)) for each in others}:
        others.append("pip")
    listed = {"pip": [*pip, *_lacking(packages, [*pip, *map(str, others)])]}
    return replace(described, conda={**described.conda, "dependencies": [*others, listed]})


def _lacking(packages: tuple[str, ...], held: Iterable[str]) -> list[str]:
    names = {_project(each) for each in held}
    return [each for each in packages if _project(each) not in names]


def _project(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9_.-]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def is_taken_as_it_is(described: Environment, override: str = "") -> bool:
    """Tell whether an environment is a finished image, or one of the workspace's: nothing is put into it."""
    image = image_of(described, override)
    return bool(image) and (
        _REGISTERED.fullmatch(image) is not None or not (described.packages or described.conda)
    )


def python_of(specifier: str) -> str:
    """Choose the Python that conda installs: the one named, the least that is allowed, or else near to 3.11."""
    exact = _EXACT.fullmatch(specifier.strip())
    if exact:
        return exact[1]
    least = _AT_LEAST.search(specifier)
    if least:
        ordered = [least[1], *(f"3.{minor}" for minor in range(int(least[1][2:]) + 1, 15))]
    else:
        ordered = [f"3.{minor}" for minor in (11, 10, 9, 8, 12, 13, 14)]
    # The newest patch release is what conda takes: that one has to be allowed.
    return next((each for each in ordered if satisfies(f"{each}.99", specifier)), ordered[0])


def is_registered(described: Environment) -> bool:
    """Tell whether an environment is one of the workspace's, which is taken as it is."""
    return _REGISTERED.fullmatch(image_of(described, "")) is not None


def image_of(described: Environment | None, override: str = "") -> str:
    """Give the image that an environment names for this target, or the profile in its place; empty for none."""
    if override or described is None:
        return override
    return described.image.get("azureml") or described.image.get("", "")
