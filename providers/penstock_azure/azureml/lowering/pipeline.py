"""The whole job: inputs, nodes, outputs; or a pipeline component where the caller must still give something."""

from __future__ import annotations

import re
from typing import Any, assert_never, cast

from penstock.diagnostics import At, Path, error, note
from penstock.expressions.nodes import DatasetRef, OutputRef
from penstock.expressions.text import text
from penstock.ir import (
    Command,
    Dataset,
    Fail,
    Graph,
    Map,
    Native,
    Nested,
    Parameter,
    Predict,
    Register,
    Train,
    Tune,
)
from penstock.option_paths import brought
from penstock.provider import Asset, Lowered, Profile
from penstock_azure.azureml.document import DOCUMENT, JOB_SCHEMA, PIPELINE_SCHEMA
from penstock_azure.azureml.lowering.components import lower_job, tidy
from penstock_azure.azureml.lowering.draft import Draft, port
from penstock_azure.azureml.lowering.files import lower_files
from penstock_azure.azureml.lowering.gates import lower_gate
from penstock_azure.azureml.lowering.maps import expand, share
from penstock_azure.azureml.lowering.native import lower_native
from penstock_azure.azureml.lowering.nested import lower_nested, unfold
from penstock_azure.azureml.lowering.ports import ASSETS, scalar
from penstock_azure.azureml.lowering.registration import lower_fail, lower_register
from penstock_azure.azureml.lowering.results import results
from penstock_azure.azureml.lowering.scoring import lower_predict
from penstock_azure.azureml.lowering.sweeps import lower_sweep
from penstock_azure.options import PREVIEW, merge

_BREAKS_QUOTES = re.compile(r'["$`\\\n]')


def lower(graph: Graph, profile: Profile | None) -> Lowered:
    """Turn a graph into documents, their assets, and what has to be said about them."""
    graph, places, found = unfold(graph)
    draft = Draft(graph, profile, {}, places=places)
    draft.found += found
    document = _fill(draft)
    options = {key: value for key, value in graph.options.get("azureml", {}).items() if key != PREVIEW}
    if PREVIEW in graph.options.get("azureml", {}):
        message = "this version writes conditions as gates, never as the service's own if_else"
        at = At(("options", "azureml", PREVIEW), key=True)
        draft.found.append(error("P341", message, at, "remove the option: gates need no preview"))
    draft.origins[DOCUMENT, ()] = ()
    for path in brought(document, options):
        draft.origins[DOCUMENT, path] = ("options", "azureml", *path)
    return Lowered(
        files={DOCUMENT: merge(document, options), **draft.files},
        assets=tuple(draft.assets.values()),
        launcher=tuple(dict.fromkeys(draft.launcher)),
        origins=draft.origins,
        diagnostics=tuple(dict.fromkeys(draft.found)),
        results=draft.results,
    )


def _fill(draft: Draft) -> dict[str, Any]:
    """Lower every step of a pipeline, and give its own document: a job, or a pipeline component."""
    expanded = expand(draft.graph)
    graph = draft.graph = expanded.graph
    draft.steps = {step.name: step for step in graph.steps}
    draft.found += expanded.found
    for name, reason in expanded.scripts.items():
        draft.uses_launcher(name, reason)
    _prepare(draft)
    decided: set[str] = set()
    for step in graph.steps:
        for guard in step.guards:
            if guard.condition not in decided:
                decided.add(guard.condition)
                lower_gate(graph.conditions[guard.condition], draft)
        match step:
            case Command() | Train():
                lower_job(step, draft, expanded.varied.get(step.name, frozenset()))
            case Tune():
                lower_sweep(step, draft)
            case Map():
                lower_files(step, draft)
            case Predict():
                lower_predict(step, draft)
            case Native():
                lower_native(step, draft)
            case Nested():
                lower_nested(step, draft, _fill)
            case Register():
                if step.name in draft.registering:
                    lower_register(step, draft)
                _announce_registration(step, draft)
            case Fail():
                lower_fail(step, draft)
            case _:
                assert_never(step)
        _merge_options(step.name, step.options.get("azureml", {}), draft)
    share(expanded, draft)
    draft.results = results(draft, expanded)
    return _document(draft)


