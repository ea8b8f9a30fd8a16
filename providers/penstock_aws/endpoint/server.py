"""The endpoint's server: one port of this machine, in a thread of its own, for one project."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.project import Project
from penstock_aws.endpoint.app import App
from penstock_aws.endpoint.buckets import Buckets
from penstock_aws.endpoint.client_files import write_client_files
from penstock_aws.endpoint.companions import INSTALL, Companions
from penstock_aws.endpoint.credentials import Credentials, credentials_in
from penstock_aws.endpoint.identity import Identity
from penstock_aws.endpoint.s3.front import Front
from penstock_aws.endpoint.sagemaker.api import SageMakerApi, Surroundings
from penstock_aws.sagemaker.emulator.account import NUMBER, REGION, partition_of
from penstock_aws.sagemaker.emulator.client_settings import ClientSettings

HOST = "127.0.0.1"
FOLDER = "aws"
CLIENTS = "client"

_NO_PROXY = f"{HOST},localhost,.amazonaws.com,.api.aws"
_LONGEST_JOB = 28 * 24 * 3600
_PATIENCE = 30.0
_GRACE = 5
_LONGEST_HEADERS = 64 << 10


class Endpoint:
    """A server that answers once this returns, and no longer once `close` has.

    Args:
        project: whose buckets, runs and state it serves.
        port: of the loopback address; 0 for any that is free.
        region: that its addresses have.

    Raises:
        RunError: something is not installed (P440), the port is taken (P441), the project has an endpoint already
            (P442), or its folder cannot be written (P443).
    """

    credentials: Credentials

    def __init__(self, project: Project, *, port: int = 0, region: str = "") -> None:
        _demand_packages()
        self.project = project
        self.region = region or REGION
        self._closing: list[Callable[[], None]] = []
        folder = self._folder = project.create_home() / FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._closing.append(_locked(folder))
            self._socket = _bound(port)
            self._closing.append(self._socket.close)
            self.credentials = credentials_in(folder)
            self._files = write_client_files(folder / CLIENTS, self.url)
            self._start(self._assembled(project, folder))
            self._warm_up()
        except BaseException as found:
            self.close()
            if isinstance(found, OSError | sqlite3.Error):
                reason = getattr(found, "strerror", None) or found
                message = f"the endpoint's folder {folder} cannot be written: {reason}"
                hint = "check who owns it, and the room on its disk"
                raise RunError([error("P443", message, hint=hint)]) from found
            raise

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port that it answers at."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """The address that clients are pointed at."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that point the official clients here, and at nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # A proxy would not find the endpoint; and what is asked at a public address is answered here or not at all.
            "NO_PROXY": _NO_PROXY,
            "no_proxy": _NO_PROXY,
            **self._files,
        }

    def _for_jobs(self, role: str) -> ClientSettings:
        """Point the clients of a job here, in the name of its role, for longer than it may run."""
        name = role.rpartition("/")[2] or "sagemaker"
        arn = f"arn:{partition_of(self.region)}:sts::{NUMBER}:assumed-role/{name}/SageMaker"
        drawn = self.credentials.temporary(arn, _LONGEST_JOB)
        own = {
            "AWS_ACCESS_KEY_ID": drawn.access_key,
            "AWS_SECRET_ACCESS_KEY": drawn.secret_key,
            "AWS_SESSION_TOKEN": drawn.token,
        }
        return ClientSettings({**self.environment, **own}, self._folder / CLIENTS)

    def close(self) -> None:
        """Stop answering, let calls end that are under way, and let go of all files; a second time does nothing."""
        while self._closing:
            self._closing.pop()()

    def _assembled(self, project: Project, folder: Path) -> App:
        index = StatIndex(project.stat_index)
        self._closing.append(index.close)
        buckets = Buckets(folder, ArtifactStore(project.artifacts), index)
        self._closing.append(buckets.close)
        companions = Companions(folder, self.region)
        self._closing.append(companions.close)
        self._warm_up = companions.warm_up
        around = Surroundings(
            project, buckets, self.region, NUMBER, folder, companions.send_message, self._for_jobs
        )
        sagemaker = SageMakerApi(around)
        self._closing.append(sagemaker.close)
        sagemaker.put_logs = companions.put_logs
        sagemaker.resume()
        app = App(
            Front(buckets, folder, self.region, NUMBER),
            sagemaker,
            Identity(self.credentials, self.region, NUMBER),
            companions,
            self.credentials,
            _Log(folder / "endpoint.log"),
        )
        self._closing.append(app.close)
        return app

    def _start(self, app: App) -> None:
        uvicorn = import_module("uvicorn")
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE,
            h11_max_incomplete_event_size=_LONGEST_HEADERS,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[self._socket])),
            name="penstock-endpoint",
            daemon=True,
        )
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join()

        self._closing.append(stop)
        end = time.monotonic() + _PATIENCE
        while not server.started:
            if not thread.is_alive() or time.monotonic() > end:
                raise RunError([error("P443", "the endpoint's server did not start")])
            time.sleep(0.005)


class _Log:
    """Appends to a file what should not have happened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, text: str) -> None:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as opened:
            opened.write(f"{moment}\n{text}\n")


def _demand_packages() -> None:
    missing = [name for name in ("botocore", "uvicorn") if find_spec(name) is None]
    if missing:
        message = f"the endpoint needs {' and '.join(missing)}, which this environment does not have"
        raise RunError([error("P440", message, hint=INSTALL)])


def _locked(folder: Path) -> Callable[[], None]:
    """Take the project's endpoint for this process; the lock goes with it, however it ends."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        message = f"this project has an endpoint already, in process {holder or 'unknown'}"
        hint = "use that one, stop it, or name another project folder with PENSTOCK_PROJECT"
        raise RunError([error("P442", message, hint=hint)]) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return lambda: os.close(descriptor)


def _bound(port: int) -> socket.socket:
    # Named, or the event loop would not know that small answers are to be sent at once (TCP_NODELAY).
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # One that closed a moment ago may be had again; one that listens may not.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        bound.listen(1024)
        return bound
    except (OSError, OverflowError) as found:
        bound.close()
        reason = found.strerror if isinstance(found, OSError) else found
        message = f"port {port} of {HOST} cannot be had: {reason}"
        hint = "name another with --port, or leave it out for one that is free"
        raise RunError([error("P441", message, hint=hint)]) from None
