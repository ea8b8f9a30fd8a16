"""What `.ci/run` runs beside the test command: style and types, the slow tests, and suites with real SDK clients."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent.parent
RUNNING = ("moto[server]", "uvicorn", "scikit-learn", "pytest-xdist", "hypothesis")
"""What running a pipeline of the SDK's takes beside the SDK: a loopback account, and what its scripts import."""
BRIDGE = "tests/clients/test_sdk_bridge.py"
# The SDK leaves temporary folders to the garbage collector, which warns of them when all tests have ended.
QUIET = ("-o", "norecursedirs=.* bench", "-q", "-W", "ignore::pytest.PytestUnraisableExceptionWarning")
# Side by side, each file with an endpoint of its own.
BY_FILE = ("-n", "2", "--dist", "loadfile")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-n", "2")
THOROUGH = {"PENSTOCK_TESTS": "thorough"}

nox.options.default_venv_backend = "uv"
nox.options.stop_on_first_error = False
nox.options.sessions = [
    "style",
    "slow",
    "emulators",
    "azure",
    "sagemaker3",
    "sagemaker2",
    "mlflow2",
    "mlflow3",
]


@nox.session(venv_backend="none")
def style(session: nox.Session) -> None:
    """Check style, types and formatting of the whole tree, with the tools of the environment that nox runs in."""
    session.chdir(ROOT)
    session.run(sys.executable, "-m", "ruff", "check", ".")
    session.run(sys.executable, "-m", "ruff", "format", "--check", ".")
    session.run(sys.executable, "-m", "mypy")
    session.run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable)


@nox.session(venv_backend="none")
def slow(session: nox.Session) -> None:
    """Run what takes longer than the test command may, the tests of every pipeline in `specs` among it."""
    session.chdir(ROOT)
    session.run(*PYTEST, "-m", "slow and not exhaustive", *session.posargs)
    session.run(*PYTEST, "specs/cultivar", "specs/digits", "specs/progression", "specs/screening")


@nox.session(venv_backend="none")
def thorough(session: nox.Session) -> None:
    """Try far more: every field of the specs mutated, many kills, all examples of property tests; before a release."""
    session.chdir(ROOT)
    session.run(*PYTEST, "-m", "exhaustive or hypothesis", *session.posargs, env=THOROUGH)


@nox.session
def emulators(session: nox.Session) -> None:
    """Hold the services beside S3 and SageMaker against boto3, with moto behind the endpoint."""
    session.chdir(ROOT)
    session.install("-c", "tests/constraints/emulators.txt", "-e", ".[emulators]", "pytest", "hypothesis")
    session.run("pytest", "tests/clients/emulators", *QUIET)


@nox.session
def azure(session: nox.Session) -> None:
    """Hold compiled bundles and our validation against the real azure-ai-ml."""
    session.chdir(ROOT)
    session.install("-c", "tests/constraints/azure.txt", "-e", ".[azure]", "pytest-xdist", "hypothesis")
    session.run("pytest", "tests/clients/azure", "-o", "norecursedirs=.* bench", "-q", "-n", "2")


@nox.session
def sagemaker3(session: nox.Session) -> None:
    """Hold compiled definitions against what SageMaker's SDK writes, and run what it writes; generation 3."""
    session.chdir(ROOT)
    session.install("-c", "tests/constraints/sagemaker3.txt", "-e", ".", "sagemaker", *RUNNING)
    session.run("pytest", "tests/clients/sagemaker", BRIDGE, *QUIET, *BY_FILE)


@nox.session
def sagemaker2(session: nox.Session) -> None:
    """Run what the SDK's generation 2 writes, and the stand-in for XGBoost, which needs xgboost itself."""
    session.chdir(ROOT)
    session.install("-c", "tests/constraints/sagemaker2.txt", "-e", ".", "sagemaker", "xgboost-cpu", *RUNNING)
    stand_in = "tests/providers/aws/emulator/test_xgboost_stand_in.py"
    session.run("pytest", "tests/clients/sagemaker2", stand_in, BRIDGE, *QUIET, *BY_FILE)


@nox.session
def mlflow2(session: nox.Session) -> None:
    """Let scripts log to the tracking server of a run with generation 2 of MLflow's client."""
    _mlflow(session, "tests/constraints/mlflow2.txt")


@nox.session
def mlflow3(session: nox.Session) -> None:
    """Let the same scripts do so with generation 3."""
    _mlflow(session, "tests/constraints/mlflow3.txt")


def _mlflow(session: nox.Session, constraints: str) -> None:
    session.chdir(ROOT)
    packages = ("mlflow-skinny", "scikit-learn", "pandas", "matplotlib", "pytest-xdist", "hypothesis")
    session.install("-c", constraints, "-e", ".", *packages)
    session.run("pytest", "tests/clients/mlflow", "-o", "norecursedirs=.* bench", "-q", "-n", "2")


@nox.session(venv_backend="none")
def clients_bench(session: nox.Session) -> None:
    """Measure compiling beside the clouds' own SDKs, each in an environment of its own; not part of the tests."""
    session.chdir(ROOT)
    found: dict[str, str] = {}
    for key, packages in (
        ("SAGEMAKER_2", ("sagemaker==2.257.7", "moto==5.2.5")),
        ("SAGEMAKER_3", ("-c", "tests/constraints/sagemaker3.txt", "sagemaker", "moto")),
        ("AZURE_AI_ML", ("-c", "tests/constraints/azure.txt", "azure-ai-ml")),
    ):
        place = Path(session.create_tmp()) / key.lower()
        session.run("uv", "venv", "-q", str(place), external=True)
        python = str(place / "bin" / "python")
        session.run("uv", "pip", "install", "-q", "--python", python, *packages, external=True)
        found[f"PENSTOCK_BENCH_{key}"] = python
    session.run(sys.executable, "tests/bench/run.py", "clients", *session.posargs, env=found)
