"""The command line. One file a verb, imported when it is called: `penstock --help` loads click and nothing else.

Exit codes: 0 fine, 1 the run or check failed, 2 the call was wrong. Results go to stdout, findings and progress to
stderr. Whatever a user can cause is shown as a diagnostic, never as a traceback.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from contextlib import suppress
from importlib import import_module

import click

VERBS: dict[str, str] = {
    "init": "Write a small working pipeline to start from.",
    "check": "Find every problem of a spec at once.",
    "run": "Run a pipeline offline.",
    "resume": "Take up a stopped, killed or failed run.",
    "test": "Run a pipeline's own tests offline.",
    "compile": "Write a target's native documents.",
    "submit": "Send a pipeline to its service, and follow it there.",
    "emulate": "Serve a cloud's own clients on this machine.",
    "runs": "List and look at runs.",
    "models": "List, approve and reject registered models.",
    "graph": "Draw a pipeline.",
    "explain": "Say more about a diagnostic's code.",
    "schema": "Print the JSON Schema of the language.",
    "providers": "Show targets and what each of them keeps.",
    "completion": "Print the completion script of a shell.",
}


class Verbs(click.Group):
    """Lists verbs by name, and imports one only when it is called or asked for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the verbs in the order in which a user meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb's file."""
        if cmd_name not in VERBS:
            return None
        found: click.Command = import_module(f"penstock.cli.{cmd_name}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest verb where there is none of that name."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from penstock.suggest import nearest

            raise click.UsageError(f"there is no verb '{args[0]}'; {nearest(args[0], VERBS, 'verbs')}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table above, without importing the verbs."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(None, "-V", "--version", package_name="penstock", message="penstock %(version)s")
def penstock() -> None:
    """Run a machine-learning pipeline offline, and compile it to the cloud that stands below."""


def main() -> None:
    """Run the command line; the entry point of the `penstock` script."""
    # Nearly all that a command makes it keeps to its end: looking for garbage often finds none and costs a tenth.
    gc.set_threshold(50_000)
    _prepare_streams()
    try:
        code = penstock.main(prog_name="penstock", standalone_mode=False)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.ClickException as wrong:
        wrong.show()
        code = 2
    except click.Abort:
        click.echo("stopped", err=True)
        code = 1
    except SystemExit:
        # So click answers where the reader of our output left, as `| head` does: not a failure of ours.
        code = 0
    except Exception as fault:
        code = _told(fault)
    _let_go_of_streams()
    # Nor does the interpreter have to go through all of it once more as it ends.
    gc.freeze()
    sys.exit(code if isinstance(code, int) else 0)


def _prepare_streams() -> None:
    """Make printing safe: nothing that is to be shown, and no stream that the caller closed, may end a verb."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            # ✓ in Latin-1, or a byte that is no text.
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_streams() -> None:
    """Flush; what can no longer be written is dropped here, or the interpreter would complain of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _told(fault: Exception) -> int:
    from penstock.errors import PenstockError, RunError

    if isinstance(fault, OSError):
        # What Penstock itself reads and writes is told where it happens; this is a stream, or a file that vanished.
        place = f"{fault.filename}: " if fault.filename else ""
        with suppress(OSError):
            click.echo(f"error: {place}{fault.strerror or fault}", err=True)
        return 1
    if not isinstance(fault, PenstockError):
        raise fault
    from penstock.cli.output import exit_code, show_diagnostics

    show_diagnostics(fault.diagnostics)
    return 2 if isinstance(fault, RunError) else exit_code(fault.diagnostics)
