"""`penstock schema`: the language as JSON Schema."""

from __future__ import annotations

import click


@click.command("schema")
@click.option(
    "--kind",
    type=click.Choice(["pipeline", "component", "tests"]),
    help="The schema of one kind of file; without it, of all, told apart by their 'kind'.",
)
def command(kind: str | None) -> None:
    """Print the JSON Schema of what can be written in a file, for editors and other tools.

    An editor with the YAML language server takes it by a first line such as
    '# yaml-language-server: $schema=schema.json'.
    """
    from penstock.cli.output import print_json
    from penstock.spec.published import json_schema

    print_json(json_schema(kind or ""))
