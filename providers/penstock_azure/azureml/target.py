"""The target's face to core."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from penstock.ir import Graph
from penstock.provider import Emulator, Lowered, Problem, Profile, SdkBridge, Submitter
from penstock.suggest import nearest
from penstock_azure.azureml.document import DOCUMENT

if TYPE_CHECKING:
    from penstock.bundle import Bundle
    from penstock.capabilities import Capabilities

_NAME = re.compile(r"[\w.()-]{1,90}")
_SETTINGS = ("subscription", "resource_group", "workspace", "compute", "datastore", "tenant")
_REQUIRED = ("subscription", "resource_group", "workspace")


class AzureMLTarget:
    """Azure Machine Learning pipelines."""

    name = "azureml"
    provider = "azure"
    title = "Azure Machine Learning pipelines"
    document = DOCUMENT

    @property
    def capabilities(self) -> Capabilities:
        """Give the table, reading it only now."""
        from penstock_azure.capabilities import CAPABILITIES

        return CAPABILITIES

    def check_profile(self, settings: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
        """Check subscription, resource group, workspace, compute and datastore."""
        found: list[tuple[str, str, str]] = []
        for key, value in settings.items():
            if key not in _SETTINGS:
                found.append(
                    (key, f"an azureml profile has no setting '{key}'", nearest(key, _SETTINGS, "settings"))
                )
            elif not _NAME.fullmatch(value):
                hint = "letters, digits, _, -, . and parentheses, 90 at most"
                found.append((key, f"'{value}' is not the name of a {key.replace('_', ' ')}", hint))
        for key in _REQUIRED:
            if key not in settings:
                found.append(("", f"an azureml profile needs '{key}'", f"add {key}: …"))
        return found

    def lower(self, graph: Graph, profile: Profile | None) -> Lowered:
        """Turn a graph into a pipeline job and its components."""
        from penstock_azure.azureml.lowering import lower

        return lower(graph, profile)

    def serialise(self, path: str, document: Any) -> str:
        """Lay a document out as YAML."""
        from penstock_azure.azureml.document import to_yaml

        del path
        return to_yaml(document)

    def validate(self, files: Mapping[str, Any]) -> Sequence[Problem]:
        """Check the job and its components against the SDK's schemas."""
        from penstock_azure.azureml.validation import validate

        components = {f"./{path}": document for path, document in files.items() if path != DOCUMENT}
        return [
            Problem(each.path, each.code, each.message, each.hint, each.warning, each.file.removeprefix("./"))
            for each in validate(files[DOCUMENT], components)
        ]

    def native(self, path: FilePath) -> Bundle | None:
        """Read a job, or a component that stands for itself, in YAML."""
        from penstock_azure.azureml.native import read

        return read(path)

    def emulator(self) -> Emulator | None:
        """Give the emulator."""
        from penstock_azure.azureml.emulator import AzureMLEmulator

        return AzureMLEmulator()

    def submitter(self) -> Submitter | None:
        """Give none: jobs are not sent yet."""
        return None

    def bridge(self) -> SdkBridge | None:
        """Give none."""
        return None
