"""Search that learns from results: optuna's tree-structured Parzen estimator, by ask and tell."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.expressions.nodes import Scalar
from penstock.runtime.sampling.dimensions import Searched, bounds, choices
from penstock.runtime.sampling.samplers import Sampler
from penstock.runtime.sampling.stopping import Goal

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution


class BayesianSampler(Sampler):
    """Draws where good results were told; the first ten trials, failed ones aside, are random.

    The same seed and the same results give the same trials, on one machine with the same versions of optuna and
    numpy: results are handed on by number, and only before the next trial is drawn, so that the order in which a
    round was told leaves no trace. Combinations may come twice.
    """

    def __init__(self, dimensions: Sequence[Searched], trials: int, seed: int, goal: Goal) -> None:
        super().__init__(dimensions, trials)
        try:
            import optuna
        except ImportError:
            hint = "pip install 'penstock[tune]'"
            message = "bayesian sampling needs optuna, which is not installed"
            raise RunError([error("P422", message, hint=hint)]) from None
        self._pending: dict[int, float | None] = {}
        self._drawn: list[Trial] = []
        self._distributions = {each.name: _distribution(each) for each in self._dimensions}
        # Any integer will do as our seed; numpy takes 32 bits.
        bits = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:4])
        with _quiet():
            # The liar keeps the trials of one round apart: those without a result count as bad ones.
            learner = optuna.samplers.TPESampler(seed=bits, constant_liar=True)
            self._study = optuna.create_study(sampler=learner, direction=goal)

    def ask_round(self, size: int) -> list[tuple[int, dict[str, Scalar]]]:
        """Give the next `size` trials, as `Sampler.ask_round` does."""
        if len(self._told) < self._asked:
            raise ValueError("a trial of the round before was not told")
        return super().ask_round(size)

    def _draw(self, number: int) -> dict[str, Scalar] | None:
        del number
        with _quiet():
            self._hand_on()
            trial = self._study.ask(self._distributions)
        self._drawn.append(trial)
        return {each.name: _value(each, trial.params[each.name]) for each in self._dimensions}

    def _learn(self, number: int, value: float | None) -> None:
        self._pending[number] = value

    def _hand_on(self) -> None:
        from optuna.trial import TrialState

        for number in sorted(self._pending):
            value = self._pending[number]
            state = TrialState.FAIL if value is None else TrialState.COMPLETE
            self._study.tell(self._drawn[number], value, state)
        self._pending.clear()


def _distribution(dimension: Searched) -> BaseDistribution:
    from optuna import distributions

    values = choices(dimension)
    log = dimension.scale == "log"
    if isinstance(values, range):
        return distributions.IntDistribution(values[0], values[-1], log=log)
    if values is not None:
        # Positions, since 1, 1.0 and true are equal, and a choice has to come back as it was written.
        return distributions.CategoricalDistribution(range(len(values)))
    least, greatest = bounds(dimension)
    if dimension.scale == "reverse_log":
        return distributions.FloatDistribution(1 - greatest, 1 - least, log=True)
    return distributions.FloatDistribution(least, greatest, log=log)


def _value(dimension: Searched, drawn: float) -> Scalar:
    values = choices(dimension)
    if isinstance(values, range):
        return int(drawn)
    if values is not None:
        return values[int(drawn)]
    least, greatest = bounds(dimension)
    value = 1 - drawn if dimension.scale == "reverse_log" else drawn
    return float(min(max(value, least), greatest))


@contextmanager
def _quiet() -> Generator[None]:
    """Keep optuna from reporting each trial, and leave its logging as the process had it."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
