"""What the steps of a run printed."""

from __future__ import annotations

from penstock.runtime.results import Run

_LOOKED_AT = 256 * 1024


def last_lines(run: Run, step: str, lines: int = 10_000) -> tuple[str, ...]:
    """Give the last lines that a step printed, of at most 256 KiB; none where it has no log."""
    log = run.steps[step].log
    if not log:
        return ()
    # Logs are named from the project's home, which holds the folder of runs.
    path = run.folder.parent.parent / log
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _LOOKED_AT))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-lines:])
