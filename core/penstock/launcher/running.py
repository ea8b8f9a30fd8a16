"""How Penstock's map runs its items: some processes at a time, their lines kept apart, stopped together.

Shipped beside `mapping.py`. Standard library only, Python 3.7 and later.
"""

# pyright: basic
# (the other scripts stand beside this one by file, not by package)
from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.launcher.items import Item
    from penstock.launcher.plan import Plan

# Seconds between the request to stop and the end of what did not heed it.
GRACE = 10.0
LOCK = threading.Lock()
RUNNING: set[subprocess.Popen[bytes]] = set()
STOPPED: list[int] = []


def run_items(items: list[Item], plan: Plan, parallel: int, tolerate: int) -> tuple[dict[str, str], int]:
    """Run the command for items; give the failed ones (key → what happened) and how many were started."""
    # Every word is joined before anything runs: a plan that does not fit its items fails at once.
    waiting = [(each, plan.words(each), plan.environment(each)) for each in reversed(items)]
    failed: dict[str, str] = {}

    def work() -> None:
        while True:
            with LOCK:
                if STOPPED or len(failed) > tolerate or not waiting:
                    return
                item, command, env = waiting.pop()
            fault = run_item(item, plan, command, env)
            if fault:
                for folder in plan.folders(item):
                    shutil.rmtree(folder, ignore_errors=True)
                with LOCK:
                    failed[item.key] = fault

    threads = [threading.Thread(target=work) for _ in range(max(1, min(parallel, len(items))))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return failed, len(items) - len(waiting)


def run_item(item: Item, plan: Plan, command: list[str], env: dict[str, str]) -> str:
    """Run the command for one item, and say what went wrong, if anything."""
    try:
        for folder in plan.folders(item):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        item.link()
        child = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as fault:
        return f"did not start: {fault}"
    RUNNING.add(child)
    if STOPPED:
        signal_group(child, STOPPED[0])
    reader = threading.Thread(target=pass_on, args=(item.key, child), daemon=True)
    reader.start()
    code = child.wait()
    RUNNING.discard(child)
    reader.join(0.5)
    if reader.is_alive():
        # Something that the command left behind holds its output open; the item has ended all the same.
        signal_group(child, signal.SIGKILL)
        reader.join(5.0)
    item.unlink()
    if code:
        # A process ended by signal N shows itself as the shell would show it.
        return f"exit {code if code > 0 else 128 - code}"
    missing = plan.missing(item)
    return "did not write " + ", ".join(missing) if missing else ""


def pass_on(key: str, child: subprocess.Popen[bytes]) -> None:
    """Print each line of an item's output under the item's key, never inside another line."""
    assert child.stdout
    for line in child.stdout:
        # Where nobody reads any more, the item still writes on.
        with contextlib.suppress(OSError):
            say(f"[{shown(key)}] ".encode("utf-8", "replace") + line.rstrip(b"\r\n"))


def say(line: bytes) -> None:
    """Print a whole line."""
    with LOCK:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


def shown(key: str) -> str:
    """Write a key so that it stays on its line."""
    return key if key.isprintable() else repr(key)[1:-1]


def signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a command and to all that it started."""
    with contextlib.suppress(OSError):
        os.killpg(child.pid, number)


def stop(number: int, _: object) -> None:
    """Pass a request to stop on to every item, and start no other."""
    STOPPED.append(number)
    for each in list(RUNNING):
        signal_group(each, number)
    if len(STOPPED) == 1 and number != signal.SIGKILL:
        late = threading.Timer(GRACE, stop, (signal.SIGKILL, None))
        late.daemon = True
        late.start()
