"""Whether a requirement is met by what the job's environment was built for, or by what is installed in it."""

from __future__ import annotations

import os
import sys

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_OPERATORS = ("===", "==", "~=", "!=", "<=", ">=", "<", ">")


def canonical(text: str) -> str:
    """Give the one spelling of equal requirements."""
    body, semicolon, marker = text.partition(";")
    name, extras, specifiers = split(body)
    wanted = ",".join(sorted("".join(each.split()) for each in specifiers.split(",")))
    return name + extras + wanted + (semicolon + " ".join(marker.split()) if semicolon else "")


def split(text: str) -> tuple[str, str, str]:
    """Take a requirement apart: the normalised name, the extras with their brackets, the rest."""
    text = text.strip()
    end = next((at for at, letter in enumerate(text) if letter not in _NAME), len(text))
    name, rest = normalise(text[:end]), text[end:].strip()
    extras = ""
    if rest.startswith("["):
        inside, _, rest = rest[1:].partition("]")
        extras = "[" + ",".join(sorted(normalise(each.strip()) for each in inside.split(","))) + "]"
    return name, extras, rest.strip().strip("()")


def normalise(name: str) -> str:
    """Give a package's name as indexes compare it."""
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(each for each in parts if each)


def is_met(asked: str, provided: list[str]) -> bool:
    """Tell whether a requirement needs nothing more.

    A pip is what is asked already; of others that the environment was not built for, word by word, the
    installed version decides.
    """
    if canonical(asked) in {canonical(each) for each in provided}:
        return True
    # What is met needs nothing, whether or not the marker holds.
    asked = asked.partition(";")[0].strip()
    name, extras, specifiers = split(asked)
    if name == "pip":
        return True
    if not name or extras or "@" in specifiers or "/" in asked or os.path.isdir(asked):
        return False
    if not specifiers and name in {split(each)[0] for each in provided}:
        return True
    has = installed_version(name)
    return bool(has) and all(_satisfies(has, each.strip()) for each in specifiers.split(",") if each.strip())


def installed_version(name: str) -> str:
    """Give the version that a package is installed in, read off its metadata's folder; empty for none."""
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            if entry.endswith(".dist-info") or entry.endswith(".egg-info"):
                parts = entry[: -len(".dist-info")].split("-")
                if len(parts) > 1 and normalise(parts[0]) == name:
                    return parts[1]
    return ""


def _satisfies(has: str, clause: str) -> bool:
    """Compare plain versions; another kind counts as not satisfied, and the real pip decides."""
    operator = next((each for each in _OPERATORS if clause.startswith(each)), "")
    wanted = clause[len(operator) :].strip()
    if operator == "===":
        return has == wanted
    if operator in ("==", "!=") and wanted.endswith(".*"):
        start, own = _numbers(wanted[:-2]), _numbers(has)
        if start is None or own is None:
            return False
        return ((own + (0,) * len(start))[: len(start)] == start) is (operator == "==")
    own, other = _numbers(has), _numbers(wanted)
    if own is None or other is None or not operator:
        return False
    width = max(len(own), len(other))
    left, right = own + (0,) * (width - len(own)), other + (0,) * (width - len(other))
    if operator == "~=":
        return left >= right and len(other) > 1 and left[: len(other) - 1] == other[:-1]
    return {
        "==": left == right,
        "!=": left != right,
        "<=": left <= right,
        ">=": left >= right,
        "<": left < right,
        ">": left > right,
    }[operator]


def _numbers(version: str) -> tuple[int, ...] | None:
    """Read a release such as 1.4.2, without a local part; None for alphas, posts and the like."""
    parts = version.split("+")[0].split(".")
    return tuple(int(each) for each in parts) if all(each.isdigit() for each in parts) else None
