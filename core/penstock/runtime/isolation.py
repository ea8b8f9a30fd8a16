"""Running steps without a network, through a network namespace of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

from penstock.diagnostics import error
from penstock.errors import RunError


@cache
def isolating_prefix() -> tuple[str, ...]:
    """Give the words that, put before a command, run it without any network, loopback included.

    Raises:
        RunError: this machine gives no network namespaces (P420): another system than Linux, or a hardened kernel.
    """
    found = shutil.which("unshare")
    ways = (
        (("--net",),)
        if os.geteuid() == 0
        else (("--map-current-user", "--net"), ("--map-root-user", "--net"))
    )
    for way in ways if found else ():
        prefix = (str(found), *way, "--")
        # A namespace may be refused by the kernel, a container or a security module: only trying tells.
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    message = "--isolate needs network namespaces, which this machine does not give"
    hint = "on Linux they come with util-linux's unshare; a container may need permission for them"
    raise RunError([error("P420", message, hint=hint)])
