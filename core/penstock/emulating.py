"""Opening a provider's endpoint, and running commands whose clients are pointed at it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from types import FrameType

from penstock import discovery
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.provider import Endpoint
from penstock.runtime.offline import stopping_on_signals
from penstock.runtime.project import VARIABLE, Project


def open_endpoint(provider: str, project: Project, *, port: int = 0, region: str = "") -> Endpoint:
    """Open the endpoint of a provider.

    Raises:
        PenstockError: there is no such provider (P121).
        RunError: it has no endpoint (P444), or it cannot be opened (P440 to P443).
    """
    opens = discovery.load(provider).endpoint()
    if opens is None:
        others = [name for name in discovery.names() if discovery.load(name).endpoint() is not None]
        hint = f"those that have one: {', '.join(others) or 'none'}"
        raise RunError([error("P444", f"the provider '{provider}' has no endpoint", hint=hint)])
    return opens(project, port=port, region=region)


def pointed(endpoint: Endpoint, caller: Mapping[str, str], project: Project | None = None) -> dict[str, str]:
    """Compose the environment of a command whose clients are to find the endpoint, and nothing of the caller's.

    Variables of every installed provider are left out, so that a script for one cloud cannot reach another either.
    """
    beginnings = tuple(each for name in discovery.names() for each in discovery.load(name).variables)
    kept = {
        name: value
        for name, value in caller.items()
        if not beginnings or not name.upper().startswith(beginnings)
    }
    if project is not None:
        kept[VARIABLE] = str(project.root)
    given = dict(endpoint.environment)
    for name in ("NO_PROXY", "no_proxy"):
        # These are lists, and the caller's own hosts stay in them.
        if name in given and caller.get(name):
            given[name] = f"{caller[name]},{given[name]}"
    return kept | given


def run_pointed(command: Sequence[str], endpoint: Endpoint, project: Project | None = None) -> int:
    """Run a command to its end and give its exit code, as a shell would: 128 and the number for a signal.

    Signals that end this process go to the command instead. Ctrl-C reaches it from the terminal anyway.

    Raises:
        RunError: it cannot be started (P445).
    """
    try:
        process = subprocess.Popen(command, env=pointed(endpoint, os.environ, project))
    except (OSError, ValueError) as found:
        reason = found.strerror if isinstance(found, OSError) else found
        raise RunError([error("P445", f"'{command[0]}' cannot be started: {reason}")]) from None

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        if number != signal.SIGINT:
            process.send_signal(number)

    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        ended = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return ended if ended >= 0 else 128 - ended


def serve() -> None:
    """Wait until Ctrl-C or another signal asks for the end."""
    stop = threading.Event()
    with stopping_on_signals(stop):
        stop.wait()