def _prepare(draft: Draft) -> None:
    """Name every node first: references may point at any of them."""
    graph = draft.graph
    for condition in graph.conditions.values():
        draft.node(condition.name, condition.path)
    for step in graph.steps:
        draft.node(step.name, step.path)
        draft.markers.update(step.after)
    unnamed = (
        {(each.step, each.output) for each in graph.outputs.values()}
        if draft.is_component
        else set[tuple[str, str]]()
    )
    for step in graph.steps:
        if isinstance(step, Register) and step.model:
            output = (step.model.step, step.model.output)
            # An output has one name, those of a component have none; what waits, or is waited for, is a node.
            if (
                step.guards
                or step.after
                or step.name in draft.markers
                or output in draft.registered
                or output in unnamed
            ):
                draft.registering.add(step.name)
            else:
                draft.registered[output] = step.model_name


def _announce_registration(step: Register, draft: Draft) -> None:
    if step.approval == "manual":
        named = step.name not in draft.registering
        kept = "it counts as registered at once" if named else "a tag says that it is pending"
        message = f"step '{step.name}': the model registry of azureml has no approval: {kept}"
        draft.found.append(
            note("P333", message, At((*step.path, "approval")), "approve by a tag, or by who may deploy")
        )
    if step.name not in draft.registering and (step.metrics or step.tags):
        lost = "metrics" if step.metrics else "tags"
        message = f"step '{step.name}': a named output keeps no {lost} with the model"
        hint = "they stay with the job that made it; register under a condition to have them as tags"
        draft.found.append(note("P302", message, At((*step.path, lost), key=True), hint))
    if step.serving:
        message = f"step '{step.name}': azureml keeps no serving code with a model"
        hint = "name code and environment in the deployment"
        draft.found.append(note("P302", message, At((*step.path, "serving"), key=True), hint))


def _merge_options(name: str, options: dict[str, Any], draft: Draft) -> None:
    node = draft.nodes[name]
    if options and node in draft.jobs:
        written = (*draft.steps[name].path, "options", "azureml")
        for path in brought(draft.jobs[node], options):
            draft.origins[draft.file, ("jobs", node, *path)] = (*written, *path)
        draft.jobs[node] = merge(draft.jobs[node], options)
    elif options:
        message = f"step '{name}' is the name of an output on azureml and no node: its options have no place"
        hint = "write them under the step that makes the model"
        draft.found.append(
            error("P341", message, At((*draft.steps[name].path, "options", "azureml"), key=True), hint)
        )


def _document(draft: Draft) -> dict[str, Any]:
    graph, profile = draft.graph, draft.profile
    open_ = draft.is_component
    inputs: dict[str, Any] = {}
    for each in graph.parameters.values():
        inputs[port(each.name)] = _declared(each) if open_ else _literal(each)
        draft.origins[draft.file, ("inputs", port(each.name))] = ("parameters", each.name)
    for dataset in graph.datasets.values():
        if draft.is_left_out(DatasetRef(dataset.name)):
            continue
        inputs[port(dataset.name)] = _dataset(dataset, draft, open_)
        draft.origins[draft.file, ("inputs", port(dataset.name))] = _place(dataset, draft)
    outputs = _outputs(draft)
    if open_:
        return tidy(
            {
                "$schema": PIPELINE_SCHEMA,
                "type": "pipeline",
                "name": draft.component(""),
                "version": graph.version or "1",
                "display_name": graph.display_name or graph.name,
                "description": graph.description,
                "tags": _tags(graph) | (_for_the_job(draft) if draft.file == DOCUMENT else {}),
                "inputs": inputs,
                "outputs": outputs,
                "jobs": draft.jobs,
            }
        )
    compute = profile.settings.get("compute", "") if profile else ""
    store = profile.settings.get("datastore", "") if profile else ""
    settings = {"default_compute": f"azureml:{compute or 'serverless'}"}
    if store:
        settings["default_datastore"] = f"azureml:{store}"
    return tidy(
        {
            "$schema": JOB_SCHEMA,
            "type": "pipeline",
            "display_name": graph.display_name or graph.name,
            "description": graph.description,
            "experiment_name": graph.name,
            "tags": _tags(graph),
            "settings": settings,
            "inputs": inputs,
            "outputs": outputs,
            "jobs": draft.jobs,
        }
    )


