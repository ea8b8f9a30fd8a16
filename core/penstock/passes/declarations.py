"""What a spec declares without expressions, as the graph holds it: parameters, datasets, environments, retries."""

from __future__ import annotations

import math
from typing import Any

from penstock.ir import Cache, Dataset, Environment, Parameter, Retry
from penstock.spec import execution, ports
from penstock.spec.quantities import seconds


def parameter(name: str, spec: ports.Parameter) -> Parameter:
    """Make a parameter, its values in the one form that its type has."""
    return Parameter(
        name=name,
        type=spec.type,
        default=_of_type(spec.type, spec.default),
        enum=tuple(_of_type(spec.type, each) for each in spec.enum),
        minimum=spec.minimum,
        maximum=spec.maximum,
        pattern=spec.pattern,
        description=spec.description,
        display_name=spec.display_name,
    )


def _of_type(kind: ports.ScalarType, value: Any) -> Any:
    """Write a whole number as a float where the parameter is a number, so that it has one form everywhere."""
    if kind != "number" or type(value) is not int:
        return value
    try:
        return float(value)
    except OverflowError:
        # No finite number, which the check of values says.
        return math.copysign(math.inf, value)


def dataset(name: str, spec: ports.Dataset) -> Dataset:
    """Make a dataset; an address for every target stands under the empty key."""
    uri = {"": spec.uri} if isinstance(spec.uri, str) else dict(spec.uri)
    addresses = {key: value for key, value in uri.items() if value}
    return Dataset(
        name,
        spec.type,
        spec.path,
        addresses,
        spec.version,
        spec.description,
        spec.optional,
        display_name=spec.display_name,
        tags=dict(spec.tags),
    )


def environment(name: str, spec: execution.Environment) -> Environment:
    """Make an environment; the packages of its files are not read yet."""
    image = {"": spec.image} if isinstance(spec.image, str) else dict(spec.image)
    return Environment(
        name=name,
        python=spec.python,
        packages=tuple(spec.packages),
        # The snapshot stage reads the files; until then their paths stand in for the content.
        requirements=spec.requirements,
        conda={"file": spec.conda} if spec.conda else {},
        image={key: value for key, value in image.items() if value},
        description=spec.description,
    )


def retry(spec: execution.Retry) -> Retry:
    """Make a rule for retries, in seconds."""
    return Retry(spec.attempts, seconds(spec.delay) if spec.delay else 0, spec.backoff, spec.errors)


def cache(spec: execution.Cache | None) -> Cache:
    """Make a cache rule, in seconds; on where nothing is said."""
    if isinstance(spec, execution.CacheRule):
        return Cache(True, math.ceil(seconds(spec.expires)))
    return Cache(spec is not False)
