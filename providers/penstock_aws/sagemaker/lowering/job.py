"""What processing and training jobs share: image, machines, environment, launcher, retries, cache, tags."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from typing import Any

from penstock.diagnostics import At, Path, error, warning
from penstock.expressions.nodes import ParameterRef
from penstock.ir import Cache, Command, Compute, Input, Job, Predict, Register, Retry, Train, Tune
from penstock.launcher import FILE, source
from penstock.provider import Asset, LauncherUse
from penstock_aws.sagemaker.catalogue import Use, lacks, largest, pick, suffices
from penstock_aws.sagemaker.images import Image, ImageFault, image_of, suits
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import default_text, get, string
from penstock_aws.sagemaker.lowering.ports import Source, output_paths
from penstock_aws.sagemaker.lowering.script import run_script

VOLUME = 30
"""GiB of disk; the service wants a number, and this is what its own SDK asks for."""
DAY = 86400
UNPACKED = "/tmp/penstock"
"""Where the launcher puts what it unpacks and finds."""

# Faults of the service and of its machines; user code that fails is never tried again natively.
_PLATFORM = [
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
]
CALL_FAULTS = _PLATFORM[:2]
"""Those of a step that makes something and starts no job."""


def image(step: Job | Register, environment: str, draft: Draft) -> Image:
    """Choose the image of a step's environment; what does not fit is said, once for each environment."""
    described = draft.environment(environment)
    gpu = not isinstance(step, Register) and step.compute.gpu > 0
    path: Path = ("environments", environment) if described else step.path
    try:
        found = image_of(described, draft.place, gpu=gpu, serving=isinstance(step, Register | Predict))
    except ImageFault as fault:
        draft.found.append(error("P394", fault.message, At((*path, "image")), fault.hint))
        return Image("")
    if found.placeholder:
        draft.placeholders.add(found.placeholder)
    if described and described.python and found.python and not suits(found.python, described.python):
        tag = found.uri.rpartition("/")[2]
        message = f"environment '{environment}' asks for Python {described.python}; the image {tag} has {found.python}"
        hint = "name an image that has it: image: {sagemaker: ADDRESS}"
        draft.found.append(warning("P394", message, At((*path, "python")), hint))
    return found


def instance(step: Job, draft: Draft) -> str:
    """Give the instance type: the step's own, the profile's where it has enough, else the smallest that has."""
    compute = step.compute
    use: Use = (
        "transform"
        if isinstance(step, Predict)
        else "training"
        if isinstance(step, Train | Tune)
        else "processing"
    )
    default = draft.place.instance
    found = (
        compute.instance.get("sagemaker")
        or (default if suffices(default, compute) and not lacks(use, default) else "")
        or pick(compute, use)
    )
    if not found:
        message = f"no instance type of the catalogue has what step '{step.name}' asks for: {_asked(compute)}"
        hint = f"{largest()}; name one yourself: compute: {{instance: {{sagemaker: ml.…}}}}"
        draft.found.append(error("P395", message, At((*step.path, "compute")), hint))
    return found


def _asked(compute: Compute) -> str:
    return f"{compute.cpu:g} cores, {compute.memory / 1024:g} GiB, {compute.gpu} accelerators"


def count(step: Job) -> Any:
    """Give the number of machines."""
    asked = step.compute.count
    return get(f"Parameters.{asked.name}") if isinstance(asked, ParameterRef) else asked


def environment_variables(step: Job, longest: int, draft: Draft) -> dict[str, Any]:
    """Lower `env`; a literal past the service's bound is an error."""
    found: dict[str, Any] = {}
    for key, expression in step.env.items():
        found[key] = string(expression, draft)
        if len(default_text(expression, draft.graph)) > longest:
            message = f"variable {key} of step '{step.name}' is longer than {longest} characters"
            draft.found.append(
                error("P393", message, At((*step.path, "env", key)), "put it into a file of the code")
            )
    return found


@cache
def _launcher() -> bytes:
    """Read the shipped script once: lowering looks at no file again."""
    return source()


