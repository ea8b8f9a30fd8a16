"""Sobol's sequence: points that fill a space evenly, shifted by the seed (direction numbers of Joe and Kuo, 2008)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from penstock.expressions.nodes import Scalar
from penstock.runtime.sampling import Dimension, Sampler
from penstock.runtime.sampling.dimensions import BITS, choices, number_at, position_at

# Degree of the polynomial, its inner coefficients, first direction numbers; the first dimension needs none.
_TABLE = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
    (5, 13, (1, 1, 1, 3, 11)),
    (5, 14, (1, 3, 5, 5, 31)),
    (6, 1, (1, 3, 3, 9, 7, 49)),
    (6, 13, (1, 1, 1, 15, 21, 21)),
    (6, 16, (1, 3, 1, 13, 27, 49)),
    (6, 19, (1, 1, 1, 15, 7, 5)),
    (6, 22, (1, 3, 1, 15, 13, 25)),
    (6, 25, (1, 1, 5, 5, 19, 61)),
    (7, 1, (1, 3, 7, 11, 23, 15, 103)),
    (7, 4, (1, 3, 7, 13, 13, 15, 69)),
)
MOST = len(_TABLE) + 1
"""Dimensions that the table reaches to."""


class SobolSampler(Sampler):
    """Gives points of the sequence in its order; `MOST` dimensions at most."""

    def __init__(self, dimensions: Sequence[Dimension], trials: int, seed: int) -> None:
        super().__init__(dimensions, trials)
        if len(dimensions) > MOST:
            raise ValueError(f"a sobol search has {MOST} dimensions at most")
        self._directions = [directions(at) for at in range(len(dimensions))]
        self._shifts = [
            int.from_bytes(hashlib.sha256(f"{seed}/sobol/{each.name}".encode()).digest()[: BITS // 8])
            for each in dimensions
        ]

    def _draw(self, number: int) -> dict[str, Scalar] | None:
        found: dict[str, Scalar] = {}
        for dimension, numbers, shift in zip(self._dimensions, self._directions, self._shifts, strict=True):
            fraction = point(number, numbers) ^ shift
            values = choices(dimension)
            found[dimension.name] = (
                number_at(dimension, fraction) if values is None else values[position_at(dimension, fraction)]
            )
        return found


def point(number: int, numbers: Sequence[int]) -> int:
    """Give one coordinate of a point, over 2 to the power of `BITS`."""
    gray, found = number ^ (number >> 1), 0
    for each in numbers:
        if gray & 1:
            found ^= each
        gray >>= 1
    return found


def directions(dimension: int) -> list[int]:
    """Give the direction numbers of a dimension, counted from 0."""
    if dimension == 0:
        return [1 << (BITS - 1 - at) for at in range(BITS)]
    degree, inner, first = _TABLE[dimension - 1]
    found = [each << (BITS - 1 - at) for at, each in enumerate(first)]
    for at in range(degree, BITS):
        value = found[at - degree] ^ (found[at - degree] >> degree)
        for back in range(1, degree):
            if inner >> (degree - 1 - back) & 1:
                value ^= found[at - back]
        found.append(value)
    return found
