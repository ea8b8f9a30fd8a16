"""What decides whether an earlier result of a step serves, and for how long.

For definitions that Penstock compiled it is content: the request without what the service does not compare either
(machines, role, addresses of outputs), every address of an input replaced by what stands there. For definitions
from elsewhere it is what the service compares: the attributes that its page on caching pipeline steps lists, by
their values, addresses among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault
from penstock_aws.sagemaker.validation.findings import is_list, is_object

# The service's page "Caching pipeline steps": attributes by type of step.
COMPARED: Mapping[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        *("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations"),
        *("Environment", "HyperParameters", "InputDataConfig"),
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
_TRIALS = (
    *("AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters"),
    "TuningObjective",
)
# Of what the job itself looks at, by content: the above, and what shapes its results.
_ALSO: Mapping[str, tuple[str, ...]] = {
    "Processing": ("ProcessingOutputConfig", "StoppingCondition", "ProcessingResources"),
    "Training": ("OutputDataConfig", "StoppingCondition", "ResourceConfig"),
    "Tuning": (),
    "Transform": ("BatchStrategy", "MaxPayloadInMB", "TransformOutput", "ModelClientConfig"),
}
_NO_MATTER = ("S3OutputPath", "VolumeSizeInGB", "InstanceType", "KmsKeyId", "VolumeKmsKeyId")
_DURATION = re.compile(
    r"[Pp]?(?:(\d+)[Yy])?(?:(\d+)[Mm])?(?:(\d+)[Ww])?(?:(\d+)[Dd])?(?:[Tt](?:(\d+)[Hh])?(?:(\d+)[Mm])?(?:(\d+)[Ss])?)?"
)
_SECONDS = (31_536_000, 2_592_000, 604_800, 86_400, 3600, 60, 1)


def compared(type: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the service compares of a request."""
    found = {key: arguments[key] for key in COMPARED.get(type, ()) if key in arguments}
    if type == "Tuning":
        for key in ("TrainingJobDefinition", "TrainingJobDefinitions"):
            if key in found:
                found[key] = _trial(found[key])
    return found


def by_content(type: str, arguments: Mapping[str, Any], storage: Storage) -> dict[str, Any]:
    """Give what decides a job's results: with contents in the place of addresses, and without those of outputs.

    Raises:
        StorageFault: something is no address.
    """
    found = {
        key: arguments[key]
        for key in (*COMPARED.get(type, ()), *_ALSO.get(type, ()))
        if arguments.get(key) is not None
    }
    return {key: _contents(each, storage, "") for key, each in found.items()}


def expiry(config: Any) -> int | None:
    """Give the seconds for which a result serves; `None` where it does for ever, 0 where the cache is off.

    The service's own examples write `P30D`, `30d`, `T12H`: all of them are read.
    """
    if not is_object(config) or config.get("Enabled") is not True:
        return 0
    after = config.get("ExpireAfter")
    if not isinstance(after, str):
        return None
    matched = _DURATION.fullmatch(after)
    if matched is None:
        return None
    numbers = [int(each or 0) for each in matched.groups()]
    return sum(number * size for number, size in zip(numbers, _SECONDS, strict=True))


def _trial(definition: Any) -> Any:
    if is_list(definition):
        return [_trial(each) for each in definition]
    return {key: definition[key] for key in _TRIALS if key in definition}


def _contents(value: Any, storage: Storage, key: str) -> Any:
    if is_object(value):
        return {
            name: _contents(each, storage, name)
            for name, each in value.items()
            if name not in _NO_MATTER and not (name == "S3Uri" and "S3UploadMode" in value)
        }
    if is_list(value):
        return [_contents(each, storage, key) for each in value]
    if isinstance(value, str) and value.startswith("s3://"):
        return _content(value, storage)
    return value


def _content(uri: str, storage: Storage) -> Any:
    """Say what stands at an address; one at which nothing stands is told by itself."""
    try:
        below = storage.below(uri)
    except StorageFault:
        return uri
    if not below:
        return uri
    # A file's name is what the job sees of its address.
    single = storage.get(uri)
    name = uri.rpartition("/")[2] if single is not None else ""
    return {"content": storage.digest(uri), **({"name": name} if name else {})}


def content_of(value: Any, storage: Storage) -> Any:
    """Give a value with contents in the place of addresses."""
    return _contents(value, storage, "")
