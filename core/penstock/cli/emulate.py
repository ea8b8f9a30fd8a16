"""`penstock emulate`: a loopback endpoint for a cloud's own clients, and commands that are pointed at it."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from shlex import quote

import click

from penstock.cli.output import json_option


@click.command("emulate")
@click.argument("provider")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port to serve; by default one that is free."
)
@click.option("--region", default="", help="The region that the endpoint pretends to be in.")
@json_option
@click.argument("cmd", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.pass_context
def command(
    ctx: click.Context, provider: str, port: int, region: str, as_json: bool, cmd: tuple[str, ...]
) -> None:
    """Serve PROVIDER's own clients on this machine.

    What they put there and start there is kept in the project, and outlives a restart. Without COMMAND the endpoint
    serves until Ctrl-C, and prints one line for a shell to evaluate. With one it serves that command, which sees no
    cloud's variables but the endpoint's own, and ends with it, and with its exit code.
    """
    from pathlib import Path

    from penstock.emulating import open_endpoint, run_pointed, serve
    from penstock.runtime.project import find_project

    project = find_project(Path.cwd())
    endpoint = open_endpoint(provider, project, port=port, region=region)
    try:
        if cmd:
            click.echo(f"serving {provider} at {endpoint.url}", err=True)
            ctx.exit(run_pointed(cmd, endpoint, project))
        click.echo(_json(endpoint.url, endpoint.environment) if as_json else _exports(endpoint.environment))
        click.echo(f"serving {provider} at {endpoint.url} for {project.root}; Ctrl-C ends it", err=True)
        serve()
    finally:
        endpoint.close()


def _exports(environment: Mapping[str, str]) -> str:
    return " ".join(["export", *(f"{name}={quote(value)}" for name, value in environment.items())])


def _json(url: str, environment: Mapping[str, str]) -> str:
    return dumps({"url": url, "environment": dict(environment)})
