"""Where things stand: the definition's name, paths inside containers, addresses in the bucket, placeholders.

Paths are those of the service's container contracts (Processing: /opt/ml/processing; Training: /opt/ml/input/data,
/opt/ml/model, /opt/ml/output/data). A placeholder `<<name>>` stands for what only an account knows.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from penstock.frozen import dataclass
from penstock.json_text import lay_out
from penstock.provider import Profile

DOCUMENT = "pipeline.json"
REQUEST = "create-pipeline.json"
"""What the service keeps of a pipeline beside its definition, in the form of the call that creates it."""
VERSION = "2020-12-01"
INLINE = 1_048_576
"""Characters of a definition that the call itself may hold.

The SDK uploads definitions from 100 KiB on; the service takes them whole up to here, and one that is in the call needs
no object that has to outlive it.
"""

PROCESSING = "/opt/ml/processing"
CHANNELS = "/opt/ml/input/data"
MODEL = "/opt/ml/model"
OUTPUT_DATA = "/opt/ml/output/data"


def to_json(document: Any) -> str:
    """Lay a document out as it stands in a bundle, which is how it is sent."""
    return lay_out(document) + "\n"


@dataclass(frozen=True, slots=True)
class Place:
    """The account that a definition is for: settings of a profile, or placeholders."""

    region: str = "<<region>>"
    role: str = "<<role>>"
    bucket: str = "<<bucket>>"
    prefix: str = ""
    datasets: dict[str, str] = field(default_factory=dict[str, str])
    images: dict[str, str] = field(default_factory=dict[str, str])
    instance: str = ""

    def address(self, *parts: str) -> str:
        """Compose an address in the bucket."""
        return "/".join(["s3:/", self.bucket, *([self.prefix] if self.prefix else []), *parts])

    def placeholders(self) -> tuple[str, ...]:
        """Name what a submit has still to fill in."""
        return tuple(each for each in ("region", "role", "bucket") if getattr(self, each) == f"<<{each}>>")


def place_of(profile: Profile | None) -> Place:
    """Read a profile; without one everything is a placeholder."""
    if profile is None:
        return Place()
    settings = dict(profile.settings)
    return Place(
        region=settings["region"],
        role=settings["role"],
        bucket=settings["bucket"],
        prefix=settings.get("prefix", ""),
        datasets=dict(profile.datasets),
        images=dict(profile.images),
        instance=profile.instance,
    )
