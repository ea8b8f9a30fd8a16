"""How a step runs: environment, compute, retries, cache."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from penstock.spec.quantities import Duration, Memory
from penstock.spec.structure import Scalar, SpecModel, fault, published

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Environment(SpecModel):
    """What a step's interpreter must have. At most one of `packages`, `requirements` and `conda`."""

    python: str = Field("", description="A version specifier.", examples=[">=3.11"])
    packages: list[str] = Field(
        default_factory=list[str],
        description="Packages for pip, by name and version.",
        examples=[["scikit-learn==1.8.0"]],
    )
    requirements: str = Field("", description="A requirements file, relative to this spec.")
    conda: str = Field("", description="A conda environment file, relative to this spec.")
    image: str | dict[str, str] = Field(
        "",
        description="A container image, or one a target.",
        examples=["python:3.11"],
    )
    description: str = Field("", description="What it is for.")

    @model_validator(mode="after")
    def _one_list_of_packages(self) -> Environment:
        stated = [key for key in ("packages", "requirements", "conda") if getattr(self, key)]
        if len(stated) > 1:
            message = f"'{stated[0]}' and '{stated[1]}' exclude each other"
            raise fault("P208", message, "keep one of them", stated[1])
        return self


class Spot(SpecModel):
    """Interruptible machines, and how long to wait for them in all."""

    max_wait: Duration | None = Field(
        None, description="Waiting and running together; twice the timeout if absent."
    )


def _at_least_one(value: int | str) -> int | str:
    if isinstance(value, int) and not 1 <= value <= 1000:
        raise fault("P207", f"a count of {value} is out of bounds", "between 1 and 1000")
    return value


class Compute(SpecModel):
    """What a step needs, without naming a machine; `instance` names one per target where it must be that one."""

    cpu: float | None = Field(None, gt=0, le=1024, description="Cores.")
    memory: Memory | None = Field(None, description="Main memory.", examples=["8GiB"])
    gpu: int | None = Field(None, ge=0, le=64, description="Accelerators.")
    count: Annotated[int | str, AfterValidator(_at_least_one)] | None = Field(None, description="Machines.")
    spot: bool | Spot | None = Field(
        None,
        description="Interruptible machines: `true`, or how long to wait.",
        examples=[True, {"max_wait": "12h"}],
    )
    instance: dict[str, str] = Field(
        default_factory=dict[str, str], description="Target → its own size name."
    )


class Retry(SpecModel):
    """Trying again after a failure. `platform` faults are those of the machine, not of the script."""

    attempts: int = Field(ge=1, le=20, description="In all, the first included.")
    delay: Duration | None = Field(None, description="Before the second attempt.")
    backoff: float = Field(
        1.0, ge=1, le=10, description="Each further delay is this many times the one before."
    )
    errors: Literal["platform", "any"] = Field(
        "platform", description="After faults of the machine alone, or after any failure."
    )


class CacheRule(SpecModel):
    """How long an earlier result may be reused."""

    expires: Duration = Field(description="How old a result may be.", examples=["30d"])


def _variable(value: str) -> str:
    if _VARIABLE.fullmatch(value) is None:
        hint = "variables are letters, digits and _, not beginning with a digit"
        raise fault("P205", f"'{value:.60}' cannot be the name of a variable", hint)
    return value


class FromCaller(SpecModel):
    """The value of a variable of the caller's environment, in offline runs only; masked in logs."""

    from_env: Annotated[str, AfterValidator(_variable), published(_VARIABLE)] = Field(
        description="Name of the caller's variable.", examples=["MY_TOKEN"]
    )


class Checkpoint(SpecModel):
    """The output folder that is put back before a restart."""

    path: str = Field(description="`${{ outputs.NAME }}` of this step.")


Env = dict[Annotated[str, AfterValidator(_variable), published(_VARIABLE)], Scalar | FromCaller]
Cache = bool | CacheRule
TargetOptions = dict[str, dict[str, Any]]


class Defaults(SpecModel):
    """What every step has unless it says otherwise. `compute` and `env` are merged key by key."""

    environment: str | None = Field(None, description="One of `environments`.")
    compute: Compute | None = Field(
        None, description="What steps need of their machines.", examples=[{"cpu": 2, "memory": "8GiB"}]
    )
    env: Env = Field(
        default_factory=dict[str, Scalar | FromCaller], description="Variables of every step's process."
    )
    retry: Retry | None = Field(None, description="Trying again after a failure.", examples=[{"attempts": 3}])
    timeout: Duration | None = Field(
        None, description="After which a step is ended as failed.", examples=["2h"]
    )
    cache: Cache | None = Field(None, description="`false`, or `{expires: 30d}`; on by default.")
