"""A whole job as a flat list of steps: pipelines inside it opened, references to their outputs followed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.diagnostics import Path
from penstock.frozen import replace
from penstock_azure.azureml.emulator.reading.binding import flat, given_input
from penstock_azure.azureml.emulator.reading.documents import Documents
from penstock_azure.azureml.emulator.reading.model import Binding, Data, Job, Made, Scope, Step, Value
from penstock_azure.azureml.emulator.reading.nodes import (
    CONTROL_FLOW,
    LOOPS,
    ReadingFault,
    asked,
    component_of,
    read_inputs,
    read_node,
    target,
    type_of,
)
from penstock_azure.azureml.validation.expressions import expressions, single
from penstock_azure.azureml.validation.report import by_name, is_list, is_mapping, mapping, texts

_DEEPEST = 100
_NAME = re.compile(r"[A-Za-z_][\w-]*")


class Expansion:
    """Steps gathered from pipelines, and what stands for whose outputs.

    Attributes:
        steps: by node.
        aliases: (node, output) of a pipeline, or of a loop's body → what makes it.
        bodies: node that only a loop runs → the loop.
    """

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.steps: dict[str, Step] = {}
        self.aliases: dict[tuple[str, str], Made] = {}
        self.bodies: dict[str, str] = {}

    def open(self, scope: Scope, guards: tuple[tuple[str, bool], ...] = (), depth: int = 0) -> None:
        """Add the nodes of a pipeline, and those of pipelines in it. Raises ReadingFault."""
        if depth > _DEEPEST:
            raise ReadingFault("pipelines are nested too deeply, or in a circle", scope.file, scope.path)
        bodies = {body: name for name, body in _bodies(scope)}
        blocks = dict(_blocks(scope))
        for name, given in scope.jobs.items():
            if not is_mapping(given) or not _NAME.fullmatch(name):
                raise ReadingFault(f"node '{name}' is none", scope.file, (*scope.path, "jobs", name))
            if name in bodies:
                self.bodies[f"{scope.prefix}{name}"] = f"{scope.prefix}{bodies[name]}"
                continue
            within = (*guards, *blocks.get(name, ()))
            self.add(name, given, scope, within, depth)

    def add(
        self,
        name: str,
        node: Mapping[str, Any],
        scope: Scope,
        guards: tuple[tuple[str, bool], ...] = (),
        depth: int = 0,
    ) -> None:
        """Add one node: a step, or all steps of a pipeline. Raises ReadingFault."""
        path = f"{scope.prefix}{name}"
        for port, each in by_name(node.get("outputs")).items():
            if wanted := target(each):
                self.aliases.setdefault((scope.prefix.rstrip("."), wanted), Made(path, port))
        if type_of(node) == "pipeline":
            self.open(self._inner(name, node, scope), guards, depth + 1)
            return
        step = read_node(name, node, scope, self.documents)
        self.steps[path] = replace(step, guards=guards)

    def _inner(self, name: str, node: Mapping[str, Any], scope: Scope) -> Scope:
        at: Path = (*scope.path, "jobs", name)
        file, component = component_of(node, scope, at, self.documents)
        declared = flat(component.get("inputs"))
        inputs, _, _ = read_inputs(node, declared, scope, at)
        outputs = {port: asked(each, scope) for port, each in by_name(node.get("outputs")).items()}
        jobs = by_name(component.get("jobs"))
        path = () if component is not node and file != scope.file else (*at, "component")
        return Scope(file, path, f"{scope.prefix}{name}.", inputs, outputs, jobs)

    def made(self, made: Made) -> Made:
        """Follow an output to the step that makes it."""
        for _ in range(_DEEPEST):
            found = self.aliases.get((made.step, made.port))
            if found is None:
                break
            made = found
        body = next((each for each in self.bodies if f"{made.step}.".startswith(f"{each}.")), "")
        return replace(made, step=self.bodies[body]) if body else made

    def bound(self, binding: Binding) -> Binding:
        """Follow a binding."""
        return self.made(binding) if isinstance(binding, Made) else binding

    def finished(self, names: Mapping[str, str]) -> dict[str, Step]:
        """Give the steps by their names in the ledger, what others need first. Raises ReadingFault."""
        found: dict[str, Step] = {}
        for node, step in self.steps.items():
            inputs = {name: self.bound(each) for name, each in step.inputs.items()}
            needed = [each.step for each in inputs.values() if isinstance(each, Made)]
            needed += [each for each, _ in step.guards]
            if step.type in CONTROL_FLOW:
                needed += self._read_by_flow(step)
            needs = tuple(names.get(each, each) for each in dict.fromkeys(needed) if each != node)
            named = {
                name: replace(each, step=names.get(each.step, each.step)) if isinstance(each, Made) else each
                for name, each in inputs.items()
            }
            guards = tuple((names.get(each, each), outcome) for each, outcome in step.guards)
            name = names.get(node, node)
            found[name] = replace(step, name=name, inputs=named, needs=needs, guards=guards)
        return _ordered(found)

    def _read_by_flow(self, step: Step) -> Iterator[str]:
        """Name what a control-flow node waits for: what it reads, and what its body reads."""
        scope, name = step.scope, step.node.removeprefix(step.scope.prefix)
        parts: list[Any] = [step.document]
        body = single(step.document.get("body"))
        if step.type in LOOPS and body is not None:
            parts.append(mapping(scope.jobs.get(body.name)).get("inputs"))
        for part in parts:
            for text, _ in texts(part, ()):
                for each in expressions(text):
                    if each.head == "parent.jobs" and each.node != name:
                        made = self.made(Made(f"{scope.prefix}{each.node}", each.name))
                        if made.step in self.steps and made.step != step.node:
                            yield made.step


def read_job(
    documents: Documents,
    parameters: Mapping[str, str],
    datasets: Mapping[str, str],
    names: Mapping[str, str],
) -> Job:
    """Read a job.

    Args:
        documents: that it consists of.
        parameters: input → its value, as text; in the place of the document's.
        datasets: input → a path of this machine; in the place of the document's.
        names: node → its name in the ledger, where that is another.

    Raises:
        ReadingFault: it cannot be read.
    """
    scope = job_scope(documents, parameters, datasets)
    made = Expansion(documents)
    made.open(scope)
    steps = made.finished(names)
    outputs: dict[str, Made] = {}
    for name in scope.outputs:
        found = made.made(Made("", name))
        if found.step:
            outputs[name] = replace(found, step=names.get(found.step, found.step))
    settings = mapping(documents.job.get("settings"))
    stem = documents.main.rpartition("/")[2].rpartition(".")[0]
    return Job(
        str(documents.job.get("experiment_name") or documents.job.get("name") or stem),
        steps,
        outputs,
        go_on=_is_true(settings.get("continue_on_step_failure")),
        rerun=_is_true(settings.get("force_rerun")),
        datastore=str(settings.get("default_datastore") or "workspaceblobstore").removeprefix("azureml:"),
    )


def job_scope(documents: Documents, parameters: Mapping[str, str], datasets: Mapping[str, str]) -> Scope:
    """Give the outermost pipeline, with its inputs' values. Raises ReadingFault."""
    job, file = documents.job, documents.main
    kind = type_of(job) if "jobs" not in job else "pipeline"
    if kind == "pipeline" and "component" in job:
        _, component = component_of({"component": job["component"]}, Scope(file), (), documents)
        inputs = _declared(component, file) | _given(job, file)
        inner = _with(inputs, parameters, datasets, file)
        outputs = {name: mapping(each) for name, each in by_name(job.get("outputs")).items()}
        found = documents.find(str(job["component"]), file) or (file, mapping(job["component"]))
        nothing: Mapping[str, Any] = {}
        asked_for = {name: outputs.get(name, nothing) for name in by_name(component.get("outputs"))}
        return Scope(found[0], (), "", inner, asked_for, by_name(component.get("jobs")))
    if kind == "pipeline":
        inputs = _declared(job, file) if is_component(job) else _given(job, file)
        outputs = {name: mapping(each) for name, each in by_name(job.get("outputs")).items()}
        return Scope(
            file, (), "", _with(inputs, parameters, datasets, file), outputs, by_name(job.get("jobs"))
        )
    return _of_one_node(documents, kind, parameters, datasets)


