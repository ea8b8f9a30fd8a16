"""What of a step's request nothing here can carry out, each with the place in the definition that asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.diagnostics import Diagnostic, error
from penstock.frozen import dataclass
from penstock.runtime.stand_ins import StandIns
from penstock.suggest import nearest
from penstock_aws.sagemaker.emulator.container_paths import HINT, why_taken
from penstock_aws.sagemaker.emulator.definition import Definition, Step, references
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault, Values
from penstock_aws.sagemaker.emulator.images.environments import ImageFault, offline_image
from penstock_aws.sagemaker.emulator.images.toolkit import is_script_mode
from penstock_aws.sagemaker.emulator.jobs.search_space import STRATEGIES
from penstock_aws.sagemaker.emulator.sources import inside
from penstock_aws.sagemaker.validation.findings import is_list, is_object

Found = tuple[str, Diagnostic]
"""A JSON pointer, and what is wrong there."""

_OUT_OF_REACH = {
    "FileSystemDataSource": "reads a file system of a network",
    "DatasetDefinition": "asks Athena or Redshift for its data",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What can be told before anything runs.

    Attributes:
        values: worth of every expression that no step decides.
        stand_ins: what penstock.yaml says.
    """

    definition: Definition
    values: Values
    stand_ins: StandIns

    def value(self, written: Any) -> Any:
        """Give what an expression is worth; `None` where a step decides that, or it is worth nothing."""
        if written is None or next(references(written), ""):
            return None
        try:
            return self.values.resolve(written)
        except ValueFault:
            return None


def refusals(step: Step, known: Known) -> Iterator[Found]:
    """Go through one step whose type runs here."""
    here, arguments = f"{step.pointer}/Arguments", step.arguments
    match step.type:
        case "Lambda" | "Callback":
            yield from _unanswered(step, known)
        case "Processing":
            yield from _sources(step, arguments.get("ProcessingInputs"), f"{here}/ProcessingInputs")
            yield from _processing_image(step, arguments.get("AppSpecification"), known)
            yield from _processing_places(step, arguments, here, known)
        case "Training":
            yield from _training(step, arguments, here, known)
        case "Tuning":
            yield from _search(step, arguments, here, known)
        case "Transform":
            yield from _transform(step, arguments, here, known)
        case _:
            pass


def _unanswered(step: Step, known: Known) -> Iterator[Found]:
    if step.type == "Lambda":
        key, said, answers = "FunctionArn", "calls the function", known.stand_ins.lambdas
        how = '{handler: "FILE.py:NAME"}'
    else:
        key, said, answers = "SqsQueueUrl", "waits for an answer from", known.stand_ins.callbacks
        how = "{run: COMMAND}"
    name = known.value(step.body[key])
    if not isinstance(name, str) or name in answers:
        return
    what = "nothing stands for it here" if step.type == "Lambda" else "nothing gives one here"
    near = nearest(name, answers, "functions" if step.type == "Lambda" else "queues") if answers else ""
    hint = f'penstock.yaml: {"lambdas" if step.type == "Lambda" else "callbacks"}: {{"{name}": {how}}}'
    message = f"step '{step.name}' {said} {name}, and {what}"
    yield f"{step.pointer}/{key}", error("P435", message, hint=f"{hint}; {near}" if near else hint)


def _sources(step: Step, inputs: Any, pointer: str) -> Iterator[Found]:
    for index, each in enumerate(inputs if is_list(inputs) else ()):
        named = each.get("InputName") or each.get("ChannelName") if is_object(each) else ""
        for place, below in (
            (each, ""),
            (each.get("DataSource") if is_object(each) else None, "/DataSource"),
        ):
            for key, said in _OUT_OF_REACH.items():
                if is_object(place) and place.get(key):
                    message = f"input '{named}' of step '{step.name}' {said}, which is not to be had here"
                    hint = "let it read from S3, and bring the data: --replace s3://BUCKET/KEY=PATH"
                    yield f"{pointer}/{index}{below}/{key}", error("P431", message, hint=hint)


def _processing_places(step: Step, arguments: Any, here: str, known: Known) -> Iterator[Found]:
    inputs, outputs = (
        arguments.get("ProcessingInputs"),
        inside(arguments, "ProcessingOutputConfig", "Outputs"),
    )
    for what, group, pointer, name, key in (
        ("input", inputs, f"{here}/ProcessingInputs", "InputName", "S3Input"),
        ("output", outputs, f"{here}/ProcessingOutputConfig/Outputs", "OutputName", "S3Output"),
    ):
        for index, each in enumerate(group if is_list(group) else ()):
            written = inside(each, key, "LocalPath")
            yield from _place(
                step,
                f"{what} '{inside(each, name)}'",
                known.value(written),
                f"{pointer}/{index}/{key}/LocalPath",
            )


def _place(step: Step, what: str, path: Any, pointer: str) -> Iterator[Found]:
    """Refuse a place in the container that cannot be given to data."""
    why = why_taken(path) if isinstance(path, str) and path else ""
    if why:
        message = f"{what} of step '{step.name}' stands at {path}, which {why}"
        yield pointer, error("P449", message, hint=HINT)


def _processing_image(step: Step, specification: Any, known: Known) -> Iterator[Found]:
    uri = known.value(specification.get("ImageUri"))
    pointer = f"{step.pointer}/Arguments/AppSpecification/ImageUri"
    fault = _image_fault(uri, known)
    if fault is not None:
        yield pointer, _without_stand_in(step, fault)
    elif isinstance(uri, str) and not specification.get("ContainerEntrypoint"):
        message = f"step '{step.name}' starts {uri} with its own entrypoint, which is not known here"
        hint = "name the command in AppSpecification.ContainerEntrypoint"
        yield pointer, error("P432", message, hint=hint)


