"""`penstock resume`: take a run up again."""

from __future__ import annotations

import click

from penstock.cli.output import json_option


@click.command("resume")
@click.argument("run", default="last")
@click.option(
    "--stop-on-interrupt", is_flag=True, help="Let Ctrl-C stop what runs at a service, without asking."
)
@click.option("--quiet", "-q", is_flag=True, help="Leave out what the steps print.")
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, stop_on_interrupt: bool, quiet: bool, as_json: bool) -> None:
    """Take up RUN (an id, the beginning of one, or `last`) where it was stopped, killed or failed.

    Steps that succeeded are kept. The run goes on with the pipeline, code and parameters that it began with. One that
    was submitted is followed again; where it failed, the service is asked to try again what failed.
    """
    from penstock.cli.display import Display
    from penstock.cli.runs import show_end
    from penstock.cli.submit import wants_stop
    from penstock.running import resume

    display = Display(quiet=quiet or as_json)
    with display.on_screen():
        ended = resume(run, watch=display.watch, stops=lambda: stop_on_interrupt or wants_stop())
    show_end(ctx, ended, as_json)
