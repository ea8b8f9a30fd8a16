"""Steps that only the service itself can carry out: known by their type alone, whatever else is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from penstock.diagnostics import Diagnostic, Path, error
from penstock_aws.sagemaker.emulator.sources import inside
from penstock_aws.sagemaker.emulator.work import KINDS
from penstock_aws.sagemaker.validation.document import Document
from penstock_aws.sagemaker.validation.findings import is_list

_HEADLESS = "sagemaker_headless_execution_pipelinestep"
"""The channel by which a notebook job's training request is known (SageMaker SDK, NotebookJobStep)."""
_OF_A_SPEC = "in the spec, give the native step a stand-in, local: {run: …}, and run it on local"
_OF_A_DOCUMENT = (
    "in a copy of the document, take the step out, or put a Processing or Lambda step in its place that leaves here "
    "what the others need of it"
)


def unplayed(type: str, arguments: Any) -> str:
    """Say what a step is that does not run offline; empty for one that does."""
    channels = inside(arguments, "InputDataConfig") if type == "Training" else None
    if any(inside(each, "ChannelName") == _HEADLESS for each in (channels if is_list(channels) else ())):
        return "NotebookJob"
    return "" if type in KINDS else type


def refusal(step: str, what: str, *, compiled: bool) -> Diagnostic:
    """Refuse a step, with the way out of a spec for what was `compiled` from one, else of a document."""
    message = f"step '{step}' is of type {what}, which does not run offline"
    return error("P431", message, hint=_OF_A_SPEC if compiled else _OF_A_DOCUMENT)


def refused_in(
    definition: Mapping[str, Any], told: Collection[Path] = ()
) -> Iterator[tuple[Path, Diagnostic]]:
    """Go through a definition that has errors, and may hold anything; of what is `told` already nothing is said."""
    for step in Document(definition).steps:
        what = unplayed(step.type, step.body.get("Arguments")) if step.type else ""
        path = (*step.path, "Type")
        if what and path not in told:
            yield path, refusal(step.name, what, compiled=False)