def _training(step: Step, arguments: Mapping[str, Any], here: str, known: Known) -> Iterator[Found]:
    """Go through a training job's request: a step's own, or what a search draws its trials from."""
    path = known.value(inside(arguments, "CheckpointConfig", "LocalPath"))
    yield from _place(step, "the checkpoint", path, f"{here}/CheckpointConfig/LocalPath")
    yield from _sources(step, arguments.get("InputDataConfig"), f"{here}/InputDataConfig")
    if arguments.get("ServerlessJobConfig"):
        message = f"step '{step.name}' is a serverless job of the service's, which does not run offline"
        hint = (
            "in a copy of the document, name an image and instances: AlgorithmSpecification, ResourceConfig"
        )
        yield f"{here}/ServerlessJobConfig", error("P431", message, hint=hint)
        return
    if inside(arguments, "ResourceConfig", "InstanceGroups"):
        message = f"step '{step.name}' asks for groups of unlike instances, which are not to be had offline"
        hint = "ask for instances of one kind: InstanceType and InstanceCount"
        yield f"{here}/ResourceConfig/InstanceGroups", error("P431", message, hint=hint)
    specification = arguments["AlgorithmSpecification"]
    key = "TrainingImage" if specification.get("TrainingImage") else "AlgorithmName"
    uri = known.value(specification.get(key))
    pointer = f"{here}/AlgorithmSpecification/{key}"
    if not isinstance(uri, str):
        return
    try:
        image = offline_image(uri, known.stand_ins.images)
    except ImageFault as fault:
        yield pointer, _without_stand_in(step, fault)
        return
    given = inside(arguments, "StaticHyperParameters") or inside(arguments, "HyperParameters")
    starts = specification.get("ContainerEntrypoint") or image.run or image.algorithm
    if not starts and not is_script_mode(given or dict[str, str](), arguments.get("Environment")):
        message = f"step '{step.name}' starts {uri} with its own entrypoint, which is not known here"
        hint = (
            "name the command in AlgorithmSpecification.ContainerEntrypoint, or say in penstock.yaml what stands "
            f'for it: images: {{"{uri}": {{packages: [...], run: COMMAND}}}}'
        )
        yield pointer, error("P432", message, hint=hint)


def _search(step: Step, arguments: Mapping[str, Any], here: str, known: Known) -> Iterator[Found]:
    config = arguments["HyperParameterTuningJobConfig"]
    strategy = known.value(config.get("Strategy"))
    if isinstance(strategy, str) and strategy not in STRATEGIES:
        message = f"step '{step.name}' searches by {strategy}, which does not run offline"
        hint = f"strategies that do: {', '.join(STRATEGIES)}"
        yield f"{here}/HyperParameterTuningJobConfig/Strategy", error("P431", message, hint=hint)
    for key, said in (
        ("WarmStartConfig", "starts from what earlier searches found"),
        ("TrainingJobDefinitions", "searches over several training job definitions at once"),
        ("Autotune", "leaves its ranges to the service"),
    ):
        if arguments.get(key):
            message = f"step '{step.name}' {said}, which does not run offline"
            hint = f"leave {key} out of a copy of the document"
            hint = "give each definition a step of its own" if key == "TrainingJobDefinitions" else hint
            yield f"{here}/{key}", error("P431", message, hint=hint)
    trial = arguments.get("TrainingJobDefinition")
    if is_object(trial):
        yield from _training(step, trial, f"{here}/TrainingJobDefinition", known)


def _transform(step: Step, arguments: Mapping[str, Any], here: str, known: Known) -> Iterator[Found]:
    """Hold a transform job against the model that it serves, where that is told by now."""
    written = arguments.get("ModelName")
    model = known.definition.steps.get(next(references(written), ""))
    if model is None:
        name = known.value(written)
        if isinstance(name, str):
            message = f"step '{step.name}' serves the model {name}, which this pipeline does not create"
            hint = "offline, a model is one that a Model step of the same pipeline makes"
            yield f"{here}/ModelName", error("P433", message, hint=hint)
        return
    if model.type != "Model":
        return
    containers: Any = inside(model.arguments, "Containers") or []
    place = f"{model.pointer}/Arguments/{'PrimaryContainer' if not containers else 'Containers/0'}"
    if len(containers) > 1:
        message = f"step '{step.name}' serves '{model.name}', a model of {len(containers)} containers"
        hint = "offline, a model has one container"
        yield f"{model.pointer}/Arguments/Containers", error("P431", message, hint=hint)
        return
    container: Any = inside(model.arguments, "PrimaryContainer") or (containers or [None])[0]
    if inside(container, "ModelDataSource"):
        message = (
            f"step '{step.name}' serves '{model.name}', whose ModelDataSource batch transform does not take"
        )
        yield f"{place}/ModelDataSource", error("P431", message, hint="name an archive: ModelDataUrl")
    fault = _image_fault(known.value(inside(container, "Image")), known)
    if fault is not None:
        yield f"{place}/Image", _without_stand_in(model, fault)


def _image_fault(uri: Any, known: Known) -> ImageFault | None:
    if not isinstance(uri, str):
        return None
    try:
        offline_image(uri, known.stand_ins.images)
    except ImageFault as fault:
        return fault
    return None


def _without_stand_in(step: Step, fault: ImageFault) -> Diagnostic:
    return error("P432", f"step '{step.name}': {fault.message}", hint=fault.hint)
