"""Reading what a node says under `environment`, and what stands for it here: images are not pulled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.environments import EnvironmentFault, Requirements
from penstock.runtime.requirements import current_python, python_specifier
from penstock.runtime.versions import satisfies
from penstock_azure.azureml.emulator.environments.conda import CondaFault, requirements_of
from penstock_azure.azureml.emulator.environments.curated import curated
from penstock_azure.azureml.emulator.reading.documents import beside
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import is_mapping, mapping

Overrides = Mapping[str, Mapping[str, Any]]
_REGISTRY = re.compile(r"azureml://registries/[^/]+/environments/([^/]+)(?:/(?:versions|labels)/([^/]+))?/?")
_ID = re.compile(r".*/environments/([^/]+)/versions/([^/]+)/?")
_ASSET = re.compile(r"azureml:([^:@/]+)(?:[:@](.+))?")
# Images that bring an operating system or a Python and no packages of their own.
_PLAIN = re.compile(
    r"(?:(?:docker\.io|index\.docker\.io|mcr\.microsoft\.com)/)?(?:library/|azureml/|mirror/docker/library/)*"
    r"(?:python|ubuntu|debian|busybox|openmpi[\w.]*-(?:ubuntu[\w.]*|cuda.*)|minimal[\w.-]*|mambaforge|miniconda3?)(?::.*|@.*)?"
)

_PYTHON = re.compile(r"(?:[\w.]+/)*python:(\d+\.\d+)(?:[.-].*)?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands for an environment. `note`: what differs from it, in words; empty for nothing."""

    requirements: Requirements
    note: str = ""


def environment_of(step: Step) -> Any:
    """Give what a step says under `environment`: its node's, its task's, or its component's."""
    task = mapping(step.component.get("task"))
    return step.document.get("environment") or task.get("environment") or step.component.get("environment")


def wanted(step: Step, overrides: Overrides, place: Callable[[str], Path]) -> Wanted:
    """Tell what stands for a step's environment.

    Args:
        step: whose environment it is.
        overrides: the section `images:` of penstock.yaml.
        place: gives the place of a file of the bundle.

    Raises:
        TaskFault: nothing stands for it (P432), or it cannot be read (P406).
    """
    given = environment_of(step)
    # A node's own environment stands where the node does, a component's where that does.
    file = step.scope.file if step.document.get("environment") else step.file
    if isinstance(given, str):
        if (found := _mapped(given, overrides)) is not None:
            return found
        if name := _name(given):
            known = curated(name)
            if known is not None:
                return Wanted(*known)
            hint = f'say in penstock.yaml what stands for it: images: {{"{given}": {{packages: [...]}}}}'
            raise TaskFault(
                f"the environment '{given}' of node '{step.name}' is not of this machine; {hint}", "P432"
            )
        path = place(beside(file, given.removeprefix("file:")))
        return _inline(_read(path, step), step, path.parent, overrides)
    if is_mapping(given):
        folder = place(file).parent
        return _inline(given, step, folder, overrides)
    raise TaskFault(f"node '{step.name}' names no environment", "P432")


def _name(text: str) -> str:
    """Give the name of a registered environment; empty for a path."""
    for pattern in (_REGISTRY, _ID, _ASSET):
        found = pattern.fullmatch(text)
        if found is not None:
            return found[1]
    return ""


def _mapped(text: str, overrides: Overrides) -> Wanted | None:
    """Give what penstock.yaml says of an environment or image: by its whole address, else without its version."""
    name = _name(text)
    keys = [text, *([f"azureml:{name}", name] if name else [text.partition("@")[0].rpartition(":")[0]])]
    for key in keys:
        if key and key in overrides:
            said = overrides[key]
            packages = said.get("packages") or ()
            return Wanted(Requirements(str(said.get("python") or ""), tuple(map(str, packages))))
    return None


def _inline(
    given: Mapping[str, Any],
    step: Step,
    folder: Path,
    overrides: Overrides,
) -> Wanted:
    image = str(given.get("image") or "")
    named = given.get("name")
    mapped = _mapped(image, overrides) if image else None
    if mapped is None and isinstance(named, str):
        mapped = _mapped(named, overrides)
    if mapped is not None:
        return mapped
    notes: list[str] = []
    found = Requirements()
    conda = given.get("conda_file")
    if conda is not None:
        try:
            content = conda if is_mapping(conda) else _read(folder / str(conda), step)
            found, left_out = requirements_of(content)
        except CondaFault as fault:
            raise TaskFault(f"the conda file of node '{step.name}' cannot be read: {fault}", "P406") from None
        notes += [left_out] if left_out else []
        found, other = _with_a_python(found)
        notes += [other] if other else []
    elif image and (python := _PYTHON.fullmatch(image)) and not _is_current(python[1]):
        current = ".".join(current_python().split(".")[:2])
        notes.append(f"Python {current} stands for the Python of image '{image}'")
    elif "build" in given:
        notes.append(
            f"the image of node '{step.name}' is not built: it runs with the packages of this Python; for more"
            " say images: {NAME: {packages: [...]}} in penstock.yaml, and name: NAME beside build:"
        )
    elif image and _PLAIN.fullmatch(image) is None:
        known = curated(image.rpartition("/")[2].replace(":", "-"))
        if known is not None:
            return Wanted(*known)
        notes.append(
            f"image '{image}' is not known here, and not pulled: its nodes run with the packages of this Python;"
            f' for more say images: {{"{image}": {{packages: [...]}}}} in penstock.yaml'
        )
    return Wanted(found, "; ".join(notes))


def _is_current(python: str) -> bool:
    return current_python().split(".")[:2] == python.split(".")


def _with_a_python(asked: Requirements) -> tuple[Requirements, str]:
    """Let another Python stand for one that this machine lacks: a document names what the service has."""
    if not asked.python:
        return asked, ""
    try:
        specifier = python_specifier(asked.python)
        if satisfies(current_python(), specifier):
            return asked, ""
        from penstock.runtime.pythons import find_python

        find_python(asked.python, specifier)
    except EnvironmentFault:
        python = ".".join(current_python().split(".")[:2])
        return Requirements("", asked.packages), f"Python {python} stands for {asked.python}"
    except ValueError as fault:
        raise TaskFault(str(fault), "P406") from None
    return asked, ""


def _read(path: Path, step: Step) -> Mapping[str, Any]:
    import yaml

    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise TaskFault(
            f"the environment of node '{step.name}' cannot be read: {path}: {fault.strerror}", "P432"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise TaskFault(f"{path} is no YAML: {str(fault).splitlines()[0]}", "P406") from None
    if not is_mapping(found):
        raise TaskFault(f"{path} describes no environment", "P406")
    return found
