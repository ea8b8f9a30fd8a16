"""What was written and never read: warnings, each pointing at the key that can go."""

from __future__ import annotations

from penstock.diagnostics import At, Diagnostic, warning
from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    InputRef,
    MetricRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
)
from penstock.expressions.references import references
from penstock.ir import Command, Graph, Map, Native, Nested, Predict, Register, Train, Tune
from penstock.passes.sites import sites, words


def find_unused(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Find parameters, datasets, environments, conditions, inputs and outputs that nothing reads."""
    parameters: set[str] = set()
    datasets: set[str] = set()
    conditions = {guard.condition for step in graph.steps for guard in step.guards}
    outputs: set[tuple[str, str]] = set()
    for site in sites(graph, commands=False):
        for each in references(site.expression):
            match each:
                case ParameterRef(name):
                    parameters.add(name)
                case DatasetRef(name):
                    datasets.add(name)
                case ConditionRef(name):
                    conditions.add(name)
                case OutputRef(producer, output) | MetricRef(producer, output):
                    outputs.add((producer, output))
                case _:
                    pass
    found: list[Diagnostic] = []
    for name in graph.parameters:
        if name not in parameters:
            hint = f'remove it, or bind it to an input: inputs: {{{name}: "${{{{ parameters.{name} }}}}"}}'
            at = At(("parameters", name), key=True)
            found.append(warning("P240", f"parameter '{name}' is never used", at, hint))
    for name in graph.datasets:
        if name not in datasets:
            hint = f'remove it, or bind it to an input: inputs: {{{name}: "${{{{ datasets.{name} }}}}"}}'
            at = At(("datasets", name), key=True)
            found.append(warning("P243", f"dataset '{name}' is never used", at, hint))
    environments = _environments(graph)
    for name in graph.environments:
        if name not in environments:
            hint = f"remove it, or name it in a step or in 'defaults': environment: {name}"
            at = At(("environments", name), key=True)
            found.append(warning("P243", f"environment '{name}' is never used", at, hint))
    for condition in graph.conditions.values():
        if condition.written and condition.name not in conditions:
            message = f"condition '{condition.name}' is never used"
            hint = f"remove it, or let a step hang on it: when: ${{{{ conditions.{condition.name} }}}}"
            found.append(warning("P243", message, At(condition.path, key=True), hint))
    for step in graph.steps:
        # What a component does not use is its own file's business, and what is not used of it is a choice.
        if isinstance(step, Command | Train | Tune | Map) and step.component is None:
            found += _ports(step, outputs)
    return graph, found


def _environments(graph: Graph) -> set[str]:
    used: set[str] = set()
    for step in graph.steps:
        match step:
            case Register(serving=serving) if serving:
                used.add(serving.environment)
            case Command() | Train() | Tune() | Map() | Predict():
                used.add(step.environment)
            case Nested(graph=inner) if inner:
                used |= _environments(inner)
            case Native(stand_in=stand_in) if stand_in:
                used.add(stand_in.environment)
            case _:
                pass
        stand_in = step.stand_in if isinstance(step, Train) else None
        used.update([stand_in.environment] if stand_in else [])
    return used


def _ports(step: Command | Train | Tune | Map, outputs: set[tuple[str, str]]) -> list[Diagnostic]:
    if step.run is None:
        return []
    found: list[Diagnostic] = []
    values = [word.value for word in words(step)]
    inputs_named = {each.name for each in values if isinstance(each, InputRef)}
    outputs_named = {each.name for each in values if isinstance(each, OwnOutputRef)}
    if isinstance(step, Tune):
        outputs = {*outputs, (step.name, step.objective.output)}
        for dimension in step.space:
            if dimension.name not in inputs_named:
                at = At((*step.path, "search_space", dimension.name), key=True)
                message = (
                    f"'{dimension.name}' is searched, and does not reach the command of step '{step.name}'"
                )
                hint = f"add ${{{{ inputs.{dimension.name} }}}} to 'run', or remove it"
                found.append(warning("P242", message, at, hint))
    in_variables = {
        each.name for value in step.env.values() for each in references(value) if isinstance(each, InputRef)
    }
    for each in step.inputs:
        if not (each.name in inputs_named or each.name in in_variables or each.at):
            at = At((*step.path, "inputs", each.name), key=True)
            message = f"input '{each.name}' of step '{step.name}' does not reach its command"
            hint = f"add ${{{{ inputs.{each.name} }}}} to 'run', or remove it"
            found.append(warning("P242", message, at, hint))
    for output in step.outputs:
        path = (*step.path, "outputs", output.name)
        if output.name not in outputs_named:
            at = At(path, key=True)
            message = f"output '{output.name}' of step '{step.name}' does not reach its command"
            hint = f"add ${{{{ outputs.{output.name} }}}} to 'run', so that the script knows where to write"
            found.append(warning("P244", message, at, hint))
        elif (step.name, output.name) not in outputs and output.name != step.checkpoint:
            name, at = output.name, At(path, key=True)
            hint = (
                f'remove it, or keep it: outputs: {{{name}: "${{{{ steps.{step.name}.outputs.{name} }}}}"}}'
            )
            found.append(warning("P241", f"output '{name}' of step '{step.name}' is never used", at, hint))
    return found
