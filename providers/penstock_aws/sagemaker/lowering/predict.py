"""Batch inference: a model, and a transform job that asks it about one file after another.

Two things decide what has to stand before it. Batch transform takes a model as `.tar.gz` alone (ModelDataSource of
CreateModel: not "in conjunction with batch transform"), so a folder is packed by a step of its own. And it hands over
what lies in S3 as it is: data inside an archive, and images that look for serving code in the model's archive, need
a processing job, which runs the same functions.
"""

from __future__ import annotations

from typing import Any

from penstock.diagnostics import At, Diagnostic, note
from penstock.expressions.nodes import InputRef, OutputRef, OwnOutputRef
from penstock.frozen import dataclass, replace
from penstock.ir import Argv, Command, Compute, Graph, Input, Output, Predict, Step, Word
from penstock.provider import LauncherUse
from penstock.simplify.commands import predict_command
from penstock_aws.sagemaker.document import Place
from penstock_aws.sagemaker.images import ImageFault, image_of
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import get, join
from penstock_aws.sagemaker.lowering.job import count, environment_variables, instance
from penstock_aws.sagemaker.lowering.names import tags
from penstock_aws.sagemaker.lowering.ports import Source, source_of
from penstock_aws.sagemaker.lowering.serving import container

PAYLOAD = 100
"""MB of all requests under way at a machine (CreateTransformJob: MaxConcurrentTransforms * MaxPayloadInMB)."""
LONGEST_REQUEST = 3600
"""Seconds (bound of InvocationsTimeoutInSeconds in the service model)."""
LONGEST_VARIABLE = 10240
_CSV, _JSON = "text/csv", "application/json"
_TYPES = {".csv": _CSV, ".json": _JSON, ".jsonl": "application/jsonlines", ".npy": "application/x-npy"}


@dataclass(frozen=True, slots=True)
class Ready:
    """A graph whose batch inference can be lowered. `packs` names the steps that pack models."""

    graph: Graph
    launcher: tuple[LauncherUse, ...] = ()
    found: tuple[Diagnostic, ...] = ()
    packs: frozenset[str] = frozenset()


def prepare(graph: Graph, place: Place) -> Ready:
    """Pack models that are folders, and make commands of what batch transform cannot do. Maps are gone by then."""
    if not any(isinstance(step, Predict) for step in graph.steps):
        return Ready(graph)
    draft = Draft(graph, place, steps={step.name: step for step in graph.steps})
    steps: list[Step] = []
    packs: set[str] = set()
    for step in graph.steps:
        if not isinstance(step, Predict):
            steps.append(step)
        elif reason := _against_transform(step, draft):
            draft.launcher.append(LauncherUse(step.name, f"batch inference in a processing job: {reason}"))
            message = f"step '{step.name}' is a processing job there: {reason}"
            draft.found.append(note("P353", message, At(step.path), "its answers are the same"))
            steps.append(predict_command(step))
        else:
            model = _input(step, "model")
            if source_of(model, draft).archive and not source_of(model, draft).inside:
                steps.append(step)
                continue
            pack = _pack(step, model, _free(f"{step.name}_pack", draft))
            packs.add(pack.name)
            packed = replace(model, value=OutputRef(pack.name, "model"))
            steps += [pack, replace(step, inputs=(packed, _input(step, "data")))]
    ready = replace(graph, steps=tuple(steps))
    return Ready(ready, tuple(draft.launcher), tuple(draft.found), frozenset(packs))


def _against_transform(step: Predict, draft: Draft) -> str:
    """Say why a step is no transform job; empty where it can be one."""
    data = source_of(_input(step, "data"), draft)
    if data.archive:
        return f"its data travels in {data.archive}, which batch transform does not open"
    try:
        chosen = image_of(draft.environment(step.serving.environment), draft.place, gpu=False, serving=True)
    except ImageFault:
        return ""
    if chosen.code_in_model and step.serving.code:
        return f"the image {chosen.uri.rpartition('/')[2]} takes serving code from the model's archive alone"
    return ""


def _pack(step: Predict, model: Input, name: str) -> Command:
    """Make the step that packs a folder as the service wants a model."""
    words: list[tuple[str | Word, ...]] = [("tar",), ("-czf",), (Word(OwnOutputRef("model")),)]
    words += [("-C",), (Word(InputRef("model")),), (".",)]
    return Command(
        name,
        step.path,
        display_name=f"{step.display_name or step.name}: model",
        description=f"Packs the model of step {step.name}: batch transform takes an archive",
        tags=step.tags,
        guards=step.guards,
        after=step.after,
        run=Argv(tuple(words)),
        inputs=(replace(model, type="folder"),),
        outputs=(Output("model", "file", "model.tar.gz"),),
        environment=step.environment,
        compute=Compute(),
        retry=step.retry,
        cache=step.cache,
    )


