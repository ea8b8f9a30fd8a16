"""Pipelines exchanged with the SageMaker SDK: a bundle as its Pipeline object, and such an object as a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.provider import Profile
from penstock.runtime.hashing import StatIndex
from penstock_aws.client import Clients, calling, sdk_pipeline
from penstock_aws.sagemaker.native import of_text
from penstock_aws.submission.contents import contents
from penstock_aws.submission.filling import filled, hyphenated
from penstock_aws.submission.standing import missing
from penstock_aws.submission.upload import Upload

_NOWHERE = Profile("", "sagemaker", {"region": "", "bucket": "", "role": "arn:aws:iam:::role/"})
"""For a bundle that was compiled for a profile: it has nothing left to fill."""


class SageMakerBridge:
    """Gives and takes Pipeline objects of the SDK, of either generation."""

    def to_sdk(self, bundle: Bundle, session: Any = None) -> Any:
        """Give a Pipeline whose `definition()` is the bundle's document.

        `create`, `update` and `upsert` upload what the document names before they tell the service of it. Raises
        RunError where the SDK is not installed.
        """

        def upload(boto_session: Any) -> None:
            if "<<" in bundle.texts[bundle.document]:
                message = (
                    "the bundle was compiled without a profile, so that nobody knows its bucket and role"
                )
                raise RunError([error("P459", message, hint="compile it with a profile")])
            from threading import Event

            objects, _ = contents(filled(bundle, _NOWHERE), {}, StatIndex(None))
            with Clients(boto_session.region_name, boto_session) as clients:
                Upload(clients, Event()).send(missing(clients, objects), lambda _: None)

        name = hyphenated(bundle.pipeline)
        return sdk_pipeline(name, bundle.texts[bundle.document], upload, session, _region(bundle))

    def from_sdk(self, pipeline: object) -> Bundle | None:
        """Read a Pipeline of the SDK; `None` for any other object. Raises SpecError, each finding with its place.

        The SDK asks the account for its default bucket and uploads code while it writes a definition: behind
        `penstock emulate`, nothing leaves this machine.
        """
        kinds = type(pipeline).__mro__
        if not any(
            each.__name__ == "Pipeline" and each.__module__.partition(".")[0] == "sagemaker" for each in kinds
        ):
            return None
        given: Any = pipeline
        with calling("have the SDK write the definition"):
            text = str(given.definition())
        return of_text(text, str(given.name), Path.cwd())


def _region(bundle: Bundle) -> str:
    found = bundle.texts[bundle.document].partition(".dkr.ecr.")[2].partition(".")[0]
    return found if found.count("-") > 1 else ""
