"""A sweep's search space as dimensions of core's sampler, and what a draw of them says of each input.

Distributions that the sampler does not have are drawn as a number between 0 and 1, and read off from that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any, Literal

from penstock.expressions.nodes import Scalar
from penstock.frozen import dataclass
from penstock.runtime.sampling import Dimension
from penstock_azure.azureml.emulator.reading.binding import service_text
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import by_name, is_list, is_mapping, mapping

Drawn = Mapping[str, Scalar]
Reader = Callable[[Drawn], Any]

DISTRIBUTIONS = frozenset(
    {"choice", "randint", "uniform", "loguniform", "quniform", "qloguniform"}
    | {"normal", "lognormal", "qnormal", "qlognormal"}
)
_EDGE = 1e-12
_MOST_DIGITS = 17
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Space:
    """What is searched.

    Attributes:
        dimensions: for the sampler, in its order.
        readers: name as the table of trials has it → what reads its value off a draw.
        ports: the same name → the trial's input.
        booleans: names whose text is a boolean of the spec.
    """

    dimensions: tuple[Dimension, ...]
    readers: Mapping[str, Reader]
    ports: Mapping[str, str]
    booleans: frozenset[str] = frozenset()

    def texts(self, drawn: Drawn) -> dict[str, str]:
        """Give input → the text that a trial gets for it."""
        return {self.ports[name]: _text(read(drawn)) for name, read in self.readers.items()}

    def shown(self, drawn: Drawn) -> dict[str, Scalar]:
        """Give a trial's values for people and the ledger."""
        found: dict[str, Scalar] = {}
        for name, read in self.readers.items():
            value = read(drawn)
            plain = value if isinstance(value, str | int | float) else _text(value)
            found[name] = plain == "true" if name in self.booleans else plain
        return found


def read_space(given: object, about: Mapping[str, Any], base: float = math.e) -> Space:
    """Read a search space.

    Args:
        given: the node's `search_space`, filled in.
        about: what a bundle of Penstock says of it: `space` is the order of the spec, `searched` the types there.
        base: of logarithmic bounds.

    Raises:
        TaskFault: it cannot be searched.
    """
    ports = by_name(given)
    if not ports:
        raise TaskFault("the sweep has no search_space", "P410")
    searched = mapping(about.get("searched"))
    order: Sequence[str] = about.get("space") or ()
    names = {(name if name in ports else f"{name}_"): name for name in order}
    ordered = [*(port for port in names if port in ports), *(port for port in ports if port not in names)]
    made = _Reading(base)
    readers: dict[str, Reader] = {}
    for port in ordered:
        name = names.get(port, port)
        readers[name] = made.one(name, ports[port], mapping(searched.get(name)))
    return Space(
        tuple(made.dimensions),
        readers,
        {names.get(port, port): port for port in ordered},
        frozenset(name for name in readers if mapping(searched.get(name)).get("type") == "boolean"),
    )


