"""Executions as the ledger has them: how they stand, and their steps.

What has ended does not change, unless somebody has it tried again; it is read from the file once.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from functools import lru_cache
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.database import LedgerError
from penstock.runtime.ledger import Ledger
from penstock.runtime.records import RunRecord, RunStatus, StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.state import Asked, State
from penstock_aws.sagemaker.emulator.definition import Definition, read_definition

_REMEMBERED = 1000
_CODE = re.compile(r" \[(?:P\d{3}|(?:Step|SageMaker)\.\w+)\]$")
_STEP_FAILED = "Step failure: One or multiple steps failed."
GOING = ("Executing", "Stopping")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an execution stands, in the service's words; `run` is `None` for one that has not begun."""

    status: str
    run: RunRecord | None
    reason: str = ""

    @property
    def modified(self) -> float:
        """When it ended; 0 for one that has not."""
        return (self.run.ended or 0.0) if self.run and self.status not in GOING else 0.0


class Runs:
    """Reads the ledger for all threads of an endpoint."""

    def __init__(self, ledger: Ledger, state: State) -> None:
        self._ledger = ledger
        self._state = state
        self._ended: OrderedDict[str, tuple[tuple[Any, ...], tuple[StepRecord, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, id: str) -> RunRecord | None:
        """Give a run; `None` where it has not begun."""
        try:
            return self._ledger.run(id)
        except LedgerError as fault:
            if fault.code != "P484":
                raise
            return None

    def steps(self, id: str) -> tuple[StepRecord, ...]:
        """Give the steps of a run, trials among them; none for one that has not begun."""
        # Lists ask for every run that there is: no more is read of it than what tells whether it has changed.
        rows = self._ledger.database.read("SELECT status, resumes, ended FROM runs WHERE id = ?", (id,))
        if not rows:
            return ()
        if rows[0][0] == RunStatus.RUNNING:
            return self._ledger.steps(id)
        mark = rows[0]
        with self._lock:
            known = self._ended.get(id)
            if known is not None and known[0] == mark:
                self._ended.move_to_end(id)
                return known[1]
        found = self._ledger.steps(id)
        with self._lock:
            self._ended[id] = mark, found
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
        return found

    def standing(self, asked: Asked) -> Standing:
        """Tell how an execution stands. One that an endpoint was ended in still executes."""
        run = self.run(asked.run)
        under_way = "Executing" if asked.wanted == "run" else "Stopping"
        if run is None or run.status in (RunStatus.RUNNING, RunStatus.INTERRUPTED):
            return Standing(under_way, run)
        if run.ended is not None and run.ended == asked.body.get("retried"):
            # It is about to be taken up again.
            return Standing(under_way, run)
        if run.status is RunStatus.SUCCEEDED:
            return Standing("Succeeded", run)
        if run.status is RunStatus.FAILED:
            return Standing("Failed", run, self._reason(run))
        return Standing("Stopped" if asked.wanted == "stop" else "Executing", run)

    def definition_text(self, asked: Asked) -> str:
        """Give the definition that an execution runs."""
        own = asked.body.get("definition")
        if own is not None:
            return str(own)
        version = self._state.version(asked.pipeline, asked.body["version"])
        return version.definition if version is not None else '{"Version": "2020-12-01", "Steps": []}'

    def definition(self, asked: Asked) -> Definition:
        """Give it read."""
        return parsed(self.definition_text(asked))

    def _reason(self, run: RunRecord) -> str:
        failed = [
            each for each in self.steps(run.id) if each.status is StepStatus.FAILED and not each.trial_of
        ]
        if not failed:
            return reason(run.message)
        said = next((each.message for each in failed if each.kind == "fail"), "")
        return said or _STEP_FAILED


def reason(message: str) -> str:
    """Give a failure reason without the page of Penstock's own that stands behind it."""
    return _CODE.sub("", message)


@lru_cache(maxsize=128)
def parsed(text: str) -> Definition:
    """Read a definition that was checked when it came."""
    return read_definition(json.loads(text))
