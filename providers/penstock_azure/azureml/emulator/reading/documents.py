"""The documents of a bundle, parsed: the job, and the component files that it names."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import dataclass
from penstock_azure.azureml.validation.report import is_mapping


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents by their paths from the bundle's root, and components of the workspace by their addresses.

    Attributes:
        main: the job's.
        own: Penstock compiled them.
    """

    main: str
    values: Mapping[str, Mapping[str, Any]]
    own: bool = False

    @property
    def job(self) -> Mapping[str, Any]:
        """The job's own document."""
        return self.values[self.main]

    def find(self, reference: str, file: str) -> tuple[str, Mapping[str, Any]] | None:
        """Give the component that a document names, and the file that it stands in; `None` where it is not there."""
        if reference in self.values:
            return reference, self.values[reference]
        name = beside(file, reference.removeprefix("file:"))
        found = self.values.get(name)
        return None if found is None else (name, found)


def beside(file: str, path: str) -> str:
    """Give a path that a document writes, from the bundle's root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))


def documents_of(bundle: Bundle) -> Documents:
    """Parse a bundle's documents. Raises RunError (P419)."""
    values: dict[str, Mapping[str, Any]] = {}
    try:
        for name, text in bundle.texts.items():
            found = json.loads(text) if text.startswith("{") else _yaml(text)
            if not is_mapping(found):
                raise ValueError(f"{name} is no mapping")
            values[name] = found
        values[bundle.document]  # the main one has to be there
    except (KeyError, ValueError, RecursionError) as fault:
        message = f"the pipeline's document cannot be read: {fault}"
        raise RunError([error("P419", message, hint="compile it again, and start a new run")]) from None
    return Documents(bundle.document, values, own=bool(bundle.interface.get("results")))


def _yaml(text: str) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)  # a safe loader either way
    except yaml.YAMLError as fault:
        raise ValueError(str(fault)) from None
