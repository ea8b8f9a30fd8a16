"""Transform jobs: a model served in its container, and every object of the input asked about.

Where one file fails the others still get their answers, and the job fails at its end, as the service documents it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.process import Exit
from penstock_aws.sagemaker.emulator.data.packaging import PackagingFault, unpack
from penstock_aws.sagemaker.emulator.data.selection import DataFault, Named, select, source_of
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.images import algorithms
from penstock_aws.sagemaker.emulator.jobs.containers import ML, TOOLS, Machine, machines
from penstock_aws.sagemaker.emulator.jobs.interpreters import Chosen
from penstock_aws.sagemaker.emulator.jobs.job import Job
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobEnd, JobFault
from penstock_aws.sagemaker.emulator.jobs.patience import room
from penstock_aws.sagemaker.emulator.jobs.shipped_code import asked_in
from penstock_aws.sagemaker.emulator.parts import part, rows, texts
from penstock_aws.sagemaker.emulator.transform.requests import (
    RefusedTransform,
    ServerClient,
    TransformFault,
    TransformSettings,
    batch_variables,
    transform_file,
)
from penstock_aws.sagemaker.emulator.transform.serving_scripts import ENTRY, serving_scripts

_PATIENCE = 600.0
"""Seconds that a container may take to answer its first ping (the service gives a model as long to load)."""
_MOST_FILES = 1_000_000
_SCRIPTS = "/tmp/penstock-serving"
_SOCKET = "/tmp/penstock-serving/socket"


def run_transform(job: Job) -> JobEnd:
    """Run a job to its end. Raises JobFault where it cannot begin, or its answers cannot be taken."""
    machine = machines(job.folder, 1)[0]
    machine.lay_out()
    container, network = _served(job)
    job = replace(job, network=network)
    objects = _objects(job)
    chosen, environment = _model(job, machine, container)
    try:
        settings_of = _settings(job)
        env = {**environment, **batch_variables(job.arguments)}
    except RefusedTransform as fault:
        raise JobFault(str(fault), "P390") from None
    with _Server(job, machine, chosen, env) as server:
        faults = _ask(job, server, objects, settings_of, machine)
    if job.stop.is_set():
        return JobEnd(f"ClientError: {job.stop.why}", "P430") if job.stop.why else JobEnd(stopped=True)
    left = {"output": _take(job, machine)} if not faults else {}
    if not faults:
        return JobEnd(left=left)
    return JobEnd(str(faults[0]), "P401", left=left, more={"FailureReason": str(faults[0])})


def _served(job: Job) -> tuple[Mapping[str, Any], bool]:
    """Give the one container of the model that is asked, and whether it may use the network."""
    name = str(job.arguments["ModelName"])
    made = [each for each in list(job.execution.responses.values()) if "ModelArn" in each]
    model: Any = next((each for each in made if each.get("ModelName") == name), None)
    if model is None and job.execution.hosted:
        model = job.execution.hosted.model(name)
    containers = [model.get("PrimaryContainer"), *rows(model, "Containers")] if model else []
    if model is not None and len(found := [each for each in containers if each]) == 1:
        return dict(found[0]), not model.get("EnableNetworkIsolation")
    raise JobFault(
        f'ClientError: Could not find model "{name}": offline, a model is one that the same run has made, of one '
        "container",
        "P433",
    )


def _objects(job: Job) -> list[Named]:
    try:
        source = source_of(job.arguments["TransformInput"], "File")
        found = select(
            source,
            job.execution.storage,
            region=job.execution.account.region,
            role=job.arguments.get("RoleArn", ""),
        )
    except (StorageFault, DataFault) as fault:
        raise JobFault(str(fault), "P433") from None
    return [each for each in found if each.name and not each.name.endswith("/")]


def _model(job: Job, machine: Machine, container: Mapping[str, Any]) -> tuple[Chosen, dict[str, str]]:
    """Bring a model's data and its serving code to their places, and find what runs them."""
    storage = job.execution.storage
    model = machine.ml / "model"
    model.mkdir(parents=True, exist_ok=True)
    environment = texts(container, "Environment")
    source = part(part(container, "ModelDataSource"), "S3DataSource")
    try:
        if address := container.get("ModelDataUrl"):
            stored = storage.get(address)
            if stored is None:
                raise JobFault(f"ClientError: Could not find model data at {address}.", "P433")
            unpack(stored.path, model, most_bytes=room(job.folder), most_files=_MOST_FILES)
        elif source:
            raise JobFault(
                "ClientError: ModelDataSource is not supported in conjunction with batch transform", "P390"
            )
        code = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        place = machine.tmp / "code"
        place.mkdir(exist_ok=True)
        if code.startswith("s3://"):
            stored = storage.get(code)
            if stored is None:
                raise JobFault(
                    f"ClientError: there is no object at {code}, which holds the serving code", "P433"
                )
            unpack(stored.path, place, most_bytes=room(job.folder), most_files=_MOST_FILES)
    except (StorageFault, PackagingFault) as fault:
        raise JobFault(f"ClientError: {fault}", "P433") from None
    packages = asked_in([place, model / "code"])
    return job.interpreter(str(container.get("Image", "")), packages), environment