def model_step(step: Predict, draft: Draft) -> dict[str, Any]:
    """Lower the model that a step asks to a Model step, whose name `model_name` gives."""
    made = source_of(_input(step, "model"), draft)
    described = container(step, step.serving, step.serving.environment, made, draft)
    # The serving toolkit ends a worker after a minute otherwise.
    described.setdefault("Environment", {})["SAGEMAKER_MODEL_SERVER_TIMEOUT"] = str(_longest(step))
    found: dict[str, Any] = {"PrimaryContainer": described, "ExecutionRoleArn": draft.place.role}
    if tagged := tags(step, draft):
        found["Tags"] = tagged
    return {"Name": model_name(step, draft), "Type": "Model", "Arguments": found}


def model_name(step: Predict, draft: Draft) -> str:
    """Name the Model step of a batch inference."""
    return _free(f"{step.name}_model", draft)


def transform(step: Predict, draft: Draft) -> dict[str, Any]:
    """Lower a step to the arguments of CreateTransformJob: each file is one request, and its answer one file."""
    data = _input(step, "data")
    source = source_of(data, draft)
    single = bool(source.file)
    address = join("/", source.uri, source.file) if single and not source.unnamed else source.uri
    place = draft.place
    folder = [place.bucket, *([place.prefix] if place.prefix else []), draft.graph.name]
    output = step.outputs[0].name
    concurrent = _concurrent(step)
    found: dict[str, Any] = {
        "ModelName": get(f"Steps.{model_name(step, draft)}.ModelName"),
        "BatchStrategy": "SingleRecord",
        "MaxConcurrentTransforms": concurrent,
        "MaxPayloadInMB": max(1, PAYLOAD // concurrent),
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": address}},
            "ContentType": _content_type(step, source, draft),
            "CompressionType": "None",
            "SplitType": "None",
        },
        "TransformOutput": {
            "S3OutputPath": join(
                "/", "s3:/", *folder, get("Execution.PipelineExecutionId"), step.name, output
            ),
            "Accept": next(iter(step.serving.response_types), _JSON),
            "AssembleWith": "None",
        },
        "TransformResources": {"InstanceType": instance(step, draft), "InstanceCount": count(step)},
        "ModelClientConfig": _client(step, draft),
    }
    if step.env:
        found["Environment"] = environment_variables(step, LONGEST_VARIABLE, draft)
    if tagged := tags(step, draft):
        found["Tags"] = tagged
    return found


def _concurrent(step: Predict) -> int:
    """Give the requests at once at each machine; unset, the service may take a number that its payloads refuse."""
    machines = step.compute.count if isinstance(step.compute.count, int) else 1
    return min(PAYLOAD, -(-step.parallel // machines)) if step.parallel else 1


def _client(step: Predict, draft: Draft) -> dict[str, int]:
    """Lower time limit and tries to those of a request: a transform job has none of its own."""
    found = {"InvocationsTimeoutInSeconds": _longest(step)}
    if step.timeout is not None:
        message = f"a transform job has no time limit there: that of step '{step.name}' holds for each file"
        hint = f"a file may take {LONGEST_REQUEST} s at most"
        draft.found.append(note("P312", message, At((*step.path, "timeout")), hint))
    if step.retry.attempts > 1 and step.retry.errors == "any":
        found["InvocationsMaxRetries"] = min(3, step.retry.attempts - 1)
        message = f"step '{step.name}' asks again about a file that failed, and does not begin anew"
        hint = "a file is asked about four times at most"
        draft.found.append(note("P311", message, At((*step.path, "retry")), hint))
    return found


def _longest(step: Predict) -> int:
    """Give the seconds that a file may take: by itself the service ends a request after minutes."""
    return min(step.timeout or LONGEST_REQUEST, LONGEST_REQUEST)


def _content_type(step: Predict, source: Source, draft: Draft) -> str:
    """Give the one type that all files are announced as."""
    if step.serving.content_types:
        return step.serving.content_types[0]
    ending = source.file[source.file.rfind(".") :].lower() if "." in source.file else ""
    if ending in _TYPES:
        return _TYPES[ending]
    message = f"every file of step '{step.name}' is announced as {_CSV}: a transform job has one content type"
    hint = "say it: serving: {content_types: [application/json]}"
    draft.found.append(note("P324", message, At((*step.path, "serving"), key=True), hint))
    return _CSV


def _input(step: Predict, name: str) -> Input:
    return next(each for each in step.inputs if each.name == name)


def _free(name: str, draft: Draft) -> str:
    while name in draft.steps:
        name += "_"
    return name
