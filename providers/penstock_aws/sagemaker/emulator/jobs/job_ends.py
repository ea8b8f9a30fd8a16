"""How a job ends, and why, in the service's words."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.artifacts import Artifact
from penstock.runtime.process import Exit
from penstock_aws.sagemaker.emulator.jobs.patience import Stop

LONGEST_REASON = 1024
"""Characters of a FailureReason (service model)."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """What became of one attempt at a job.

    Attributes:
        reason: why it failed; empty where it did not.
        code: the page of `penstock explain` about that.
        stopped: the run was stopped, and the job with it.
        left: slot (see `responses.slots`) → what the job left there.
        more: what it adds to its Describe-shaped record.
    """

    reason: str = ""
    code: str = ""
    stopped: bool = False
    exit_code: int | None = None
    signal: int | None = None
    left: Mapping[str, Artifact] = field(default_factory=dict[str, Artifact])
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


class JobFault(Exception):
    """Raised where a job cannot begin, or cannot leave its results: the failure reason, and a page about it."""

    def __init__(self, reason: str, code: str = "P401") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


def why(ended: Exit, stop: Stop, limit: int | None, said: str) -> tuple[str, str]:
    """Give failure reason and page for how a container ended; empty for one that ended well.

    `said` is what the job itself left as its reason; `limit` its MaxRuntimeInSeconds.
    """
    if stop.why:
        return f"ClientError: {stop.why}", "P430"
    if ended.timed_out:
        return f"MaxRuntimeExceeded: it ran longer than its MaxRuntimeInSeconds of {limit}", "P402"
    if ended.ok:
        return "", ""
    if ended.code is None and ended.signal is None:
        return f"ClientError: Please verify the job's entrypoint: {ended.message}", "P401"
    code = ended.code if ended.code is not None else 128 + (ended.signal or 0)
    if ended.out_of_memory:
        said, page = said or "OutOfMemory: the system killed the job for want of memory", "P403"
    else:
        said, page = said or "See job logs for more information", "P401"
    return f"AlgorithmError: {said[: LONGEST_REASON - 60].rstrip()}, exit code: {code}", page


def first_text(path: Path, most: int = LONGEST_REASON) -> str:
    """Read the beginning of a small text that a job may have left; empty where it left none, or no plain file."""
    try:
        # The job may have made a pipe of it, or a link: neither is waited for, or followed.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.read(descriptor, most).decode("utf-8", "replace").strip()
    finally:
        os.close(descriptor)
