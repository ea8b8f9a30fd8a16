"""Maps and batch inference brought down to what the service has: nodes an item, parallel nodes, command nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from penstock.diagnostics import At, Diagnostic, note
from penstock.expressions.nodes import DatasetRef, Expression, InputRef, Literal, OutputRef, ParameterRef
from penstock.expressions.references import references
from penstock.expressions.text import text
from penstock.frozen import replace
from penstock.ir import (
    ArtifactType,
    Command,
    Graph,
    Input,
    Map,
    Predict,
    Shell,
    Step,
    Train,
    Word,
    bound_inputs,
    offered,
)
from penstock.simplify.commands import SOURCE, map_command, predict_command
from penstock.simplify.unroll import gathering, unrolled
from penstock_azure.azureml.lowering.draft import Draft, component_tag
from penstock_azure.azureml.lowering.words import HARMLESS

MOST_NODES = 100
"""Written items up to which each is a node of its own; more make a job that nobody can look through."""

# What would end the quotes of an argument: the service splits arguments as a shell does, and fills variables in.
_BREAKS_ARGUMENTS = re.compile(r'["$`\\\n]')


@dataclass
class Expanded:
    """A graph in which every map and batch inference has a form that the service knows.

    Attributes:
        graph: maps left in it go over files, and like batch inference left in it become parallel nodes.
        members: maps, each with the names of the nodes that stand for it.
        varied: node → inputs whose text has to stand in variables of the node.
        scripts: step that became one command with a shipped script → why.
        found: what is lost on the way.
    """

    graph: Graph
    members: list[tuple[Map, tuple[str, ...]]] = field(default_factory=list[tuple[Map, tuple[str, ...]]])
    varied: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    scripts: dict[str, str] = field(default_factory=dict[str, str])
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])


def expand(graph: Graph) -> Expanded:
    """Write maps out: few items become a step each, what no parallel node can do becomes a command."""
    made = Expanded(graph)
    read = set(_read(graph))
    taken = {step.name.lower() for step in graph.steps}
    steps: list[Step] = []
    ungathered: dict[str, tuple[str, ...]] = {}
    for step in graph.steps:
        if isinstance(step, Map) and (reason := why_one_node(step, _source(step, graph))):
            made.scripts[step.name] = reason
            steps.append(_one_machine(_of_its_source(map_command(step), step, graph), made))
        elif isinstance(step, Predict) and (reason := why_no_parallel(step)):
            made.scripts[step.name] = reason
            steps.append(_one_machine(predict_command(step), made))
        elif isinstance(step, Map) and step.over.source is None:
            members = _named_apart(unrolled(step), taken)
            if step.component:
                # Nodes say which item is theirs; the component, which others may use too, does not.
                shown = step.display_name
                members = {name: replace(each, display_name=shown) for name, each in members.items()}
            made.members.append((step, tuple(members)))
            made.varied |= dict.fromkeys(members, _varied(list(members.values())))
            steps += members.values()
            wanted = tuple(each for each in step.outputs if (step.name, each.name) in read)
            if wanted:
                made.scripts[step.name] = "gathers what the items made, each in a folder of its own"
                steps.append(_gathering(gathering(step, wanted), members, unrolled(step)))
            else:
                ungathered[step.name] = tuple(members)
            _announce(step, made)
        else:
            steps.append(step)
    gathers = {step.name for step, _ in made.members}
    own = (_of_no_component(step, gathers) if step.name in made.scripts else step for step in steps)
    made.graph = replace(graph, steps=tuple(_after(step, ungathered) for step in own))
    return made


def _of_no_component(step: Step, gathers: set[str]) -> Step:
    """Let a script of ours around a component's command not pass for that component, and say which one is inside."""
    inside = {} if step.name in gathers else component_tag(step.component)
    return replace(step, component=None, tags={**step.tags, **inside})


def why_one_node(step: Map, source: str = "folder") -> str:
    """Say why a map is one command node; empty where it has a form of the service's own.

    `source` is the type of what it goes over.
    """
    over = step.over
    if over.kind == "items":
        if step.tolerate:
            return f"counts its failed items: {step.tolerate} may fail, and a job has no such count"
        many = len(over.items) > MOST_NODES
        return f"goes over {len(over.items)} items in one node: a node each would be too many" if many else ""
    if over.kind == "table":
        return "divides a table into groups and goes over them"
    reason = why_no_parallel(step)
    if source == "model":
        reason = "a parallel node takes a folder, and no model"
    return f"goes over files in one node: {reason}" if reason else ""


def why_no_parallel(step: Map | Predict) -> str:
    """Say why a parallel node cannot do it; empty where it can."""
    if step.guards:
        return "a parallel node cannot read a gate"
    if any(each.at for each in step.inputs):
        return "a parallel node cannot show an input at a fixed path"
    if isinstance(step, Map):
        words = [each.file for each in step.outputs]
    else:
        if any(each.name == "data" and each.source_type in ("file", "metrics") for each in step.inputs):
            return "a parallel node takes a folder, and the data is one file"
        if any(not isinstance(each, Literal) or "${{" in text(each.value) for each in _composed(step)):
            return "a parallel node composes no variables"
        serving = step.serving
        words = [serving.entry, *serving.content_types[:1], *serving.response_types[:1]]
    unsafe = next((each for each in words if _BREAKS_ARGUMENTS.search(each)), "")
    return f"arguments of a parallel node cannot hold {unsafe!r}" if unsafe else ""


