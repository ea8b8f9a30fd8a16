"""What every job has, whatever its kind: its request, its folders, its interpreter, and how it tells of itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.masking import Masker
from penstock.runtime.process import Exit
from penstock_aws.sagemaker.emulator.client_settings import NO_CLIENTS, ClientSettings
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.jobs.containers import WORK, Container, Machine, run_container
from penstock_aws.sagemaker.emulator.jobs.interpreters import Chosen, Interpreters
from penstock_aws.sagemaker.emulator.jobs.patience import Stop


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a job.

    Attributes:
        step: the step that it belongs to, as the ledger names it: a trial of a search is `step[number]`.
        name: the job's own, as the service gives them.
        arguments: the request, with every expression resolved.
        folder: its own, for all of its machines.
        log: of its first machine; the others' stand beside it.
        started: makes the process's id durable, before anything else of it is shown.
        done: once set, a container that serves is asked to end.
    """

    execution: Execution
    interpreters: Interpreters
    step: str
    name: str
    arguments: Mapping[str, Any]
    folder: Path
    log: Path
    stop: Stop
    started: Callable[[int], None]
    network: bool = True
    masker: Masker = field(default_factory=Masker)
    done: threading.Event = field(default_factory=threading.Event)

    def interpreter(self, image: str, extra: Sequence[str] = (), owner: str = "") -> Chosen:
        """Find what stands for an image. `owner`: the step of the definition. Raises JobFault."""
        return self.interpreters.choose(owner or self.step.partition("[")[0], image, extra, self.step)

    def run(
        self,
        machine: Machine,
        argv: Sequence[str],
        env: Mapping[str, str],
        chosen: Chosen,
        *,
        places: tuple[str, ...] = (),
        sealed: tuple[str, ...] = (),
        cwd: str = WORK,
        timeout: float | None = None,
        until: threading.Event | None = None,
    ) -> Exit:
        """Run a container on one of the job's machines; one that serves runs `until` nobody asks any more."""
        container = Container(
            tuple(argv),
            {**env, **self._region()},
            chosen.interpreter,
            chosen.provided,
            places,
            sealed,
            self._has_network(),
            cwd,
            self._clients(),
        )
        stop = self.stop if until is None else Stop(until, self.folder, 1 << 20)
        ended = run_container(
            container,
            machine,
            self.execution.run,
            step=self.step,
            log=self.log_of(machine),
            stop=stop,
            timeout=timeout,
            masker=self.masker,
            on_start=self.started,
        )
        stop.make_room()
        return ended

    def log_of(self, machine: Machine) -> Path:
        """Give the log of a machine, as the service keeps one for each."""
        if machine.host == machine.hosts[0]:
            return self.log
        return self.log.with_name(f"{self.log.stem}-{machine.host}{self.log.suffix}")

    def say(self, text: str) -> None:
        """Add a line to the log, and show it."""
        with self.log.open("ab") as log:
            log.write(f"{text}\n".encode())
        self.execution.run.line(self.step, text)

    def _region(self) -> dict[str, str]:
        account = self.execution.account
        return {"AWS_REGION": account.region, "AWS_DEFAULT_REGION": account.region}

    def _has_network(self) -> bool:
        return self.network and not self.execution.run.request.isolate

    def _clients(self) -> ClientSettings:
        """Give what its own clients find an endpoint by: as on the service, they speak in the name of its role."""
        hosted = self.execution.hosted
        if hosted is None or not self._has_network():
            return NO_CLIENTS
        return hosted.clients(str(self.arguments.get("RoleArn") or ""))
