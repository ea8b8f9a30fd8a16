"""What an image means offline: images are not pulled, an environment of packages stands for each.

`environments.json` holds which repositories of AWS's own there are, and for each framework which packages stand
for which version. A row holds from its release up to the next row's: the Pythons that it has wheels for,
and the packages beside it, pinned where the image pins them too and where another release would not work. Where a
release has no wheels for the Python that runs Penstock, the first later row that has some stands in, with a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from penstock.frozen import dataclass
from penstock.runtime.requirements import Package, Requirements, current_python, parse_package
from penstock.runtime.versions import parse_version, satisfies
from penstock_aws.sagemaker.emulator.images.image_map import (
    Address,
    ImageFault,
    Mapped,
    find_mapped,
    read_address,
)
from penstock_aws.sagemaker.emulator.images.packages_asked import (
    pip_installs,
    read_requirements,
    requirements_in,
)
from penstock_aws.sagemaker.images import table

__all__ = [
    "ImageFault",
    "OfflineImage",
    "offline_image",
    "pip_installs",
    "read_requirements",
    "requirements_in",
]

_VERSION = re.compile(r"(1$|\d+(?:\.\d+)+(?:-\d+\b(?!\.))?)(?:-|$)")
_TRANSFORMERS = re.compile(r"transformers(\d+(?:\.\d+)+)")
_HUGGINGFACE = ("accelerate", "datasets", "evaluate")


class Row(TypedDict):
    """From a release on: the Pythons with wheels, and the packages beside the framework."""

    release: str
    python: str
    beside: list[str]


class Build(TypedDict):
    """A framework: its package, releases of image versions that do not spell them out, companions, rows."""

    package: str
    releases: dict[str, str]
    also: list[str]
    rows: list[Row]


class Repository(TypedDict):
    """A repository of AWS's; `plain_name`: anyone's may be called so, and only AWS's account makes it that one."""

    framework: str
    build: str
    registry: str
    toolkit: NotRequired[bool]
    algorithm: NotRequired[str]
    plain_name: NotRequired[bool]


class Table(TypedDict):
    """The shipped file."""

    repositories: dict[str, Repository]
    without_stand_in: dict[str, str]
    builds: dict[str, Build]


@dataclass(frozen=True, slots=True)
class OfflineImage:
    """What stands for an image.

    Attributes:
        requirements: its environment.
        toolkit: the image starts scripts that hyperparameters name.
        algorithm: a built-in algorithm that Penstock has a stand-in for; empty for none.
        framework: what the image is for; empty for a custom one.
        note: what differs from the image, in words; empty for nothing.
        version: the image's own version, such as `1.7-1`; empty where the address does not tell.
        run: the command that penstock.yaml gives in the place of the image's own; empty for none.
    """

    requirements: Requirements
    toolkit: bool
    algorithm: str
    framework: str
    note: str
    version: str = ""
    run: tuple[str, ...] = ()


def offline_image(
    uri: str, overrides: Mapping[str, Mapping[str, Any]], extra: Sequence[str] = ()
) -> OfflineImage:
    """Give what stands for an image.

    Args:
        uri: the address in a registry.
        overrides: the section `images:` of penstock.yaml.
        extra: packages that the job asks for on top. As with pip, one that the image's own satisfies changes
            nothing, and another takes the place of the image's.

    Raises:
        ImageFault: nothing stands for it, or penstock.yaml says something wrong about it.
    """
    address = read_address(uri)
    mapped = find_mapped(address, overrides)
    known = table_of_environments()["repositories"].get(address.repository)
    if known and known.get("plain_name") and not _is_first_party(address, known["registry"]):
        known = None
    if known is None:
        return _custom(address, mapped, extra)
    version = _version(address.tag)
    requirements, note = _framework(known, address.tag, version)
    if not address.host.startswith("<<") and not _is_first_party(address, known["registry"]):
        note = _joined(note, f"'{uri}' is taken for a copy of AWS's {address.repository}")
    if mapped is not None:
        changed = mapped.packages is not None or mapped.python is not None
        note = "" if changed else note
        requirements = Requirements(
            requirements.python if mapped.python is None and mapped.packages is None else mapped.python or "",
            requirements.packages if mapped.packages is None else mapped.packages,
        )
    toolkit = known.get("toolkit", False)
    return OfflineImage(
        _with(requirements, extra),
        toolkit if mapped is None or mapped.toolkit is None else mapped.toolkit,
        "" if mapped and mapped.run else known.get("algorithm", ""),
        known["framework"],
        note,
        version,
        mapped.run if mapped else (),
    )


