"""Addresses of images, and the section `images:` of penstock.yaml: what the user says that an image means."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, cast

from penstock.frozen import dataclass
from penstock.runtime.requirements import parse_package, python_specifier
from penstock.suggest import nearest
from penstock_aws.sagemaker.images import ImageFault

__all__ = ["Address", "ImageFault", "Mapped", "find_mapped", "read_address"]

_SETTINGS = ("python", "packages", "run", "toolkit")
_ACCOUNT = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.")


@dataclass(frozen=True, slots=True)
class Address:
    """An image's address, taken apart; the host is empty where it names none, the tag where it has a digest."""

    uri: str
    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def account(self) -> str:
        """The AWS account whose registry it is; empty for others."""
        found = _ACCOUNT.match(self.host)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What penstock.yaml says of an image; None where it does not say."""

    python: str | None = None
    packages: tuple[str, ...] | None = None
    run: tuple[str, ...] = ()
    toolkit: bool | None = None


def read_address(uri: str) -> Address:
    """Take an address apart; anything is one."""
    first, slash, rest = uri.strip().partition("/")
    is_host = slash and ("." in first or ":" in first or first.startswith("<<") or first == "localhost")
    host, path = (first, rest) if is_host else ("", uri.strip())
    path, _, digest = path.partition("@")
    repository, _, tag = path.partition(":")
    return Address(uri, host, repository, tag, digest)


def find_mapped(address: Address, overrides: Mapping[str, Mapping[str, Any]]) -> Mapped | None:
    """Give what the most specific key says that matches an address: a whole one, then the longest version.

    Raises:
        ImageFault: what that key says is malformed.
    """
    ranked = [(rank, key) for key in overrides if (rank := _rank(address, key))]
    if not ranked:
        return None
    key = max(ranked)[1]
    return _mapped(key, overrides[key])


def _rank(address: Address, key: str) -> tuple[int, int, int] | None:
    """Tell how specific a key is, and whether it matches at all."""
    if key == address.uri:
        return (1, 0, 0)
    wanted = read_address(key)
    if wanted.repository != address.repository or wanted.digest not in ("", address.digest):
        return None
    if wanted.host not in ("", address.host) or not _starts(address.tag, wanted.tag):
        return None
    return (0, len(wanted.tag) + len(wanted.digest), len(wanted.host))


def _starts(tag: str, prefix: str) -> bool:
    """Tell whether a tag starts with a version: 1.4-2-cpu-py3 does with 1.4-2 and 1.4, not with 1.4-20 or 1.4-."""
    return not prefix or tag == prefix or (tag.startswith(prefix) and not tag[len(prefix)].isalnum())


def _mapped(key: str, said: object) -> Mapped:
    place = f"images: '{key}' of penstock.yaml"
    hint = 'write "sagemaker-scikit-learn:1.4-2": {python: ">=3.11", packages: [scikit-learn==1.4.2]}'
    if not isinstance(said, Mapping):
        raise ImageFault(f"{place} is no mapping", hint)
    settings = cast("Mapping[str, Any]", said)
    for each in settings:
        if each not in _SETTINGS:
            raise ImageFault(
                f"{place} has an unknown setting '{each}'", nearest(str(each), _SETTINGS, "settings")
            )
    python, toolkit = settings.get("python"), settings.get("toolkit")
    if isinstance(python, float):
        # YAML reads 3.11 as a number, and 3.10 as 3.1.
        raise ImageFault(f"{place}: python is a number", f'quote it: python: "{python}"')
    if not isinstance(python, str | None) or not isinstance(toolkit, bool | None):
        raise ImageFault(f"{place}: python is a text, toolkit true or false", hint)
    packages = _words(settings.get("packages"), f"{place}: packages", hint)
    run = settings.get("run")
    if isinstance(run, str):
        try:
            run = shlex.split(run)
        except ValueError as fault:
            raise ImageFault(f"{place}: run is no command: {fault}", "close the quote") from fault
    command = _words(run, f"{place}: run", "write run: python stand_in.py")
    if run is not None and not command:
        raise ImageFault(f"{place}: run is empty", "write run: python stand_in.py")
    try:
        python_specifier(python or "")
        for each in packages or ():
            parse_package(each)
    except ValueError as fault:
        raise ImageFault(f"{place}: {fault}", hint) from fault
    return Mapped(python, packages, command or (), toolkit)


def _words(value: object, place: str, hint: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    listed = cast("Sequence[object]", value) if isinstance(value, list | tuple) else None
    if listed is None or not all(isinstance(each, str) for each in listed):
        raise ImageFault(f"{place} is no list of texts", hint)
    return tuple(cast("Sequence[str]", listed))
