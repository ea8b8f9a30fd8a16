"""`penstock submit`: a pipeline, sent to the service of a profile and followed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.output import json_option, print_json
from penstock.cli.run import pairs

if TYPE_CHECKING:
    from penstock.asking import Asked
    from penstock.provider import Change

_MARKS = {
    "upload": ("↑", "cyan"),
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "start": ("▸", "cyan"),
    "keep": ("=", "bright_black"),
}


@click.command("submit")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--to", metavar="PROFILE", required=True, help="The profile of penstock.yaml to send it to.")
@click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, callback=pairs)
@click.option(
    "-d",
    "--data",
    "datasets",
    metavar="NAME=WHERE",
    multiple=True,
    callback=pairs,
    help="Replace a dataset, by an address or by a path of this machine.",
)
@click.option("--wait", is_flag=True, help="Follow it to its end, and fetch its results.")
@click.option("--dry-run", is_flag=True, help="Show what would change; send nothing.")
@click.option(
    "--stop-on-interrupt", is_flag=True, help="Let Ctrl-C stop what runs at the service, without asking."
)
@click.option("--quiet", "-q", is_flag=True, help="Leave out what the steps print.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    to: str,
    parameters: dict[str, str],
    datasets: dict[str, str],
    wait: bool,
    dry_run: bool,
    stop_on_interrupt: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Send the pipeline in SPEC to the service of a profile, with your own credentials, and start it there.

    SPEC is what `penstock run` takes. What is there already is not uploaded again, and a pipeline that did not change
    is left alone. The run is kept beside those of this machine; `penstock resume` follows one that nobody follows.

    Exits with 0 where it was started, or with --wait where every step ended well, else with 1.
    """
    from penstock.asking import Asked
    from penstock.cli.display import Display
    from penstock.cli.runs import run_json, show_end
    from penstock.submitting import submit

    asked = Asked(parameters, dict(datasets), as_text=True)
    if dry_run:
        _show_plan(spec, to, asked, as_json)
        return
    display = Display(quiet=quiet or as_json)
    with display.on_screen():
        run = submit(
            spec,
            to=to,
            asked=asked,
            watch=display.watch,
            wait=wait,
            stops=lambda: stop_on_interrupt or wants_stop(),
        )
    if wait:
        show_end(ctx, run, as_json)
    if as_json:
        print_json(run_json(run))
    else:
        click.echo(f"{run.record.remote.get('name') or run.record.pipeline} was started as run {run.id}")
        click.echo(f"  follow it: penstock resume {run.id}")


def wants_stop() -> bool:
    """Ask whether what runs at the service is to be stopped too; without a terminal it is not."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    try:
        return click.confirm("\nstop what runs at the service too?", default=False, err=True)
    except click.Abort:
        return False


def _show_plan(spec: Path, to: str, asked: Asked, as_json: bool) -> None:
    from penstock.submitting import plan_submit

    planned = plan_submit(spec, to=to, asked=asked)
    if as_json:
        print_json(planned.to_json())
        return
    click.echo(f"{planned.pipeline} to {planned.profile} ({planned.target}):")
    for each in _lines(planned.changes):
        click.echo(f"  {each}")
    click.echo("nothing was sent")


def _lines(changes: Sequence[Change]) -> list[str]:
    lines: list[str] = []
    for each in changes:
        mark, colour = _MARKS[each.action]
        detail = f": {each.detail}" if each.detail else ""
        lines.append(f"{click.style(f'{mark} {each.action:<6}', fg=colour)} {each.what}{detail}")
    return lines
