"""The processes of one node: how many there are, and what each is told of the others."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from penstock.frozen import dataclass
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import mapping

_MOST = 64
"""Processes of one node: more are a mistake on one machine."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process: which machine it is on, and its own variables."""

    instance: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """All processes of a node. `note` is what differs from the service, in words."""

    instances: int
    members: tuple[Member, ...]
    note: str = ""


def layout_of(step: Step) -> Layout:
    """Lay out a node's processes. Raises TaskFault."""
    instances = _count(
        mapping(step.setting("resources")).get("instance_count"), "resources.instance_count", step
    )
    distribution = mapping(step.setting("distribution"))
    kind = str(distribution.get("type", "")).lower()
    match kind:
        case "":
            note = (
                f"{instances} machines, and no distribution: the command runs on one" if instances > 1 else ""
            )
            return Layout(instances, (Member(0, {}),), note)
        case "pytorch":
            return _ranked(instances, _each(distribution, step), step, {})
        case "mpi":
            return _ranked(instances, _each(distribution, step), step, {"OMPI": "1"})
        case "tensorflow":
            return _tensorflow(instances, distribution, step)
        case _:
            raise TaskFault(f"a distribution of type {kind} does not run offline", "P431")


def _each(distribution: Mapping[str, Any], step: Step) -> int:
    return _count(distribution.get("process_count_per_instance"), "process_count_per_instance", step)


def _ranked(instances: int, each: int, step: Step, mpi: Mapping[str, str]) -> Layout:
    world = _bounded(instances * each, step)
    port = str(_free_port())
    members: list[Member] = []
    for rank in range(world):
        node, local = divmod(rank, each)
        told = {
            "RANK": str(rank),
            "LOCAL_RANK": str(local),
            "NODE_RANK": str(node),
            "WORLD_SIZE": str(world),
            "LOCAL_WORLD_SIZE": str(each),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "AZUREML_CR_NODE_RANK": str(node),
        }
        if mpi:
            told = {
                "OMPI_COMM_WORLD_RANK": str(rank),
                "OMPI_COMM_WORLD_SIZE": str(world),
                "OMPI_COMM_WORLD_LOCAL_RANK": str(local),
                "OMPI_COMM_WORLD_LOCAL_SIZE": str(each),
                "OMPI_COMM_WORLD_NODE_RANK": str(node),
                "AZ_BATCH_MASTER_NODE": f"127.0.0.1:{port}",
                "AZUREML_CR_NODE_RANK": str(node),
            }
        members.append(Member(node, told))
    return Layout(instances, tuple(members))


def _tensorflow(instances: int, distribution: Mapping[str, Any], step: Step) -> Layout:
    workers = _count(distribution.get("worker_count") or instances, "worker_count", step)
    servers = _count(distribution.get("parameter_server_count"), "parameter_server_count", step, least=0)
    _bounded(workers + servers, step)
    roles = {"worker": workers, "ps": servers}
    cluster = {
        role: [f"127.0.0.1:{_free_port()}" for _ in range(count)] for role, count in roles.items() if count
    }
    tasks = [(role, index) for role, count in roles.items() for index in range(count)]
    members = [
        Member(
            number % max(1, instances),
            {
                "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": role, "index": index}}),
                "AZUREML_CR_NODE_RANK": str(number % max(1, instances)),
            },
        )
        for number, (role, index) in enumerate(tasks)
    ]
    return Layout(instances, tuple(members))


def _bounded(count: int, step: Step) -> int:
    if count > _MOST:
        raise TaskFault(f"node '{step.name}' is {count} processes, and {_MOST} run here at most", "P431")
    return count


def _count(value: object, key: str, step: Step, least: int = 1) -> int:
    if value is None or value == "":
        return least
    try:
        found = int(str(value))
    except ValueError:
        raise TaskFault(f"'{key}' of node '{step.name}' is '{value}', and no number", "P410") from None
    return max(least, found)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
