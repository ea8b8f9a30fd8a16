"""How verbs print: diagnostics on stderr, results on stdout, JSON where it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from penstock.diagnostics import Diagnostic, Severity, count, render
from penstock.json_text import escaped

F = TypeVar("F", bound=Callable[..., Any])

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(command)


def print_json(value: Any) -> None:
    """Print a result for programs."""
    click.echo(escaped(json.dumps(value, indent=2, ensure_ascii=False, default=str)))


_WRONG_CALL = frozenset({"P121", "P130", "P133", "P150", "P152"})
"""Findings about the words of the call rather than about a spec: a target, profile or folder that will not do."""


def exit_code(found: Iterable[Diagnostic]) -> int:
    """Give 2 where the call itself was wrong, 1 where there are other errors, else 0."""
    codes = {each.code for each in found if each.severity is Severity.ERROR}
    return 2 if codes & _WRONG_CALL else 1 if codes else 0


def show_diagnostics(found: Sequence[Diagnostic], *, summary: bool = True) -> None:
    """Print findings for people, and a line that counts them."""
    for each in found:
        first, *rest = render(each).splitlines()
        click.secho(first, fg=_COLOURS[each.severity], bold=True, err=True)
        click.echo("\n".join([*rest, ""]), err=True)
    if summary and found:
        click.echo(count(found), err=True)
