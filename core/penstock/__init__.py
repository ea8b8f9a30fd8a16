"""Penstock: one machine-learning pipeline, run offline, compiled natively to the cloud that stands below.

    >>> import penstock
    >>> run = penstock.run("pipeline.yaml", parameters={"max_depth": 6})
    >>> run.states["train"], run.metrics["evaluate"]["report"]["recall"]
    >>> penstock.compile("pipeline.yaml", "sagemaker").write("build/sagemaker")

    >>> pipeline = penstock.Pipeline("churn")               # the same language, written in Python

This is the public face and holds no logic: names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from penstock.api import check, compile, from_sdk, load, resume, run, submit
    from penstock.authoring.annotations import File, Folder, Metrics, MetricsFile, Model, Output, Table
    from penstock.authoring.functions import StepFunction, step
    from penstock.authoring.pipeline import Dataset, Parameter, Pipeline
    from penstock.authoring.shapes import (
        Checkpoint,
        Compute,
        Defaults,
        Dimension,
        EarlyStopping,
        FromCaller,
        Hypothesis,
        InputPort,
        Kpi,
        Limits,
        NativePort,
        Objective,
        OutputPort,
        Over,
        Retry,
        Serving,
        StandIn,
    )
    from penstock.authoring.values import Step, Value, expression
    from penstock.bundle import Bundle
    from penstock.diagnostics import Diagnostic
    from penstock.errors import PenstockError, RunError, SpecError
    from penstock.runtime.results import Run

__all__ = [
    "Bundle",
    "Checkpoint",
    "Compute",
    "Dataset",
    "Defaults",
    "Diagnostic",
    "Dimension",
    "EarlyStopping",
    "File",
    "Folder",
    "FromCaller",
    "Hypothesis",
    "InputPort",
    "Kpi",
    "Limits",
    "Metrics",
    "MetricsFile",
    "Model",
    "NativePort",
    "Objective",
    "Output",
    "OutputPort",
    "Over",
    "Parameter",
    "PenstockError",
    "Pipeline",
    "Retry",
    "Run",
    "RunError",
    "Serving",
    "SpecError",
    "StandIn",
    "Step",
    "StepFunction",
    "Table",
    "Value",
    "__version__",
    "check",
    "compile",
    "expression",
    "from_sdk",
    "load",
    "resume",
    "run",
    "step",
    "submit",
]

_HOMES = {
    "Bundle": "penstock.bundle",
    "Checkpoint": "penstock.authoring.shapes",
    "Compute": "penstock.authoring.shapes",
    "Dataset": "penstock.authoring.pipeline",
    "Defaults": "penstock.authoring.shapes",
    "Diagnostic": "penstock.diagnostics",
    "Dimension": "penstock.authoring.shapes",
    "EarlyStopping": "penstock.authoring.shapes",
    "File": "penstock.authoring.annotations",
    "Folder": "penstock.authoring.annotations",
    "FromCaller": "penstock.authoring.shapes",
    "Hypothesis": "penstock.authoring.shapes",
    "InputPort": "penstock.authoring.shapes",
    "Kpi": "penstock.authoring.shapes",
    "Limits": "penstock.authoring.shapes",
    "Metrics": "penstock.authoring.annotations",
    "MetricsFile": "penstock.authoring.annotations",
    "Model": "penstock.authoring.annotations",
    "NativePort": "penstock.authoring.shapes",
    "Objective": "penstock.authoring.shapes",
    "Output": "penstock.authoring.annotations",
    "OutputPort": "penstock.authoring.shapes",
    "Over": "penstock.authoring.shapes",
    "Parameter": "penstock.authoring.pipeline",
    "PenstockError": "penstock.errors",
    "Pipeline": "penstock.authoring.pipeline",
    "Retry": "penstock.authoring.shapes",
    "Run": "penstock.runtime.results",
    "RunError": "penstock.errors",
    "Serving": "penstock.authoring.shapes",
    "SpecError": "penstock.errors",
    "StandIn": "penstock.authoring.shapes",
    "Step": "penstock.authoring.values",
    "StepFunction": "penstock.authoring.functions",
    "Table": "penstock.authoring.annotations",
    "Value": "penstock.authoring.values",
    "check": "penstock.api",
    "compile": "penstock.api",
    "expression": "penstock.authoring.values",
    "from_sdk": "penstock.api",
    "load": "penstock.api",
    "resume": "penstock.api",
    "run": "penstock.api",
    "step": "penstock.authoring.functions",
    "submit": "penstock.api",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'penstock' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