def is_component(document: Mapping[str, Any]) -> bool:
    """Tell a component from a job."""
    from penstock_azure.azureml.validation.document import is_job

    return not is_job(document)


def is_lone_job(document: Mapping[str, Any]) -> bool:
    """Tell a job that is no pipeline from a component, which says less."""
    from penstock_azure.azureml.validation.document import is_job

    about = document.get("$schema")
    if isinstance(about, str):
        return "omponent" not in about
    if document.keys() & {"compute", "experiment_name", "trial", "services", "limits", "queue_settings"}:
        return True
    given = by_name(document.get("inputs")).values()
    return any(not is_mapping(each) or "path" in each for each in given) or is_job(document)


def _of_one_node(
    documents: Documents, kind: str, parameters: Mapping[str, str], datasets: Mapping[str, str]
) -> Scope:
    """Put a job that is no pipeline into one: its inputs are the pipeline's, and bound to it."""
    job, file = documents.job, documents.main
    inputs = _with(_declared(job, file) | _given(job, file), parameters, datasets, file)
    bound = {name: f"${{{{parent.inputs.{name}}}}}" for name in inputs}
    declared = {
        name: each for name, each in flat(job.get("inputs")).items() if is_mapping(each) and "mode" in each
    }
    for name, each in declared.items():
        bound[name] = {"path": bound[name], "mode": each["mode"]}  # type: ignore[assignment]
    node = {**job, "type": kind, "inputs": bound}
    if not is_lone_job(job):
        node = {"type": kind, "component": job, "inputs": bound}
    return Scope(file, (), "", inputs, {}, {node_name(documents): node})


