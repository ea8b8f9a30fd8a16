import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from penstock.entry_points import EntryPoint, entry_points


@pytest.mark.parametrize("group", ["console_scripts", "penstock.providers", "pytest11", "no.such.group"])
def test_installed_entry_points_are_those_that_the_standard_library_finds(group: str) -> None:
    expected = {
        (each.name, each.value.partition("[")[0].strip()) for each in metadata.entry_points(group=group)
    }

    assert {(each.name, each.value) for each in entry_points(group)} == expected


def test_a_package_found_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, value in (("first", "new:Provider"), ("second", "old:Provider")):
        install(tmp_path / folder, "some_pack-1.0", f"[a.group]\nname = {value}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])

    assert entry_points("a.group") == [EntryPoint("name", "new:Provider")]


def test_comments_other_groups_and_extras_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[other]\nx = y:z\n\n[a.group]\n# a = b:c\n; d = e:f\nname = module:Object.inner [extra]\n"
    install(tmp_path, "pack-1.0", text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "missing")])

    assert entry_points("a.group") == [EntryPoint("name", "module:Object.inner")]


def test_packages_inside_an_archive_are_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("pack-1.0.dist-info/METADATA", "Name: pack\nVersion: 1.0\n")
        packed.writestr("pack-1.0.dist-info/entry_points.txt", "[a.group]\nname = module:Object\n")
    monkeypatch.setattr(sys, "path", [str(archive)])

    assert entry_points("a.group") == [EntryPoint("name", "module:Object")]


def test_loading_gives_the_object() -> None:
    assert EntryPoint("join", "os:path.join").load() is __import__("os").path.join


def install(folder: Path, package: str, text: str) -> None:
    place = folder / f"{package}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Name: x\nVersion: 1.0\n")
    (place / "entry_points.txt").write_text(text)
