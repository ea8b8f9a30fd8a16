"""First-party images: which one serves an environment, and its address in a region.

`images.json` holds, for each image, repositories and tags with their Python where that is known (empty where not),
and the account that each registry has in each region. Registries, repositories and tags are those that the public
SageMaker Python SDK lists (image_uri_config of sagemaker 3.27); the Pythons of scikit-learn and xgboost are those
of their containers' public build files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from penstock.frozen import dataclass
from penstock.ir import Environment
from penstock.runtime.requirements import parse_package, python_specifier
from penstock.runtime.versions import satisfies
from penstock.suggest import nearest
from penstock_aws.sagemaker.document import Place

BUILTIN = re.compile(r"builtin:([a-z0-9-]+)(?::([\w.-]+))?")
_ADDRESS = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.-]+/([^:@]+)[:@].+")
DEFAULT = "scikit-learn"
"""The image of an environment that names no framework: a recent Python, with numpy and pandas."""

_ALIASES = {"sklearn": DEFAULT}
# The first that an environment's packages name decides, the more special one first.
_BY_PACKAGE = ("pytorch", "tensorflow", "xgboost", DEFAULT)
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}


class Version(TypedDict):
    """One version of an image. `{processor}` in the tag is cpu or gpu; `python` is empty where it is not known."""

    tag: str
    python: str


class Repository(TypedDict):
    """A repository with its versions, the oldest first."""

    repository: str
    versions: dict[str, Version]


class FirstParty(TypedDict):
    """An image in AWS's own accounts; `package` is what pip calls its framework, empty for an algorithm."""

    registry: str
    package: str
    training: Repository
    serving: NotRequired[Repository]


class Table(TypedDict):
    """The shipped file: registry → region → account, and image → what it is."""

    registries: dict[str, dict[str, str]]
    images: dict[str, FirstParty]


@dataclass(frozen=True, slots=True)
class Image:
    """An image's address, its Python where that is known, and the placeholder that the address leaves open.

    `code_in_model`: it takes serving code from the model's archive alone, not from an address of its own.
    """

    uri: str
    python: str = ""
    placeholder: str = ""
    code_in_model: bool = False


class ImageFault(Exception):
    """Raised for an image that is not to be had: a sentence, and a hint."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@cache
def table() -> Table:
    """Give the shipped table."""
    return cast("Table", json.loads((Path(__file__).parent / "images.json").read_text(encoding="utf-8")))


def image_of(environment: Environment | None, place: Place, *, gpu: bool, serving: bool = False) -> Image:
    """Choose an image: the one that is named, else the newest that fits the packages and the Python.

    Raises:
        ImageFault: a `builtin:` image that there is none of, or a region that has none.
    """
    given = named(environment, place)
    if given:
        builtin = BUILTIN.fullmatch(given)
        neutral = environment is not None and given == environment.image.get("")
        if not builtin and neutral and ".dkr.ecr" not in given:
            hint = "push it there and write image: {sagemaker: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG}"
            raise ImageFault(f"sagemaker takes images from ECR alone, and '{given}' is not from there", hint)
        if not builtin:
            return Image(given)
        name = _known(_ALIASES.get(builtin[1], builtin[1]))
        repository = _repository(table()["images"][name], serving)
        return _image(name, repository, _version(name, builtin[2] or "", repository["versions"]), place, gpu)
    wanted = _specifiers(environment.packages) if environment else {}
    images = table()["images"]
    name = next((each for each in _BY_PACKAGE if images[each]["package"] in wanted), DEFAULT)
    repository = _repository(images[name], serving)
    python = python_specifier(environment.python) if environment else ""
    specifiers = wanted.get(images[name]["package"], "")
    return _image(name, repository, _newest(repository["versions"], specifiers, python), place, gpu)


def named(environment: Environment | None, place: Place) -> str:
    """Give the image that the profile or the environment names; empty for none."""
    if environment is None:
        return ""
    own = environment.image
    return place.images.get(environment.name) or own.get("sagemaker") or own.get("") or ""


def has_toolkit(environment: Environment | None, place: Place) -> bool:
    """Tell whether a training image is known to start scripts: a first-party one that holds a framework.

    An unknown `builtin:` counts as one, since `image_of` says what is wrong with it.
    """
    given = named(environment, place)
    builtin = BUILTIN.fullmatch(given)
    if builtin:
        image = table()["images"].get(_ALIASES.get(builtin[1], builtin[1]))
        return image is None or bool(image["package"])
    address = _ADDRESS.fullmatch(given)
    return not given or any(
        address[1] == table()["registries"][each["registry"]].get(address[2])
        and address[3] == each["training"]["repository"]
        for each in (table()["images"].values() if address else ())
        if address and each["package"]
    )


def suits(python: str, specifier: str) -> bool:
    """Tell whether an image's Python, of which the patch is not known, can be what a `python` setting asks for."""
    asked = python_specifier(specifier)
    return satisfies(python, asked) or satisfies(f"{python}.99", asked)


def registry_host(registry: str, region: str) -> str:
    """Give the host of a registry in a region; empty where the table has none there."""
    account = table()["registries"][registry].get(region, "")
    suffix = next(
        (suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com"
    )
    return f"{account}.dkr.ecr.{region}.{suffix}" if account else ""


def _known(name: str) -> str:
    images = table()["images"]
    if name in images:
        return name
    raise ImageFault(f"there is no first-party image '{name}'", nearest(name, images, "images"))


def _repository(image: FirstParty, serving: bool) -> Repository:
    return image.get("serving", image["training"]) if serving else image["training"]


def _version(name: str, asked: str, versions: Mapping[str, Version]) -> str:
    """Find a version; `2.6` stands for the newest 2.6."""
    if asked in versions:
        return asked
    found = [each for each in versions if not asked or re.match(rf"{re.escape(asked)}[.-]", each)]
    if found:
        return found[-1]
    raise ImageFault(f"image '{name}' has no version '{asked}'", nearest(asked, versions, "versions"))


def _specifiers(packages: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in packages:
        package = parse_package(each)
        found.setdefault(package.name, package.specifiers)
    return found


def _newest(versions: Mapping[str, Version], specifiers: str, python: str) -> str:
    """Give the newest version with the right Python, and with the framework that is asked for where there is one."""
    fitting = [
        each
        for each, version in versions.items()
        if not python or (version["python"] and suits(version["python"], python))
    ]
    exact = [each for each in fitting if specifiers and satisfies(_framework(each), specifiers)]
    return (exact or fitting or list(versions))[-1]


def _framework(version: str) -> str:
    """Give the framework's own version: image 1.4-2-py312 has 1.4.2."""
    return ".".join(version.split("-")[:2])


def _image(name: str, repository: Repository, version: str, place: Place, gpu: bool) -> Image:
    registry = table()["images"][name]["registry"]
    found = repository["versions"][version]
    tag = found["tag"].replace("{processor}", "gpu" if gpu else "cpu")
    placeholder = f"{registry}_registry" if place.region.startswith("<<") else ""
    host = f"<<{placeholder}>>" if placeholder else registry_host(registry, place.region)
    if not host:
        regions = table()["registries"][registry]
        message = f"image '{name}' is not to be had in region {place.region}"
        raise ImageFault(message, nearest(place.region, regions, "regions"))
    code_in_model = repository["repository"].endswith("-inference")
    return Image(f"{host}/{repository['repository']}:{tag}", found["python"], placeholder, code_in_model)
