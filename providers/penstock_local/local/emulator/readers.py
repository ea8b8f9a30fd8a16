"""Who reads the same data at the same time, so that of a change nobody is accused who cannot be known."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from penstock.ir import Command, Train
from penstock_local.local.emulator.bound import Bound


@dataclass(slots=True)
class Reading:
    """One step's reading: what it reads by input, and who has read the same meanwhile."""

    step: str
    things: Mapping[str, str]
    beside: dict[str, set[str]] = field(default_factory=dict[str, set[str]])


class Readers:
    """The readings under way in one run."""

    def __init__(self) -> None:
        self._now: list[Reading] = []
        self._lock = Lock()

    @contextmanager
    def reading(self, step: Command | Train, inputs: Mapping[str, Bound]) -> Generator[Reading]:
        """Note a step's reading of what it shares with others, as long as it lasts."""
        packed = {each.name for each in step.inputs if each.packed}
        things = {name: _thing(each) for name, each in inputs.items() if name not in packed and _thing(each)}
        mine = Reading(step.name, things)
        with self._lock:
            for other in self._now:
                _meet(mine, other)
                _meet(other, mine)
            self._now.append(mine)
        try:
            yield mine
        finally:
            with self._lock:
                # Not by value: two readings may be equal.
                self._now = [each for each in self._now if each is not mine]


def _thing(bound: Bound) -> str:
    return bound.artifact.digest if bound.artifact is not None else str(bound.path or "")


def _meet(one: Reading, other: Reading) -> None:
    for name, thing in one.things.items():
        if any(_overlap(thing, each) for each in other.things.values()):
            one.beside.setdefault(name, set()).add(other.step)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
