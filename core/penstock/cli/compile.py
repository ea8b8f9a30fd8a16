"""`penstock compile`: a target's native documents."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.output import json_option, print_json, show_diagnostics


@click.command("compile")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--target", metavar="T", required=True, help="What to compile to; see `penstock providers`.")
@click.option(
    "--profile", metavar="NAME", default="", help="Fill region, role, workspace … from penstock.yaml."
)
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), required=True)
@json_option
def command(spec: Path, target: str, profile: str, output: Path, as_json: bool) -> None:
    """Write the bundle of SPEC for a target: documents, assets, manifest, and the map back to the spec's lines.

    SPEC is YAML, or a Python file that makes a pipeline (FILE.py, FILE.py:NAME): that one is executed.

    Without a profile, what only an account knows stays a marked placeholder that submitting fills in.
    """
    from penstock.compiler import compile_bundle

    bundle = compile_bundle(spec, target, profile)
    folder = bundle.write(output)
    if as_json:
        found = [each.to_json() for each in bundle.diagnostics]
        print_json({"folder": str(folder), "manifest": bundle.manifest(), "diagnostics": found})
        return
    show_diagnostics(bundle.diagnostics)
    click.echo(f"{output / bundle.document}: {len(bundle.assets)} assets, for {target}")
    for each in bundle.launcher:
        click.echo(f"  launcher in step {each.step}: {each.reason}")
    for path, address in bundle.uploads.items():
        click.echo(f"  {path} is too long for a call: it is uploaded to {address}")
    if bundle.placeholders:
        click.echo(f"  to be filled in by submitting: {', '.join(bundle.placeholders)}")
