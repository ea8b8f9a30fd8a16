"""The whole definition: parameters, steps, and conditions with what they guard nested inside."""

from __future__ import annotations

from typing import Any, assert_never

from penstock.diagnostics import At, Path, note
from penstock.expressions.nodes import MetricRef
from penstock.expressions.references import references
from penstock.ir import (
    Command,
    Condition,
    Fail,
    Graph,
    Guard,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Step,
    Train,
    Tune,
)
from penstock.option_paths import brought
from penstock.passes.sites import sites
from penstock.provider import Asset, Lowered, Profile
from penstock_aws.options import merge
from penstock_aws.sagemaker.document import DOCUMENT, REQUEST, VERSION, place_of
from penstock_aws.sagemaker.lowering.conditions import conditions
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.job import CALL_FAULTS, cache_config, retry_policies
from penstock_aws.sagemaker.lowering.native import native
from penstock_aws.sagemaker.lowering.predict import model_step, transform
from penstock_aws.sagemaker.lowering.processing import processing, property_files
from penstock_aws.sagemaker.lowering.registration import failure, registration
from penstock_aws.sagemaker.lowering.request import request
from penstock_aws.sagemaker.lowering.results import results
from penstock_aws.sagemaker.lowering.simple import simple
from penstock_aws.sagemaker.lowering.training import training
from penstock_aws.sagemaker.lowering.tuning import tuning
from penstock_aws.sagemaker.validation.findings import is_list, is_object

_TYPES = {"string": "String", "integer": "Integer", "number": "Float", "boolean": "Boolean"}


def lower(graph: Graph, profile: Profile | None) -> Lowered:
    """Turn a graph into a definition, its assets, and what has to be said about them."""
    place = place_of(profile)
    written = graph
    made = simple(graph, place)
    graph = made.graph
    draft = Draft(
        graph,
        place,
        launcher=[*made.launcher],
        found=[*made.found],
        steps={step.name: step for step in graph.steps},
        generated=made.generated,
    )
    draft.placeholders.update(draft.place.placeholders())
    draft.metrics = {
        (each.step, each.output)
        for site in sites(graph)
        # KPIs are read by Penstock from the files, after the run.
        if site.what != "a KPI"
        for each in references(site.expression)
        if isinstance(each, MetricRef)
    }
    document: dict[str, Any] = {"Version": VERSION, "Metadata": {}}
    if parameters := [*_parameters(draft), *_datasets(draft)]:
        document["Parameters"] = parameters
    tree = _Tree(draft)
    document["Steps"] = tree.steps
    options = graph.options.get("sagemaker", {})
    draft.origins[()] = ()
    tree.trace(tree.steps, ("Steps",))
    draft.origins |= {path: ("options", "sagemaker", *path) for path in brought(document, options)}
    document = merge(document, options)
    call, uploads = request(draft, document)
    return Lowered(
        files={DOCUMENT: document, REQUEST: call},
        assets=tuple(draft.assets.values()),
        launcher=tuple(dict.fromkeys(draft.launcher)),
        origins={(DOCUMENT, path): origin for path, origin in draft.origins.items()},
        diagnostics=tuple(dict.fromkeys(draft.found)),
        placeholders=tuple(sorted(draft.placeholders)),
        results=results(written, draft),
        uploads=uploads,
    )


def _parameters(draft: Draft) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index, each in enumerate(draft.graph.parameters.values()):
        row: dict[str, Any] = {"Name": each.name, "Type": _TYPES[each.type]}
        if each.default is not None:
            row["DefaultValue"] = each.default
        if each.enum and each.type == "string":
            row["EnumValues"] = list(each.enum)
        elif each.enum:
            message = f"sagemaker holds allowed values of strings alone; those of '{each.name}' are checked at submit"
            hint = "text is held to its list: type: string takes the same values, written as text"
            draft.found.append(note("P328", message, At(("parameters", each.name, "enum")), hint))
        found.append(row)
        draft.origins["Parameters", index] = ("parameters", each.name)
    return found


def _datasets(draft: Draft) -> list[dict[str, Any]]:
    """Make every dataset a parameter, so that any of them can be replaced at start."""
    found: list[dict[str, Any]] = []
    first = len(draft.graph.parameters)
    for index, each in enumerate(draft.graph.datasets.values()):
        row: dict[str, Any] = {"Name": each.name, "Type": "String"}
        address = draft.place.datasets.get(each.name) or each.uri.get("sagemaker") or each.uri.get("")
        if not address and each.digest:
            name = each.path.rstrip("/").rsplit("/", 1)[-1]
            address = draft.upload(Asset(name, each.digest, source=each.path))
        if address:
            row["DefaultValue"] = address
        found.append(row)
        draft.origins["Parameters", first + index] = ("datasets", each.name)
    return found


