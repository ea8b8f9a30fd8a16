"""The sandbox by plain system calls: new namespaces, a first process in them, and the command below it."""

from __future__ import annotations

import os

from penstock.runtime.sandbox.inside import kernel, mounting
from penstock.runtime.sandbox.inside.starting import describe, execute, exit_code, restore_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    # This too takes a millisecond to load.
    from collections.abc import Callable

_KEPT_BY_ROOT = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10
"""What root keeps over files, processes, users and low ports; nothing that reaches beyond the sandbox."""


def start(words: list[str], report: Callable[[str], None], before: set[int]) -> int:
    """Start the sandbox.

    Args:
        words: the working folder, `network` or `no-network`, the host's name or nothing, operations, `--`, the command.
        report: told `+` once the command is on its way, else what failed.
        before: the signal mask to start the command with.

    Returns:
        The id of the first process inside, which leads the group of the command.
    """
    cwd, network, hostname, *rest = words
    end = rest.index("--")
    uid, gid = os.geteuid(), os.getegid()
    if uid:
        kernel.unshare(kernel.NEW_USER | kernel.NEW_PIDS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    else:
        kernel.unshare(kernel.NEW_PIDS)
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        # The other end stays open as long as this process lives: by that the child knows.
        os.close(reading)
        return child
    try:
        os.close(writing)
        kernel.die_with_parent()
        os.set_blocking(reading, False)
        if _is_closed(reading):
            os._exit(125)
        os.close(reading)
        os.setsid()
        unconnected = kernel.NEW_NET if network == "no-network" else 0
        kernel.unshare(
            kernel.NEW_MOUNTS | kernel.NEW_IPC | unconnected | (kernel.NEW_NAMES if hostname else 0)
        )
        if unconnected:
            kernel.raise_loopback()
        if hostname:
            kernel.set_hostname(hostname)
        mounting.carry_out(rest[:end])
        try:
            os.chdir(cwd)
        except OSError as fault:
            raise OSError(fault.errno, f"the working folder {cwd}: {fault.strerror}") from fault
        command = os.fork()
        if not command:
            _become(rest[end + 1 :], before, 0 if uid else _KEPT_BY_ROOT)
        report("+")
    except BaseException as fault:
        report(describe(fault))
        os._exit(125)
    os._exit(_reap_until(command))


def _become(argv: list[str], before: set[int], kept: int) -> None:
    code = 126
    try:
        kernel.give_up_privileges(kept)
        restore_signals(before)
        execute(argv)
    except FileNotFoundError:
        code = 127
        os.write(2, os.fsencode(f"penstock: {argv[0]}: not found in the sandbox\n"))
    except BaseException as fault:
        os.write(2, os.fsencode(f"penstock: {argv[0]}: {describe(fault)}\n"))
    os._exit(code)


def _reap_until(command: int) -> int:
    """Collect every process that ends, as the first process of a system must, until the command has."""
    while True:
        pid, status = os.wait()
        if pid == command:
            return exit_code(status)


def _is_closed(pipe: int) -> bool:
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return False


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
