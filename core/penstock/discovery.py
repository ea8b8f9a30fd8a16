"""Finding providers through entry points; only what is asked for is imported."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from penstock.diagnostics import error
from penstock.entry_points import EntryPoint, entry_points
from penstock.errors import PenstockError
from penstock.provider import Provider, Target
from penstock.suggest import nearest, nearest_first

OFFLINE = "local"
"""The target whose documents are the reference meaning of the language."""

GROUP = "penstock.providers"


@cache
def _entries() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        known = found.get(entry.name)
        if known is not None and known.value != entry.value:
            message = f"two installed packages provide '{entry.name}': {known.value} and {entry.value}"
            raise PenstockError([error("P120", message, hint="uninstall one of them")])
        found[entry.name] = entry
    return found


def names() -> list[str]:
    """Name the installed providers, sorted."""
    return sorted(_entries())


@cache
def load(name: str) -> Provider:
    """Import one provider and make it.

    Raises:
        PenstockError: nothing provides that name (P121), two packages do (P120), or it cannot be imported (P122).
    """
    entry = _entries().get(name)
    if entry is None:
        message = f"there is no provider '{name}'"
        raise PenstockError([error("P121", message, hint=nearest(name, names(), "installed"))])
    try:
        provider: Provider = entry.load()()
    except (ImportError, AttributeError) as fault:
        message = f"the provider '{name}' ({entry.value}) cannot be imported: {fault}"
        raise PenstockError([error("P122", message, hint="install it again, or uninstall it")]) from fault
    return provider


@cache
def targets() -> dict[str, Target]:
    """Give every installed target by name."""
    found: dict[str, Target] = {}
    for name in names():
        for target_name, target in load(name).targets().items():
            if target_name in found:
                message = (
                    f"two providers have a target '{target_name}': {found[target_name].provider} and {name}"
                )
                raise PenstockError([error("P120", message, hint="uninstall one of them")])
            found[target_name] = target
    return found


def target(name: str) -> Target:
    """Give one target; a provider of the same name is asked first, so that the others stay unloaded.

    A provider that cannot be imported is no hindrance where another one has the target.

    Raises:
        PenstockError: there is no such target (P121); the hint names those there are, the nearest first.
    """
    if name in _entries():
        own = load(name).targets().get(name)
        if own is not None:
            return own
    owned: list[Target] = []
    for provider in names():
        with suppress(PenstockError):
            owned += [each for other, each in load(provider).targets().items() if other == name]
    found = owned[0] if len(owned) == 1 else targets().get(name)
    if found is None:
        message = f"there is no target '{name}'"
        raise PenstockError([error("P121", message, hint=nearest_first(name, targets(), "targets"))])
    return found