@cache
def table_of_environments() -> Table:
    """Give the shipped table."""
    text = (Path(__file__).parent / "environments.json").read_text(encoding="utf-8")
    return cast("Table", json.loads(text))


def _custom(address: Address, mapped: Mapped | None, extra: Sequence[str]) -> OfflineImage:
    if mapped is not None:
        requirements = Requirements(mapped.python or "", mapped.packages or ())
        return OfflineImage(
            _with(requirements, extra), bool(mapped.toolkit), "", "", "", _version(address.tag), mapped.run
        )
    hint = (
        f"say in penstock.yaml what stands for it: images: {{{address.repository}: "
        "{packages: [...], run: python stand_in.py}}, or give the step a `local` stand-in"
    )
    for name, image in table()["images"].items():
        ours = address.repository in (
            image["training"]["repository"],
            image.get("serving", {}).get("repository"),
        )
        if ours and not image["package"] and _is_first_party(address, image["registry"], placeholders=True):
            raise ImageFault(f"the built-in algorithm '{name}' has no stand-in offline", hint)
    product = table_of_environments()["without_stand_in"].get(address.repository, "")
    if product:
        raise ImageFault(f"the image of {product} has no stand-in offline", hint)
    note = (
        f"image '{address.uri}' is not known here, and not pulled: its job gets the packages that it asks for"
        f" itself and no others; for more say images: {{{address.repository}: {{packages: [...]}}}} in penstock.yaml"
    )
    return OfflineImage(_with(Requirements(), extra), False, "", "", note, _version(address.tag))


def _is_first_party(address: Address, registry: str, *, placeholders: bool = False) -> bool:
    """Tell whether an address is in AWS's own account, or stands for one that a profile is to fill in."""
    if address.host.startswith("<<"):
        return not placeholders or address.host == f"<<{registry}_registry>>"
    return address.account != "" and address.account in table()["registries"][registry].values()


def _version(tag: str) -> str:
    """Read the framework's version off a tag: 1.4-2-cpu-py3 has 1.4-2, 2.4.0-gpu-py311 has 2.4.0."""
    found = _VERSION.match(tag)
    return found[1] if found else ""


def _framework(known: Repository, tag: str, version: str) -> tuple[Requirements, str]:
    build = table_of_environments()["builds"][known["build"]]
    rows = build["rows"]
    release = build["releases"].get(version) or version.replace("-", ".") or rows[-1]["release"]
    row, stand_in = _fitting(rows, release)
    packages = [f"{build['package']}=={stand_in}", *row["beside"], *build["also"]]
    note = ""
    if not version:
        note = f"the image's version is not known; {build['package']} {stand_in} stands for it"
    elif stand_in != release:
        note = (
            f"{build['package']} {stand_in} stands for {release}, which has no wheels for Python"
            f" {'.'.join(current_python().split('.')[:2])}"
        )
    if known["framework"] == "huggingface":
        transformers = _TRANSFORMERS.search(tag)
        packages += [f"transformers=={transformers[1]}" if transformers else "transformers", *_HUGGINGFACE]
    return Requirements(row["python"], tuple(packages)), note


def _fitting(rows: Sequence[Row], release: str) -> tuple[Row, str]:
    """Choose a row for a release, and the release that it then gives: the nearest with wheels for this Python."""
    wanted = parse_version(release)
    at = max((at for at, row in enumerate(rows) if parse_version(row["release"]) <= wanted), default=0)
    if satisfies(current_python(), rows[at]["python"]):
        return rows[at], release
    for row in rows[at + 1 :]:
        if satisfies(current_python(), row["python"]):
            return row, row["release"]
    # This Python is newer than all that is known; another one of the machine may do.
    return rows[at], release


def _with(requirements: Requirements, extra: Sequence[str]) -> Requirements:
    """Put packages on top of an environment's own."""
    own = {_parsed(each).name: each for each in requirements.packages}
    added: list[str] = []
    for text in extra:
        asked = _parsed(text)
        if asked.name in own and _serves(_parsed(own[asked.name]), asked):
            continue
        own.pop(asked.name, None)
        added.append(text.strip())
    return Requirements(requirements.python, tuple(dict.fromkeys([*own.values(), *added])))


def _serves(own: Package, asked: Package) -> bool:
    """Tell whether pip would leave what the image has."""
    if asked.url or set(asked.extras) - set(own.extras):
        return False
    if not asked.specifiers:
        return True
    release = own.specifiers.removeprefix("==")
    return own.specifiers.startswith("==") and "," not in release and satisfies(release, asked.specifiers)


def _parsed(text: str) -> Package:
    try:
        return parse_package(text)
    except ValueError as fault:
        raise ImageFault(str(fault), "write packages as NAME==VERSION") from fault


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))
