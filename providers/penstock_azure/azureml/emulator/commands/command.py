"""Running a command node: one process, or as many as its distribution has."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from penstock.frozen import replace
from penstock.runtime.isolation import isolating_prefix
from penstock.runtime.masking import Masker
from penstock.runtime.process import Exit, run_process
from penstock.runtime.variables import step_environment
from penstock_azure.azureml.emulator.commands.ends import why_failed
from penstock_azure.azureml.emulator.commands.fixed_paths import held
from penstock_azure.azureml.emulator.commands.machines import Layout, layout_of
from penstock_azure.azureml.emulator.commands.places import Places
from penstock_azure.azureml.emulator.commands.registering import prepare, registered
from penstock_azure.azureml.emulator.commands.substitution import substitute
from penstock_azure.azureml.emulator.commands.timing import timeout_of
from penstock_azure.azureml.emulator.commands.variables import run_id, service_variables
from penstock_azure.azureml.emulator.stand_in import stand_ins
from penstock_azure.azureml.emulator.tasks import End, Task, TaskFault
from penstock_azure.azureml.emulator.tracked import LOGGED, track

GRACE = 5.0


def run_command(task: Task, more: Mapping[str, str] | None = None) -> End:
    """Run a command node, a trial, or a body of a loop; see `tasks.Runner`. `more`: further variables."""
    run, step = task.jobs.run, task.step
    command = step.component.get("command")
    if not isinstance(command, str) or not command.strip():
        raise TaskFault(f"node '{step.name}' has no command", "P410")
    places = Places(task.folder, step)
    interpreter = task.jobs.interpreter(step)
    with task.jobs.slot(task.stop) as free:
        if not free:
            return End(stopped=True)
        places.lay_out(task.jobs.code(step), run.store, run.sweeper)
        inputs = places.hand_over(task.inputs, run)
        outputs = {name: str(places.output(name, slot)) for name, slot in step.outputs.items()}
        layout = layout_of(step)
        if layout.note:
            run.notice(layout.note, task.record.name)
        names = {
            "name": run_id(run.record, task.record.name),
            "default_datastore": task.jobs.execution.job.datastore,
        }
        own = {key: substitute(each, inputs, outputs, names) for key, each in step.variables.items()}
        told = {**service_variables(task, inputs, outputs, layout.instances), **own}
        tracking = task.jobs.work.tracking
        tracked = track(task, tracking) if tracking is not None else None
        if tracked is not None:
            told |= {"AZUREML_RUN_ID": tracked.run, **tracked.variables}
        told |= stand_ins(step, told) | dict(more or {})
        registers = task.jobs.execution.own and task.record.kind == "register"
        told |= prepare(places.folder) if registers else {}
        env = step_environment(places.home, places.tmp, told, run.request.pass_env, interpreter.bin)
        text = substitute(command, inputs, outputs, names)
        secret = tracked.secret if tracked is not None else ""
        # Trials of a sweep run side by side, each under its own name: their step's row counts.
        fixed = task.jobs.execution.results(step.name).get("at", ())
        with held(fixed):
            ended = _processes(task, places, layout, text, env, secret)
        changed = places.changed(task.inputs, run)
    metrics, details = tracked.ended(ended.ok, ended.stopped) if tracked is not None else ({}, {})
    if ended.stopped:
        return End(stopped=True, exit_code=ended.code, signal=ended.signal)
    if not ended.ok:
        if changed:
            run.notice(changed, task.record.name)
        reason, code = why_failed(task, ended, timeout_of(task.step))
        return End(reason=reason, code=code, exit_code=ended.code, signal=ended.signal, metrics=metrics)
    if changed:
        return End(reason=changed, code="P413", exit_code=ended.code)
    left = places.take(run.store)
    logged = tracked.artifacts(run.folder) if tracked is not None else None
    if logged is not None and LOGGED not in left:
        left[LOGGED] = run.store.put(logged, move=False, index=run.index)
    end = End(exit_code=ended.code, left=left, metrics=metrics, details=details)
    return registered(task, end) if registers else end


def _processes(
    task: Task, places: Places, layout: Layout, text: str, env: Mapping[str, str], secret: str
) -> Exit:
    """Run every process; the first that fails ends the others."""
    if len(layout.members) == 1:
        own = {**env, **layout.members[0].variables}
        return _process(task, places.work, text, own, task.stop, secret, first=True)
    store, code = task.jobs.run.store, task.jobs.code(task.step)
    works = {0: places.work}
    for number in range(1, max(each.instance for each in layout.members) + 1):
        works[number] = places.folder / f"work-{number}"
        places.work_copy(works[number], code, store)
    stop = threading.Event()
    ends: list[Exit | None] = [None] * len(layout.members)

    def one(number: int) -> None:
        member = layout.members[number]
        found = _process(
            task, works[member.instance], text, {**env, **member.variables}, stop, secret, first=number == 0
        )
        ends[number] = found
        if not found.ok:
            stop.set()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(layout.members))]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        for each in threads:
            each.join(0.05)
        if task.stop.is_set():
            stop.set()
    known = [each for each in ends if each is not None]
    if task.stop.is_set():
        return next((each for each in known if each.stopped), known[0])
    # The one that failed by itself, and not those that were ended for it.
    bad = [each for each in known if not each.ok]
    return next(
        (each for each in bad if not each.stopped), replace(bad[0], stopped=False) if bad else known[0]
    )


def _process(
    task: Task,
    work: Path,
    text: str,
    env: Mapping[str, str],
    stop: threading.Event,
    secret: str,
    *,
    first: bool,
) -> Exit:
    run, name = task.jobs.run, task.record.name
    argv = ["bash", "-c", text]
    secrets = [os.environ[each] for each in run.request.pass_env if each in os.environ]
    secrets += [secret] if secret else []
    return run_process(
        [*isolating_prefix(), *argv] if run.request.isolate else argv,
        cwd=work,
        env=env,
        log=task.jobs.log(task.record),
        stop=stop,
        on_line=lambda line: run.line(name, line),
        timeout=timeout_of(task.step),
        grace=GRACE,
        masker=Masker(secrets),
        on_start=task.jobs.starter(task.record) if first else None,
    )
