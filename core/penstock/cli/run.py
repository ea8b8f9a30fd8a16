"""`penstock run`: a pipeline, offline."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.output import json_option

JOBS = click.option("--jobs", "-j", type=click.IntRange(1, 4096), default=None, help="Steps at once.")


def pairs(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Read `name=value` options; the value may hold further equals signs."""
    del ctx
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"'{each}' is not NAME=VALUE", param=option)
        if name in found:
            raise click.BadParameter(f"'{name}' is given twice", param=option)
        found[name] = value
    return found


def faults(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, tuple[str, int]]:
    """Read `STEP=CODE:N` options; without N, one attempt fails."""
    found: dict[str, tuple[str, int]] = {}
    for step, value in pairs(ctx, option, given).items():
        code, _, count = value.rpartition(":") if ":" in value else (value, "", "1")
        if not count.isdecimal() or len(count) > 4:
            raise click.BadParameter(f"'{step}={value}' is not STEP=CODE:N", param=option)
        found[step] = (code, int(count))
    return found


@click.command("run")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--on", metavar="TARGET", default="", help="Whose compiled document to run; by default that of local."
)
@click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, callback=pairs)
@click.option(
    "-d", "--data", "datasets", metavar="NAME=PATH", multiple=True, callback=pairs, help="Replace a dataset."
)
@JOBS
@click.option("--no-cache", is_flag=True, help="Run every step, whatever earlier runs made.")
@click.option("--rerun", metavar="STEP", multiple=True, help="Run this step even where it is cached.")
@click.option(
    "--pass-env", metavar="NAME", multiple=True, help="Let a variable of this shell into the steps, masked."
)
@click.option(
    "--isolate", is_flag=True, help="Run the steps without a network; refused where that cannot be had."
)
@click.option(
    "--replace",
    metavar="ADDRESS=PATH",
    multiple=True,
    callback=pairs,
    help="Let data of this machine stand for what a document reads from an address.",
)
@click.option(
    "--fault",
    "met",
    metavar="STEP=CODE:N",
    multiple=True,
    callback=faults,
    help="Let a step's first N attempts meet a fault of the service.",
)
@click.option("--select", metavar="STEP", multiple=True, help="Run this step, with the others as they were.")
@click.option("--from", "source", metavar="RUN", default="", help="The run that --select goes back to.")
@click.option("--quiet", "-q", is_flag=True, help="Leave out what the steps print.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    on: str,
    parameters: dict[str, str],
    datasets: dict[str, str],
    jobs: int | None,
    no_cache: bool,
    rerun: tuple[str, ...],
    pass_env: tuple[str, ...],
    isolate: bool,
    replace: dict[str, str],
    met: dict[str, tuple[str, int]],
    select: tuple[str, ...],
    source: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the pipeline in SPEC on this machine. A run executes the pipeline author's code.

    SPEC is YAML, or a Python file that makes a pipeline (FILE.py, FILE.py:NAME): that one is executed. Or it is the
    folder of a bundle that `penstock compile` wrote, or a service's own document, such as a pipeline definition.

    Exits with 0 where every step ended well or was skipped by its condition, else with 1.
    """
    from penstock.asking import Asked
    from penstock.cli.display import Display
    from penstock.cli.runs import show_end
    from penstock.running import start

    asked = Asked(
        parameters,
        datasets,
        jobs or 0,
        not no_cache,
        rerun,
        pass_env,
        isolate,
        as_text=True,
        replace=dict(replace),
        faults=met,
        select=select,
        source=source,
    )
    display = Display(quiet=quiet or as_json)
    with display.on_screen():
        run = start(spec, on=on, asked=asked, watch=display.watch)
    show_end(ctx, run, as_json)