def share(made: Expanded, draft: Draft) -> None:
    """Let the nodes of a map have one component where the items differ in what nodes bind alone."""
    for step, names in made.members:
        nodes = [draft.nodes[name] for name in names]
        label = step.display_name or step.name
        for node, item in zip(nodes, step.over.items, strict=True):
            job = draft.jobs[node]
            shown = {"display_name": f"{label} [{item.key}]"}
            draft.jobs[node] = {"type": job["type"], "component": job["component"], **shown, **job}
        places = [draft.jobs[node]["component"] for node in nodes]
        files = [_file(reference) for reference in places]
        shared = [{**draft.files[file], "name": "", "display_name": ""} for file in files]
        # A component that the map uses is one already, and others may use it too.
        if not nodes or len(set(files)) < len(files) or any(each != shared[0] for each in shared):
            continue
        name = f"{step.name.lower()}__item"
        component = {**draft.files[files[0]], "name": draft.component(name), "display_name": label}
        for file in dict.fromkeys(files):
            del draft.files[file]
            draft.origins.pop((file, ()), None)
        folder = places[0].rpartition("/")[0]
        placed = draft.place(name, component, step.path).rpartition("/")[2]
        for node in nodes:
            draft.jobs[node]["component"] = f"{folder}/{placed}"


def _source(step: Map, graph: Graph) -> ArtifactType:
    source = step.over.source
    match source:
        case DatasetRef(name):
            return graph.datasets[name].type
        case OutputRef(producer, output):
            return next(each.type for each in offered(graph.step(producer)) if each.name == output)
        case None:
            return "folder"


def _of_its_source(step: Command, written: Map, graph: Graph) -> Command:
    """Let the input that is gone over have the type of what it is bound to: the service mounts it as that."""
    if written.over.source is None:
        return step
    kind = _source(written, graph)
    inputs = (replace(each, source_type=kind) if each.name == SOURCE else each for each in step.inputs)
    return replace(step, inputs=tuple(inputs))


def _file(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"components/{name}"


def _composed(step: Predict) -> list[Expression]:
    return [each for each in step.env.values() if not isinstance(each, ParameterRef)]


def _read(graph: Graph) -> Iterator[tuple[str, str]]:
    """Go through the outputs that anybody reads."""
    for reference in graph.outputs.values():
        yield reference.step, reference.output
    for step in graph.steps:
        values = [each.value for each in bound_inputs(step)]
        if isinstance(step, Map) and step.over.source is not None:
            values.append(step.over.source)
        for value in values:
            yield from ((each.step, each.output) for each in references(value) if isinstance(each, OutputRef))


def _named_apart(members: list[Command | Train], taken: set[str]) -> dict[str, Command | Train]:
    """Name nodes apart in lower case too, which is all that the service has."""
    found: dict[str, Command | Train] = {}
    for each in members:
        name, number = each.name, 1
        while name.lower() in taken:
            number += 1
            name = f"{each.name}_{number}"
        taken.add(name.lower())
        found[name] = replace(each, name=name)
    return found


def _gathering(step: Command, named: dict[str, Command | Train], members: list[Command | Train]) -> Command:
    """Let the gathering step read from the nodes as they are named here, by ports that differ in more than case."""
    names = dict(zip((each.name for each in members), named, strict=True))
    ports: dict[str, str] = {}
    taken: set[str] = set()
    inputs: list[Input] = []
    for each in step.inputs:
        name, number = each.name, 1
        while name.lower() in taken:
            number += 1
            name = f"{each.name}_{number}"
        taken.add(name.lower())
        ports[each.name] = name
        assert isinstance(each.value, OutputRef)
        inputs.append(replace(each, name=name, value=replace(each.value, step=names[each.value.step])))

    def renamed(part: str | Word) -> str | Word:
        if isinstance(part, Word) and isinstance(part.value, InputRef):
            return replace(part, value=InputRef(ports[part.value.name]))
        return part

    run = step.run
    if isinstance(run, Shell):
        run = replace(run, parts=tuple(map(renamed, run.parts)))
    elif run is not None:
        run = replace(run, arguments=tuple(tuple(map(renamed, each)) for each in run.arguments))
    return replace(step, run=run, inputs=tuple(inputs), needs=(*step.needs, *named))


def _varied(members: list[Command | Train]) -> frozenset[str]:
    """Name the inputs whose text differs from item to item, and is no plain word in each."""
    found: dict[str, list[str]] = {}
    for member in members:
        for each in member.inputs:
            if isinstance(each.value, Literal):
                found.setdefault(each.name, []).append(text(each.value.value))
    return frozenset(
        name
        for name, texts in found.items()
        if len(set(texts)) > 1
        and not all(HARMLESS.fullmatch(each) for each in texts)
        # A variable's text is looked through for the service's own words.
        and not any("${{" in each or "$[[" in each for each in texts)
    )


def _after(step: Step, ungathered: dict[str, tuple[str, ...]]) -> Step:
    """Let what waits for a map wait for its nodes, where none gathers."""
    if not any(name in ungathered for name in step.after):
        return step
    return replace(step, after=tuple(each for name in step.after for each in ungathered.get(name, (name,))))


def _one_machine(step: Command, made: Expanded) -> Command:
    if step.compute.count == 1:
        return step
    message = f"step '{step.name}' runs on one machine on azureml: {made.scripts[step.name]}"
    at = At((*step.path, "compute", "count"), key=True)
    made.found.append(note("P317", message, at, "give it a larger machine, or several steps"))
    return replace(step, compute=replace(step.compute, count=1))


def _announce(step: Map, made: Expanded) -> None:
    if 0 < step.parallel < len(step.over.items):
        message = f"the items of step '{step.name}' are nodes on azureml, of which as many run as there are machines"
        at = At((*step.path, "parallel"), key=True)
        made.found.append(note("P349", message, at, "bound the machines of the cluster"))
