"""Which Python runs a step: what the spec asks for where the bundle says so, else what stands for its environment."""

from __future__ import annotations

import threading

from penstock.runtime.environments import Interpreter, Requirements, default_root, identify, resolve
from penstock_azure.azureml.emulator.environments.wanted import Wanted, wanted
from penstock_azure.azureml.emulator.execution import Execution
from penstock_azure.azureml.emulator.reading.model import Step


class Interpreters:
    """Finds and builds interpreters, each once for all steps of a run."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._known: dict[Requirements, Interpreter] = {}
        self._keys: dict[Requirements, str] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def of(self, step: Step) -> Interpreter:
        """Find a step's interpreter. Raises EnvironmentFault, TaskFault."""
        run = self._execution.run
        found = self.wanted(step)
        with self._lock:
            if found.note and found.note not in self._told:
                self._told.add(found.note)
                run.notice(found.note, step.name)
            asked = found.requirements
            if asked not in self._known:
                self._known[asked] = resolve(
                    asked,
                    default_root(),
                    lambda message: run.notice(f"environment: {message}", step.name),
                    run.stop,
                )
            return self._known[asked]

    def identify(self, step: Step) -> str:
        """Name a step's environment for its cache key, without building it. Raises EnvironmentFault, TaskFault."""
        asked = self.wanted(step).requirements
        if asked not in self._keys:
            self._keys[asked] = identify(asked)
        return self._keys[asked]

    def wanted(self, step: Step) -> Wanted:
        """Tell what a step's environment stands for. Raises TaskFault."""
        own = self._asked_for(step)
        if own is not None:
            return Wanted(own)
        return wanted(step, self._execution.stand_ins.images, self._execution.bundle_path)

    def _asked_for(self, step: Step) -> Requirements | None:
        """Give what the spec asks for: the packages that the service's own machinery needs are none of a script's."""
        execution = self._execution
        if not execution.own or execution.interface is None:
            return None
        name = execution.results(step.name).get("environment")
        if name is None:
            return None
        found = execution.interface.pipeline.environments.get(name)
        return Requirements(found.python, found.packages) if found else Requirements()
