"""`penstock init`: a small working pipeline to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from penstock.cli.output import json_option, print_json


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Write a small pipeline into FOLDER that runs at once and needs nothing installed."""
    from penstock.starter import write

    written = write(folder)
    spec = folder / "pipeline.yaml"
    if as_json:
        print_json({"spec": str(spec), "written": [str(path) for path in written]})
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"\nnow: penstock run {shlex.quote(str(spec))}")
