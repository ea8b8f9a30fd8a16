"""The account that an execution pretends to be in: names, addresses, and what placeholders stand for.

ARNs and job names have the service's own forms (patterns of the service model): executions are named by twelve lower
case letters and digits, jobs `pipelines-<execution>-<step>-<ten characters>`, at most 63 in all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from penstock.frozen import dataclass

NUMBER = "123456789012"
REGION = "us-east-1"
BUCKET = "penstock-offline"

_MARK = re.compile("<<([a-z_]+)>>")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST_JOB = 63
_LONGEST_SEARCH = 32


@dataclass(frozen=True, slots=True)
class Account:
    """Where an execution is, and what it is called.

    Attributes:
        pipeline: the pipeline's name, in the service's own characters.
        execution: twelve lower-case letters and digits.
        turn: how often a caller had it tried again: jobs have new names then.
        job: the name of the one job there is, where it was created by itself and not by a pipeline.
    """

    pipeline: str
    execution: str
    region: str = REGION
    number: str = NUMBER
    partition: str = "aws"
    turn: int = 0
    job: str = ""

    def arn(self, kind: str, name: str) -> str:
        """Give the ARN of something of SageMaker's, such as a `training-job`."""
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.number}:{kind}/{name}"

    @property
    def pipeline_arn(self) -> str:
        """The pipeline's ARN."""
        return self.arn("pipeline", self.pipeline)

    @property
    def execution_arn(self) -> str:
        """The execution's ARN."""
        return f"{self.pipeline_arn}/execution/{self.execution}"

    def search_name(self, step: str, attempt: int, run: str, prefix: str = "") -> str:
        """Name a tuning job, whose trials add to its name: the execution comes first, and there is less room."""
        if self.job:
            return self.job
        rest = self._chosen(step, attempt, run)
        middle = _plain(prefix or step)[: _LONGEST_SEARCH - len(self.execution) - len(rest) - 2].rstrip("-")
        return "-".join(filter(None, (self.execution, middle, rest)))

    def job_name(self, step: str, attempt: int, run: str, prefix: str = "") -> str:
        """Name the job of a step's attempt: the same whenever the run is taken up again.

        A prefix of the request's own stands before the execution, in the place of `pipelines` and the step.
        """
        if self.job:
            return self.job
        end = self._chosen(step, attempt, run)
        if prefix:
            rest = f"-{self.execution}-{end}"
            return f"{prefix[: _LONGEST_JOB - len(rest)].rstrip('-')}{rest}"
        start = f"pipelines-{self.execution}-"
        middle = _plain(step)[: _LONGEST_JOB - len(start) - len(end) - 1].rstrip("-")
        return f"{start}{middle}-{end}" if middle else f"{start}{end}"

    def _chosen(self, step: str, attempt: int, run: str) -> str:
        return chosen(f"{run}/{step}/{attempt}" + (f"/{self.turn}" if self.turn else ""), 10)


def account_of(pipeline: str, run: str, region: str = REGION) -> Account:
    """Compose the account of a run."""
    name = _plain(pipeline)[:256] or "pipeline"
    return Account(name, chosen(run, 12), region, partition=partition_of(region))


def partition_of(region: str) -> str:
    """Name the partition that a region is in."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if "-gov-" in region else "aws"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def chosen(seed: str, length: int) -> str:
    """Draw letters and digits by a seed: the same for the same seed, and as good as none alike for others."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    found = ""
    for _ in range(length):
        number, position = divmod(number, len(_DIGITS))
        found += _DIGITS[position]
    return found


def fill(text: str, region: str = REGION) -> str:
    """Put this account's own in the place of what a submit would fill in."""
    return _MARK.sub(lambda mark: _filled(mark[1], region), text) if "<<" in text else text


def _filled(name: str, region: str) -> str:
    known: Mapping[str, str] = {
        "account": NUMBER,
        "bucket": BUCKET,
        "region": region,
        "role": f"arn:aws:iam::{NUMBER}:role/penstock",
    }
    if name in known:
        return known[name]
    if name.endswith("_registry"):
        from penstock_aws.sagemaker.images import registry_host, table

        registry = name.removesuffix("_registry")
        if registry in table()["registries"]:
            return registry_host(registry, region)
    return f"<<{name}>>"
