"""What a pipeline is for: goal, KPIs, hypotheses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.spec.quantities import KpiTarget
from penstock.spec.structure import Name, SpecModel


class Kpi(SpecModel):
    """A measure of success, read from a run's metrics and compared with its target."""

    name: Name = Field(description="How hypotheses and reports refer to it.", examples=["recall"])
    value: str = Field(description="Where the number comes from: `${{ steps.S.outputs.REPORT.FIELD }}`.")
    target: KpiTarget = Field(description="A comparison and a number, in quotes.", examples=[">= 0.95"])
    description: str = Field("", description="Why it matters.")


class Hypothesis(SpecModel):
    """A claim that the pipeline is there to test."""

    id: str = Field(description="How people refer to it.", examples=["H1"])
    claim: str = Field(description="What is held to be true, in a sentence.")
    kpi: str = Field("", description="Name of the KPI that speaks to the claim.")
    status: Literal["open", "supported", "refuted"] = Field("open", description="What is known by now.")


class Goal(SpecModel):
    """The measurable goal: every run checks its KPIs and shows the verdict."""

    statement: str = Field(
        description="What shall be reached, in a sentence.",
        examples=["Find malignant tumours before biopsy."],
    )
    kpis: list[Kpi] = Field(
        default_factory=list[Kpi], description="Measures of success, checked after each run."
    )
    hypotheses: list[Hypothesis] = Field(
        default_factory=list[Hypothesis], description="Claims that the pipeline is there to test."
    )
