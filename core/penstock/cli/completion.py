"""`penstock completion`: the completion script of a shell."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    For bash: penstock completion bash > ~/.local/share/bash-completion/completions/penstock
    """
    from click.shell_completion import get_completion_class

    from penstock.cli import penstock

    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"there is no completion for {shell}")
    click.echo(found(penstock, {}, "penstock", "_PENSTOCK_COMPLETE").source())
