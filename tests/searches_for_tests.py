"""Searches for tests, and what came of their trials."""

from __future__ import annotations

from typing import Any

from tests.specs_for_tests import Shop

import penstock
from penstock.runtime.records import StepRecord

GRID = """
    steps:
      tune:
        kind: tune
        run: |
          echo ${{ inputs.depth }} >> COUNT
          test ${{ inputs.depth }} -ne BAD; sleep SLEEP
          echo "{\\"recall\\": 0.${{ inputs.depth }}}" > ${{ outputs.report }}
          echo ${{ inputs.depth }} > ${{ outputs.model }}/depth
        outputs: {model: model, report: metrics}
        search_space: {depth: {enum: [4, 7, 5, 6]}}
        sampling: grid
        objective: {metric: recall, goal: maximize}
        limits: {trials: 10, parallel: 1}
"""


DRAWN = """
    steps:
      tune:
        kind: tune
        run: |
          echo "{\\"loss\\": ${{ inputs.x }}}" > ${{ outputs.m }}
        outputs: {m: metrics}
        search_space: {x: {type: number, minimum: -3, maximum: 3}}
        sampling: SAMPLING
        seed: 7
        objective: {metric: loss, goal: minimize}
        limits: {trials: 12, parallel: 3}
"""


LOGGED = """
    steps:
      tune:
        kind: tune
        run: |
          echo "recall=0.1; recall=0.${{ inputs.depth }}"; echo "recall=" >&2
          touch ${{ outputs.model }}/w
        outputs: {model: model}
        search_space: {depth: {enum: [4, 7, 5]}}
        sampling: grid
        objective: {metric: recall, goal: maximize, source: log, regex: "recall=([0-9.]+)"}
        limits: {trials: 3}
"""


def grid(shop: Shop, *, bad: int = 0, sleep: float = 0) -> str:
    """Give a search over the depths 4, 7, 5 and 6, in that order; each trial enters its depth into a file."""
    count = str(shop.file("count"))
    return GRID.replace("COUNT", count).replace("BAD", str(bad)).replace("SLEEP", str(sleep))


def tried(shop: Shop) -> list[str]:
    return (shop.folder / "count").read_text().split()


def table(run: penstock.Run, step: str = "tune") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run.steps[step].search["trials"]
    return found


def values(run: penstock.Run, name: str, step: str = "tune") -> list[Any]:
    return [each["values"][name] for each in table(run, step)]


def trials(shop: Shop) -> dict[str, StepRecord]:
    """Give the trials of the last run as the ledger has them."""
    with shop.ledger() as ledger:
        return {each.name: each for each in ledger.steps(ledger.find_run("last").id) if each.trial_of}
