"""Which function runs which type of node. A type without a line here is refused before anything runs."""

from __future__ import annotations

from penstock_azure.azureml.emulator.tasks import Runner

TYPES = ("command", "sweep", "parallel", "if_else", "parallel_for", "do_while")
"""The types that `runner_of` knows; pipelines are opened while the job is read."""


def runner_of(type: str) -> Runner:
    """Give what runs a type of node, importing it only now."""
    match type:
        case "command":
            from penstock_azure.azureml.emulator.commands.command import run_command

            return run_command
        case "sweep":
            from penstock_azure.azureml.emulator.sweeps.search import run_sweep

            return run_sweep
        case "parallel":
            from penstock_azure.azureml.emulator.parallel.node import run_parallel

            return run_parallel
        case "if_else":
            from penstock_azure.azureml.emulator.control_flow.conditions import run_if_else

            return run_if_else
        case "parallel_for":
            from penstock_azure.azureml.emulator.control_flow.loops import run_parallel_for

            return run_parallel_for
        case "do_while":
            from penstock_azure.azureml.emulator.control_flow.loops import run_do_while

            return run_do_while
        case _:
            raise KeyError(type)
