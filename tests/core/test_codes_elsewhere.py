from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from penstock import discovery, starter
from penstock.bundle import Bundle
from penstock.capabilities import Capabilities, Capability, Feature, Support
from penstock.compiler import check, compile_bundle
from penstock.diagnostics import Path as SpecPath
from penstock.errors import PenstockError
from penstock.ir import Graph
from penstock.provider import Lowered, Problem, Profile

SPEC = """penstock: v1
kind: pipeline
name: example
steps:
  hello:
    run: echo hello
"""


class PaperTarget:
    """A target that lowers every pipeline to one document, and finds in it what a test tells it to."""

    name = "paper"
    provider = "stationery"
    title = "Paper"
    document = "paper.json"

    def __init__(self, problems: Sequence[Problem] = ()) -> None:
        self.problems = problems

    @property
    def capabilities(self) -> Capabilities:
        return dict.fromkeys(Feature, Capability(Support.NATIVE, "written down"))

    def check_profile(self, settings: Mapping[str, str]) -> list[tuple[str, str, str]]:
        found = [(key, f"'{key}' means nothing on paper", "remove it") for key in settings if key != "drawer"]
        return found if "drawer" in settings else [*found, ("", "no 'drawer' is named", "add 'drawer:'")]

    def lower(self, graph: Graph, profile: Profile | None) -> Lowered:
        del profile
        document = {"steps": {step.name: {"run": "…"} for step in graph.steps}}
        origins: dict[tuple[str, SpecPath], SpecPath] = {
            ("paper.json", ("steps", step.name)): step.path for step in graph.steps
        }
        return Lowered({"paper.json": document}, origins=origins)

    def serialise(self, path: str, document: Any) -> str:
        return f"{path}: {document}"

    def validate(self, files: Mapping[str, Any]) -> Sequence[Problem]:
        del files
        return self.problems

    def emulator(self) -> None:
        return None


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> PaperTarget:
    target = PaperTarget()
    known = {"paper": target, "local": discovery.target("local")}
    monkeypatch.setattr(discovery, "targets", lambda: known)
    monkeypatch.setattr(discovery, "target", known.get)
    return target


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    entries: list[EntryPoint] = []

    def entry_points(group: str) -> list[EntryPoint]:
        return [each for each in entries if each.group == group]

    monkeypatch.setattr(discovery, "entry_points", entry_points)
    caches = (discovery._entries, discovery.load, discovery.targets)  # pyright: ignore[reportPrivateUsage]
    for each in caches:
        each.cache_clear()
    yield entries
    for each in caches:
        each.cache_clear()


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, discovery.GROUP)


def test_two_packages_may_not_provide_the_same(installed: list[EntryPoint]) -> None:
    installed += [entry("local", "one:Provider"), entry("local", "another:Provider")]

    with pytest.raises(PenstockError) as fault:
        discovery.load("local")

    (found,) = fault.value.diagnostics
    assert found.code == "P120"
    assert "one:Provider" in found.message and "another:Provider" in found.message
    assert found.hint == "uninstall one of them"


@pytest.mark.parametrize("value", ["penstock.no_such_module:Provider", "penstock.errors:NoSuchClass"])
def test_a_provider_that_cannot_be_imported_is_named(installed: list[EntryPoint], value: str) -> None:
    installed.append(entry("broken", value))

    with pytest.raises(PenstockError) as fault:
        discovery.target("anything")

    (found,) = fault.value.diagnostics
    assert found.code == "P122"
    assert "'broken'" in found.message and value in found.message


def test_a_broken_installation_does_not_keep_check_from_its_findings(
    installed: list[EntryPoint], tmp_path: Path
) -> None:
    installed.append(entry("broken", "penstock.no_such_module:Provider"))
    spec = tmp_path / "pipeline.yaml"
    spec.write_text(SPEC + "    options: {paper: {}}\n    code: nowhere\n")

    found = check(spec, "paper")

    assert [each.code for each in found] == ["P122", "P250"]


def profiles(spec: Path, text: str) -> None:
    spec.with_name("penstock.yaml").write_text(f"profiles:\n{text}")


