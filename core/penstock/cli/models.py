"""`penstock models`: the local model registry."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from penstock.cli.output import json_option, print_json

if TYPE_CHECKING:
    from penstock.models.registry import ModelSummary, ModelVersion


@click.group("models")
def command() -> None:
    """List, approve and reject registered models of this project."""


@command.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List registered models."""
    from penstock.runtime.project import find_project

    found: tuple[ModelSummary, ...] = ()
    # Before the first run there is no ledger, and no models are what there is to list.
    if find_project(Path.cwd()).ledger.exists():
        with _registry() as registry:
            found = registry.list_models()
    if as_json:
        print_json([_plain(each) for each in found])
        return
    if not found:
        click.echo("no models yet")
    for each in found:
        approved = f"approved {each.approved}" if each.approved else "none approved"
        plural = "s" if each.versions > 1 else ""
        click.echo(f"{each.name}  {each.versions} version{plural}, latest {each.latest.version}, {approved}")


@command.command("show")
@click.argument("name")
@click.argument("version", default="latest")
@json_option
def show(name: str, version: str, as_json: bool) -> None:
    """Show VERSION of NAME (a number, `latest` or `approved`): metrics, lineage, decisions."""
    with _registry() as registry:
        found = registry.get(name, _version(version))
        decisions = registry.decisions(name, found.version)
    if as_json:
        print_json({**found.to_json(), "decisions": [_plain(each) for each in decisions]})
        return
    click.echo(f"{found.name} version {found.version}: {found.approval}")
    if found.description:
        click.echo(f"  {found.description}")
    click.echo(f"  created {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(found.created))}")
    click.echo(f"  model {found.digest[:12]}")
    for key, value in found.lineage.items():
        rows = cast("dict[str, Any]", value) if isinstance(value, dict) else {"": value}
        for inner, each in rows.items():
            shown = str(each)[:12] if key in ("code", "datasets") else each
            click.echo(
                f"  {' '.join(filter(None, (key.removesuffix('s') if inner else key, inner)))} = {shown}"
            )
    from penstock.cli.runs import flat

    for key, value in flat(found.metrics):
        click.echo(f"  metric {key} = {value}")
    for each in decisions:
        comment = f": {each.comment}" if each.comment else ""
        click.echo(f"  {each.approval} by {each.decided_by}{comment}")


@command.command("approve")
@click.argument("name")
@click.argument("version", default="latest")
@click.option("--comment", "-m", default="", help="Why.")
@json_option
def approve(name: str, version: str, comment: str, as_json: bool) -> None:
    """Approve VERSION of NAME."""
    with _registry() as registry:
        found = registry.approve(name, registry.get(name, _version(version)).version, comment)
    _decided(found, as_json)


@command.command("reject")
@click.argument("name")
@click.argument("version", default="latest")
@click.option("--comment", "-m", default="", help="Why.")
@json_option
def reject(name: str, version: str, comment: str, as_json: bool) -> None:
    """Reject VERSION of NAME."""
    with _registry() as registry:
        found = registry.reject(name, registry.get(name, _version(version)).version, comment)
    _decided(found, as_json)


def _decided(found: ModelVersion, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(f"{found.name} version {found.version}: {found.approval}")


def _version(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _registry() -> Any:
    from penstock.models.registry import ModelRegistry
    from penstock.runtime.project import find_project

    return ModelRegistry.open(find_project(Path.cwd()).ledger, create=False)


def _plain(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)
