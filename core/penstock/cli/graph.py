"""`penstock graph`: a pipeline drawn."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("graph")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["mermaid", "dot", "json"]), default="mermaid", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(spec: Path, form: str, as_json: bool) -> None:
    """Draw the steps of SPEC, what flows between them, and the conditions on their way.

    SPEC is YAML, or a Python file that makes a pipeline (FILE.py, FILE.py:NAME): that one is executed.
    """
    from penstock.compiler import plan
    from penstock.drawing import dot, mermaid, nodes_and_edges

    graph = plan(spec, data=False).usable
    if as_json or form == "json":
        from penstock.cli.output import print_json

        print_json(nodes_and_edges(graph))
    else:
        click.echo(mermaid(graph) if form == "mermaid" else dot(graph), nl=False)
