"""The files that clients read in place of the user's own, and the variables that name them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_NO_TELEMETRY = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"


def write_client_files(folder: Path, url: str) -> dict[str, str]:
    """Write them, and give their variables.

    Args:
        folder: where they are to be; made when missing.
        url: the endpoint's.
    """
    rules = folder / "models" / "sts" / "2011-06-15" / "endpoint-rule-set-1.json"
    files = {
        folder / "config": "",
        folder / "credentials": "",
        folder / "sagemaker.yaml": _NO_TELEMETRY,
        rules: json.dumps(_always(url), indent=1),
    }
    for path, content in files.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        # The SageMaker SDK tells its makers that it is used, unless it finds this.
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(folder / "sagemaker.yaml"),
        "AWS_DATA_PATH": str(folder / "models"),
    }


def _always(url: str) -> dict[str, Any]:
    """Compose botocore's rules for where STS is: here, whatever address the caller names.

    The SageMaker SDK asks STS who it is at the public address of a region, which AWS_ENDPOINT_URL does not change.
    """
    built_in = {
        "Region": "AWS::Region",
        "UseDualStack": "AWS::UseDualStack",
        "UseFIPS": "AWS::UseFIPS",
        "Endpoint": "SDK::Endpoint",
        "UseGlobalEndpoint": "AWS::STS::UseGlobalEndpoint",
    }
    parameters = {
        name: {
            "builtIn": known,
            "documentation": "",
            **({"required": True, "default": False, "type": "boolean"} if name.startswith("Use") else _TEXT),
        }
        for name, known in built_in.items()
    }
    here: dict[str, Any] = {"url": url, "properties": {}, "headers": {}}
    return {
        "version": "1.0",
        "parameters": parameters,
        "rules": [{"conditions": [], "endpoint": here, "type": "endpoint"}],
    }


_TEXT = {"required": False, "type": "string"}
