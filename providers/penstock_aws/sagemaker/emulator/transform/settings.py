"""What a transform job was asked for: the arguments of CreateTransformJob as values, with the service's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.frozen import dataclass
from penstock_aws.sagemaker.emulator.transform.data_paths import PathFault, parse
from penstock_aws.sagemaker.emulator.transform.data_processing import CSV, FORMATS, DataProcessing
from penstock_aws.sagemaker.emulator.transform.records import MULTI

MB = 1024 * 1024
_STRATEGIES = {"MULTI_RECORD": MULTI, "SINGLE_RECORD": "SingleRecord"}
"""What containers, and their variables, call the strategies."""


class TransformFault(Exception):
    """A job fails. As text it is the reason that the service gives.

    Attributes:
        told: what the job's data log tells; the service keeps it out of the reason.
    """

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(f"{kind}: See job logs for more information")
        self.told = told


class RefusedTransform(Exception):
    """The service does not create such a job. As text it is the reason that a step then gives."""

    def __init__(self, told: str) -> None:
        super().__init__(f"ClientError: Failed to invoke sagemaker:CreateTransformJob. Error Details: {told}")


@dataclass(frozen=True, slots=True)
class TransformSettings:
    """How a job cuts its objects, asks about them, and writes the answers.

    Attributes:
        split_type: None, Line, RecordIO or TFRecord.
        strategy: MultiRecord or SingleRecord.
        max_payload: bytes of a request; 0 sets no limit.
        concurrent: requests at once, at each instance.
        content_type: of requests; empty where the job says none.
        accept: of answers; empty where the job says none, and the container chooses.
        assemble_with: None or Line.
        gzip: whether objects are unpacked first.
        timeout: seconds that a request may take.
        retries: how often a request that failed is sent again.
        processing: filters and join; None where records and answers stay as they are.
    """

    split_type: str = "None"
    strategy: str = MULTI
    max_payload: int = 6 * MB
    concurrent: int = 1
    content_type: str = ""
    accept: str = ""
    assemble_with: str = "None"
    gzip: bool = False
    timeout: int = 600
    retries: int = 3
    processing: DataProcessing | None = None

    @staticmethod
    def read(arguments: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> TransformSettings:
        """Read a job's resolved arguments.

        Args:
            arguments: of CreateTransformJob.
            offered: what the container answers to GET /execution-parameters: it counts where the job says nothing.

        Raises:
            RefusedTransform: the service does not create such a job.
        """
        offered = offered or {}
        source, target = _part(arguments, "TransformInput"), _part(arguments, "TransformOutput")
        client = _part(arguments, "ModelClientConfig")
        payload = arguments.get("MaxPayloadInMB", _whole(offered.get("MaxPayloadInMB")))
        concurrent = arguments.get("MaxConcurrentTransforms") or _whole(
            offered.get("MaxConcurrentTransforms")
        )
        strategy = arguments.get("BatchStrategy") or _STRATEGIES.get(str(offered.get("BatchStrategy")), MULTI)
        return TransformSettings(
            split_type=source.get("SplitType") or "None",
            strategy=strategy,
            max_payload=6 * MB if payload is None else int(payload) * MB,
            concurrent=int(concurrent or 1),
            content_type=source.get("ContentType") or "",
            accept=target.get("Accept") or "",
            assemble_with=target.get("AssembleWith") or "None",
            gzip=source.get("CompressionType") == "Gzip",
            timeout=int(client.get("InvocationsTimeoutInSeconds") or 600),
            retries=int(client.get("InvocationsMaxRetries", 3)),
            processing=_processing(arguments),
        )


def batch_variables(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Give the variables that a container gets from its job: they win over those of its model."""
    found = {**_part(arguments, "Environment"), "SAGEMAKER_BATCH": "true"}
    for key, name in (
        ("MaxPayloadInMB", "SAGEMAKER_MAX_PAYLOAD_IN_MB"),
        ("MaxConcurrentTransforms", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"),
    ):
        if arguments.get(key) is not None:
            found[name] = str(arguments[key])
    if strategy := arguments.get("BatchStrategy"):
        found["SAGEMAKER_BATCH_STRATEGY"] = next(
            word for word, each in _STRATEGIES.items() if each == strategy
        )
    return found


def _processing(arguments: Mapping[str, Any]) -> DataProcessing | None:
    """Read filters and join, and hold them against the rules of the service's page on data processing."""
    asked = _part(arguments, "DataProcessing")
    source, target = _part(arguments, "TransformInput"), _part(arguments, "TransformOutput")
    try:
        narrowing, keeping = parse(asked.get("InputFilter") or "$"), parse(asked.get("OutputFilter") or "$")
    except PathFault as fault:
        raise RefusedTransform(f"DataProcessing: {fault}") from None
    join = asked.get("JoinSource") == "Input"
    if narrowing.whole and keeping.whole and not join:
        return None
    given = _plain(source.get("ContentType") or "")
    made = _plain(target.get("Accept") or "") or given
    split, assembled = source.get("SplitType") or "None", target.get("AssembleWith") or "None"
    kept = join or not keeping.whole
    needed = ((given, "ContentType", join or not narrowing.whole), (made, "Accept", kept))
    for format_, name, read in needed:
        if read and format_ not in FORMATS:
            raise RefusedTransform(
                f"DataProcessing needs {name} to be one of {', '.join(FORMATS)}, and it is {format_ or 'not set'}"
            )
    if join and (given == CSV) != (made == CSV):
        raise RefusedTransform(
            f"DataProcessing joins {given} to no {made}: ContentType and Accept must agree"
        )
    if split not in ("None", "Line"):
        raise RefusedTransform(f"DataProcessing reads no {split}: SplitType must be Line or None")
    if CSV in (given, made) and split != "Line":
        raise RefusedTransform("DataProcessing of text/csv needs SplitType Line")
    if kept and made == CSV and assembled != "Line":
        raise RefusedTransform("DataProcessing of text/csv needs AssembleWith Line")
    return DataProcessing(narrowing, keeping, join, given, made, cut=split == "Line")


def _part(arguments: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = arguments.get(name) or {}
    return found


def _plain(media_type: str) -> str:
    """Leave a media type's parameters out (`text/csv; charset=utf-8`)."""
    return media_type.partition(";")[0].strip().lower()


def _whole(value: object) -> int | None:
    """Give a number that a container offers, if it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
