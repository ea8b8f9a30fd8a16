"""What a search varies: choices, integers and numbers, and the value that a random fraction picks of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from typing import Literal as OneOf
from typing import Protocol

from penstock.expressions.nodes import Scalar
from penstock.frozen import dataclass

BITS = 64
"""A random fraction is an integer of so many bits; it stands for itself over 2 to their power."""

LARGEST = 2**53
"""Beyond it a bound, which is a float, may not be the integer that was written."""

# Decimal's ln and exp round correctly, and so alike everywhere; those of `math` are the C library's.
_EXACT = Context(prec=40)


class Searched(Protocol):
    """One dimension of a search space, as `Dimension` describes it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def minimum(self) -> float | None: ...  # noqa: D102
    @property
    def maximum(self) -> float | None: ...  # noqa: D102
    @property
    def scale(self) -> str: ...  # noqa: D102
    @property
    def enum(self) -> tuple[Scalar, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a search space.

    Attributes:
        name: the trial's input that takes the value.
        type: of the value; a boolean without `enum` is false or true.
        minimum: the least value, itself included; needed by integers and numbers without `enum`.
        maximum: the greatest value, itself included; likewise.
        scale: where values are dense. `log`: at the lower end, as for rates, from above 0. `reverse_log`: at the
            upper end, as for momenta; numbers from 0 to below 1.
        enum: the choices in written order. Where there are any, bounds and scale mean nothing.
    """

    name: str
    type: OneOf["integer", "number", "string", "boolean"]
    minimum: float | None = None
    maximum: float | None = None
    scale: OneOf["linear", "log", "reverse_log"] = "linear"
    enum: tuple[Scalar, ...] = ()


def choices(dimension: Searched) -> Sequence[Scalar] | None:
    """Give every value in order, without making a list of integers; `None` for numbers between bounds."""
    if dimension.enum:
        return dimension.enum
    if dimension.type == "boolean":
        return (False, True)
    if dimension.type == "integer":
        least, greatest = bounds(dimension)
        return range(math.ceil(least), math.floor(greatest) + 1)
    return None


def bounds(dimension: Searched) -> tuple[float, float]:
    """Give minimum and maximum; those of an integer may be fractions.

    Raises:
        ValueError: one is missing, they hold no value between them, or the scale has no place for them.
    """
    least, greatest, name = dimension.minimum, dimension.maximum, dimension.name
    if dimension.type not in ("integer", "number"):
        raise ValueError(f"{name}: a {dimension.type} has no bounds; it needs values to choose from")
    if least is None or greatest is None:
        raise ValueError(f"{name}: minimum and maximum are needed")
    if not (math.isfinite(least) and math.isfinite(greatest)):
        raise ValueError(f"{name}: the bounds must be finite")
    whole = dimension.type == "integer"
    if whole and max(-least, greatest) > LARGEST:
        raise ValueError(f"{name}: integers reach from -2**53 to 2**53")
    if least > greatest or (whole and math.ceil(least) > math.floor(greatest)):
        raise ValueError(f"{name}: nothing lies between {least} and {greatest}")
    if dimension.scale == "log" and least <= 0:
        raise ValueError(f"{name}: a log scale begins above 0")
    if dimension.scale == "reverse_log" and (whole or least < 0 or greatest >= 1):
        raise ValueError(f"{name}: a reverse_log scale is for numbers from 0 to below 1")
    return least, greatest


def validate(dimensions: Sequence[Searched]) -> None:
    """Refuse what cannot be searched.

    Raises:
        ValueError: two dimensions of one name, or what `bounds` says.
    """
    if len({each.name for each in dimensions}) < len(dimensions):
        raise ValueError("two dimensions have the same name")
    for each in dimensions:
        if choices(each) is None:
            bounds(each)


def grid_size(dimensions: Sequence[Searched]) -> int:
    """Count the combinations of all values.

    Raises:
        ValueError: a `number` has bounds instead of values, so that there is no end of them.
    """
    size = 1
    for each in dimensions:
        values = choices(each)
        if values is None:
            raise ValueError(f"{each.name}: a grid needs values to choose from, and numbers have no end")
        size *= len(values)
    return size


def combination(dimensions: Sequence[Searched], index: int) -> dict[str, Scalar]:
    """Give one point of the grid, from 0 to `grid_size` - 1; the last dimension changes fastest."""
    picked: list[Scalar] = []
    for each in reversed(dimensions):
        values = choices(each) or ()
        index, position = divmod(index, len(values))
        picked.append(values[position])
    return {each.name: value for each, value in zip(dimensions, reversed(picked), strict=True)}


def position_at(dimension: Searched, fraction: int) -> int:
    """Pick one of the choices: alike likely, or on a log scale of integers by the width of each on that scale."""
    values = choices(dimension) or ()
    if isinstance(values, range) and dimension.scale == "log":
        with localcontext(_EXACT):
            low, high = Decimal(values.start).ln(), Decimal(values.stop).ln()
            value = int((low + (high - low) * _part(fraction)).exp())
        # A rounding at either end must not lead outside.
        return min(max(value - values.start, 0), len(values) - 1)
    return fraction * len(values) >> BITS


def number_at(dimension: Searched, fraction: int) -> float:
    """Pick a number between the bounds, evenly spread on the dimension's scale."""
    least, greatest = bounds(dimension)
    with localcontext(_EXACT):
        low, high, part = Decimal(least), Decimal(greatest), _part(fraction)
        if dimension.scale == "log":
            value = (low.ln() + (high.ln() - low.ln()) * part).exp()
        elif dimension.scale == "reverse_log":
            low, high = (1 - low).ln(), (1 - high).ln()
            value = 1 - (low + (high - low) * part).exp()
        else:
            value = low + (high - low) * part
    return float(min(max(float(value), least), greatest))


def _part(fraction: int) -> Decimal:
    return Decimal(fraction) / (1 << BITS)
