"""A whole pipeline, as written."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from penstock.spec.execution import Defaults, Environment, TargetOptions
from penstock.spec.goal import Goal
from penstock.spec.ports import Dataset, Parameter
from penstock.spec.steps import StepModel
from penstock.spec.structure import Name, PipelineName, SpecModel, Tags


class PipelineSpec(SpecModel):
    """One machine-learning pipeline, for every target."""

    penstock: Literal["v1"] = Field(description="The language's version.")
    kind: Literal["pipeline"] = Field("pipeline", description="May be left out.")
    name: PipelineName = Field(description="What it is called everywhere.", examples=["tumour-classifier"])
    version: str = Field("", description="The pipeline's own version, in quotes.", examples=["1.0.0"])
    display_name: str = Field("", description="What consoles show instead of the name.")
    description: str = Field("", description="What it does, in a sentence.")
    owner: str = Field("", description="Who answers for it.")
    tags: Tags = Field(
        default_factory=dict[str, str],
        description="Words to search by, as key and value.",
        examples=[{"team": "imaging"}],
    )
    goal: Goal | None = Field(None, description="What it is for, measurable: checked after each run.")
    parameters: dict[Name, Parameter] = Field(
        default_factory=dict[str, Parameter],
        description="Values that the caller may set at start: `-p NAME=VALUE`.",
        examples=[{"max_depth": {"type": "integer", "default": 4, "minimum": 1}}],
    )
    datasets: dict[Name, Dataset] = Field(
        default_factory=dict[str, Dataset],
        description="Data from outside; each can be replaced at start: `-d NAME=PATH`.",
        examples=[{"cells": {"type": "file", "path": "data/cells.csv"}}],
    )
    environments: dict[Name, Environment] = Field(
        default_factory=dict[str, Environment],
        description="Interpreters, packages and images that steps run in.",
        examples=[{"sklearn": {"python": ">=3.11", "packages": ["scikit-learn==1.8.0"]}}],
    )
    defaults: Defaults = Field(
        default_factory=lambda: Defaults.model_validate({}),
        description="What every step has unless it says otherwise.",
    )
    conditions: dict[Name, str] = Field(
        default_factory=dict[str, str],
        description="Name → an expression that is true or false; steps hang on it by `when`.",
        examples=[{"good": "${{ steps.evaluate.outputs.report.recall >= 0.9 }}"}],
    )
    steps: dict[Name, StepModel] = Field(
        min_length=1, description="What is done; the order follows from what steps take from each other."
    )
    outputs: dict[Name, str] = Field(
        default_factory=dict[str, str],
        description="Results of the whole: name → an output of a step.",
        examples=[{"model": "${{ steps.train.outputs.model }}"}],
    )
    options: TargetOptions = Field(
        default_factory=dict[str, dict[str, Any]],
        description="Target → keys merged into the whole of the target's document, then validated.",
    )
