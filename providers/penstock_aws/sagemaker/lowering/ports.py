"""Where a step's inputs come from, and where consumers find its outputs."""

from __future__ import annotations

import os
from typing import Any

from penstock.diagnostics import At, error
from penstock.expressions.nodes import DatasetRef, OutputRef
from penstock.frozen import dataclass
from penstock.ir import (
    SCALARS,
    SINGLE_FILES,
    Command,
    Input,
    Native,
    Output,
    Predict,
    Step,
    Train,
    Tune,
    offered,
)
from penstock_aws.sagemaker.document import MODEL, OUTPUT_DATA, PROCESSING
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import get, join, property_of

CHECKPOINTS = "/opt/ml/checkpoints"
"""Where a training job keeps its checkpoints, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Source:
    """What an input is bound to, as the service sees it.

    Attributes:
        uri: an address, or a reference to one.
        archive: the address is a `.tar.gz`; steps get what is in it.
        inside: the folder or file inside the archive that is meant; empty for all of it.
        file: the name of the one file; empty for a folder.
        unnamed: the file may bear another name at run time: the caller may bring another.
    """

    uri: Any
    archive: str = ""
    inside: str = ""
    file: str = ""
    unnamed: bool = False

    @property
    def indirect(self) -> bool:
        """Whether what the step wants is not the folder itself that the service fills."""
        return bool(self.archive or self.file)


def source_of(each: Input, draft: Draft) -> Source:
    """Find the source of an artifact input."""
    match each.value:
        case DatasetRef(name):
            dataset = draft.graph.datasets[name]
            placed = draft.place.datasets.get(name) or dataset.uri.get("sagemaker") or dataset.uri.get("")
            default = placed or dataset.path
            packed = dataset.type == "model" and default.endswith((".tar.gz", ".tgz"))
            return Source(
                get(f"Parameters.{name}"),
                archive=os.path.basename(default) if packed else "",
                file=(os.path.basename(default) or name) if dataset.type in SINGLE_FILES else "",
                unnamed=dataset.type in SINGLE_FILES,
            )
        case OutputRef(step, name):
            producer = draft.steps[step]
            return made_by(producer, next(found for found in offered(producer) if found.name == name))
        case _:
            raise TypeError(f"{each.value} is no artifact")


def made_by(producer: Step, output: Output) -> Source:
    """Say where a step's output stands once it has run; `output` as other steps see it."""
    if isinstance(producer, Command):
        uri = get(f"Steps.{producer.name}.ProcessingOutputConfig.Outputs['{output.name}'].S3Output.S3Uri")
        return Source(uri, file=output.file)
    if isinstance(producer, Predict):
        return Source(get(f"Steps.{producer.name}.TransformOutput.S3OutputPath"))
    if isinstance(producer, Native):
        return _kept_by(producer, output)
    if isinstance(producer, Tune):
        return _best(producer, output)
    assert isinstance(producer, Train)
    if output.name == producer.checkpoint:
        return Source(get(f"Steps.{producer.name}.CheckpointConfig.S3Uri"))
    if output == model_of(producer):
        return Source(get(f"Steps.{producer.name}.ModelArtifacts.S3ModelArtifacts"), archive="model.tar.gz")
    # Everything else that a training job writes travels in one archive beside the model's.
    job = f"Steps.{producer.name}"
    uri = join(
        "/",
        get(f"{job}.OutputDataConfig.S3OutputPath"),
        get(f"{job}.TrainingJobName"),
        "output/output.tar.gz",
    )
    return Source(uri, archive="output.tar.gz", inside=output.name, file=output.file)


def _best(producer: Tune, output: Output) -> Source:
    """Say where the best trial's output stands: the response of a search names that job, and no artifacts."""
    job = f"Steps.{producer.name}"
    main = output == model_of(producer)
    archive = "model.tar.gz" if main else "output.tar.gz"
    uri = join(
        "/",
        get(f"{job}.TrainingJobDefinition.OutputDataConfig.S3OutputPath"),
        get(f"{job}.BestTrainingJob.TrainingJobName"),
        f"output/{archive}",
    )
    return Source(uri, archive=archive) if main else Source(uri, archive, output.name, output.file)


def _kept_by(producer: Native, output: Output) -> Source:
    """Say where a native step keeps an output: the property holds the address of the folder, or of the one file."""
    uri = get(property_of(producer, output.name))
    if output.type == "model" and property_of(producer, output.name).endswith("S3ModelArtifacts"):
        return Source(uri, archive="model.tar.gz")
    return Source(uri, file=output.file, unnamed=bool(output.file))


def model_of(step: Train | Tune) -> Output | None:
    """Give the output that becomes the job's model artifact."""
    return next((each for each in step.outputs if each.type == "model"), None)


def output_paths(step: Command | Train) -> dict[str, str]:
    """Say where a step writes its outputs, inside its container."""
    if isinstance(step, Train):
        main = model_of(step)
        return {
            each.name: CHECKPOINTS
            if each.name == step.checkpoint
            else MODEL
            if each == main
            else "/".join(filter(None, (OUTPUT_DATA, each.name, each.file)))
            for each in step.outputs
        }
    return {
        each.name: "/".join(filter(None, (PROCESSING, "output", each.name, each.file)))
        for each in step.outputs
    }


def artifacts(step: Command | Train) -> list[Input]:
    """Give the inputs that are files or folders and are delivered; `direct` hands over the address alone."""
    return [each for each in step.inputs if each.source_type not in SCALARS and each.mode != "direct"]


def refuse_packing(each: Input, source: Source, step: Command | Train, draft: Draft) -> None:
    """Say that a folder cannot be handed over packed where the service does not have it packed."""
    if each.packed and not source.archive:
        at = At((*step.path, "inputs", each.name, "packed"))
        hint = "only the model of a train step is an archive there; pack it in the step that writes it"
        message = f"input '{each.name}' of step '{step.name}' is not an archive on sagemaker"
        draft.found.append(error("P321", message, at, hint))
