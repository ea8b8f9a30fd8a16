"""What every target's lowering has to be: pure, deterministic, valid, traced back to the spec."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.specs_using_features import PAIRS
from tests.specs_for_tests import PENSTOCK

from penstock import discovery
from penstock.capabilities import Feature, announce
from penstock.compiler import compile_bundle, plan
from penstock.diagnostics import has_errors
from penstock.ir import Graph, Nested

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*/pipeline.yaml"))
targets = pytest.mark.parametrize("name", sorted(discovery.targets()))
specs = pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.parent.name)


def usable(name: str, folder: Path) -> Iterator[tuple[Feature, Graph]]:
    """Give the graph of every feature's spec that a target does not refuse."""
    for feature, pair in PAIRS.items():
        place = folder / feature.name.lower()
        place.mkdir()
        graph = plan(pair.write(place, name)).usable
        if not has_errors(announce(name, discovery.target(name).capabilities, graph)):
            yield feature, graph


def laid_out(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@targets
def test_lowering_twice_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    target = discovery.target(name)
    for feature, graph in usable(name, tmp_path):
        first, second = target.lower(graph, None), target.lower(graph, None)

        assert [*first.files] == [*second.files], feature
        assert first == second, feature
        for path, document in first.files.items():
            assert target.serialise(path, document) == target.serialise(path, second.files[path])


@pytest.mark.sampled(2, rest="exhaustive")
@targets
@specs
def test_another_process_folder_and_environment_give_the_same_bundle(
    name: str, spec: Path, tmp_path: Path
) -> None:
    here = compile_bundle(spec, name).write(tmp_path / "here")
    elsewhere = tmp_path / "else where"
    shutil.copytree(spec.parent, elsewhere)
    home = tmp_path / "home"
    home.mkdir()

    for number, (seed, zone) in enumerate((("1", "Asia/Tokyo"), ("2", "America/Lima"))):
        env = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "HOME": str(home),
            "LANG": "C",
            "USER": f"u{number}",
        }
        words = ["compile", elsewhere / spec.name, "--target", name, "-o", tmp_path / f"there{number}"]
        subprocess.run([*PENSTOCK, *map(str, words)], env=env, cwd=home, check=True, capture_output=True)

        assert laid_out(tmp_path / f"there{number}") == laid_out(here)


@targets
@specs
def test_a_bundle_names_no_place_on_this_machine(name: str, spec: Path, tmp_path: Path) -> None:
    for path, content in laid_out(compile_bundle(spec, name).write(tmp_path / "out")).items():
        assert str(ROOT).encode() not in content, path
        assert str(Path.home()).encode() + b"/" not in content, path


FORBIDDEN = (
    "open",
    "socket",
    "subprocess",
    "os.listdir",
    "os.scandir",
    "os.system",
    "os.remove",
    "os.mkdir",
    "shutil",
)
watching: list[str] = []
watched: list[bool] = [False]


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if watched[0] and event.startswith(FORBIDDEN):
        watching.append(f"{event}{arguments[:1]}")


sys.addaudithook(watch)


@targets
def test_lowering_touches_no_file_network_clock_or_chance(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise AssertionError("lowering asked for the time or for chance")

    target = discovery.target(name)
    graphs = dict(usable(name, tmp_path))
    for graph in graphs.values():
        # What is shipped with the package, such as a catalogue, may be read at the first call.
        target.lower(graph, None)
    shutil.rmtree(tmp_path)
    found: dict[Feature, object] = {}

    with monkeypatch.context() as patched:
        for owner, function in (
            (time, "time"),
            (time, "time_ns"),
            (time, "gmtime"),
            (time, "localtime"),
            (random, "random"),
            (os, "urandom"),
            (os, "getpid"),
            (os, "getcwd"),
            (os, "stat"),
            (uuid, "uuid4"),
            (uuid, "uuid1"),
        ):
            patched.setattr(owner, function, refuse)
        patched.setattr(os, "environ", {})
        watching.clear()
        watched[0] = True
        try:
            for feature, graph in graphs.items():
                found[feature] = target.lower(graph, None)
        finally:
            watched[0] = False

    assert watching == []
    assert found == {feature: target.lower(graph, None) for feature, graph in graphs.items()}


@targets
@specs
def test_shipped_specs_compile_clean(name: str, spec: Path) -> None:
    target = discovery.target(name)
    lowered = target.lower(plan(spec).usable, None)

    assert list(target.validate(lowered.files)) == []
    assert not has_errors(lowered.diagnostics)


@targets
@specs
def test_every_part_of_a_document_leads_back_to_a_line_of_the_spec(name: str, spec: Path) -> None:
    bundle = compile_bundle(spec, name)

    assert set(bundle.source_map) <= set(bundle.texts)
    assert bundle.source_map.get(bundle.document)
    # A nested pipeline may stand in the document as its steps, and these lead into its own file.
    steps = {step.name for step in plan(spec).usable.steps if not isinstance(step, Nested)}
    reached: set[str] = set()
    for place in (each for pointers in bundle.source_map.values() for each in pointers.values()):
        file, line, column = place.rsplit(":", 2)
        text = (spec.parent / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert 1 <= int(column) <= len(text) + 1
        reached.add(text.strip().partition(":")[0])
    assert steps <= reached


@targets
@specs
def test_the_manifest_tells_of_every_file_and_of_the_launcher(name: str, spec: Path, tmp_path: Path) -> None:
    bundle = compile_bundle(spec, name)
    folder = bundle.write(tmp_path / "out")
    manifest = bundle.manifest()

    assert {each["path"] for each in manifest["assets"]} == {each.path for each in bundle.assets}
    assert all((folder / each["path"]).exists() for each in manifest["assets"])
    assert all((folder / path).is_file() for path in manifest["documents"])
    assert bundle.document in manifest["documents"]
    steps = {step.name for step in plan(spec).usable.steps}
    conditions = set(plan(spec).usable.conditions)
    for use in manifest["launcher"]:
        # The steps of a nested pipeline, and the items of a map, bear its name first.
        assert use["step"].partition("__")[0] in steps | conditions
        assert use["reason"]


@targets
def test_a_setting_that_a_target_does_not_know_is_refused(name: str) -> None:
    found = discovery.target(name).check_profile({"no_such_setting": "x"})

    (about,) = [each for each in found if each[0] == "no_such_setting"]
    assert "no_such_setting" in about[1]
    assert about[2]


@targets
def test_a_profile_with_an_unknown_setting_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    spec = PAIRS[Feature.COMMAND].write(tmp_path, name)
    (tmp_path / "penstock.yaml").write_text(f"profiles:\n  mine: {{target: {name}, no_such_setting: x}}\n")

    told = subprocess.run(
        [*PENSTOCK, "compile", str(spec), "--target", name, "--profile", "mine", "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode != 0
    assert "error[P131]" in told.stderr and "penstock.yaml:2:" in told.stderr
    assert not (tmp_path / "out").exists()


@targets
def test_a_target_says_who_it_is(name: str) -> None:
    target = discovery.target(name)

    assert target.name == name
    assert target.provider in discovery.names()
    assert target.title and target.document
    assert discovery.load(target.provider).name == target.provider
    assert set(discovery.load(target.provider).targets()) <= set(discovery.targets())
    emulator = target.emulator()
    assert emulator is None or callable(emulator.run)
