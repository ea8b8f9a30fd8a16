"""Every reference leads somewhere, and stands where it may; environments and `after` likewise.

Conditions inside other conditions are substituted here, and inputs inside `env`: what follows sees parameters,
metrics and literals alone.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    MetricRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    Reference,
    RunRef,
    Template,
)
from penstock.expressions.references import references, render, substitute
from penstock.frozen import replace
from penstock.ir import (
    ARTIFACTS,
    Command,
    Condition,
    Fail,
    Graph,
    Job,
    Map,
    Output,
    Predict,
    Register,
    Step,
    Train,
    Tune,
    input_names,
    offered,
)
from penstock.passes.building.items import item_types
from penstock.passes.sites import Site, sites
from penstock.suggest import nearest


def resolve_references(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Check and resolve all references of a graph."""
    found: list[Diagnostic] = []
    steps = {step.name: step for step in graph.steps}
    ports = _Ports(graph)
    for site in sites(graph):
        for reference in references(site.expression):
            if isinstance(reference, site.allowed) and ports.have(reference, site.step):
                continue
            problem = _lost(reference, site, graph, steps)
            if problem:
                found.append(problem)
    for step in graph.steps:
        found += _names(step, graph, steps)
    conditions, cycles = _flatten(graph.conditions)
    found += cycles
    resolved = tuple(_resolve_step(step, conditions, found) for step in graph.steps)
    return replace(graph, conditions=conditions, steps=resolved), found


class _Ports:
    """What there is to refer to: most references are right, and are not to be looked at closely."""

    def __init__(self, graph: Graph) -> None:
        self.inputs = {(step.name, name) for step in graph.steps for name in input_names(step)}
        self.own = {(step.name, each.name) for step in graph.steps for each in _written(step)}
        self.outputs = {(step.name, each.name) for step in graph.steps for each in offered(step)}
        self.parameters = graph.parameters
        self.datasets = graph.datasets

    def have(self, reference: Reference, step: str) -> bool:
        """Tell whether a reference in a step surely leads somewhere."""
        match reference:
            case InputRef(name):
                return (step, name) in self.inputs
            case OwnOutputRef(name):
                return (step, name) in self.own
            case OutputRef(producer, output):
                return (producer, output) in self.outputs
            case ParameterRef(name):
                return name in self.parameters
            case DatasetRef(name):
                return name in self.datasets
            case _:
                return False


def _lost(reference: Reference, site: Site, graph: Graph, steps: dict[str, Step]) -> Diagnostic | None:
    text = render(reference)
    at = At(site.path, needle=text)
    if not isinstance(reference, site.allowed):
        return error("P219", f"'{text}' cannot stand in {site.what}", at, _misplaced(reference, site, graph))
    match reference:
        case ParameterRef(name) if name not in graph.parameters:
            if name in graph.datasets:
                hint = f"'{name}' is a dataset: write datasets.{name}"
            else:
                hint = nearest(name, graph.parameters, "parameters")
            return error("P213", f"there is no parameter '{name}'", at, hint)
        case DatasetRef(name) if name not in graph.datasets:
            if name in graph.parameters:
                hint = f"'{name}' is a parameter: write parameters.{name}"
            else:
                hint = nearest(name, graph.datasets, "datasets")
            return error("P214", f"there is no dataset '{name}'", at, hint)
        case ConditionRef(name) if name not in graph.conditions or not graph.conditions[name].written:
            written = [each.name for each in graph.conditions.values() if each.written]
            return error("P215", f"there is no condition '{name}'", at, nearest(name, written, "conditions"))
        case OutputRef(step, output) | MetricRef(step, output):
            return _lost_output(reference, step, output, at, steps)
        case InputRef(name) | OwnOutputRef(name):
            return _lost_port(reference, name, at, steps[site.step])
        case ItemRef(field):
            return _lost_item(field, at, steps[site.step])
        case _:
            return None


