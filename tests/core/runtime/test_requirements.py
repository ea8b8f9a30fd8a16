from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from penstock.runtime import requirements
from penstock.runtime.requirements import Requirements, current_python, digest, parse_package, shortfall
from penstock.runtime.versions import parse_version

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("python", "packages", "reason"),
    [
        ("", ("no-such-package==1.0",), "current interpreter lacks no-such-package==1.0"),
        (
            "",
            ("pytest==0.1", "No_Such"),
            f"current interpreter has pytest {pytest.__version__}, not pytest==0.1, lacks no-such",
        ),
        ("<3", (), f"current interpreter is Python {current_python()}, not <3"),
        ("2.7", (), f"current interpreter is Python {current_python()}, not 2.7"),
        (
            "",
            ("pytest[dev]",),
            "current interpreter may lack pytest (with extras, a marker or a URL it gets an environment of its own)",
        ),
        ("", tuple("abcde"), "current interpreter lacks a, lacks b, lacks c, and 2 more"),
        ("", (f"pytest>=1,!={pytest.__version__}.*,<99", "hypothesis"), None),
        (HERE, ("pytest", "hypothesis>=6"), ""),
        (current_python(), (), ""),
        ("", (), ""),
    ],
)
def test_the_reason_why_the_current_interpreter_does_not_serve_is_told(
    python: str, packages: tuple[str, ...], reason: str | None
) -> None:
    found = shortfall(Requirements(python, packages))

    assert found == reason if reason is not None else "not pytest!=" in found


@pytest.mark.parametrize(
    ("entry", "metadata", "specifier", "reason"),
    [
        ("Odd_Name-1.0.dist-info/METADATA", "", "==1.0", ""),
        ("odd_name-1.0+local.dist-info/METADATA", "", "==1.0", ""),
        ("odd_name-1.0-py3.11.egg-info/PKG-INFO", "", "==1.0", ""),
        ("odd_name-1.0.egg-info", "", "==1.0", ""),
        ("odd_name.egg-info/PKG-INFO", "Name: odd\nVersion: 1.0\n", "==1.0", ""),
        ("odd_name-1.0.dist-info/RECORD", "", "==1.0", "lacks odd-name==1.0"),
        ("~dd_name-1.0.dist-info/METADATA", "", "==1.0", "lacks odd-name==1.0"),
        ("odd_name-what.dist-info/METADATA", "", "==1.0", "has odd-name in a version that cannot be read"),
    ],
)
def test_installed_packages_are_read_off_the_package_folder(
    entry: str, metadata: str, specifier: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / entry
    file.parent.mkdir(exist_ok=True)
    file.write_text(metadata)
    monkeypatch.setattr("site.getsitepackages", lambda: [str(tmp_path / "absent"), str(tmp_path)])

    found = shortfall(Requirements(packages=("odd.name" + specifier,)))

    assert found == (f"current interpreter {reason}" if reason else "")


def test_a_package_installed_meanwhile_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("site.getsitepackages", lambda: [str(tmp_path)])
    wanted = Requirements(packages=("late==1.0",))
    assert shortfall(wanted)

    (tmp_path / "late-1.0.dist-info").mkdir()
    (tmp_path / "late-1.0.dist-info" / "METADATA").touch()

    assert shortfall(wanted) == ""


def test_packages_that_only_the_caller_sees_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine-1.0.dist-info").mkdir()
    (tmp_path / "mine-1.0.dist-info" / "METADATA").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert shortfall(Requirements(packages=("mine",))) == "current interpreter lacks mine"


def test_asking_the_current_interpreter_takes_under_five_milliseconds() -> None:
    pins = ("pytest", "hypothesis", "ruff", "mypy", "pyyaml")
    wanted = Requirements(">=3.11", tuple(f"{name}>=0" for name in pins))

    def cold() -> float:
        requirements._lacking.cache_clear()  # pyright: ignore[reportPrivateUsage]
        requirements._installed.cache_clear()  # pyright: ignore[reportPrivateUsage]
        parse_version.cache_clear()
        parse_package.cache_clear()
        began = time.perf_counter()
        shortfall(wanted)
        return time.perf_counter() - began

    assert min(cold() for _ in range(10)) < 0.005


def test_a_key_depends_on_content_and_not_on_spelling() -> None:
    one = Requirements("", ("Scikit_Learn == 1.8.0", "pandas<3,>=2"))
    same = Requirements(">=3.11", ("pandas >=2, <3", "scikit-learn==1.8.0", "pandas>=2,<3"))
    other = Requirements("", ("scikit-learn==1.8.1", "pandas<3,>=2"))

    assert digest(one) == digest(same) != digest(other)


def test_a_requirement_is_taken_apart() -> None:
    found = parse_package("A.b [Y, x] (>= 1.0 , <2) ; python_version  < '3'")

    assert str(found) == "a-b[x,y]<2,>=1.0;python_version < '3'"
    assert str(parse_package("a@https://host/a.whl ; x")) == "a @ https://host/a.whl ;x"
