"""One machine of a job: its folders at the service's paths, and one process that believes to be in its container.

`ml` of the machine's folder is `/opt/ml`, `tmp` is `/tmp`, and every other place that the job names is a folder of
its own. Where this system gives namespaces the paths are real; elsewhere they are rewritten (`rewriting`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.environments import Interpreter
from penstock.runtime.index_settings import passwords, uv_settings
from penstock.runtime.masking import Masker
from penstock.runtime.offline import OfflineRun
from penstock.runtime.process import Exit, run_process
from penstock.runtime.sandbox import Mount, Sandbox, enclose, found_way, interpreter_paths
from penstock_aws.sagemaker.emulator.client_settings import NO_CLIENTS, ClientSettings
from penstock_aws.sagemaker.emulator.images import algorithms, pip_stand_in
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault, first_text
from penstock_aws.sagemaker.emulator.jobs.patience import Stop

ML = "/opt/ml"
TOOLS = "/opt/penstock"
"""Where a job finds what Penstock puts in."""
WORK = "/tmp/work"
"""Where a job begins that no toolkit starts. It may write there, as it may in the root of its container."""
SHIPPED = (pip_stand_in.FOLDER, algorithms.FOLDER)
_CLIENTS = f"{TOOLS}/clients"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where the certificates are that the user's indexes are known by."""
_FAULT = "sandbox-fault"
GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Machine:
    """One of a job's machines, `algo-1` and so on.

    Attributes:
        folder: everything that it writes stands below.
        hosts: the names of all machines of the job, its own among them.
    """

    folder: Path
    host: str
    hosts: tuple[str, ...]

    @property
    def ml(self) -> Path:
        """What the container sees as /opt/ml."""
        return self.folder / "ml"

    @property
    def tmp(self) -> Path:
        """What the container sees as /tmp."""
        return self.folder / "tmp"

    def lay_out(self) -> None:
        """Make the folders, empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for each in (self.ml, self.tmp / "home", self.place(WORK), self.folder / "places"):
            each.mkdir(parents=True)

    def place(self, path: str) -> Path:
        """Give the folder on this machine's disk that stands for a path inside the container.

        Below /opt/ml and /tmp it is part of these; each other path has a folder of its own.
        """
        clean = os.path.normpath(path)
        for root, folder in ((ML, self.ml), ("/tmp", self.tmp)):
            if clean == root or clean.startswith(f"{root}/"):
                return folder / clean[len(root) :].lstrip("/")
        return self.folder / "places" / clean.lstrip("/").replace("%", "%25").replace("/", "%")

    def left(self, path: str) -> Path:
        """Give the place where a job that has ended may have left something. Raises JobFault.

        Folders below /opt/ml are the job's, which may have put links in their place: out there, outside of its
        sandbox, they would lead into this machine's own files.
        """
        place = self.place(path)
        root, inner = os.path.realpath(self.folder), os.path.relpath(place, self.folder)
        if os.path.realpath(place) != os.path.join(root, inner):
            raise JobFault(
                f"ClientError: {path} cannot be taken: the job put a link there, or above it", "P411"
            )
        return place

    def write(self, path: str, value: Any) -> None:
        """Write a JSON file at a path of the container."""
        file = self.place(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Container:
    """A process and what it gets.

    Attributes:
        argv: entrypoint and arguments, by the container's paths.
        env: the job's own variables.
        interpreter: whose `python` is found first.
        provided: requirements that the interpreter was made for, so that `pip install` of them has nothing to do.
        places: absolute paths outside /opt/ml that the job's data stands at.
        sealed: paths below /opt/ml that the job may read and not write.
        network: whether it may use one.
        clients: what its own clients find an endpoint by.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    interpreter: Interpreter
    provided: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    network: bool = True
    cwd: str = WORK
    clients: ClientSettings = NO_CLIENTS


def run_container(
    container: Container,
    machine: Machine,
    run: OfflineRun,
    *,
    step: str,
    log: Path,
    stop: Stop,
    timeout: float | None,
    masker: Masker,
    on_start: Callable[[int], None],
) -> Exit:
    """Run a container to its end on a machine that is laid out. Raises JobFault: it could not begin on this machine."""
    env = _environment(container, machine, run)
    way = found_way()
    if way is None:
        from penstock_aws.sagemaker.emulator.jobs.rewriting import rewritten

        argv, env, cwd, notes = rewritten(container, machine, env)
        for note in notes:
            run.notice(note, step)
    else:
        argv, cwd = enclose(_sandbox(container, machine), container.argv), machine.folder
    ended = run_process(
        argv,
        cwd=cwd,
        env=env,
        log=log,
        stop=stop,
        on_line=lambda line: run.line(step, line, machine.host),
        timeout=timeout,
        grace=GRACE,
        masker=masker,
        on_start=on_start,
    )
    if way is not None and ended.code is not None and (why := first_text(machine.folder / _FAULT)):
        raise JobFault(f"InternalServerError: this machine could not set up the job's sandbox: {why}", "P448")
    return ended


