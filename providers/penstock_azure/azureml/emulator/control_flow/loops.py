"""Running loops: parallel_for, a round for each item; do_while, a round as long as its body says so."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.runtime.artifacts import Artifact
from penstock.runtime.records import StepRecord, StepStatus
from penstock_azure.azureml.emulator.control_flow.rounds import Body, Round
from penstock_azure.azureml.emulator.control_flow.values import control_value, is_control, truth
from penstock_azure.azureml.emulator.reading.job import Expansion
from penstock_azure.azureml.emulator.reading.model import Made
from penstock_azure.azureml.emulator.tasks import End, Task, TaskFault
from penstock_azure.azureml.validation.expressions import single
from penstock_azure.azureml.validation.report import by_name, is_list, is_mapping, mapping

_GOOD = (StepStatus.SUCCEEDED, StepStatus.SKIPPED)
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST = 1_000


def run_parallel_for(task: Task) -> End:
    """Run a parallel_for; see `tasks.Runner`."""
    items = items_of(task)
    body = Body(task.step, task.jobs.execution.documents)
    rounds = [body.round(word, given) for word, given in items.items()]
    at_once = _count(task.step.document.get("max_concurrency"), "max_concurrency", len(rounds))
    reason = _run_all(task, rounds, min(at_once, len(rounds)))
    if task.stop.is_set():
        return End(stopped=True)
    if reason:
        return End(reason=reason)
    left, values = _gathered(task, dict(zip(items, rounds, strict=True)))
    return End(left=left, values=values, message=f"{len(rounds)} rounds")


def run_do_while(task: Task) -> End:
    """Run a do_while; see `tasks.Runner`."""
    document, work = task.step.document, task.jobs.work
    body = Body(task.step, task.jobs.execution.documents)
    most = _count(mapping(document.get("limits")).get("max_iteration_count"), "max_iteration_count", _MOST)
    before: dict[str, Made] = {}
    number = 0
    while True:
        found = body.round(str(number), {}, before)
        number += 1
        reason = _run(task, found)
        if task.stop.is_set():
            return End(stopped=True)
        if reason:
            return End(reason=reason)
        if number >= most or not _goes_on(task, found):
            break
        before = _handed_on(task, found)
    left = {port: each for port, made in found.outputs.items() if (each := _left(task, made)) is not None}
    values = {
        port: control_value(work, made.step, made.port)
        for port, made in found.outputs.items()
        if is_control(work, made.step, made.port) and _left(task, made) is not None
    }
    return End(left=left, values=values, message=f"{number} rounds")


def items_of(task: Task) -> dict[str, dict[str, Any]]:
    """Read the items of a parallel_for: a name for each round, and the inputs that it fills. Raises TaskFault."""
    given: Any = task.step.document.get("items")
    found = single(given)
    if found is not None and found.head == "parent.jobs":
        scope = task.step.scope
        around = Expansion(task.jobs.execution.documents)
        around.open(scope)
        made = around.made(Made(f"{scope.prefix}{found.node}", found.name))
        given = control_value(task.jobs.work, made.step, made.port)
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise TaskFault(f"'items' is no JSON: {given[:100]}", "P412") from None
    if is_list(given):
        rows: dict[str, Any] = {str(at): each for at, each in enumerate(given)}
    elif is_mapping(given):
        rows = {
            key if _WORD.fullmatch(str(key)) else str(at): each
            for at, (key, each) in enumerate(given.items())
        }
    else:
        raise TaskFault("'items' is neither a list nor a mapping", "P412")
    if not 0 < len(rows) <= _MOST:
        raise TaskFault(f"'items' holds {len(rows)} items, and 1 to {_MOST} run here", "P412")
    for word, each in rows.items():
        if not is_mapping(each):
            raise TaskFault(f"item {word} is no mapping from inputs of the body to values", "P412")
    return {word: dict(by_name(each)) for word, each in rows.items()}


def _run_all(task: Task, rounds: Sequence[Round], at_once: int) -> str:
    """Run rounds beside each other; give why the loop failed, empty where it did not."""
    waiting, reasons = deque(rounds), list[str]()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            while not (reasons or faults or task.stop.is_set()):
                try:
                    found = waiting.popleft()
                except IndexError:
                    return
                if reason := _run(task, found):
                    reasons.append(reason)
        except BaseException as fault:  # raised again below
            faults.append(fault)

    threads = [threading.Thread(target=work, name="penstock-rounds") for _ in range(max(1, at_once))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if faults:
        raise faults[0]
    return reasons[0] if reasons else ""


def _run(task: Task, found: Round) -> str:
    """Run one round; give why it failed, empty where it did not."""
    records: Mapping[str, StepRecord] = task.jobs.run_more(found.steps, task.stop)
    bad = next((each for each in records.values() if each.status is StepStatus.FAILED), None)
    bad = bad or next((each for each in records.values() if each.status not in _GOOD), None)
    return f"node '{bad.name}' of it {bad.status}: {bad.message}" if bad is not None else ""


def _goes_on(task: Task, found: Round) -> bool:
    """Ask the body's control output whether there is another round."""
    condition = task.step.document.get("condition")
    if condition is None:
        return True
    if isinstance(condition, bool):
        return condition
    named = single(condition)
    port = named.name if named is not None else str(condition)
    made = found.outputs.get(port)
    if made is None:
        raise TaskFault(f"the condition of the loop is '{port}', which its body does not leave", "P411")
    return truth(control_value(task.jobs.work, made.step, made.port), f"the condition '{port}'")