class _Reading:
    def __init__(self, base: float) -> None:
        self.base = base
        self.dimensions: list[Dimension] = []

    def one(self, name: str, given: object, about: Mapping[str, Any], depth: int = 0) -> Reader:
        """Add what has to be drawn for one distribution, and give what reads its value. Raises TaskFault."""
        entry = mapping(given)
        kind = str(entry.get("type", "")).lower()
        if kind not in DISTRIBUTIONS or depth > _DEEPEST:
            raise TaskFault(f"'{name}' of the search space is of type '{kind}', which is not known", "P431")
        if kind == "choice":
            return self._choice(name, entry, about, depth)
        if kind == "randint":
            upper = _number(entry, "upper", name)
            if upper < 1:
                raise TaskFault(f"'upper' of '{name}' leaves nothing to draw", "P410")
            return self._plain(Dimension(name, "integer", 0, upper - 1))
        step = _number(entry, "q", name) if kind.startswith("q") else 0.0
        inner = self._smooth(name, kind.removeprefix("q"), entry)
        return (lambda drawn: round(inner(drawn) / step) * step) if step else inner

    def _smooth(self, name: str, kind: str, entry: Mapping[str, Any]) -> Reader:
        if kind.endswith("uniform"):
            low, high = _number(entry, "min_value", name), _number(entry, "max_value", name)
            if low > high:
                raise TaskFault(f"'min_value' of '{name}' is above its 'max_value'", "P410")
            scale: Literal["linear", "log"] = "linear"
            if kind == "loguniform":
                low, high, scale = _power(self.base, low, name), _power(self.base, high, name), "log"
            return self._plain(Dimension(name, "number", low, high, scale))
        mean, deviation = _number(entry, "mu", name), _number(entry, "sigma", name)
        if deviation <= 0:
            raise TaskFault(f"'sigma' of '{name}' must be above 0", "P410")
        self.dimensions.append(Dimension(name, "number", 0.0, 1.0))
        curve = NormalDist(mean, deviation)

        def value(drawn: Drawn) -> float:
            found = curve.inv_cdf(min(max(float(drawn[name]), _EDGE), 1 - _EDGE))
            return _power(self.base, found, name) if kind == "lognormal" else found

        return value

    def _plain(self, dimension: Dimension) -> Reader:
        self.dimensions.append(dimension)
        return lambda drawn: drawn[dimension.name]

    def _choice(self, name: str, entry: Mapping[str, Any], about: Mapping[str, Any], depth: int) -> Reader:
        given: Any = entry.get("values")
        values: list[Any] = [*given] if is_list(given) else []
        if not values:
            raise TaskFault(f"'{name}' of the search space has no values to choose from", "P410")
        if about.get("between") and _is_run(values):
            # The service has whole numbers as a list alone; the spec has bounds, and so has the sampler.
            return self._plain(
                Dimension(name, "integer", int(values[0]), int(values[-1]), about.get("scale", "linear"))
            )
        if all(isinstance(each, str | int | float) for each in values):
            return self._plain(Dimension(name, "string", enum=tuple(values)))
        self.dimensions.append(Dimension(name, "integer", 0, len(values) - 1))
        readers = [self._nested(f"{name}.{at}", each, depth) for at, each in enumerate(values)]
        return lambda drawn: readers[int(drawn[name])](drawn)

    def _nested(self, name: str, given: object, depth: int) -> Reader:
        """Read one of the values of a choice: a scalar, a distribution, or a mapping with distributions in it."""
        if not is_mapping(given):
            return lambda _: given
        if str(given.get("type", "")).lower() in DISTRIBUTIONS:
            return self.one(name, given, {}, depth + 1)
        parts = {key: self._nested(f"{name}.{key}", each, depth + 1) for key, each in given.items()}
        return lambda drawn: {key: read(drawn) for key, read in parts.items()}


def _is_run(values: Sequence[Any]) -> bool:
    return all(type(each) is int for each in values) and [*values] == [*range(values[0], values[-1] + 1)]


def _number(entry: Mapping[str, Any], key: str, name: str) -> float:
    try:
        found = float(str(entry[key]))
    except (KeyError, ValueError):
        raise TaskFault(f"'{key}' of '{name}' in the search space is no number", "P410") from None
    if not math.isfinite(found) or (key == "q" and found <= 0):
        raise TaskFault(f"'{key}' of '{name}' in the search space cannot be {found:g}", "P410")
    return found


def _power(base: float, exponent: float, name: str) -> float:
    """Give the number whose logarithm a bound is: the shortest one, since that is what somebody wrote."""
    try:
        found = math.exp(exponent) if base == math.e else base**exponent
    except OverflowError:
        raise TaskFault(f"'{name}' of the search space is larger than any number", "P410") from None
    if base == math.e:
        for digits in range(1, _MOST_DIGITS):
            short = float(f"{found:.{digits}g}")
            if short > 0 and math.log(short) == exponent:
                return short
    return found


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else service_text(value)
