"""`penstock explain`: more about a code."""

from __future__ import annotations

import click

from penstock.cli.output import json_option, print_json


@click.command("explain")
@click.argument("code", default="")
@json_option
def command(code: str, as_json: bool) -> None:
    """Say what CODE means, how it comes about and how to mend it; without CODE, list all codes."""
    from penstock.codes import all_codes, find

    if not code:
        rows = all_codes()
        if as_json:
            print_json([{"code": each.code, "title": each.title} for each in rows])
        for each in () if as_json else rows:
            click.echo(f"{each.code}  {each.title}")
        return
    found = find(code)
    if as_json:
        print_json({"code": found.code, "title": found.title, "text": found.text})
        return
    click.secho(f"{found.code}: {found.title}", bold=True)
    click.echo(f"\n{found.text}")
