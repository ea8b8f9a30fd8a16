"""Packages that stand in for those of a step's environment: `variables` says when and where they are found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from penstock_azure.azureml.emulator.reading.model import Data, Step

_TABLE = "mltable"


def stand_ins(step: Step, given: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that lead to stand-ins, where a step reads what they are for; `given`: those that it has."""
    typed = set(step.types.values()) | {each.type for each in step.inputs.values() if isinstance(each, Data)}
    if _TABLE not in typed:
        return {}
    places = [given.get("PYTHONPATH", ""), str(Path(__file__).parent)]
    return {"PYTHONPATH": os.pathsep.join(filter(None, places))}