def node_name(documents: Documents) -> str:
    """Name the one node of a job that is no pipeline."""
    stem = documents.main.rpartition("/")[2].rpartition(".")[0]
    given = documents.job.get("name")
    # Folders and logs are called by it.
    return re.sub(r"[^\w-]", "_", str(given if isinstance(given, str) and given else stem)) or "job"


def _given(job: Mapping[str, Any], file: str) -> dict[str, Binding]:
    return {
        name: given_input(each, name, file, ("inputs", *name.split(".")))
        for name, each in flat(job.get("inputs")).items()
    }


def _declared(component: Mapping[str, Any], file: str) -> dict[str, Binding]:
    """Give what a component's inputs are worth by themselves: defaults, and the data that its tags name."""
    found: dict[str, Binding] = {}
    tags = mapping(component.get("tags"))
    for name, each in flat(component.get("inputs")).items():
        default = mapping(each).get("default")
        found[name] = (
            None if default is None else Value(default if isinstance(default, str) else str(default))
        )
        address = tags.get(f"penstock.dataset.{name}") or tags.get(f"penstock.dataset.{name.rstrip('_')}")
        if isinstance(address, str):
            found[name] = Data(address, str(mapping(each).get("type", "")), file, name, ("inputs", name))
    return found


def _with(
    inputs: Mapping[str, Binding], parameters: Mapping[str, str], datasets: Mapping[str, str], file: str
) -> dict[str, Binding]:
    found = dict(inputs)
    for name, text in parameters.items():
        port = name if name in found else f"{name}_"
        found[port] = Value(text)
    for name, path in datasets.items():
        port = name if name in found or f"{name}_" not in found else f"{name}_"
        before = found.get(port)
        kind = before.type if isinstance(before, Data) else ""
        found[port] = Data(path, kind, file, name, ("inputs", name))
    return found


def _bodies(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, node in scope.jobs.items():
        if is_mapping(node) and type_of(node) in LOOPS and (body := single(node.get("body"))) is not None:
            yield name, body.name


def _blocks(scope: Scope) -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for name, node in scope.jobs.items():
        if not is_mapping(node) or type_of(node) != "if_else":
            continue
        for key, outcome in (("true_block", True), ("false_block", False)):
            given = node.get(key)
            for each in given if is_list(given) else [given]:
                if (block := single(each)) is not None:
                    found.setdefault(block.name, []).append((f"{scope.prefix}{name}", outcome))
    return found


def _ordered(steps: dict[str, Step]) -> dict[str, Step]:
    """Put steps behind what they need, else in the order of the document. Raises ReadingFault for a circle."""
    done: dict[str, Step] = {}
    for name in steps:
        waiting, entered = [name], set[str]()
        while waiting:
            top = waiting[-1]
            left = [each for each in steps[top].needs if each not in done]
            if not left or top in done:
                waiting.pop()
                done.setdefault(top, steps[top])
                continue
            unknown = next((each for each in left if each not in steps), "")
            if unknown or top in entered:
                file, at = steps[top].place
                said = f"needs '{unknown}', which is no step" if unknown else "waits for itself"
                raise ReadingFault(f"node '{top}' {said}", file, at)
            entered.add(top)
            waiting += reversed(left)
    return done


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")