def _lost_output(
    reference: OutputRef | MetricRef, step: str, output: str, at: At, steps: dict[str, Step]
) -> Diagnostic | None:
    producer = steps.get(step)
    if producer is None:
        return error("P211", f"there is no step '{step}'", at, nearest(step, steps, "steps"))
    if isinstance(producer, Register | Fail):
        message = f"step '{step}' has no outputs: a {type(producer).__name__.lower()} step makes none"
        made = render(producer.model) if isinstance(producer, Register) and producer.model else ""
        hint = f"take the model from where it is made: {made}" if made else "name a step that runs a command"
        return error("P212", message, at, hint)
    outputs = {each.name: each for each in offered(producer)}
    if output not in outputs:
        hint = nearest(output, outputs, f"outputs of '{step}'")
        return error("P212", f"step '{step}' has no output '{output}'", at, hint)
    if isinstance(reference, MetricRef) and outputs[output].type != "metrics":
        hint = f"declare it as metrics: outputs: {{{output}: metrics}}"
        if isinstance(producer, Map):
            hint = "a step after the map can gather what is needed into metrics of its own"
        message = f"output '{output}' of step '{step}' is a {outputs[output].type} and has no fields"
        return error("P223", message, at, hint)
    return None


def _lost_port(reference: InputRef | OwnOutputRef, name: str, at: At, step: Step) -> Diagnostic | None:
    written = [each.name for each in _written(step)]
    kind, ports = ("input", [*input_names(step)]) if isinstance(reference, InputRef) else ("output", written)
    if name in ports:
        return None
    other = written if kind == "input" else [*input_names(step)]
    hint = nearest(name, ports, f"{kind}s of '{step.name}'")
    if name in other:
        hint = f"'{name}' is an {'output' if kind == 'input' else 'input'} of this step"
    return error("P216", f"step '{step.name}' has no {kind} '{name}'", at, hint)


def _lost_item(field: str, at: At, step: Step) -> Diagnostic | None:
    if not isinstance(step, Map):
        return None
    types = item_types(step.over)
    if field in types:
        return None
    if not field:
        fields = ", ".join(f"item.{each}" for each in types)
        message, hint = f"the items of step '{step.name}' are mappings", f"name a field: {fields}"
        return error("P286", message, at, hint)
    message = f"the items of step '{step.name}' have no field '{field}'"
    return error("P286", message, at, nearest(field, [each for each in types if each], "fields"))


def _written(step: Step) -> tuple[Output, ...]:
    """Give the outputs that a step's own command writes; an item of a map writes its own."""
    return step.outputs if isinstance(step, Map) else offered(step)


def _misplaced(reference: Reference, site: Site, graph: Graph) -> str:
    match reference:
        case ParameterRef(name) if site.what == "a command":
            return f'bind it first: inputs: {{{name}: "${{{{ parameters.{name} }}}}"}}, then ${{{{ inputs.{name} }}}}'
        case OutputRef(step, output) | MetricRef(step, output) if site.what == "a command":
            value = f"steps.{step}.outputs.{output}"
            return (
                f'bind it first: inputs: {{{output}: "${{{{ {value} }}}}"}}, then ${{{{ inputs.{output} }}}}'
            )
        case DatasetRef(name) if site.what == "a command":
            return f'bind it first: inputs: {{{name}: "${{{{ datasets.{name} }}}}"}}, then ${{{{ inputs.{name} }}}}'
        case MetricRef(step, output):
            return f"pass the metrics file, steps.{step}.outputs.{output}, and read the field in the script"
        case OutputRef(step, output):
            producer = next((each for each in graph.steps if each.name == step), None)
            ports = offered(producer) if producer else ()
            if any(each.name == output and each.type == "metrics" for each in ports):
                return f"name one of its fields: steps.{step}.outputs.{output}.FIELD"
            return "only fields of a metrics output have a value here"
        case DatasetRef():
            return "datasets have no fields: let a step copy what is needed into its own metrics"
        case InputRef(name) | OwnOutputRef(name):
            return "inputs and outputs are known inside 'run' alone"
        case ConditionRef(name):
            return f"use it in 'when': when: ${{{{ conditions.{name} }}}}"
        case RunRef():
            return "the run is known inside 'run', inputs, env and messages alone"
        case ItemRef():
            return "the item is known inside a map step alone: in its 'run', inputs and env"
        case ParameterRef():
            return "an artifact stands here: ${{ steps.STEP.outputs.OUTPUT }}"


