"""Samplers that look at no result: every combination in order, or values drawn by a seed."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from penstock.expressions.nodes import Scalar
from penstock.runtime.sampling.dimensions import (
    BITS,
    Searched,
    choices,
    combination,
    grid_size,
    number_at,
    position_at,
    validate,
)

_DRAWS = 100
"""How often a trial that has been is drawn anew before the next one free in the grid is taken."""


class Sampler(ABC):
    """Gives the trials of one search, numbered from 0 in the order in which they are asked for.

    Not safe to share between threads.
    """

    def __init__(self, dimensions: Sequence[Searched], trials: int) -> None:
        if trials < 0:
            raise ValueError("a search cannot have fewer than 0 trials")
        validate(dimensions)
        self._dimensions = tuple(dimensions)
        self._trials = trials
        self._asked = 0
        self._told: set[int] = set()

    def ask(self) -> dict[str, Scalar] | None:
        """Give the next trial's values by name, in the order of the dimensions.

        Returns:
            `None` once `trials` were given, or every combination was.
        """
        if self._asked >= self._trials:
            return None
        values = self._draw(self._asked)
        if values is not None:
            self._asked += 1
        return values

    def ask_round(self, size: int) -> list[tuple[int, dict[str, Scalar]]]:
        """Give the next `size` trials with their numbers: fewer at the end, none when there are no more.

        Trials that run at once are asked for in rounds, and a round is told whole before the next one begins. What
        `bayesian` learns is then a matter of the results alone, and not of which trial came in first.

        Raises:
            ValueError: `size` is below 1; or the sampler learns, and a trial given before was not told.
        """
        if size < 1:
            raise ValueError("a round has at least 1 trial")
        found: list[tuple[int, dict[str, Scalar]]] = []
        while len(found) < size and (values := self.ask()) is not None:
            found.append((self._asked - 1, values))
        return found

    def tell(self, number_of_trial: int, value: float | None) -> None:
        """Tell what the objective came to; `None`, or what is no finite number, for a trial that failed.

        The trials of one round may be told in any order.

        Raises:
            ValueError: no trial of this number was given, or it was told before.
        """
        if not 0 <= number_of_trial < self._asked:
            raise ValueError(f"no trial {number_of_trial} was given")
        if number_of_trial in self._told:
            raise ValueError(f"trial {number_of_trial} was told before")
        self._told.add(number_of_trial)
        self._learn(number_of_trial, value if value is not None and math.isfinite(value) else None)

    @abstractmethod
    def _draw(self, number: int) -> dict[str, Scalar] | None:
        """Make the values of a trial; numbers come one after another."""

    def _learn(self, number: int, value: float | None) -> None:
        """Take in a result. Samplers that look at none have nothing to do."""
        del number, value


class GridSampler(Sampler):
    """Every combination once, in written order, the last dimension changing fastest."""

    def __init__(self, dimensions: Sequence[Searched], trials: int) -> None:
        super().__init__(dimensions, trials)
        self._size = grid_size(self._dimensions)

    def _draw(self, number: int) -> dict[str, Scalar] | None:
        return combination(self._dimensions, number) if number < self._size else None


class RandomSampler(Sampler):
    """Values drawn by seed, number of the trial and name of the dimension alone.

    They come from SHA-256 and decimal arithmetic, so that no version of Python and no platform changes them. Another
    dimension added to the space leaves those before as they were, as long as no trial has to be drawn anew: where
    all dimensions are choices or integers, no combination is given twice, and the sampler is exhausted when each was
    given.
    """

    def __init__(self, dimensions: Sequence[Searched], trials: int, seed: int) -> None:
        super().__init__(dimensions, trials)
        self._seed = seed
        discrete = all(choices(each) is not None for each in self._dimensions)
        self._size = grid_size(self._dimensions) if discrete else None
        self._given: set[int] = set()

    def _draw(self, number: int) -> dict[str, Scalar] | None:
        if self._size is None:
            return {each.name: self._value(each, number) for each in self._dimensions}
        if len(self._given) == self._size:
            return None
        index = self._index(number, 0)
        draw = 1
        while index in self._given:
            index = self._index(number, draw) if draw < _DRAWS else (index + 1) % self._size
            draw += 1
        self._given.add(index)
        return combination(self._dimensions, index)

    def _value(self, dimension: Searched, number: int) -> Scalar:
        fraction = self._fraction(dimension, number, 0)
        values = choices(dimension)
        return number_at(dimension, fraction) if values is None else values[position_at(dimension, fraction)]

    def _index(self, number: int, draw: int) -> int:
        index = 0
        for each in self._dimensions:
            fraction = self._fraction(each, number, draw)
            index = index * len(choices(each) or ()) + position_at(each, fraction)
        return index

    def _fraction(self, dimension: Searched, number: int, draw: int) -> int:
        words = f"{self._seed}/{number}/{draw}/{dimension.name}"
        return int.from_bytes(hashlib.sha256(words.encode()).digest()[: BITS // 8])
