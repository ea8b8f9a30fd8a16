"""Deciding an if_else: which of its blocks runs."""

from __future__ import annotations

from penstock_azure.azureml.emulator.control_flow.values import control_value, truth
from penstock_azure.azureml.emulator.reading.job import Expansion
from penstock_azure.azureml.emulator.reading.model import Made
from penstock_azure.azureml.emulator.tasks import End, Task, TaskFault
from penstock_azure.azureml.validation.expressions import single


def run_if_else(task: Task) -> End:
    """Decide; see `tasks.Runner`. The nodes of the other block are skipped by what this leaves."""
    given = task.step.document.get("condition")
    found = single(given)
    if found is None:
        outcome = given if isinstance(given, bool) else truth(str(given), "the condition")
    elif found.head == "parent.jobs" and found.side == "outputs":
        scope, work = task.step.scope, task.jobs.work
        around = Expansion(task.jobs.execution.documents)
        around.open(scope)
        made = around.made(Made(f"{scope.prefix}{found.node}", found.name))
        value = control_value(work, made.step, made.port)
        outcome = truth(value, f"output '{made.port}' of '{made.step}'")
    else:
        raise TaskFault(f"the condition is '{given}', which is no output of a node", "P410")
    return End(outcome=outcome, message=f"is {str(outcome).lower()}")