@pytest.mark.usefixtures("paper")
def test_a_profile_is_held_to_what_its_target_knows(spec: Path) -> None:
    profiles(spec, "  desk: {target: paper, colour: red}\n")

    missing, unknown = check(spec, "paper", "desk")

    assert (missing.code, unknown.code) == ("P131", "P131")
    assert missing.place and (missing.place.line, missing.place.column) == (2, 3)
    assert unknown.place and (unknown.place.line, unknown.place.column) == (2, 33)
    assert missing.hint and unknown.hint


@pytest.mark.usefixtures("paper")
def test_a_profile_serves_its_own_target_alone(spec: Path) -> None:
    profiles(spec, "  desk: {target: paper, drawer: top}\n")

    (found,) = check(spec, "local", "desk")

    assert found.code == "P133"
    assert found.hint == "compile with --target paper"


@pytest.mark.usefixtures("paper")
def test_a_profile_alone_says_which_target_is_meant(spec: Path) -> None:
    profiles(spec, "  desk: {target: paper, drawer: top}\n")

    assert check(spec, profile="desk") == []


@pytest.mark.usefixtures("paper")
def test_an_unknown_profile_is_told_with_the_nearest(spec: Path) -> None:
    profiles(spec, "  desk: {target: paper, drawer: top}\n")

    (found,) = check(spec, "paper", "dessk")

    assert found.code == "P130"
    assert found.hint == "did you mean 'desk'?"


@pytest.mark.usefixtures("paper")
def test_a_wrong_profile_stops_no_other(spec: Path) -> None:
    profiles(
        spec,
        "  desk: {target: paper, drawer: '2'}\n  shelf: {target: paper}\n  sky: {}\n"
        "  my cloud: {target: paper}\n",
    )
    spec.with_name("penstock.yaml").write_text(spec.with_name("penstock.yaml").read_text() + "imagez: {}\n")

    found = check(spec, "paper", "desk")

    assert {(each.code, each.severity.value, each.place.line) for each in found if each.place} == {
        ("P131", "warning", 3),
        ("P202", "warning", 4),
        ("P205", "warning", 5),
        ("P201", "warning", 6),
    }
    compile_bundle(spec, "paper", "desk")
    for name, code in (("shelf", "P131"), ("sky", "P202"), ("my cloud", "P205")):
        with pytest.raises(PenstockError) as fault:
            compile_bundle(spec, "paper", name)
        assert {each.code for each in fault.value.diagnostics} == {code}


@pytest.mark.usefixtures("paper")
def test_profiles_under_a_misspelt_key_are_told_so(spec: Path) -> None:
    spec.with_name("penstock.yaml").write_text("profile:\n  desk: {target: paper, drawer: low}\n")

    found = check(spec, "paper", "desk")

    assert [each.code for each in found] == ["P201", "P130"]
    assert found[0].hint == "did you mean 'profiles'?"


@pytest.mark.parametrize("code", ["P390", "P391", "P392", "P393"])
def test_faults_of_a_document_are_shown_at_the_line_of_the_spec(
    spec: Path, paper: PaperTarget, code: str
) -> None:
    paper.problems = [Problem(("steps", "hello", "run"), code, "paper cannot hold this", "write less")]

    (found,) = check(spec, "paper")

    assert found.code == code
    assert found.place and (found.place.line, found.place.column) == (5, 3)
    assert found.details == ("in the paper document: paper.json: steps.hello.run",)


@pytest.fixture
def bundle(spec: Path) -> Bundle:
    return compile_bundle(spec, "local")


def test_a_bundle_replaces_nothing_but_a_bundle(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "thesis.txt").write_text("ten years of work")

    with pytest.raises(PenstockError) as fault:
        bundle.write(folder)

    assert fault.value.diagnostics[0].code == "P150"
    assert (folder / "thesis.txt").read_text() == "ten years of work"


def test_a_bundle_that_cannot_be_written_is_told(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PenstockError) as fault:
        bundle.write(tmp_path / "file" / "out")

    assert fault.value.diagnostics[0].code == "P151"
    assert fault.value.diagnostics[0].hint


def test_starting_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("mine")

    with pytest.raises(PenstockError) as fault:
        starter.write(tmp_path)

    assert [each.code for each in fault.value.diagnostics] == ["P152"]
    assert (tmp_path / "pipeline.yaml").read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["pipeline.yaml"]
