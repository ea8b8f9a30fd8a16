"""Processing jobs (contract: the service's page on how Amazon SageMaker Processing runs your container).

Inputs stand at their LocalPath when the container starts, outputs are taken from theirs when it has ended: also
where it failed, as the service does it, so that what a job wrote until then can be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from penstock.runtime.artifacts import Artifact
from penstock.runtime.process import Exit
from penstock_aws.sagemaker.emulator.container_paths import why_taken
from penstock_aws.sagemaker.emulator.data.inputs import DataFault, bring
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.jobs.containers import Machine, machines, outside
from penstock_aws.sagemaker.emulator.jobs.job import Job
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobEnd, JobFault, first_text, why
from penstock_aws.sagemaker.emulator.jobs.merging import merged
from penstock_aws.sagemaker.emulator.jobs.shipped_code import asked_in
from penstock_aws.sagemaker.emulator.parts import part, rows

_LONGEST_DEFAULT = 86400
"""Seconds that a job may take where it does not say (MaxRuntimeInSeconds of ProcessingStoppingCondition)."""


def run_processing(job: Job) -> JobEnd:
    """Run a job to its end. Raises JobFault where it cannot begin, or its outputs cannot be taken."""
    cluster = job.arguments["ProcessingResources"]["ClusterConfig"]
    group = machines(job.folder, int(cluster.get("InstanceCount", 1)))
    _refuse_taken(job.arguments)
    with ExitStack() as feeding:
        for position, machine in enumerate(group):
            _lay_out(job, machine, position, feeding)
        ends, limit = _run(job, group)
    said = first_text(group[0].left("/opt/ml/output/message"))
    failed = next((each for each in ends if not each.ok), ends[0])
    reason, code = why(failed, job.stop, limit, said)
    # Where the disk is full, what fills it stays where its user can look at it, and delete it.
    left = {} if job.stop.why else _take(job, group)
    more = {"ExitMessage": said} if said else {}
    return JobEnd(
        reason,
        code,
        failed.stopped and not job.stop.why,
        failed.code,
        failed.signal,
        left,
        {**more, "FailureReason": reason} if reason else more,
    )


def _refuse_taken(arguments: Mapping[str, Any]) -> None:
    """Refuse places that are known only now, since another step has named them. Raises JobFault."""
    for each in (*_inputs(arguments), *_outputs(arguments)):
        path = str((each.get("S3Input") or each["S3Output"])["LocalPath"])
        if why := why_taken(path):
            name = each.get("InputName") or each.get("OutputName")
            raise JobFault(f"ClientError: '{name}' stands at {path}, which {why}", "P449")


def _run(job: Job, group: Sequence[Machine]) -> tuple[list[Exit], int]:
    arguments = job.arguments
    paths = [each["S3Input"]["LocalPath"] for each in _inputs(arguments)]
    paths += [each["S3Output"]["LocalPath"] for each in _outputs(arguments)]
    chosen = job.interpreter(arguments["AppSpecification"]["ImageUri"], _packages(arguments, group[0]))
    argv = _argv(arguments)
    limit = part(arguments, "StoppingCondition").get("MaxRuntimeInSeconds", _LONGEST_DEFAULT)
    env = {
        **part(arguments, "Environment"),
        "PROCESSING_JOB_NAME": job.name,
        "PROCESSING_JOB_ARN": job.execution.account.arn("processing-job", job.name),
    }

    def ran(machine: Machine) -> Exit:
        return job.run(machine, argv, env, chosen, places=outside(paths), timeout=limit)

    if len(group) == 1:
        return [ran(group[0])], limit
    with ThreadPoolExecutor(len(group)) as pool:
        return list(pool.map(ran, group)), limit


def _argv(arguments: Mapping[str, Any]) -> list[str]:
    specification = arguments["AppSpecification"]
    entrypoint = [str(each) for each in rows(specification, "ContainerEntrypoint")]
    if not entrypoint:
        raise JobFault(
            "ClientError: the image's own entrypoint is not known offline; name one in "
            "AppSpecification.ContainerEntrypoint",
            "P432",
        )
    return [*entrypoint, *(str(each) for each in rows(specification, "ContainerArguments"))]


def _inputs(arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = rows(arguments, "ProcessingInputs")
    # What the job's own application manages it fetches itself.
    return [each for each in found if each.get("S3Input") and not each.get("AppManaged")]


def _outputs(arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = rows(part(arguments, "ProcessingOutputConfig"), "Outputs")
    return [each for each in found if each.get("S3Output") and not each.get("AppManaged")]


def _lay_out(job: Job, machine: Machine, position: int, feeding: ExitStack) -> None:
    machine.lay_out()
    for each in arguments_with_data(job.arguments):
        try:
            brought = bring(
                each,
                machine.place(each["S3Input"]["LocalPath"]),
                job.execution.storage,
                hosts=len(machine.hosts),
                position=position,
                region=job.execution.account.region,
                role=job.arguments.get("RoleArn", ""),
            )
            feeding.callback(brought.close)
        except DataFault as fault:
            raise JobFault(str(fault), "P433") from None
    for each in _outputs(job.arguments):
        machine.place(each["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
    resources = {"current_host": machine.host, "hosts": list(machine.hosts)}
    machine.write("/opt/ml/config/resourceconfig.json", resources)
    described = {
        "ProcessingJobName": job.name,
        "ProcessingJobArn": job.execution.account.arn("processing-job", job.name),
        **job.arguments,
    }
    machine.write("/opt/ml/config/processingjobconfig.json", described)
    (machine.ml / "output").mkdir(exist_ok=True)


def arguments_with_data(arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the inputs that hold data. Raises JobFault: one comes from where nothing can be had offline."""
    for each in rows(arguments, "ProcessingInputs"):
        if each.get("DatasetDefinition"):
            raise JobFault(
                f"ClientError: input '{each['InputName']}' is a DatasetDefinition, which asks Athena or Redshift",
                "P433",
            )
    return _inputs(arguments)


def _packages(arguments: Mapping[str, Any], machine: Machine) -> Sequence[str]:
    return asked_in([machine.place(each["S3Input"]["LocalPath"]) for each in _inputs(arguments)])


def _take(job: Job, group: Sequence[Machine]) -> dict[str, Artifact]:
    """Upload what stands at the outputs' places; several machines write below the same address."""
    left: dict[str, Artifact] = {}
    for each in _outputs(job.arguments):
        place = each["S3Output"]
        folder = merged([machine.left(place["LocalPath"]) for machine in group])
        try:
            left[each["OutputName"]] = job.execution.storage.put(place["S3Uri"], folder)
        except StorageFault as fault:
            raise JobFault(f"ClientError: Failed to upload output '{each['OutputName']}': {fault}") from None
    return left
