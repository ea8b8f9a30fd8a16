"""A bundle with everything in it that only an account knows: what is really sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import dataclass
from penstock.provider import Profile
from penstock_aws.sagemaker.document import DOCUMENT, INLINE, REQUEST, place_of
from penstock_aws.sagemaker.images import registry_host, table
from penstock_aws.sagemaker.validation.placeholders import MARK

_LOCATION = "PipelineDefinitionS3Location"


@dataclass(frozen=True, slots=True)
class Filled:
    """What is sent of a bundle.

    Attributes:
        request: of CreatePipeline, without the definition.
        definition: the text.
        uploads: address → text, of what is too long for the call.
    """

    bundle: Bundle
    profile: Profile
    request: Mapping[str, Any]
    definition: str
    uploads: Mapping[str, str]

    @property
    def name(self) -> str:
        """The pipeline's name at the service."""
        return str(self.request["PipelineName"])

    @property
    def document(self) -> Any:
        """The definition, parsed."""
        return json.loads(self.definition)

    def address(self, text: str) -> str:
        """Fill an address of the bundle's."""
        return fill(text, self.profile)


def filled(bundle: Bundle, profile: Profile) -> Filled:
    """Fill the placeholders of a bundle, or complete a definition that Penstock did not write.

    Raises:
        RunError: a placeholder is left that no profile fills (P459).
    """
    definition = fill(bundle.texts[bundle.document], profile)
    given: dict[str, Any] = json.loads(bundle.texts[REQUEST]) if REQUEST in bundle.texts else {}
    request: dict[str, Any] = {key: _filled(each, profile) for key, each in given.items() if key != _LOCATION}
    request.setdefault("PipelineName", hyphenated(bundle.pipeline))
    request.setdefault("RoleArn", profile.settings["role"])
    uploads = {
        fill(address, profile): fill(bundle.texts[path], profile) for path, address in bundle.uploads.items()
    }
    if len(definition) > INLINE and not uploads:
        uploads = {_own_address(request["PipelineName"], definition, profile): definition}
    for address in uploads:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        request[_LOCATION] = {"Bucket": bucket, "ObjectKey": key}
    left = sorted({each[0] for each in MARK.finditer(definition + json.dumps(request))})
    if left:
        message = f"nothing fills {', '.join(left)}: no profile has a value for it"
        raise RunError([error("P459", message, hint="compile it with --profile, or submit the spec itself")])
    return Filled(bundle, profile, request, definition, uploads)


def fill(text: str, profile: Profile) -> str:
    """Put a profile's settings in the place of placeholders; the bucket's brings the prefix with it."""
    if "<<" not in text:
        return text
    place = place_of(profile)
    known = {
        "bucket": f"{place.bucket}/{place.prefix}" if place.prefix else place.bucket,
        "region": place.region,
        "role": place.role,
        "account": place.role.split(":")[4],
    }

    def value(mark: re.Match[str]) -> str:
        registry = mark[1].removesuffix("_registry")
        if registry != mark[1] and registry in table()["registries"]:
            return registry_host(registry, place.region) or mark[0]
        return known.get(mark[1], mark[0])

    return MARK.sub(value, text)


def hyphenated(name: str) -> str:
    """Write a name in the letters, digits and hyphens that a pipeline may be called by."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:256] or "pipeline"


def _filled(value: Any, profile: Profile) -> Any:
    if isinstance(value, str):
        return fill(value, profile)
    if isinstance(value, dict):
        return {key: _filled(each, profile) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_filled(each, profile) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _own_address(name: str, definition: str, profile: Profile) -> str:
    from hashlib import sha256

    digest = sha256(definition.encode("utf-8", "surrogatepass")).hexdigest()
    return place_of(profile).address(name, "assets", digest[:16], DOCUMENT)
