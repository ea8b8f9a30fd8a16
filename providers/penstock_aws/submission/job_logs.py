"""What jobs print, from CloudWatch Logs: shown as it comes, and kept in the run's own logs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.errors import RunError
from penstock.frozen import dataclass
from penstock.runtime.offline import OfflineRun
from penstock_aws.client import Clients, calling, code_of

GROUPS: Mapping[str, str] = {
    "Processing": "/aws/sagemaker/ProcessingJobs",
    "Training": "/aws/sagemaker/TrainingJobs",
    "Transform": "/aws/sagemaker/TransformJobs",
}
"""Step type → where its jobs log. The trials of a search are training jobs."""

_MOST_PAGES = 50
"""Pages of one stream that are read in one go, so that a talkative job does not keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Source:
    """One job's log.

    Attributes:
        step: the record that it is shown and kept under.
        group: the log group.
        job: the job's name; its streams begin with it.
        log: path relative to the project's home.
    """

    step: str
    group: str
    job: str
    log: str


class JobLogs:
    """Reads the logs of a run's jobs.

    Args:
        clients: of the account.
        run: whose lines they are.
    """

    def __init__(self, clients: Clients, run: OfflineRun) -> None:
        self.clients = clients
        self.run = run
        self.allowed = True
        self._tokens: dict[tuple[str, str], str] = {}
        self._known: dict[str, int] = {}
        self._printed: set[str] = set()

    def read(self, source: Source) -> int:
        """Show and keep what came since the last call. Gives the number of lines; a log that is not there has none."""
        if not self.allowed:
            return 0
        lines: list[str] = []
        try:
            for stream in self._streams(source):
                lines += self._events(source, stream)
        except RunError as fault:
            # Logs are not what a run is about: without them it is followed all the same.
            if fault.diagnostics[0].code not in ("P454", "P455", "P458"):
                raise
            self.allowed = False
            self.run.notice(f"logs are not shown: {fault.diagnostics[0].message}")
            return 0
        if lines:
            self._printed.add(source.step)
        self._keep(source, lines)
        return len(lines)

    def has_read(self, source: Source) -> bool:
        """Tell whether a job is known to have printed anything."""
        return source.step in self._printed

    def _streams(self, source: Source) -> list[str]:
        with calling("read the log", about=f"{source.group}/{source.job}"):
            try:
                pages = self.clients.logs.get_paginator("describe_log_streams").paginate(
                    logGroupName=source.group, logStreamNamePrefix=f"{source.job}/"
                )
                return [each["logStreamName"] for page in pages for each in page["logStreams"]]
            except Exception as fault:
                # The group comes with the account's first job of that kind.
                if code_of(fault) == "ResourceNotFoundException":
                    return []
                raise

    def _events(self, source: Source, stream: str) -> list[str]:
        found: list[str] = []
        key = (source.group, stream)
        for _ in range(_MOST_PAGES):
            token = self._tokens.get(key, "")
            with calling("read the log", about=f"{source.group}/{stream}"):
                answer: Any = self.clients.logs.get_log_events(
                    logGroupName=source.group,
                    logStreamName=stream,
                    startFromHead=True,
                    **({"nextToken": token} if token else {}),
                )
            self._tokens[key] = str(answer["nextForwardToken"])
            for each in answer["events"]:
                found += str(each["message"]).rstrip("\n").split("\n")
            # The end of a stream answers with the token that it was given.
            if self._tokens[key] == token or not answer["events"]:
                break
        return found

    def _keep(self, source: Source, lines: list[str]) -> None:
        place = self.run.project.home / source.log
        # A log that an earlier follower has kept is read again from its head, and its lines are not shown twice.
        if source.step not in self._known:
            self._known[source.step] = _count(place)
        seen = self._known[source.step]
        fresh = lines[seen:]
        self._known[source.step] = max(0, seen - len(lines))
        if not fresh:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a", encoding="utf-8", errors="backslashreplace") as opened:
            opened.writelines(f"{each}\n" for each in fresh)
        for each in fresh:
            self.run.line(source.step, each)


def _count(path: Path) -> int:
    try:
        with path.open("rb") as opened:
            return sum(1 for _ in opened)
    except FileNotFoundError:
        return 0
