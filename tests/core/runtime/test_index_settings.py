from __future__ import annotations

from pathlib import Path

import pytest

from penstock.runtime.index_settings import uv_settings


def test_pips_variables_serve_uv_where_it_has_none_of_its_own(tmp_path: Path) -> None:
    environ = {
        "PIP_INDEX_URL": "https://mirror/simple",
        "PIP_EXTRA_INDEX_URL": "https://a/simple  https://b/simple",
        "PIP_FIND_LINKS": "/wheels https://host/page",
        "PIP_CERT": "/certs/ca.pem",
        "PIP_TRUSTED_HOST": "mirror",
        "UV_INDEX_URL": "https://uvs/own",
    }

    assert uv_settings(environ, tmp_path, tmp_path / "none") == {
        "UV_INDEX": "https://a/simple https://b/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,https://host/page",
        "SSL_CERT_FILE": "/certs/ca.pem",
        "UV_INSECURE_HOST": "mirror",
    }


def test_pips_files_serve_too_the_nearer_ones_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    machine_wide = tmp_path / "pip.conf"
    machine_wide.write_text("[global]\nindex-url = https://machine/simple\ncert = /machine.pem\n")
    for folder, text in {
        ".pip": "[global]\nindex_url = https://old/simple\nfind-links =\n  /one\n  ~/two\n",
        ".config/pip": "[global]\nindex-url = https://user:p%40ss@mine/simple\n[install]\ncert = /not/global\n",
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pip.conf").write_text(text)

    assert uv_settings({"PIP_CERT": "/variable.pem"}, tmp_path, machine_wide) == {
        "UV_DEFAULT_INDEX": "https://user:p%40ss@mine/simple",
        "UV_FIND_LINKS": f"/one,{tmp_path}/two",
        "SSL_CERT_FILE": "/variable.pem",
    }


def test_a_broken_pip_file_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "pip.conf"
    broken.write_bytes(b"index-url = \xff\n[global\n")

    assert uv_settings({}, tmp_path, broken) == {}
