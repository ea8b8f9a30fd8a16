from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.runtime.variables import step_environment


def test_a_step_gets_an_allow_list_and_what_is_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    caller = {
        "PATH": "/usr/bin:relative::/bin",
        "LC_TIME": "C",
        "LC_ALL": "nb_NO.UTF-8",
        "TZ": "UTC",
        "HOME": "/home/me",
        "AWS_SECRET_ACCESS_KEY": "a",
        "AZURE_CLIENT_SECRET": "b",
        "ARM_CLIENT_SECRET": "c",
        "IDENTITY_HEADER": "d",
        "GOOGLE_APPLICATION_CREDENTIALS": "e",
        "PYTHONPATH": "/mine",
        "LD_PRELOAD": "x.so",
        "TOKEN": "let in",
    }
    for name, value in caller.items():
        monkeypatch.setenv(name, value)
    extra = {"MODE": "fast", "TZ": "Europe/Oslo"}

    found = step_environment(Path("/h"), Path("/t"), extra, ["TOKEN", "ABSENT"], Path("/opt/python/bin"))

    assert found == {
        "PATH": "/opt/python/bin:/usr/bin:/bin",
        "LC_TIME": "C",
        "LC_ALL": "nb_NO.UTF-8",
        "TZ": "Europe/Oslo",
        "HOME": "/h",
        "TMPDIR": "/t",
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
        "TOKEN": "let in",
        "MODE": "fast",
    }


def test_a_step_in_a_virtual_environment_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pyvenv.cfg").touch()

    found = step_environment(Path("/h"), Path("/t"), {}, [], tmp_path / "bin")

    assert found["VIRTUAL_ENV"] == str(tmp_path)
    assert found["LANG"] == "C.UTF-8"
