"""What penstock.yaml says of running documents offline: images, functions, queues, data.

    images:
      "registry/image:1.4": {python: ">=3.11", packages: [scikit-learn==1.4.2]}
    lambdas:
      "the function's address": {handler: "handlers/approve.py:handler"}
    callbacks:
      "the queue's address": {run: python answer.py}
    replace:
      "the data's address": data/cells.csv

A document names these by their addresses on its cloud; what stands here is the only code that runs in their place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from penstock.runtime.requirements import parse_package, python_specifier
from penstock.runtime.stand_ins import StandIns
from penstock.spec.structure import SpecModel, fault

_HANDLER = re.compile(r"[^:]+\.py:[A-Za-z_]\w*")


def _python(value: str) -> str:
    try:
        python_specifier(value)
    except ValueError as found:
        raise fault("P203", str(found), "write 3.11 or >=3.11") from None
    return value


def _package(value: str) -> str:
    try:
        parse_package(value)
    except ValueError as found:
        raise fault("P203", str(found), "write NAME==VERSION") from None
    return value


def _handler(value: str) -> str:
    if _HANDLER.fullmatch(value):
        return value
    raise fault("P203", f"'{value:.60}' names no function in a file", "such as handlers/approve.py:handler")


class ImageModel(SpecModel):
    """The environment that stands for an image."""

    python: Annotated[str, AfterValidator(_python)] | None = None
    packages: list[Annotated[str, AfterValidator(_package)]] | None = None
    run: str | list[str] | None = None
    toolkit: bool | None = None


class LambdaModel(SpecModel):
    """The function that runs in the place of a cloud's."""

    handler: Annotated[str, AfterValidator(_handler)]


class CallbackModel(SpecModel):
    """The command that answers what is sent to a queue."""

    run: str


class OfflineSections(SpecModel):
    """The sections by themselves; `penstock.profiles` has the rest of the file."""

    images: dict[str, ImageModel] = Field(default_factory=dict[str, ImageModel])
    lambdas: dict[str, LambdaModel] = Field(default_factory=dict[str, LambdaModel])
    callbacks: dict[str, CallbackModel] = Field(default_factory=dict[str, CallbackModel])
    replace: dict[str, str] = Field(default_factory=dict[str, str])

    def stand_ins(self, folder: Path) -> StandIns:
        """Give them as plain data."""
        return StandIns(
            folder,
            {name: each.model_dump(exclude_none=True) for name, each in self.images.items()},
            {name: each.handler for name, each in self.lambdas.items()},
            {name: each.run for name, each in self.callbacks.items()},
            dict(self.replace),
        )


def stand_ins_beside(folder: Path) -> StandIns:
    """Read the nearest penstock.yaml from a folder upwards; without one there is nothing to say.

    Raises:
        SpecError: the file has errors.
    """
    from penstock.profiles import find_file, read_file

    path = find_file(folder.absolute())
    return StandIns(folder) if path is None else read_file(path).stand_ins(path.parent)
