"""What an execution gets from an endpoint that it shares with others, and makes for itself where it runs alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from penstock.frozen import dataclass
from penstock_aws.sagemaker.emulator.account import Account
from penstock_aws.sagemaker.emulator.client_settings import ClientSettings
from penstock_aws.sagemaker.emulator.data.storage import Storage


@dataclass(frozen=True, slots=True)
class Hosting:
    """One execution's place at an endpoint.

    Attributes:
        account: the endpoint's, with the names that the execution has there.
        storage: the buckets of all executions. What was put there stays there.
        slots: jobs that may run at once, whoever's they are.
        closing: set once the endpoint goes away, and with it everything that runs; the run's own `stop` is set too,
            which by itself means that somebody had the execution stopped.
        send_message: sends a text to a queue by its URL; raises JobFault.
        model: gives the Describe-shaped record of a model that the execution did not make; `None` where there is none.
        registered: told of each model package that a step has made, by its Describe-shaped record.
        stop_of: gives what is set once somebody has a single job stopped, by the job's name.
        clients: gives what points a job's own clients at the endpoint, by the ARN of its role.
    """

    account: Account
    storage: Storage
    slots: threading.Semaphore
    closing: threading.Event
    send_message: Callable[[str, str], None]
    model: Callable[[str], Mapping[str, Any] | None]
    registered: Callable[[Mapping[str, Any]], None]
    stop_of: Callable[[str], threading.Event]
    clients: Callable[[str], ClientSettings]
