"""What every operation has at hand: the project, the files beside it, and the names that things have here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.frozen import dataclass
from penstock.runtime.ledger import Ledger
from penstock.runtime.project import Project
from penstock_aws.endpoint.buckets import Buckets
from penstock_aws.endpoint.sagemaker.runs import Runs
from penstock_aws.endpoint.sagemaker.state import Asked, State
from penstock_aws.sagemaker.emulator.account import Account, partition_of
from penstock_aws.sagemaker.emulator.client_settings import NO_CLIENTS, ClientSettings

if TYPE_CHECKING:
    from pathlib import Path

    from penstock_aws.endpoint.sagemaker.playing import Player

PutLogs = Callable[[str, str, list[str]], None]
"""Takes a log group, a stream, and lines for it."""


def _no_clients(role: str) -> ClientSettings:
    del role
    return NO_CLIENTS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where an API is.

    Attributes:
        project: whose ledger and artifact store it uses.
        buckets: the objects that its jobs read and write.
        region: that its addresses have.
        account: twelve digits.
        folder: where it keeps its own file.
        send_message: sends a text to a queue, by the queue's URL.
        clients: gives what points a job's own clients here, by the ARN of its role.
    """

    project: Project
    buckets: Buckets
    region: str
    account: str
    folder: Path
    send_message: Callable[[str, str], None]
    clients: Callable[[str], ClientSettings] = _no_clients


class Context:
    """One API's own things, shared by all threads that answer calls.

    Attributes:
        runs: how executions stand, by the ledger.
        player: runs executions.
        put_logs: where lines of jobs go; `None` for nowhere but the ledger.
    """

    player: Player

    def __init__(self, around: Surroundings) -> None:
        around.project.create_home()
        self.around = around
        self.ledger = Ledger.open(around.project.ledger)
        self.state = State(around.folder)
        self.runs = Runs(self.ledger, self.state)
        self.put_logs: PutLogs | None = None

    def close(self) -> None:
        """Let go of the files."""
        self.ledger.close()
        self.state.close()

    def account(
        self, pipeline: str = "pipeline", execution: str = "", *, turn: int = 0, job: str = ""
    ) -> Account:
        """Give the account, as one of its executions sees it."""
        around = self.around
        return Account(
            pipeline,
            execution,
            around.region,
            around.account,
            partition_of(around.region),
            turn=turn,
            job=job,
        )

    def account_of(self, asked: Asked) -> Account:
        """Give the account as an execution sees it."""
        body = asked.body
        return self.account(
            str(body["name"]), asked.id, turn=int(body.get("turn", 0)), job=str(body.get("job", ""))
        )

    def arn(self, kind: str, name: str) -> str:
        """Give the ARN of something of SageMaker's, such as a `training-job`."""
        return self.account().arn(kind, name)

    @property
    def user(self) -> dict[str, Any]:
        """Whoever made something: the one user that there is."""
        arn = f"arn:{partition_of(self.around.region)}:iam::{self.around.account}:user/penstock"
        return {"IamIdentity": {"Arn": arn, "PrincipalId": "AIDAPENSTOCKPENSTOCK"}}


Handler = Callable[[Context, Mapping[str, Any]], dict[str, Any]]
"""Carries out one operation: a request in Python values, times as seconds since the epoch; raises ServiceFault."""


def name_in(arn_or_name: str) -> str:
    """Give the name at the end of an ARN, or the name itself."""
    return arn_or_name.rpartition("/")[2] if arn_or_name.startswith("arn:") else arn_or_name
