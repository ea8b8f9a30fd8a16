from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.core.codes_without_a_file import GROUPS

from penstock import discovery
from penstock.capabilities import Feature, Support
from penstock.codes import all_codes
from penstock.compiler import check
from penstock.diagnostics import render

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "specs" / "invalid"
FILES = sorted({*FOLDER.glob("*.yaml"), *FOLDER.glob("*.py")} - {FOLDER / "penstock.yaml"})

_HEADER = re.compile(r"# (?P<findings>P\d{3}.*?)(?: with (?P<options>--.+))?")
_FINDING = re.compile(r"(P\d{3})(?: at (\d+):(\d+)(?: in (\S+))?)?")

KEPT_BY_ALL = (
    "tests/core/test_capabilities_announced.py::test_every_feature_is_announced_where_a_target_lacks_it"
)
"""What proves the code of a feature that every installed target keeps whole, so that no file can show it."""


@dataclass(frozen=True)
class Expected:
    """What `check` answers: code, line, column and file (that of the spec itself, or one that it uses)."""

    findings: list[tuple[str, int, int, Path]]
    target: str
    profile: str


def expected(path: Path) -> Expected:
    first = path.read_bytes().split(b"\n", 1)[0].decode()
    header = _HEADER.fullmatch(first)
    assert header, f"{path.name} begins with '# CODE at LINE:COLUMN'"
    found = [_FINDING.fullmatch(each) for each in header["findings"].split(", ")]
    assert all(found), f"{path.name}: {header['findings']}"
    words = (header["options"] or "").split()
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert options.keys() <= {"--target", "--profile"}
    return Expected(
        [
            (each[1], int(each[2] or 0), int(each[3] or 0), FOLDER / each[4] if each[4] else path)
            for each in found
            if each
        ],
        options.get("--target", ""),
        options.get("--profile", ""),
    )


def kept_by_all() -> set[str]:
    """Give the codes of features that no installed target announces anything about, in its table or elsewhere."""
    announced = {
        feature.code
        for target in discovery.targets().values()
        for feature, capability in target.capabilities.items()
        if capability.support in (Support.APPROXIMATED, Support.UNSUPPORTED)
    }
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "providers").rglob("*.py")]
    return {
        each.code
        for each in Feature
        if each.code not in announced and not any(f'"{each.code}"' in text for text in texts)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_spec_gives_what_its_first_line_says(path: Path) -> None:
    wanted = expected(path)

    found = check(path, wanted.target, wanted.profile)

    places = [
        (each.code, each.place.line, each.place.column, Path(each.place.file).absolute())
        if each.place
        else (each.code, 0, 0, path)
        for each in found
    ]
    assert places == wanted.findings
    for each in found:
        assert each.message and not each.message.endswith(".")
        assert each.hint, f"{each.code} says what is wrong and not what to write instead"
        shown = render(each).splitlines()
        assert shown[0].endswith(each.message)
        assert shown[-1] == f"  hint: {each.hint}"
        if each.place is not None:
            assert each.place.excerpt
            assert f"{Path(each.place.file).name}:{each.place.line}:{each.place.column}" in shown[1]
            assert "^" in shown[4]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_spec_shows_the_code_in_its_name_and_no_other_error(path: Path) -> None:
    codes = [code for code, *_ in expected(path).findings]

    assert set(codes) == {path.name[:4]}, "a mistake has one finding: what follows from it is left out"
    assert re.fullmatch(r"P\d{3}(-[a-z0-9]+)+\.(yaml|py)", path.name)


def test_every_code_has_a_file_unless_no_file_can_show_it() -> None:
    shown = {path.name[:4] for path in FILES}
    elsewhere = [code for group in GROUPS for code in group.proofs]

    unproved = {each.code for each in all_codes()} - shown - kept_by_all() - set(elsewhere)

    assert not unproved
    assert len(elsewhere) == len(set(elsewhere))


def test_what_has_a_file_is_excused_nowhere() -> None:
    known = {each.code for each in all_codes()}
    shown = {path.name[:4] for path in FILES}
    excused = {code for group in GROUPS for code in group.proofs} | kept_by_all()

    assert not shown & excused
    assert shown | excused <= known


@pytest.mark.parametrize(
    "proof", sorted({*(proof for group in GROUPS for proof in group.proofs.values()), KEPT_BY_ALL})
)
def test_the_test_that_proves_a_code_is_there(proof: str) -> None:
    file, name = proof.split("::")

    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("penstock: v1\n")

    (found,) = check(tmp_path / "pipelin.yaml")

    assert found.code == "P101"
    assert found.hint == "did you mean 'pipeline.yaml'?"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_bytes(b"# " + b"x" * (64 * 2**20))

    (found,) = check(path)

    assert found.code == "P111"
    assert found.hint
