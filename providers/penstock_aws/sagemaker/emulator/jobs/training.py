"""Training jobs (contract: the service's pages on how training information reaches a container).

A container is started with the entrypoint that the request names; where it names none, by what its image is: a
framework's toolkit starts the script that the hyperparameters name, and of the service's own algorithms those run
that have a stand-in. Whatever ends it, /opt/ml/model and /opt/ml/output/data are packed where the service packs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from penstock.runtime.artifacts import Artifact
from penstock.runtime.process import Exit
from penstock.runtime.sandbox import found_way
from penstock_aws.sagemaker.emulator.data.inputs import DataFault, bring
from penstock_aws.sagemaker.emulator.data.packaging import PackagingFault, pack
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.images import algorithms
from penstock_aws.sagemaker.emulator.jobs.containers import ML, Machine, machines, outside
from penstock_aws.sagemaker.emulator.jobs.entrypoints import Start, start_of
from penstock_aws.sagemaker.emulator.jobs.job import Job
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobEnd, JobFault, first_text, why
from penstock_aws.sagemaker.emulator.jobs.log_metrics import MetricFault, read_metrics
from penstock_aws.sagemaker.emulator.jobs.merging import merged
from penstock_aws.sagemaker.emulator.parts import part, rows, texts
from penstock_aws.sagemaker.emulator.responses import slots, unpacked

_CHANNELS = f"{ML}/input/data"
_CONFIG = f"{ML}/input/config"
CHECKPOINTS = f"{ML}/checkpoints"


def run_training(job: Job) -> JobEnd:
    """Run a job to its end. Raises JobFault where it cannot begin, or its results cannot be taken."""
    arguments = job.arguments
    resources = arguments["ResourceConfig"]
    group = machines(job.folder, int(resources.get("InstanceCount", 1)))
    limit = part(arguments, "StoppingCondition").get("MaxRuntimeInSeconds")
    with ExitStack() as feeding:
        for position, machine in enumerate(group):
            machine.lay_out()
            _write_config(job, machine)
            _bring_channels(job, machine, position, feeding)
        _put_checkpoints_back(job, group)
        start = start_of(job, group[0])
        for machine in group[1:]:
            start_of(job, machine)
        ends = _run(job, group, start, limit)
    said = first_text(group[0].left(f"{ML}/output/failure"))
    failed = next((each for each in ends if not each.ok), ends[0])
    if not said and not failed.ok and not failed.timed_out and not failed.stopped:
        said = start.said_by(job.log, failed.code)
    reason, code = why(failed, job.stop, limit, said)
    metrics = _metrics(job, start)
    # Where the disk is full, what fills it stays where its user can look at it, and delete it.
    left = {} if job.stop.why else _take(job, group)
    more: dict[str, Any] = {"FinalMetricDataList": metrics} if metrics else {}
    if reason:
        more["FailureReason"] = reason
    return JobEnd(reason, code, failed.stopped and not job.stop.why, failed.code, failed.signal, left, more)


def _run(job: Job, group: Sequence[Machine], start: Start, limit: int | None) -> list[Exit]:
    account = job.execution.account
    env = {
        **part(job.arguments, "Environment"),
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": account.arn("training-job", job.name),
    }

    def ran(machine: Machine) -> Exit:
        return job.run(
            machine,
            start.argv,
            {**env, **start.env(machine)},
            start.chosen,
            places=_places(job.arguments),
            sealed=_sealed(job.arguments),
            cwd=start.cwd,
            timeout=limit,
        )

    if len(group) == 1:
        return [ran(group[0])]
    with ThreadPoolExecutor(len(group)) as pool:
        return list(pool.map(ran, group))


def _metrics(job: Job, start: Start) -> list[dict[str, Any]]:
    """Read the metrics off the log: those that the request defines, or those of the service's own algorithm."""
    defined = rows(job.arguments["AlgorithmSpecification"], "MetricDefinitions")
    try:
        return read_metrics(job.log, defined or algorithms.metric_definitions(start.chosen.image.algorithm))
    except MetricFault as fault:
        raise JobFault(f"ClientError: {fault}") from None


def _write_config(job: Job, machine: Machine) -> None:
    arguments = job.arguments
    for folder in ("model", "output/data", "input/data", "code"):
        (machine.ml / folder).mkdir(parents=True)
    machine.write(f"{_CONFIG}/hyperparameters.json", hyperparameters(arguments))
    machine.write(f"{_CONFIG}/resourceconfig.json", resource_config(arguments, machine))
    machine.write(f"{_CONFIG}/inputdataconfig.json", input_data_config(arguments))


