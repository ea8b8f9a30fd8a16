"""Environments that the service curates, by name: which packages stand for each.

`curated.json` holds for each framework its package and, from a release on, the Pythons that have wheels of it and what
goes with it. Where a release has none for the Python that runs Penstock, the first later one that has stands in.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from penstock.runtime.environments import Requirements
from penstock.runtime.requirements import current_python
from penstock.runtime.versions import parse_version, satisfies

_NAME = re.compile(
    r"(?:azureml-)?(?:acpt-)?(sklearn|scikit-learn|lightgbm|xgboost|pytorch|tensorflow|minimal|python-sdk)"
    r"(?:-v?(\d+(?:\.\d+)*))?(?:-.*)?",
    re.IGNORECASE,
)
_FRAMEWORKS = {"scikit-learn": "sklearn", "python-sdk": "minimal"}


def curated(name: str) -> tuple[Requirements, str] | None:
    """Give what stands for a curated environment, and what differs; `None` for a name that is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    table = _table()
    framework = _FRAMEWORKS.get(found[1].lower(), found[1].lower())
    known = table[framework]
    rows: list[Any] = known["rows"]
    if not rows:
        return Requirements("", (table["mlflow"],)), ""
    release = found[2] or rows[-1][0]
    wanted = parse_version(release)
    at = max((at for at, row in enumerate(rows) if parse_version(row[0]) <= wanted), default=0)
    stand_in = release
    if not satisfies(current_python(), rows[at][1]):
        later = next((each for each in rows[at + 1 :] if satisfies(current_python(), each[1])), None)
        if later is not None:
            at, stand_in = rows.index(later), later[0]
    exact = stand_in.count(".") > 1
    package = f"{known['package']}=={stand_in}" if exact else f"{known['package']}~={stand_in}.0"
    packages = (package, *rows[at][2], *known["also"], table["mlflow"])
    note = ""
    if stand_in != release:
        python = ".".join(current_python().split(".")[:2])
        note = f"{known['package']} {stand_in} stands for {release}, which has no wheels for Python {python}"
    return Requirements(rows[at][1], packages), note


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("curated.json").read_bytes())
    return found
