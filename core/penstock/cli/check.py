"""`penstock check`: every problem at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.output import exit_code, json_option, print_json, show_diagnostics
from penstock.diagnostics import has_errors

if TYPE_CHECKING:
    from penstock.portability import Row


@click.command("check")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--target", metavar="T", default="", help="Also say what this target cannot keep.")
@click.option("--profile", metavar="NAME", default="", help="A profile of penstock.yaml, with --target.")
@json_option
@click.pass_context
def command(ctx: click.Context, spec: Path, target: str, profile: str, as_json: bool) -> None:
    """Find every problem of SPEC at once: code, place, excerpt, hint.

    SPEC is YAML, or a Python file that makes a pipeline (FILE.py, FILE.py:NAME): that one is executed.

    Without a target, shows step by step how each cloud carries the pipeline: in its own form, through a script
    that bundles ship, approximately, or not at all; and what `compile` would say of it. Exits with 1 where there are
    errors; warnings and notes, and what a target refuses that was not asked for, leave it at 0.

    SPEC may be a bundle's folder, or a document of a cloud's own, as `run` takes it: what `run` would say of it before
    anything runs.
    """
    from penstock.checking import check_document

    rows: list[Row] = []
    found = check_document(spec, target, profile)
    if found is None:
        from penstock.compiler import examine, portable

        found, checked = examine(spec, target, profile)
        rows = portable(checked) if not target and not profile and not has_errors(found) else []
    if as_json:
        result = {"ok": not has_errors(found), "diagnostics": [each.to_json() for each in found]}
        if rows:
            from penstock.cli.portability import as_json as table

            result["portability"] = table(rows)
        print_json(result)
    else:
        show_diagnostics(found)
        if not found:
            click.echo(f"{spec}: {_nothing_found(rows)}")
        if rows:
            from penstock.cli.portability import show_portability

            click.echo()
            show_portability(rows)
    ctx.exit(exit_code(found))


def _nothing_found(rows: Sequence[Row]) -> str:
    from penstock.capabilities import Support

    carried = [pair for row in rows for pair in row.targets.items()]
    refusing = dict.fromkeys(name for name, each in carried if each.support is Support.UNSUPPORTED)
    if not refusing:
        return "no findings"
    one = "refuses" if len(refusing) == 1 else "refuse"
    return f"no findings in the spec itself; {' and '.join(refusing)} {one} what stands below"