def hyperparameters(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Give what the container is told: all values are text."""
    return texts(arguments, "HyperParameters")


def resource_config(arguments: Mapping[str, Any], machine: Machine) -> dict[str, Any]:
    """Compose resourceconfig.json."""
    kind = arguments["ResourceConfig"].get("InstanceType", "ml.m5.large")
    groups = [
        {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": list(machine.hosts)}
    ]
    return {
        "current_host": machine.host,
        "current_instance_type": kind,
        "current_group_name": "homogeneousCluster",
        "hosts": list(machine.hosts),
        "instance_groups": groups,
        "network_interface_name": "lo",
    }


def input_data_config(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Compose inputdataconfig.json."""
    found: dict[str, Any] = {}
    for each in rows(arguments, "InputDataConfig"):
        source = part(each["DataSource"], "S3DataSource")
        row = {
            "TrainingInputMode": _mode(each, arguments),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": each.get("RecordWrapperType") or "None",
        }
        if each.get("ContentType"):
            row["ContentType"] = each["ContentType"]
        found[each["ChannelName"]] = row
    return found


def _mode(channel: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    default = arguments["AlgorithmSpecification"].get("TrainingInputMode", "File")
    return str(channel.get("InputMode") or default)


def _sealed(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the channels that a container may read alone: the service mounts them."""
    return tuple(
        f"{_CHANNELS}/{each['ChannelName']}"
        for each in rows(arguments, "InputDataConfig")
        if _mode(each, arguments) == "FastFile"
    )


def _bring_channels(job: Job, machine: Machine, position: int, feeding: ExitStack) -> None:
    for each in rows(job.arguments, "InputDataConfig"):
        try:
            brought = bring(
                each,
                machine.place(f"{_CHANNELS}/{each['ChannelName']}"),
                job.execution.storage,
                mode=_mode(each, job.arguments),
                hosts=len(machine.hosts),
                position=position,
                region=job.execution.account.region,
                role=job.arguments.get("RoleArn", ""),
                # Without a file system of its own, a job could write to what is linked.
                sealed=found_way() is not None,
            )
        except DataFault as fault:
            raise JobFault(str(fault), "P433") from None
        feeding.callback(brought.close)


def _places(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Name what stands outside of /opt/ml: checkpoints may."""
    config = arguments.get("CheckpointConfig")
    return outside([config.get("LocalPath", CHECKPOINTS)]) if config else ()


def _put_checkpoints_back(job: Job, group: Sequence[Machine]) -> None:
    """Let a job that is started again find what an earlier one saved."""
    config = job.arguments.get("CheckpointConfig")
    if not config:
        return
    for machine in group:
        folder = machine.place(config.get("LocalPath", CHECKPOINTS))
        folder.mkdir(parents=True, exist_ok=True)
        if job.execution.storage.below(config["S3Uri"].rstrip("/") + "/"):
            place = {"S3Uri": config["S3Uri"].rstrip("/") + "/", "S3DataType": "S3Prefix"}
            source = {"ChannelName": "checkpoints", "DataSource": {"S3DataSource": place}}
            try:
                bring(source, folder, job.execution.storage, mode="File")
            except DataFault as fault:
                raise JobFault(str(fault), "P433") from None


def _take(job: Job, group: Sequence[Machine]) -> dict[str, Artifact]:
    addresses = slots("Training", job.arguments, job.name)
    left: dict[str, Artifact] = {}
    for slot, folder in (("model", "model"), ("output", "output/data")):
        made = _left(group, f"{ML}/{folder}", slot)
        if slot == "output" and not any(made.iterdir()):
            continue
        left[slot] = _put(job, slot, addresses[slot], made)
    config = job.arguments.get("CheckpointConfig")
    if config:
        made = _left(group, config.get("LocalPath", CHECKPOINTS), "checkpoints")
        left["checkpoints"] = _put(job, "checkpoints", addresses["checkpoints"], made, packed=False)
    return left


def _left(group: Sequence[Machine], path: str, slot: str) -> Path:
    """Give the folder that a job left, the machines' together; one that it took away is empty."""
    folders = [machine.left(path) for machine in group]
    try:
        folders[0].mkdir(parents=True, exist_ok=True)
        return merged(folders)
    except OSError as fault:
        raise JobFault(f"ClientError: Artifact upload failed: {slot}: {fault.strerror}", "P411") from None


def _put(job: Job, slot: str, uri: str, folder: Path, *, packed: bool = True) -> Artifact:
    try:
        if not packed or unpacked(job.arguments):
            return job.execution.storage.put(uri, folder)
        archive = job.folder / f"{slot}.tar.gz"
        pack(folder, archive)
        return job.execution.storage.put(uri, archive)
    except (StorageFault, PackagingFault) as fault:
        raise JobFault(f"ClientError: Artifact upload failed: {slot}: {fault}", "P411") from None
    except OSError as fault:
        why = fault.strerror or fault
        raise JobFault(f"ClientError: Artifact upload failed: {slot}: {why}", "P411") from None