def _names(step: Step, graph: Graph, steps: dict[str, Step]) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for position, name in enumerate(step.after):
        if name not in steps:
            hint = nearest(name, steps, "steps")
            found.append(
                error("P211", f"there is no step '{name}'", At((*step.path, "after", position)), hint)
            )
    for guard in step.guards:
        if guard.condition not in graph.conditions:
            written = [each.name for each in graph.conditions.values() if each.written]
            at = At((*step.path, "when"), needle=f"conditions.{guard.condition}")
            hint = nearest(guard.condition, written, "conditions")
            found.append(error("P215", f"there is no condition '{guard.condition}'", at, hint))
    match step:
        case Register(serving=serving) | Predict(serving=serving) if serving:
            name, at = serving.environment, At((*step.path, "serving", "environment"))
        case Command() | Train() | Tune() | Map():
            name, at = step.environment, At((*step.path, "environment"))
        case _:
            return found
    if name and name not in graph.environments:
        hint = nearest(name, graph.environments, "environments")
        found.append(error("P217", f"there is no environment '{name}'", at, hint))
    return found


def _flatten(conditions: dict[str, Condition]) -> tuple[dict[str, Condition], list[Diagnostic]]:
    """Substitute conditions that stand inside others, without recursion; a circle of them is an error."""
    flat: dict[str, Expression] = {}
    found: list[Diagnostic] = []
    for start in conditions:
        trail = dict.fromkeys([start])
        while trail:
            name = next(reversed(trail))
            condition = conditions[name]
            inner = (each.name for each in references(condition.expression) if isinstance(each, ConditionRef))
            waits_for = next((each for each in inner if each in conditions and each not in flat), "")
            if name in flat or waits_for in trail:
                if name not in flat:
                    found.append(_circle(condition, [*trail], waits_for))
                    flat[name] = ConditionRef(name)
                del trail[name]
            elif waits_for:
                trail[waits_for] = None
            elif isinstance(condition.expression, Template):
                # What is left of one that could not be read: its references were looked at, and it has no outcome.
                flat[name] = ConditionRef(name)
            else:
                flat[name] = _substituted(
                    condition.expression, lambda each: _outcome(each, flat), condition.path, found
                ) or ConditionRef(name)
    return {name: replace(each, expression=flat[name]) for name, each in conditions.items()}, found


def _circle(last: Condition, trail: list[str], first: str) -> Diagnostic:
    circle = " → ".join([*trail[trail.index(first) :], first])
    at = At(last.path, needle=f"conditions.{first}")
    message = f"conditions need each other in a circle: {circle:.500}"
    return error("P230", message, at, "take one of them out")


def _outcome(reference: Reference, flat: dict[str, Expression]) -> Expression | None:
    return flat.get(reference.name) if isinstance(reference, ConditionRef) else None


def _substituted(
    expression: Expression,
    mapping: Callable[[Reference], Expression | None],
    path: Path,
    found: list[Diagnostic],
) -> Expression | None:
    try:
        return substitute(expression, mapping)
    except ExpressionError as grown:
        found.append(error("P210", grown.message, At(path), grown.hint))
        return None


def _resolve_step(step: Step, conditions: dict[str, Condition], found: list[Diagnostic]) -> Step:
    if isinstance(step, Register) and not isinstance(step.approval, str):
        path = (*step.path, "approval")
        approval = _substituted(step.approval, lambda each: _condition(each, conditions), path, found)
        return replace(step, approval=approval or step.approval)
    if not isinstance(step, Job) or not step.env:
        return step
    scalars = {each.name: each.value for each in step.inputs if each.source_type not in ARTIFACTS}

    def value(reference: Reference) -> Expression | None:
        return scalars.get(reference.name) if isinstance(reference, InputRef) else None

    env = {
        key: _substituted(each, value, (*step.path, "env", key), found) or each
        for key, each in step.env.items()
    }
    return replace(step, env=env)


def _condition(reference: Reference, conditions: dict[str, Condition]) -> Expression | None:
    if isinstance(reference, ConditionRef) and reference.name in conditions:
        return conditions[reference.name].expression
    return None
