"""`penstock test`: a pipeline's own tests, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.output import json_option

if TYPE_CHECKING:
    from penstock.testing.result import CaseResult


@click.command("test")
@click.argument(
    "named", metavar="FILE|SPEC|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--on", metavar="TARGET", default="", help="Run on this target, whatever the files name.")
@click.option("-k", "part", metavar="NAME", default="", help="Only the cases with NAME in their name.")
@click.option("--jobs", "-j", type=click.IntRange(1, 4096), default=None, help="Cases at once.")
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write JUnit XML as well.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    named: tuple[Path, ...],
    on: str,
    part: str,
    jobs: int | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Run the cases of tests files, side by side, each in a project folder of its own.

    A pipeline stands for the tests files beside it that name it, a folder for all in it. Running a case executes the
    code of the pipeline's author. Exits with 1 where a case failed, 2 where the call was wrong.
    """
    import threading
    import time

    from penstock.cli.display import seconds
    from penstock.cli.output import exit_code, print_json, show_diagnostics
    from penstock.diagnostics import has_errors
    from penstock.running import emulator_of
    from penstock.runtime.offline import stopping_on_signals
    from penstock.testing.finding import find_tests
    from penstock.testing.progress import Progress
    from penstock.testing.report import count
    from penstock.testing.session import items_of, run_items
    from penstock.testing.suite import load_suite

    if on:
        # Said before anything else: asked for in so many words, it is no skip.
        emulator_of(on)
    suites = [load_suite(each) for each in find_tests(named)]
    wrong = list(dict.fromkeys(each for suite in suites for each in suite.diagnostics))
    if has_errors(wrong):
        if as_json:
            print_json({"ok": False, "diagnostics": [each.to_json() for each in wrong], "results": []})
        else:
            show_diagnostics(wrong)
        ctx.exit(exit_code(wrong))
    items = items_of(suites, on=on, named=part)
    progress = Progress(items, quiet=as_json)
    began = time.time()
    stop = threading.Event()
    with stopping_on_signals(stop), progress.on_screen():
        results = run_items(items, jobs=jobs or 0, stop=stop, on_start=progress.start, on_end=progress.end)
    bad = any(each.verdict in ("failed", "stopped") for each in results)
    if as_json:
        print_json({"ok": not bad, "diagnostics": [], "results": [each.to_json() for each in results]})
    else:
        _show_failures(results)
        click.secho(
            f"{count(results)} in {seconds(time.time() - began)}", fg="red" if bad else "green", bold=True
        )
    if junit is not None:
        from penstock.testing.junit import write_junit

        # After what people read: a report that cannot be written takes nothing from them.
        write_junit(results, junit, began)
    ctx.exit(1 if bad else 0)


def _show_failures(results: list[CaseResult]) -> None:
    from penstock.testing.report import told

    for each in results:
        if each.verdict == "failed":
            click.echo()
            click.secho(f"✗ {each.name}", fg="red", bold=True)
            if each.description:
                click.echo(f"  {each.description}")
            click.echo("\n".join(f"  {line}" for line in told(each).splitlines()))
    click.echo()