def _handed_on(task: Task, found: Round) -> dict[str, Made]:
    """Say which input of the next round is which output of this one."""
    handed: dict[str, Made] = {}
    for key, given in by_name(task.step.document.get("mapping")).items():
        named = single(key)
        made = found.outputs.get(named.name if named is not None else key)
        if made is None:
            raise TaskFault(f"the loop hands on '{key}', which its body does not leave", "P411")
        for each in given if is_list(given) else [given]:
            target = single(each)
            handed[target.name if target is not None else str(each)] = made
    return handed


def _gathered(task: Task, rounds: Mapping[str, Round]) -> tuple[dict[str, Artifact], dict[str, str]]:
    """Gather what the rounds left: data as a table of paths with a folder a round, values as a JSON list."""
    work, store = task.jobs.work, task.jobs.run.store
    left: dict[str, Artifact] = {}
    values: dict[str, str] = {}
    ports = dict.fromkeys(port for each in rounds.values() for port in each.outputs)
    for port in ports:
        made = {word: each.outputs[port] for word, each in rounds.items() if port in each.outputs}
        found = {word: each for word, one in made.items() if (each := _left(task, one)) is not None}
        if any(is_control(work, one.step, one.port) for one in made.values()):
            told = [control_value(work, made[word].step, made[word].port) for word in found]
            values[port] = json.dumps(told)
            continue
        draft: Path = task.folder / "gathered" / port
        draft.mkdir(parents=True)
        lines = ["paths:"]
        for word, artifact in found.items():
            place = draft / word / made[word].port if artifact.kind == "file" else draft / word
            store.place_writable(artifact, place)
            lines.append(f"- {artifact.kind}: ./{place.relative_to(draft).as_posix()}")
        (draft / "MLTable").write_text("\n".join(lines) + "\n", encoding="utf-8")
        left[port] = store.put(draft, move=True)
    return left, values


def _left(task: Task, made: Made) -> Artifact | None:
    return task.jobs.work.left.get(made.step, {}).get(made.port)


def _count(value: object, key: str, most: int) -> int:
    if value is None or value == "":
        return most
    try:
        found = int(str(value))
    except ValueError:
        found = 0
    if found < 1:
        raise TaskFault(f"'{key}' is '{value}', and must be a whole number above 0", "P410")
    return min(found, most)