class _Tree:
    """Nests steps into the branches of their conditions, in the order of the graph."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.steps: list[dict[str, Any]] = []
        self.branches: dict[tuple[Guard, ...], list[dict[str, Any]]] = {(): self.steps}
        self.names = {step.name for step in draft.graph.steps}
        self.places: dict[str, Path] = {}
        for step in draft.graph.steps:
            self.places[step.name] = step.path
            if isinstance(step, Predict):
                self._branch(step.guards).append(self._model(step))
            self._branch(step.guards).append(self._step(step))

    def _branch(self, guards: tuple[Guard, ...]) -> list[dict[str, Any]]:
        """Give the list that steps under these guards stand in, making condition steps on the way."""
        if guards in self.branches:
            return self.branches[guards]
        outer, own = guards[:-1], guards[-1]
        around = self._branch(outer)
        condition = self.draft.graph.conditions[own.condition]
        name = condition.name
        while name in self.names:
            name += "_"
        self.names.add(name)
        self.places[name] = condition.path
        step = self._condition(name, condition)
        around.append(step)
        arguments = step["Arguments"]
        self.branches[*outer, Guard(own.condition, True)] = arguments["IfSteps"]
        self.branches[*outer, Guard(own.condition, False)] = arguments["ElseSteps"]
        return self.branches[guards]

    def _condition(self, name: str, condition: Condition) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "Conditions": conditions(condition.expression, self.draft),
            "IfSteps": [],
            "ElseSteps": [],
        }
        found: dict[str, Any] = {"Name": name, "Type": "Condition", "Arguments": arguments}
        # What is read from an address of a native step's gives the service nothing to wait by.
        if asked := [each for each in condition.needs if isinstance(self.draft.steps.get(each), Native)]:
            found["DependsOn"] = asked
        return found

    def _model(self, step: Predict) -> dict[str, Any]:
        found = model_step(step, self.draft)
        self.names.add(found["Name"])
        self.places[found["Name"]] = step.path
        if policies := retry_policies(step.retry, CALL_FAULTS):
            found["RetryPolicies"] = policies
        if step.after:
            found["DependsOn"] = list(step.after)
        found["Description"] = f"The model that step {step.name} asks"
        return found

    def _step(self, step: Step) -> dict[str, Any]:
        found: dict[str, Any] = {"Name": step.name}
        match step:
            case Command():
                found |= {"Type": "Processing", "Arguments": processing(step, self.draft)}
                if declared := property_files(step, self.draft):
                    found["PropertyFiles"] = declared
            case Train():
                found |= {"Type": "Training", "Arguments": training(step, self.draft)}
            case Tune():
                found |= {"Type": "Tuning", "Arguments": tuning(step, self.draft)}
            case Register():
                found |= {"Type": "RegisterModel", "Arguments": registration(step, self.draft)}
            case Fail():
                found |= {"Type": "Fail", "Arguments": failure(step, self.draft)}
            case Predict():
                found |= {"Type": "Transform", "Arguments": transform(step, self.draft)}
            case Native():
                found |= native(step, self.draft)
            case Map() | Nested():
                raise TypeError(f"step {step.name} should have become another kind before")
            case _:
                assert_never(step)
        if isinstance(step, Command | Train | Tune | Predict):
            # A model is made anew in every run, so that a transform job never meets a cached one.
            if not isinstance(step, Predict) and (cached := cache_config(step.cache)):
                found["CacheConfig"] = cached
            if policies := retry_policies(step.retry):
                found["RetryPolicies"] = policies
        if step.after:
            found.setdefault("DependsOn", list(step.after))
        if step.display_name:
            found.setdefault("DisplayName", step.display_name)
        if step.description:
            found.setdefault("Description", step.description)
        options = step.options.get("sagemaker", {})
        written = (*step.path, "options", "sagemaker")
        self.draft.brought[step.name] = [(path, (*written, *path)) for path in brought(found, options)]
        merged: dict[str, Any] = merge(found, options)
        return merged

    def trace(self, steps: list[dict[str, Any]], path: Path) -> None:
        """Note where in the definition every step stands, once all of them have their place."""
        for index, step in enumerate(steps):
            here = (*path, index)
            # A native step may hold others, which lead back to it.
            if isinstance(name := step.get("Name"), str) and name in self.places:
                self.draft.origins[here] = self.places[name]
                for inside, written in self.draft.brought.get(name, ()):
                    self.draft.origins[*here, *inside] = written
            arguments = step.get("Arguments")
            if step.get("Type") == "Condition" and is_object(arguments):
                for branch in ("IfSteps", "ElseSteps"):
                    if is_list(held := arguments.get(branch)):
                        self.trace([each for each in held if is_object(each)], (*here, "Arguments", branch))
