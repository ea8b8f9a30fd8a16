"""How a training container starts: by the request's own entrypoint, by the toolkit of its image, or by an algorithm."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from penstock.frozen import dataclass
from penstock.runtime.scheduler import default_jobs
from penstock_aws.sagemaker.emulator.data.packaging import PackagingFault, unpack
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.images import algorithms
from penstock_aws.sagemaker.emulator.jobs.containers import TOOLS, WORK, Machine
from penstock_aws.sagemaker.emulator.jobs.interpreters import Chosen
from penstock_aws.sagemaker.emulator.jobs.job import Job
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.emulator.jobs.patience import room
from penstock_aws.sagemaker.emulator.jobs.shipped_code import asked_in
from penstock_aws.sagemaker.emulator.parts import rows, texts

_MOST_CODE = 4 << 30
_MOST_FILES = 200_000


def _nothing(machine: Machine) -> dict[str, str]:
    del machine
    return {}


def _silent(log: Path, code: int | None) -> str:
    del log, code
    return ""


@dataclass(frozen=True, slots=True)
class Start:
    """A container's command.

    Attributes:
        env: machine → variables that whatever starts the script sets.
        said_by: log, exit code → the failure reason that whatever starts the script writes down.
    """

    argv: tuple[str, ...]
    chosen: Chosen
    env: Callable[[Machine], Mapping[str, str]] = _nothing
    said_by: Callable[[Path, int | None], str] = _silent
    cwd: str = WORK


def start_of(job: Job, machine: Machine) -> Start:
    """Tell how a machine's container starts, and put its code in place. Raises JobFault."""
    specification = job.arguments["AlgorithmSpecification"]
    image = str(specification.get("TrainingImage") or specification.get("AlgorithmName") or "")
    channels = [
        machine.ml / "input" / "data" / each["ChannelName"] for each in rows(job.arguments, "InputDataConfig")
    ]
    entrypoint = [str(each) for each in rows(specification, "ContainerEntrypoint")]
    if entrypoint:
        arguments = [str(each) for each in rows(specification, "ContainerArguments")]
        return Start((*entrypoint, *arguments), job.interpreter(image, asked_in(channels)))
    hyperparameters = texts(job.arguments, "HyperParameters")
    from penstock_aws.sagemaker.emulator.images.toolkit import is_script_mode

    if is_script_mode(hyperparameters, job.arguments.get("Environment")):
        return _script_mode(job, machine, image, hyperparameters)
    chosen = job.interpreter(image)
    if chosen.image.run:
        return Start(chosen.image.run, chosen)
    if chosen.image.algorithm:
        script = algorithms.TRAINING[chosen.image.algorithm]
        version = chosen.image.version
        return Start(
            ("python", f"{TOOLS}/{algorithms.FOLDER.name}/{script}"),
            chosen,
            lambda machine: algorithms.variables(version),
        )
    raise JobFault(
        f"ClientError: the own entrypoint of the image {image} is not known offline; name one in "
        "AlgorithmSpecification.ContainerEntrypoint, or map the image in penstock.yaml: images",
        "P432",
    )


def _script_mode(job: Job, machine: Machine, image: str, hyperparameters: Mapping[str, str]) -> Start:
    from penstock_aws.sagemaker.emulator.images.toolkit import (
        Script,
        distribution,
        script_mode,
        toolkit_failure,
    )
    from penstock_aws.sagemaker.emulator.jobs.training import input_data_config, resource_config

    code = machine.ml / "code"
    _fetch_code(job, hyperparameters, code)
    for path in code.rglob("*"):
        # The toolkit gives what it starts the right to run: objects bear no permissions.
        if path.is_file():
            path.chmod(path.stat().st_mode | 0o111)
    chosen = job.interpreter(image, asked_in([code]))
    spread = distribution(hyperparameters)
    if spread:
        job.execution.run.notice(
            f"{spread} does not spread the script here: one process runs on each host", job.step
        )

    def script(each: Machine) -> Script:
        return script_mode(
            hyperparameters,
            resources=resource_config(job.arguments, each),
            input_config=input_data_config(job.arguments),
            job_name=job.name,
            region=job.execution.account.region,
            framework=chosen.image.framework,
            environment=job.arguments.get("Environment"),
            package=(code / "setup.py").is_file(),
            cpus=default_jobs(),
        )

    first = script(machine)

    def said(log: Path, exit_code: int | None) -> str:
        return toolkit_failure(exit_code or 1, _tail(log), first.argv)

    return Start(
        first.argv, chosen, lambda each: {"PYTHONPATH": first.cwd, **script(each).env}, said, first.cwd
    )


def _fetch_code(job: Job, hyperparameters: Mapping[str, str], folder: Path) -> None:
    address = hyperparameters.get("sagemaker_submit_directory", "")
    with suppress(ValueError):
        address = json.loads(address)
    if not str(address).startswith("s3://"):
        # A folder of the image, or of a channel: it is there.
        return
    try:
        stored = job.execution.storage.get(str(address))
    except StorageFault as fault:
        raise JobFault(f"ClientError: {fault}", "P433") from None
    if stored is None:
        raise JobFault(f"ClientError: there is no object at {address}, which holds the script", "P433")
    try:
        unpack(stored.path, folder, most_bytes=min(_MOST_CODE, room(job.folder)), most_files=_MOST_FILES)
    except PackagingFault as fault:
        raise JobFault(f"ClientError: {address} cannot be unpacked: {fault}", "P433") from None


def _tail(log: Path, most: int = 4096) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - most))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
