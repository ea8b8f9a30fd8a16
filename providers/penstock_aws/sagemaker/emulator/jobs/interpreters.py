"""Which Python runs a step's jobs: what the spec asks for where the bundle says so, else what stands for the image."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from penstock.frozen import dataclass
from penstock.runtime.environments import EnvironmentFault, Interpreter, Requirements, default_root, resolve
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.images.environments import ImageFault, OfflineImage, offline_image
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault


@dataclass(frozen=True, slots=True)
class Chosen:
    """An interpreter, the requirements that it was made for, and the image that it stands for."""

    interpreter: Interpreter
    provided: tuple[str, ...]
    image: OfflineImage


class Interpreters:
    """Finds and builds interpreters, each once for all steps of an execution."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._known: dict[Requirements, Interpreter] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def choose(self, step: str, uri: str, extra: Sequence[str], shown: str) -> Chosen:
        """Find what stands for a step's image. Raises JobFault."""
        image, requirements = self.wanted(step, uri, extra)
        if image.note and not self._asked_for(step):
            with self._lock:
                told, self._told = image.note in self._told, {*self._told, image.note}
            if not told:
                self._execution.run.notice(image.note, shown)
        return Chosen(self._resolve(requirements, shown), requirements.packages, image)

    def wanted(self, step: str, uri: str, extra: Sequence[str]) -> tuple[OfflineImage, Requirements]:
        """Tell what a step's image stands for, without building anything. Raises JobFault."""
        overrides = self._execution.stand_ins.images
        try:
            image = offline_image(uri, overrides, extra)
        except ImageFault as fault:
            hint = f"; {fault.hint}" if fault.hint else ""
            raise JobFault(f"{fault.message}{hint}", "P432") from None
        asked = self._asked_for(step)
        return image, asked if asked is not None else image.requirements

    def _asked_for(self, step: str) -> Requirements | None:
        """Give what the spec asks for: jobs install it when they start, so that the image's own does not count."""
        interface = self._execution.interface
        if interface is None:
            return None
        name = self._execution.results(step).get("environment", "")
        found = interface.pipeline.environments.get(name)
        return Requirements(found.python, found.packages) if found else Requirements()

    def _resolve(self, requirements: Requirements, shown: str) -> Interpreter:
        run = self._execution.run
        with self._lock:
            if requirements not in self._known:
                try:
                    self._known[requirements] = resolve(
                        requirements,
                        default_root(),
                        lambda message: run.notice(f"environment: {message}", shown),
                        run.stop,
                    )
                except EnvironmentFault as fault:
                    reason, _, code = fault.told.rpartition(" [")
                    raise JobFault(reason, code.rstrip("]")) from None
            return self._known[requirements]
