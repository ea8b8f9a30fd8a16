"""Versions and version specifiers of Python packages, as PEP 440 has them.

For the question whether what is installed will do; choosing among candidates is left to uv. Pre-releases
therefore satisfy a specifier like any other version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import NamedTuple

_PHASES = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_FINAL = 3
# Text and not patterns: most runs ask for none, and `re` keeps what it compiled.
_VERSION = (
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<phase>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre>\d*))?"
    r"(?P<post>-(?P<bare>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<number>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<day>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?"
)
_CLAUSE = r"(===|==|~=|!=|<=|>=|<|>)\s*(\S+)"


class Version(NamedTuple):
    """A version whose order as a tuple is PEP 440's order.

    Attributes:
        epoch: 0 for nearly all.
        release: without trailing zeros.
        pre: phase and number; (-1, 0) for a bare development release, (3, 0) for a final one.
        post: -1 where it is none.
        dev: infinite where it is none.
        local: words sort before numbers, both after nothing.
    """

    epoch: int
    release: tuple[int, ...]
    pre: tuple[int, int]
    post: int
    dev: float
    local: tuple[tuple[int, int, str], ...]

    @property
    def public(self) -> Version:
        """The same without its local part."""
        return self._replace(local=())

    @property
    def is_prerelease(self) -> bool:
        """Whether it is an alpha, beta, candidate or development release."""
        return self.pre[0] != _FINAL or self.dev != inf


@lru_cache(4096)
def parse_version(text: str) -> Version:
    """Read a version.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(_VERSION, text.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError(f"{text!r} is not a version")
    dev = int(found["day"] or 0) if found["dev"] else inf
    post = int(found["bare"] or found["number"] or 0) if found["post"] else -1
    if found["phase"]:
        pre = (_PHASES[found["phase"].lower()], int(found["pre"] or 0))
    else:
        # 1.0.dev1 comes before 1.0a1, but 1.0.post1.dev1 after 1.0.
        pre = (-1, 0) if found["dev"] and post < 0 else (_FINAL, 0)
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    words = re.split(r"[-_.]", found["local"].lower()) if found["local"] else ()
    local = tuple((1, int(word), "") if word.isdigit() else (0, 0, word) for word in words)
    return Version(int(found["epoch"] or 0), tuple(release), pre, post, dev, local)


def satisfies(version: str, specifiers: str) -> bool:
    """Tell whether a version satisfies all of comma-separated specifiers, such as `>=2.0, !=2.1.*`. None do.

    Raises:
        ValueError: the version or a specifier is malformed.
    """
    # No shortcut at the first clause that fails: a malformed one after it must be heard of.
    return all([_satisfies(version, *clause) for clause in clauses(specifiers)])


@lru_cache(1024)
def clauses(specifiers: str) -> tuple[tuple[str, str], ...]:
    """Take specifiers apart into operators and versions.

    Raises:
        ValueError: one of them is malformed.
    """
    found: list[tuple[str, str]] = []
    for clause in specifiers.split(","):
        if not clause.strip():
            continue
        parts = re.fullmatch(_CLAUSE, clause.strip())
        if parts is None:
            raise ValueError(f"{clause.strip()!r} is not a version specifier")
        operator, version = parts.groups()
        if operator != "===":
            wildcard = operator in ("==", "!=") and version.endswith(".*")
            _check_operand(operator, version.removesuffix(".*") if wildcard else version, wildcard)
        found.append((operator, version))
    return tuple(found)


def _check_operand(operator: str, text: str, wildcard: bool) -> None:
    version = parse_version(text)
    only_release = version.pre[0] == _FINAL and version.post < 0 and version.dev == inf
    if wildcard and not (only_release and not version.local):
        raise ValueError(f"{text}.* is not a version prefix")
    if version.local and operator not in ("==", "!="):
        raise ValueError(f"{operator} takes no local version, such as {text}")
    if operator == "~=" and "." not in _release(text):
        raise ValueError(f"~={text} needs a version of two parts at least")


def _satisfies(version: str, operator: str, wanted: str) -> bool:
    if operator == "===":
        return version.lower() == wanted.lower()
    has = parse_version(version)
    if wanted.endswith(".*"):
        return _starts_with(has, wanted.removesuffix(".*")) is (operator == "==")
    wants = parse_version(wanted)
    match operator:
        case "==" | "!=":
            return ((has if wants.local else has.public) == wants) is (operator == "==")
        case "~=":
            prefix = _release(wanted).rpartition(".")[0]
            return has.public >= wants and _starts_with(has, f"{wants.epoch}!{prefix}")
        case ">=":
            return has.public >= wants
        case "<=":
            return has.public <= wants
        case "<":
            # 2.0rc1 is not below 2.0 for anyone who writes <2.0.
            return has < wants and (wants.is_prerelease or not _is_prerelease_of(has, wants))
        case _:
            # Nor is 2.0.post1 above 2.0 for anyone who writes >2.0, or 2.0+cpu.
            plain = has._replace(post=-1, dev=inf)
            return has.public > wants and not (has.post >= 0 and plain.public == wants)


def _release(text: str) -> str:
    found = re.fullmatch(_VERSION, text.strip(), re.IGNORECASE | re.ASCII)
    return found["release"] if found else ""


def _is_prerelease_of(one: Version, other: Version) -> bool:
    if other.post >= 0:
        return one.dev != inf and one._replace(dev=inf, local=()) == other.public
    return one.is_prerelease and (one.epoch, one.release) == (other.epoch, other.release)


def _starts_with(version: Version, prefix: str) -> bool:
    parts = tuple(int(part) for part in _release(prefix).split("."))
    release = version.release + (0,) * (len(parts) - len(version.release))
    return version.epoch == parse_version(prefix).epoch and release[: len(parts)] == parts
