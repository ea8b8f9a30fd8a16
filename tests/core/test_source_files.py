from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from penstock.diagnostics import Place, Severity
from penstock.source import Source, read_source


def codes(text: str) -> list[str]:
    return [found.code for found in Source.from_text(text).diagnostics]


def spots(text: str) -> list[tuple[str, int, int]]:
    found = [(each.code, each.place) for each in Source.from_text(text).diagnostics]
    assert all(place is not None for _, place in found)
    return [(code, place.line, place.column) for code, place in found if place is not None]


def test_a_file_is_shown_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "p.yaml").write_bytes(b"a: 1\n")
    monkeypatch.chdir(tmp_path)

    assert read_source(tmp_path / "sub" / "p.yaml").file == "sub/p.yaml"
    assert read_source(Path("sub/p.yaml")).file == "sub/p.yaml"
    assert read_source(Path("sub/p.yaml"), shown="the spec").file == "the spec"
    monkeypatch.chdir(tmp_path / "sub")
    (tmp_path / "q.yaml").write_bytes(b"a: 1\n")
    assert read_source(tmp_path / "q.yaml").file == str(tmp_path / "q.yaml")


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfa: \xc3\xa9\r\n"
    (tmp_path / "p.yaml").write_bytes(data)

    source = read_source(tmp_path / "p.yaml")

    assert source.digest == hashlib.sha256(data).hexdigest()
    assert source.path == tmp_path / "p.yaml"
    assert source.text == "a: é\r\n"


def test_a_missing_file_is_p101_and_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_bytes(b"a: 1\n")

    (found,) = read_source(tmp_path / "pipline.yaml").diagnostics

    assert (found.code, found.severity) == ("P101", Severity.ERROR)
    assert found.hint == "did you mean 'pipeline.yaml'?"
    assert found.place is not None


def test_a_folder_is_p101_and_names_the_spec_inside(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    (tmp_path / "pipeline.yaml").touch()

    (found,) = read_source(tmp_path, shown="work").diagnostics

    assert (found.code, found.message) == ("P101", "'work' is a folder")
    assert found.hint == "name a file in it: work/pipeline.yaml"


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 5000, "no/such/folder/p.yaml"])
def test_a_name_that_no_file_can_have_is_p101(name: str, tmp_path: Path) -> None:
    assert [found.code for found in read_source(tmp_path / name).diagnostics] == ["P101"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_file_without_permission_is_p101(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").touch(mode=0)

    assert [found.code for found in read_source(tmp_path / "p.yaml").diagnostics] == ["P101"]


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"a: 1\nb: \xff\n", 2, 4),
        (b"a: \xe9\n", 1, 4),
        (b"\xef\xbb\xbfa: \xff\n", 1, 4),
        ("a: 1\n".encode("utf-16"), 1, 1),
        ("a: 1\n".encode("utf-16-le"), 1, 2),
        ("a: 1\n".encode("utf-32"), 1, 1),
        (b"a: 1\nb: x\0y\n", 2, 5),
        (b"a: \x1b[31m\n", 1, 4),
        (b"a: x\x7f\n", 1, 5),
        ("a: x\u2028b: 2\n".encode(), 1, 5),
        ("a: x\u0085b: 2\n".encode(), 1, 5),
        ("a: \ufeffx\n".encode(), 1, 4),
    ],
)
def test_bytes_that_are_no_text_are_p102(data: bytes, line: int, column: int) -> None:
    source = Source.from_bytes(data, "f.yaml")

    (found,) = source.diagnostics
    assert found.place is not None
    assert (found.code, found.place.line, found.place.column) == ("P102", line, column)
    assert source.value is None
    assert "\x1b" not in found.place.excerpt


def test_half_a_character_is_p102() -> None:
    assert codes("a: \ud800\n") == ["P102"]


def test_a_nul_written_as_an_escape_is_p102() -> None:
    assert spots('a: 1\nb: "x\\0y"\n') == [("P102", 2, 4)]


def test_a_file_of_more_than_16_mib_is_p111(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"a: " + b"x" * 16 * 1024 * 1024)

    source = read_source(tmp_path / "p.yaml")

    assert [found.code for found in source.diagnostics] == ["P111"]
    assert (source.value, source.digest) == (None, "")


def test_a_second_document_is_p105_and_the_first_is_read() -> None:
    source = Source.from_text("---\na: 1\n---\nb: [\n")

    assert [found.code for found in source.diagnostics] == ["P105"]
    assert source.diagnostics[0].place == Place("<text>", 3, 1, 3, "---")
    assert source.value == {"a": 1}


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "42\n", "[a, b]\n", "true\n"])
def test_a_root_that_is_no_mapping_is_p106(text: str) -> None:
    assert spots(text) == [("P106", 1, 1)]
    assert Source.from_text(text).value is None


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "~\n", "---\n...\n"])
def test_an_empty_file_is_p107(text: str) -> None:
    assert codes(text) == ["P107"]
