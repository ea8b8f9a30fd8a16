from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.runtime import environments, pythons, requirements
from penstock.runtime.environments import EnvironmentFault, Interpreter, Requirements, default_root, resolve
from penstock.runtime.liveness import process_started
from penstock.runtime.requirements import current_python

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
BACKEND = """
import pathlib, shutil, time
def build_wheel(folder, config=None, metadata=None):
    signs = pathlib.Path(SIGNS)
    (signs / "building").touch()
    while not (signs / "go").exists():
        time.sleep(0.02)
    return shutil.copy(signs / "slow-1.0-py3-none-any.whl", folder).rpartition("/")[2]
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that is all that uv can see: no network, no other cache."""
    shop = tmp_path / "shop"
    shop.mkdir()
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop))
    return shop


def add_wheel(shop: Path, name: str, version: str, requires: str = "") -> None:
    stem = f"{name}-{version}"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(shop / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n\ndef main():\n    print(version)\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata)
        wheel.writestr(f"{stem}.dist-info/WHEEL", WHEEL)
        wheel.writestr(f"{stem}.dist-info/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")


def add_slow_source(shop: Path, signs: Path) -> None:
    """Add a package whose build gives a sign, and then waits for one."""
    signs.mkdir()
    add_wheel(signs, "slow", "1.0")
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    project += '[project]\nname = "slow"\nversion = "1.0"\n'
    files = {
        "PKG-INFO": "Metadata-Version: 2.2\nName: slow\nVersion: 1.0\n",
        "pyproject.toml": project,
        "backend.py": BACKEND.replace("SIGNS", repr(str(signs))),
    }
    with tarfile.open(shop / "slow-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"slow-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


def ask(interpreter: Interpreter, code: str) -> str:
    return subprocess.run(
        [interpreter.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_the_current_interpreter_serves_where_it_has_the_packages(tmp_path: Path) -> None:
    said: list[str] = []
    pins = tuple(f"{name}=={version}" for name, version in (("PyTest", pytest.__version__),))

    found = resolve(Requirements(f">={HERE}", pins), tmp_path, said.append)

    assert (found.kind, found.executable, found.reason) == ("current", Path(sys.executable), "")
    assert os.path.samefile(found.bin / "python", sys.executable)
    assert found.key.startswith(f"python{HERE}-")
    assert said == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("python", "package"),
    [
        ("three", "six"),
        ("", "-r x.txt"),
        ("", "./here"),
        ("", "six=1"),
        ("", "six>>1"),
        ("", "a b"),
        ("", ""),
    ],
)
def test_a_malformed_requirement_is_a_fault_with_a_hint(python: str, package: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        resolve(Requirements(python, (package,)), tmp_path, print)

    (found,) = caught.value.diagnostics
    assert found.code == "P406"
    assert found.hint and repr(python or package) in found.message


def test_a_python_without_that_name_gets_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lone = tmp_path / "bin" / "python3"
    lone.parent.mkdir()
    lone.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(lone))

    found = resolve(Requirements(), tmp_path / "cache", print)
    again = resolve(Requirements(), tmp_path / "cache", print)

    assert found == again
    assert os.path.samefile(found.bin / "python", lone)
    assert sorted(os.listdir(found.bin)) == ["python", "python3"]


def test_an_environment_is_built_once(shop: Path, tmp_path: Path) -> None:
    add_wheel(shop, "tool", "1.0", requires="part>=2")
    add_wheel(shop, "part", "2.5")
    said: list[str] = []
    wanted = Requirements(">=3.11", ("tool==1.0",))

    built = resolve(wanted, tmp_path / "cache", said.append)
    told = len(said)
    again = resolve(wanted, tmp_path / "cache", said.append)

    assert built == again and built.kind == "venv"
    assert built.reason == said[0] == "current interpreter lacks tool==1.0"
    assert said[1] == f"building an environment: Python {current_python()}, tool==1.0"
    assert said[2].startswith("built the environment in") and len(said) == told == 3
    assert ask(built, "import tool, part; print(tool.version, part.version)") == "1.0 2.5"
    assert subprocess.run([built.bin / "tool"], capture_output=True, check=True).stdout == b"1.0\n"
    assert list(built.bin.parent.glob("lib/*/site-packages/__pycache__/tool.*.pyc"))


def test_a_real_package_comes_from_the_users_index(tmp_path: Path) -> None:
    built = resolve(Requirements(packages=("six==1.16.0", "iniconfig")), tmp_path, print)

    assert ask(built, "import six, iniconfig; print(six.__version__)") == "1.16.0"


def test_kinds_of_one_content_share_a_key(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_wheel(shop, "tool", "1.0")
    wanted = Requirements(packages=("tool==1.0",))
    built = resolve(wanted, tmp_path / "cache", print)
    packages = next(built.bin.parent.glob("lib/*/site-packages"))

    monkeypatch.setattr("site.getsitepackages", lambda: [str(packages)])
    current = resolve(wanted, tmp_path / "cache", print)

    assert (built.kind, current.kind) == ("venv", "current")
    assert built.key == current.key


def test_a_conflict_is_told_in_uvs_words(shop: Path, tmp_path: Path) -> None:
    add_wheel(shop, "tool", "1.0", requires="part>=2")
    add_wheel(shop, "part", "1.0")

    with pytest.raises(EnvironmentFault) as caught:
        resolve(Requirements(packages=("tool==1.0", "part==1.0")), tmp_path / "cache", print)

    (found,) = caught.value.diagnostics
    assert found.code == "P405"
    assert found.message == "the environment of tool==1.0, part==1.0 cannot be built"
    assert "part>=2" in "".join(found.details) and "unsatisfiable" in "".join(found.details)
    assert caught.value.log is not None and "part>=2" in caught.value.log.read_text()
    assert f"whole log: {caught.value.log}" in found.details
    assert not list(caught.value.log.parent.glob("venv-*"))


def test_a_build_without_network_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:hunter22@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://user:hunter22@127.0.0.1:9/extra")

    with pytest.raises(EnvironmentFault) as caught:
        resolve(Requirements(packages=("absent-package==1.0",)), tmp_path / "cache", print)

    assert caught.value.diagnostics[0].hint.startswith("no package index answers")
    assert caught.value.log is not None and "hunter22" not in caught.value.log.read_text()
    assert "hunter22" not in str(caught.value)


def test_a_failed_build_can_be_tried_again(shop: Path, tmp_path: Path) -> None:
    wanted = Requirements(packages=("tool==1.0",))
    with pytest.raises(EnvironmentFault):
        resolve(wanted, tmp_path / "cache", print)

    add_wheel(shop, "tool", "1.0")

    assert ask(resolve(wanted, tmp_path / "cache", print), "import tool; print(tool.version)") == "1.0"


def test_an_environment_whose_base_is_gone_is_built_anew(shop: Path, tmp_path: Path) -> None:
    add_wheel(shop, "tool", "1.0")
    wanted = Requirements(packages=("tool==1.0",))
    old = resolve(wanted, tmp_path / "cache", print)
    old.executable.unlink()
    old.executable.symlink_to("/no/such/python")

    new = resolve(wanted, tmp_path / "cache", print)

    assert new.key == old.key and ask(new, "import tool; print(tool.version)") == "1.0"
    assert not old.bin.exists()


@pytest.mark.slow
def test_a_python_that_the_machine_lacks_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        resolve(Requirements(">=3.99"), tmp_path, print)

    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("P404", "this machine has no Python >=3.99")
    assert HERE in found.hint and "uv python install" in found.hint


def test_another_python_of_the_machine_is_used(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever other versions a machine has, it has this one: Penstock passes for another.
    add_wheel(shop, "tool", "1.0")
    monkeypatch.setattr(environments, "current_python", lambda: "3.2.0")
    monkeypatch.setattr(requirements, "current_python", lambda: "3.2.0")
    wanted = Requirements(HERE, ("tool==1.0",))

    built = resolve(wanted, tmp_path / "cache", print)
    monkeypatch.setattr(pythons, "find_uv", lambda: "/no/such/uv")
    pythons.find_python.cache_clear()
    again = resolve(wanted, tmp_path / "cache", print)

    assert built == again
    assert built.reason == f"current interpreter is Python 3.2.0, not {HERE}"
    assert built.key.startswith(f"python{HERE}-")
    assert ask(built, "import sys, tool; print('%d.%d' % sys.version_info[:2])") == HERE


def test_a_cache_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")

    with pytest.raises(EnvironmentFault) as caught:
        resolve(Requirements(packages=("absent-package",)), tmp_path / "cache", print)

    assert "PENSTOCK_CACHE" in caught.value.diagnostics[0].hint


OTHER = """
import sys
from pathlib import Path
from penstock.runtime.environments import Requirements, resolve
found = resolve(Requirements(packages=("slow==1.0",)), Path(sys.argv[1]), lambda line: print(line, flush=True))
print(found.executable)
"""


def start_other(cache: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "-c", OTHER, str(cache)], stdout=file, stderr=file)


def test_of_two_that_want_one_environment_one_builds_and_one_waits(shop: Path, tmp_path: Path) -> None:
    signs, logs = tmp_path / "signs", [tmp_path / "one", tmp_path / "two"]
    add_slow_source(shop, signs)

    one = start_other(tmp_path / "cache", logs[0])
    wait_for((signs / "building").exists)
    two = start_other(tmp_path / "cache", logs[1])
    wait_for(lambda: "waiting for another run" in logs[1].read_text())
    (signs / "go").touch()

    assert (one.wait(30), two.wait(30)) == (0, 0)
    first, second = (log.read_text().splitlines() for log in logs)
    assert first[-1] == second[-1]
    assert sum("building an environment" in line for line in first + second) == 1


def processes_below(folder: Path) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split(maxsplit=1) for line in listed.splitlines() if str(folder) in line)
    return [int(pid) for pid, _ in rows]


@pytest.mark.slow
def test_a_build_killed_half_way_leaves_nothing_that_harms(shop: Path, tmp_path: Path) -> None:
    signs, cache = tmp_path / "signs", tmp_path / "cache"
    add_slow_source(shop, signs)
    other = start_other(cache, tmp_path / "log")
    wait_for((signs / "building").exists)
    builders = processes_below(cache)

    other.send_signal(signal.SIGKILL)
    other.wait()
    (signs / "go").touch()
    built = resolve(Requirements(packages=("slow==1.0",)), cache, print)

    assert ask(built, "import slow; print('fine')") == "fine"
    assert [each.name for each in cache.glob("*/venv-*")] == [built.bin.parent.name]
    assert builders
    wait_for(lambda: all(process_started(pid) is None for pid in builders))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PENSTOCK_CACHE": "/p", "XDG_CACHE_HOME": "/x"}, "/p/environments"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/penstock/environments"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/penstock/environments"),
        ({}, "/home/me/.cache/penstock/environments"),
    ],
)
def test_environments_live_in_the_users_cache(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PENSTOCK_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in {**variables, "HOME": "/home/me"}.items():
        monkeypatch.setenv(name, value)

    assert default_root() == Path(expected)
