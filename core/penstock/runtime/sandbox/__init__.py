"""Running a command in its own view of the file system: chosen folders at chosen places, the rest read-only.

    sandbox = Sandbox((Mount(folder, "/opt/work"), Mount(tmp, "/tmp")), cwd="/opt/work", keep=interpreter_paths(python))
    run_process(enclose(sandbox, [str(python), "train.py"]), …)

Inside, the root cannot be written, /tmp, /var/tmp and /dev/shm are private, the homes are empty, and no process
of the host is seen. Linux only, as root and as an ordinary user. A plan of mounts is made as data first; then
bubblewrap carries it out, or a script by system calls of its own.
"""

from __future__ import annotations

from penstock.runtime.sandbox.description import Mount, Sandbox, Way
from penstock.runtime.sandbox.interpreter import interpreter_paths
from penstock.runtime.sandbox.ways import enclose, found_way, why_none

__all__ = ["Mount", "Sandbox", "Way", "enclose", "found_way", "interpreter_paths", "why_none"]
