from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.capabilities import Feature
from penstock.codes import all_codes, find
from penstock.errors import PenstockError

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"""["'\[](P[1-9]\d\d)["'\]]""")


def used() -> dict[str, list[str]]:
    """Give each code that the source makes findings of, and the files that do."""
    found: dict[str, list[str]] = {}
    for folder in ("core", "providers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "codes" not in path.parent.name:
                for code in _CODE.findall(path.read_text(encoding="utf-8")):
                    found.setdefault(code, []).append(str(path.relative_to(ROOT)))
    return found


def test_every_code_in_use_has_an_entry() -> None:
    known = {each.code for each in all_codes()}

    assert {code: files for code, files in used().items() if code not in known} == {}


def test_every_entry_is_in_use() -> None:
    in_use = used().keys() | {"P160"}

    assert [each.code for each in all_codes() if each.code not in in_use] == []


def test_codes_stand_in_order_and_once() -> None:
    codes = [each.code for each in all_codes()]

    assert codes == sorted(set(codes))


@pytest.mark.parametrize("code", all_codes(), ids=lambda each: each.code)
def test_an_entry_is_short_whole_and_plain(code: object) -> None:
    entry = next(each for each in all_codes() if each == code)
    lines = entry.text.splitlines()

    assert 2 <= len(lines) <= 12
    assert max(map(len, lines)) <= 115
    assert 3 <= len(entry.title) <= 60
    assert entry.title[0].islower() and not entry.title.endswith(".")
    assert entry.text[0].isupper() or entry.text[0] in "`A"
    assert lines[-1].startswith("    ") or lines[-1][-1] in ".`:"
    assert not re.search(r"\b(simply|just|obviously)\b", entry.text)


def test_core_explains_without_naming_a_cloud() -> None:
    said = " ".join(f"{each.title} {each.text}" for each in all_codes()).lower()

    assert [name for name in ("sagemaker", "azure", "aws", "glue", "s3:") if name in said] == []


def test_titles_tell_codes_apart() -> None:
    titles = [each.title for each in all_codes()]

    assert len(titles) == len(set(titles))


def test_every_feature_is_explained() -> None:
    assert [each.code for each in Feature if find(each.code).code != each.code] == []


@pytest.mark.parametrize("asked", ["P203", "p203", " P203 "])
def test_a_code_is_found_in_any_case(asked: str) -> None:
    assert find(asked).title == "a value of the wrong type"


def test_an_unknown_code_names_those_near_it() -> None:
    with pytest.raises(PenstockError) as fault:
        find("P209")

    (found,) = fault.value.diagnostics
    assert found.code == "P160"
    assert found.message == "there is no code 'P209'"
    assert found.hint == "near it: P208, P210, P207"


@pytest.mark.parametrize("asked", ["", "203x", "error", "P" + "9" * 1000, "P²"])
def test_what_is_no_code_is_told_how_codes_look(asked: str) -> None:
    with pytest.raises(PenstockError) as fault:
        find(asked)

    (found,) = fault.value.diagnostics
    assert found.code == "P160"
    assert len(found.message) < 60
    assert "P203" in found.hint