def _sandbox(container: Container, machine: Machine) -> Sandbox:
    provided = machine.folder / "provided.json"
    provided.write_text(json.dumps(list(container.provided)), encoding="utf-8")
    mounts = [
        Mount(machine.tmp, "/tmp"),
        Mount(machine.ml, ML),
        *(Mount(machine.place(path), path) for path in container.places),
        *(Mount(machine.place(path), path, read_only=True) for path in container.sealed),
        *(Mount(folder, f"{TOOLS}/{folder.name}", read_only=True) for folder in SHIPPED),
        Mount(provided, f"{TOOLS}/provided.json", read_only=True),
    ]
    if container.clients.folder is not None:
        mounts.append(Mount(container.clients.folder, _CLIENTS, read_only=True))
    return Sandbox(
        tuple(mounts),
        container.cwd,
        keep=_kept(container.interpreter),
        network=container.network,
        hosts=machine.hosts,
        hostname=machine.host,
        fault_file=machine.folder / _FAULT,
    )


def _kept(interpreter: Interpreter) -> tuple[Path, ...]:
    uv = uv_program()
    return (*interpreter_paths(interpreter.executable), interpreter.bin, *([uv] if uv else []))


def uv_program() -> Path | None:
    """Give the uv that Penstock came with."""
    from shutil import which
    from sys import executable

    beside = Path(executable).parent / "uv"
    found = str(beside) if beside.is_file() else which("uv")
    return Path(found) if found else None


def _environment(container: Container, machine: Machine, run: OfflineRun) -> dict[str, str]:
    """Compose a container's whole environment: nothing of the caller's but what was asked for by name."""
    inner = found_way() is not None
    tools = f"{TOOLS}/{pip_stand_in.FOLDER.name}" if inner else str(pip_stand_in.FOLDER)
    tmp = "/tmp" if inner else str(machine.tmp)
    provided = f"{TOOLS}/provided.json" if inner else str(machine.folder / "provided.json")
    if not inner:
        (machine.folder / "provided.json").write_text(json.dumps(list(container.provided)), encoding="utf-8")
    target = f"{tmp}/penstock-packages"
    uv = uv_program()
    found = {
        "PATH": os.pathsep.join([f"{tools}/bin", str(container.interpreter.bin), _SYSTEM_PATH]),
        "HOME": f"{tmp}/home",
        "TMPDIR": tmp,
        "LANG": "C.UTF-8",
        "HOSTNAME": machine.host,
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": os.pathsep.join([tools, target]),
        **pip_stand_in.variables(provided, target, str(uv) if uv else ""),
    }
    found |= _index_settings()
    found |= {name: os.environ[name] for name in run.request.pass_env if name in os.environ}
    found |= container.env
    found |= container.clients.at(_CLIENTS) if inner else container.clients.variables
    own = container.env.get("PYTHONPATH")
    if own:
        found["PYTHONPATH"] = os.pathsep.join([tools, own, target])
    return found


@cache
def _index_settings() -> dict[str, str]:
    """Say where the user has packages come from, and whose word for that is taken; never a password."""
    settings = {**{name: os.environ.get(name, "") for name in _TRUST}, **uv_settings(os.environ, Path.home())}
    found = {
        name: each for name, each in settings.items() if each and (name.startswith("UV_") or name in _TRUST)
    }
    return {} if any(passwords(found)) else found


def machines(folder: Path, count: int) -> list[Machine]:
    """Name a job's machines."""
    hosts = tuple(f"algo-{number + 1}" for number in range(count))
    return [Machine(folder / host, host, hosts) for host in hosts]


def outside(paths: Sequence[str]) -> tuple[str, ...]:
    """Give the paths that lie neither in /opt/ml nor in /tmp, each once."""
    found: dict[str, None] = {}
    for path in paths:
        clean = os.path.normpath(path)
        if not any(clean == root or clean.startswith(f"{root}/") for root in (ML, "/tmp")):
            found[clean] = None
    return tuple(found)