def _for_the_job(draft: Draft) -> dict[str, str]:
    """Keep what the job that is written at submit has to bind: a component's inputs take no addresses."""
    found: dict[str, str] = {}
    for dataset in draft.graph.datasets.values():
        address = draft.address(dataset)
        if not address and dataset.digest:
            address = f"./assets/{dataset.digest[:16]}/{dataset.path.rstrip('/').rsplit('/', 1)[-1]}"
        if address:
            found[f"penstock.dataset.{dataset.name}"] = address
    for key in ("compute", "datastore"):
        if draft.profile and draft.profile.settings.get(key):
            found[f"penstock.default_{key}"] = draft.profile.settings[key]
    return found


def _tags(graph: Graph) -> dict[str, str]:
    tags = dict(graph.tags)
    for key, value in (("owner", graph.owner), ("version", graph.version)):
        if value:
            tags.setdefault(key, value)
    return tags


def _literal(each: Parameter) -> Any:
    assert each.default is not None
    return text(each.default) if isinstance(each.default, bool | str) else each.default


def _declared(each: Parameter) -> dict[str, Any]:
    declared = scalar(each)
    if each.default is not None:
        declared["default"] = _literal(each)
    if each.description:
        declared["description"] = each.description
    return declared


def _dataset(dataset: Dataset, draft: Draft, open_: bool) -> dict[str, Any]:
    declared: dict[str, Any] = {"type": ASSETS[dataset.type]}
    address = draft.address(dataset)
    _check_name(dataset, address, draft)
    if not address and dataset.digest:
        name = dataset.path.rstrip("/").rsplit("/", 1)[-1]
        asset = Asset(name, dataset.digest, source=dataset.path)
        draft.assets[asset.path] = asset
        address = f"./{asset.path}"
    # A component names no data: the job that is made of it at submit does.
    if address and not open_:
        declared["path"] = address
    if open_ and dataset.optional:
        declared["optional"] = True
    return declared


def _place(dataset: Dataset, draft: Draft) -> Path:
    """Tell where data was written: in the spec, or in that of a pipeline that brought it along."""
    return draft.places.get(dataset.name, ("datasets", dataset.name))


def _check_name(dataset: Dataset, address: str, draft: Draft) -> None:
    """Refuse names that would not be text between double quotes: the service puts paths into commands as they are."""
    where = address or dataset.path
    name = where.rstrip("/").rsplit("/", 1)[-1]
    if _BREAKS_QUOTES.search(name):
        key = "uri" if address else "path"
        message = f"the name of dataset '{dataset.name}' has characters that bash would run: '{name}'"
        at = At((*_place(dataset, draft), key))
        draft.found.append(error("P390", message, at, 'rename it without ", $, ` and \\'))


def _outputs(draft: Draft) -> dict[str, Any]:
    """Bind the pipeline's outputs to those of its nodes."""
    found: dict[str, Any] = {}
    owners: dict[OutputRef, str] = {}
    for name, reference in draft.graph.outputs.items():
        if (owner := owners.setdefault(reference, name)) != name:
            message = (
                f"outputs '{owner}' and '{name}' are one artifact, which azureml binds to one output alone"
            )
            at = At(("outputs", name), key=True)
            draft.found.append(error("P339", message, at, f"leave '{name}' out"))
        made = draft.made(reference.step, reference.output)
        declared: dict[str, Any] = {"type": ASSETS[made.type]}
        node = draft.jobs[draft.nodes[reference.step]]
        bound = _bound_outputs(node)
        inner = draft.port(reference.step, reference.output)
        own = bound.get(inner)
        if isinstance(own, dict):
            # One output cannot both be bound and named: the pipeline's own output takes the name, and the place.
            kept = cast("dict[str, Any]", own)
            declared |= {key: kept[key] for key in ("name", "version", "path", "mode") if key in kept}
        bound[inner] = f"${{{{parent.outputs.{port(name)}}}}}"
        found[port(name)] = declared
        draft.origins[draft.file, ("outputs", port(name))] = ("outputs", name)
    return found


def _bound_outputs(node: dict[str, Any]) -> dict[str, Any]:
    """Give what a node's outputs are bound to; where it has none yet, they come behind the inputs."""
    if "outputs" not in node:
        own = [*node.items()]
        behind = next((at + 1 for at, (key, _) in enumerate(own) if key == "inputs"), 2)
        node.clear()
        node |= dict([*own[:behind], ("outputs", {}), *own[behind:]])
    bound: dict[str, Any] = node["outputs"]
    return bound
