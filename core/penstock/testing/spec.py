"""A `kind: tests` file, as written. Names are held against the pipeline in `checking.py`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from penstock.spec.quantities import Duration
from penstock.spec.structure import Name, Scalar, SpecModel, fault

RunState = Literal["succeeded", "failed", "stopped"]
StepState = Literal["succeeded", "failed", "skipped", "upstream_failed", "stopped", "pending"]
Count = Annotated[int, Field(ge=0)]


class CountBounds(SpecModel):
    """Bounds of a whole number: of rows, or of bytes."""

    at_least: Count | None = Field(default=None, description="The least number, itself included.")
    at_most: Count | None = Field(default=None, description="The greatest number, itself included.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        _hold_bounds(self.at_least, self.at_most)
        return self


class MetricBounds(SpecModel):
    """What a metrics field must be: a value, within a tolerance where one is given, or between bounds."""

    value: Scalar | None = Field(default=None, description="The value itself.")
    tolerance: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="How far a number may be from `value`, in its own unit."
    )
    relative: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="How far a number may be from `value`, as a share of it."
    )
    at_least: float | None = Field(default=None, description="The least value, itself included.")
    at_most: float | None = Field(default=None, description="The greatest value, itself included.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        for key in ("tolerance", "relative"):
            if getattr(self, key) is not None and not number:
                raise fault("P513", f"'{key}' needs a number in 'value'", "add 'value:', or remove it", key)
        if self.value is None:
            _hold_bounds(self.at_least, self.at_most)
        elif self.at_least is not None or self.at_most is not None:
            key = "at_least" if self.at_least is not None else "at_most"
            raise fault("P513", f"'{key}' beside 'value' says it twice", "keep one of them", key)
        return self


def _form(value: object) -> str:
    return "mapping" if isinstance(value, dict | SpecModel) else "value"


def _number_or_list(value: object) -> str:
    return "list" if isinstance(value, list) else "value"


MetricExpectation = Annotated[
    Annotated[MetricBounds, Tag("mapping")] | Annotated[Scalar, Tag("value")], Discriminator(_form)
]
CountExpectation = Annotated[
    Annotated[CountBounds, Tag("mapping")] | Annotated[Count, Tag("value")], Discriminator(_form)
]
FilesExpectation = Annotated[
    Annotated[list[str], Tag("list")] | Annotated[Count, Tag("value")], Discriminator(_number_or_list)
]


class OutputExpectation(SpecModel):
    """What an output must hold. Tables are CSV or Parquet files; a folder's rows are those of all its tables."""

    exists: bool | None = Field(default=None, description="Whether the step made it at all.")
    files: FilesExpectation | None = Field(
        default=None,
        description="How many files, or their names: each pattern matches one, and none is left over.",
    )
    columns: list[str] | None = Field(default=None, description="Columns that every table has, among others.")
    rows: CountExpectation | None = Field(
        default=None, description="How many rows its tables have together.", examples=[8, {"at_least": 100}]
    )
    contains: str | dict[str, str] | None = Field(
        default=None, description="Text of some file, or of each named file; /…/ is a regular expression."
    )
    equals: str | None = Field(
        default=None,
        description="A file or folder beside the tests file; CSV and JSON are compared by value.",
    )
    size: CountBounds | None = Field(default=None, description="Bytes, summed over the files.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        told = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if not told:
            raise fault("P202", "this says nothing about the output", "write 'exists: true'")
        if self.exists is False and len(told) > 1:
            key = next(each for each in told if each != "exists")
            message = f"'{key}' cannot hold of an output that does not exist"
            raise fault("P513", message, "remove it, or 'exists: false'", key)
        return self


class Expectations(SpecModel):
    """What must have come of a run. `run` is implied where it is not written: see `Expectations.ending`."""

    run: RunState | None = Field(
        default=None, description="How the run ends; implied where it is not written."
    )
    steps: dict[Name, StepState] = Field(
        default_factory=dict[str, StepState],
        description="Step → the state that it ends in.",
        examples=[{"register": "skipped", "stop": "failed"}],
    )
    message: str | None = Field(
        default=None,
        description="Text of the run's message, of a failed step's, or of what that step printed; or /…/.",
    )
    metrics: dict[str, MetricExpectation] = Field(
        default_factory=dict[str, MetricExpectation],
        description="STEP.OUTPUT.FIELD → its value, or bounds.",
        examples=[{"evaluate.report.recall": {"value": 0.95, "tolerance": 0.02}}],
    )
    outputs: dict[str, OutputExpectation] = Field(
        default_factory=dict[str, OutputExpectation],
        description="STEP.OUTPUT → what it holds.",
        examples=[{"prepare.train": {"files": 1, "columns": ["diagnosis"], "rows": 8}}],
    )
    kpis: dict[str, Literal["met", "missed"]] = Field(
        default_factory=dict[str, Literal["met", "missed"]],
        description="KPI → the verdict.",
        examples=[{"recall": "met"}],
    )

    @property
    def fails(self) -> bool:
        """Whether something is expected that only a failed run has."""
        return self.message is not None or any(
            each in ("failed", "upstream_failed") for each in self.steps.values()
        )

    @property
    def ending(self) -> RunState:
        """How the run must end: as written, else failed where a failure is expected, else succeeded."""
        return self.run or ("failed" if self.fails else "succeeded")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.run == "succeeded" and self.fails:
            key = "message" if self.message is not None else "steps"
            message = f"a run that succeeds has no failure, and '{key}' expects one"
            raise fault("P513", message, "write 'run: failed', or remove it", key)
        return self


class Case(SpecModel):
    """One run of the pipeline, or of some of its steps, and what must come of it."""

    description: str = Field(default="", description="What it shows, in a sentence.")
    parameters: dict[Name, Scalar] = Field(
        default_factory=dict[str, Scalar], description="Parameter → value.", examples=[{"recall_floor": 1.0}]
    )
    datasets: dict[Name, str] = Field(
        default_factory=dict[str, str], description="Dataset → path, relative to the tests file."
    )
    steps: list[Name] | None = Field(default=None, min_length=1, description="Run these steps alone.")
    given: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="STEP.OUTPUT → path: that step is not run, and this stands for what it makes.",
    )
    timeout: Duration | None = Field(default=None, description="The case fails when its run takes longer.")
    cache: bool = Field(default=False, description="Whether earlier results of the same case may be reused.")
    expect: Expectations = Field(description="What must have come of it.")


class TestsSpec(SpecModel):
    """Tests of one pipeline."""

    __test__ = False

    penstock: Literal["v1"] = Field(description="The language's version.")
    kind: Literal["tests"] = Field(description="Tests of a pipeline.")
    spec: str = Field(min_length=1, description="The pipeline, relative to this file.")
    description: str = Field(default="", description="What is tested, in a sentence.")
    targets: list[str] = Field(default=["local"], min_length=1, description="Where each case runs.")
    cases: dict[Name, Case] = Field(min_length=1, description="Name → what is run, and what must come of it.")


def _hold_bounds(low: float | None, high: float | None) -> None:
    if low is None and high is None:
        raise fault("P202", "this says nothing", "write 'at_least:' or 'at_most:'")
    if low is not None and high is not None and low > high:
        raise fault("P513", "'at_least' is above 'at_most'", "exchange them", "at_least")