def _settings(job: Job) -> Callable[[Mapping[str, Any]], TransformSettings]:
    """Check the request now, and read it again once the container has said what it offers."""
    TransformSettings.read(job.arguments)

    def read(offered: Mapping[str, Any]) -> TransformSettings:
        return TransformSettings.read(job.arguments, offered)

    return read


class _Server:
    """A model's container while it is asked."""

    def __init__(self, job: Job, machine: Machine, chosen: Chosen, env: Mapping[str, str]) -> None:
        self.job = job
        self.machine = machine
        self.chosen = chosen
        self.env = env
        self.ended: Exit | None = None
        self.client = ServerClient(machine.place(_SOCKET))
        self._thread = threading.Thread(target=self._serve, name=f"penstock-model-{job.name}")
        self._fault: BaseException | None = None

    def __enter__(self) -> _Server:
        scripts = self.machine.place(_SCRIPTS)
        scripts.mkdir()
        for name, content in serving_scripts().items():
            (scripts / name).write_bytes(content)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.job.done.set()
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def is_gone(self) -> bool:
        """Tell whether nobody will answer any more."""
        return self.ended is not None or self._fault is not None or self.job.stop.is_set()

    def _serve(self) -> None:
        program = self.env.get("SAGEMAKER_PROGRAM", "")
        code = f"{ML}/model/code" if not any((self.machine.tmp / "code").iterdir()) else "/tmp/code"
        words = [
            "python",
            f"{_SCRIPTS}/{ENTRY}",
            "--socket",
            _SOCKET,
            "--code",
            code,
            "--model",
            f"{ML}/model",
        ]
        if program:
            words += ["--program", program]
        try:
            if self.chosen.image.algorithm and not program:
                words = self._algorithm()
                self.env = {**self.env, **algorithms.variables(self.chosen.image.version)}
            self.ended = self.job.run(self.machine, words, self.env, self.chosen, until=self.job.done)
        except BaseException as fault:  # the thread that asks raises it again
            self._fault = fault

    def _algorithm(self) -> list[str]:
        code = f"{TOOLS}/{algorithms.FOLDER.name}"
        return [
            *("python", f"{_SCRIPTS}/{ENTRY}", "--socket", _SOCKET, "--code", code),
            *("--model", f"{ML}/model", "--program", algorithms.SERVING[self.chosen.image.algorithm]),
        ]


def _ask(
    job: Job, server: _Server, objects: list[Named], settings_of: Any, machine: Machine
) -> list[TransformFault]:
    if not server.client.wait_until_ready(_PATIENCE, server.is_gone):
        if job.stop.is_set():
            return []
        return [TransformFault("AlgorithmError", "the model's container did not answer its ping")]
    settings = settings_of(server.client.execution_parameters())
    answers = machine.folder / "answers"

    def one(named: Named) -> TransformFault | None:
        name, stored = named
        if job.stop.is_set():
            return None
        try:
            job.execution.storage.check(stored)
            answer = transform_file(
                stored.path.read_bytes(),
                settings,
                lambda body, kind, accept: server.client.invoke(body, kind, accept, settings.timeout),
            )
        except TransformFault as fault:
            said = getattr(fault, "told", "") or str(fault)
            job.say(f"{stored.uri}: {said}")
            return fault
        target = _inside(answers, f"{name}.out")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answer)
        return None

    answers.mkdir()
    with ThreadPoolExecutor(max(1, settings.concurrent)) as pool:
        return [each for each in pool.map(one, objects) if each is not None]


def _inside(folder: Path, name: str) -> Path:
    parts = [each for each in name.split("/") if each not in ("", ".")]
    if ".." in parts or not parts:
        raise JobFault(f"ClientError: the key '{name}' names no place below the output", "P433")
    return folder.joinpath(*parts)


def _take(job: Job, machine: Machine) -> Artifact:
    try:
        return job.execution.storage.put(
            job.arguments["TransformOutput"]["S3OutputPath"], machine.folder / "answers"
        )
    except StorageFault as fault:
        raise JobFault(f"ClientError: Failed to upload the answers: {fault}") from None
