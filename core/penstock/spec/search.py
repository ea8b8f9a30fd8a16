"""A search over the inputs of a step: what may vary, how trials are drawn, and which one is best."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from penstock.spec.ports import ScalarType
from penstock.spec.quantities import Duration
from penstock.spec.structure import Scalar, SpecModel, fault

_MOST_TRIALS = 10_000


class Dimension(SpecModel):
    """The values that one input of the trial may take: bounds, or a list. The short form is the list alone."""

    type: ScalarType | None = Field(
        None, description="By default that of the component's input, else of the bounds or values."
    )
    minimum: float | None = Field(None, description="The least value, itself included.")
    maximum: float | None = Field(None, description="The greatest value, itself included.")
    scale: Literal["linear", "log", "reverse_log"] = Field(
        "linear",
        description="How values spread between the bounds; `log` for learning rates and the like.",
    )
    enum: list[Scalar] = Field(
        default_factory=list[Scalar], description="The only values.", examples=[["log", "exp"]]
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"enum": value} if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]

    @model_validator(mode="after")
    def _bounds_or_values(self) -> Dimension:
        bounded = [key for key in ("minimum", "maximum") if getattr(self, key) is not None]
        if self.enum and bounded:
            raise fault("P208", f"'enum' and '{bounded[0]}' exclude each other", "keep one of them", "enum")
        if not self.enum and len(bounded) < 2:
            hint = "give {minimum: …, maximum: …}, or {enum: [a, b]}"
            raise fault("P202", "a dimension of the search has no values", hint)
        if self.enum and "scale" in self.model_fields_set:
            raise fault("P208", "'scale' goes with bounds, not with 'enum'", "remove 'scale'", "scale")
        return self


class Objective(SpecModel):
    """The number that tells trials apart."""

    metric: str = Field(
        min_length=1,
        description="A field of the trial's metrics output, as in expressions: `recall`, or `['macro avg'].recall`.",
        examples=["recall"],
    )
    goal: Literal["maximize", "minimize"] = Field(description="Whether more is better, or less.")
    output: str = Field(
        "", description="The metrics output that holds the field, where the trial has more than one."
    )
    source: Literal["metrics", "log", "mlflow"] = Field(
        "metrics",
        description="Where the number comes from: the metrics output, a line of the log (with `regex`), or MLflow.",
    )
    regex: str = Field(
        "",
        description="For `source: log`: an expression whose first group is the number; the last match counts.",
        examples=["recall=([0-9.]+)"],
    )


class Limits(SpecModel):
    """How much a search may spend."""

    trials: int = Field(ge=1, le=_MOST_TRIALS, description="Trials in all; a grid may end earlier.")
    parallel: int = Field(1, ge=1, le=1000, description="Trials at once.")
    trial_timeout: Duration | None = Field(None, description="After which one trial is ended as failed.")


class EarlyStopping(SpecModel):
    """Ending trials that fall behind, where the target sees their intermediate numbers."""

    policy: Literal["bandit", "median", "truncation"] = Field(
        description="`bandit`: worse than the best by `slack`; `median`: worse than the median; "
        "`truncation`: among the worst `percentage`."
    )
    slack: float | None = Field(
        None, gt=0, description="For `bandit`: the allowed ratio to the best, minus one."
    )
    percentage: int | None = Field(None, ge=1, le=99, description="For `truncation`.")
    interval: int = Field(1, ge=1, description="Reports between two decisions.")
    delay: int = Field(0, ge=0, description="Reports before the first decision.")

    @model_validator(mode="after")
    def _own_key(self) -> EarlyStopping:
        for policy, key in (("bandit", "slack"), ("truncation", "percentage")):
            given = getattr(self, key) is not None
            if self.policy == policy and not given:
                raise fault("P202", f"'{policy}' lacks '{key}'", f"add '{key}:'")
            if self.policy != policy and given:
                message = f"'{key}' goes with 'policy: {policy}'"
                raise fault("P208", message, f"remove '{key}'", key)
        return self