def files(
    step: Command | Train, code_at: str, links: list[str], options: list[str], draft: Draft
) -> tuple[str, str]:
    """Ship a step's script, its launcher where there is one, and its code; give both folders' addresses."""
    code = step.code
    paths = output_paths(step)
    folders = dict.fromkeys(
        paths[each.name].rpartition("/")[0] if each.file else paths[each.name] for each in step.outputs
    )
    # What Penstock itself adds needs nothing but Python.
    environment = None if step.name in draft.generated else draft.environment(step.environment)
    script = run_script(step, environment, code_at if code else "", links, list(folders))
    contents = {"run.sh": script, **({FILE: _launcher()} if options else {})}
    code_address = ""
    if code:
        asset = Asset("code", code.digest, source=code.path, files=code.files, added=code.added)
        code_address = draft.upload(asset)
    return draft.scripts(contents), code_address


def entrypoint(folder: str, options: list[str]) -> list[str]:
    """Compose the container's entrypoint: bash on the script, with the launcher in front where it is needed."""
    command = ["/bin/bash", f"{folder}/run.sh"]
    return ["python3", f"{folder}/{FILE}", "run", *options, "--", *command] if options else command


def launcher_options(
    step: Command | Train, sources: dict[str, Source], places: dict[str, str], draft: Draft
) -> list[str]:
    """Say what the launcher has to do before a step's command, and write down why.

    `places` says where the service puts each input.
    """
    options: list[str] = []
    for each in step.inputs:
        found = sources.get(each.name)
        if found is None or each.packed:
            continue
        if found.archive:
            options += ["--unpack", f"{places[each.name]}/{found.archive}={UNPACKED}/{each.name}"]
            draft.launcher.append(LauncherUse(step.name, f"input {each.name}: unpacks an archive"))
        elif found.unnamed:
            options += ["--one-file", f"{places[each.name]}={UNPACKED}/{each.name}/{found.file}"]
            draft.launcher.append(
                LauncherUse(step.name, f"input {each.name}: finds the one file in a folder")
            )
    retry = step.retry
    if retry.attempts > 1 and retry.errors == "any":
        options += [
            "--attempts",
            str(retry.attempts),
            "--delay",
            f"{retry.delay:g}",
            "--backoff",
            f"{retry.backoff:g}",
        ]
        draft.launcher.append(LauncherUse(step.name, "retries on any error"))
    return options


def path_of(each: Input, source: Source, place: str) -> str:
    """Say where the command finds an input, once the launcher has done its work."""
    if each.packed:
        return f"{place}/{source.archive}"
    if source.archive:
        return "/".join(filter(None, (UNPACKED, each.name, source.inside, source.file)))
    if source.unnamed:
        return f"{UNPACKED}/{each.name}/{source.file}"
    return f"{place}/{source.file}" if source.file else place


def link(at: str, path: str) -> str:
    """Write the script's lines that show an input under a fixed path."""
    folder = at.rstrip("/").rpartition("/")[0] or "/"
    return f"mkdir -p {shlex.quote(folder)}\nln -sfn {shlex.quote(path)} {shlex.quote(at.rstrip('/'))}"


def retry_policies(retry: Retry, faults: Sequence[str] = _PLATFORM) -> list[dict[str, Any]]:
    """Lower retries after platform faults. The service counts tries after the first."""
    if retry.attempts < 2:
        return []
    policy = {
        "ExceptionType": [*faults],
        "IntervalSeconds": max(1, round(retry.delay)),
        "BackoffRate": retry.backoff,
        "MaxAttempts": retry.attempts - 1,
    }
    return [policy]


def cache_config(cache: Cache) -> dict[str, Any] | None:
    """Lower the cache; the service wants an expiry, and 30 days is what its console offers."""
    if not cache.enabled:
        return None
    return {"Enabled": True, "ExpireAfter": duration(cache.expires) if cache.expires else "P30D"}


def duration(seconds: int) -> str:
    """Write a duration as ISO 8601."""
    if seconds % DAY == 0:
        return f"P{seconds // DAY}D"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return "PT" + "".join(
        f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if number
    )
