from __future__ import annotations

from pathlib import Path

import pytest
from tests.core.testing.probe_for_tests import lay_out, suite_of

from penstock.testing.suite import load_suite

WRONG = [
    ("{expct: {run: failed}, expect: {run: failed}}", "P201", 5, 8, "did you mean 'expect'?"),
    ("{parameters: {floor: 1}}", "P202", 5, 3, "add 'expect:'"),
    ("{expect: {run: succeded}}", "P204", 5, 22, "did you mean 'succeeded'?"),
    ("{expect: {steps: {stop: skiped}}}", "P204", 5, 31, "did you mean 'skipped'?"),
    ("{expect: {kpis: {good: made}}}", "P204", 5, 30, "allowed: met, missed"),
    ("{steps: [], expect: {}}", "P202", 5, 8, "write at least one"),
    ("{steps: split, expect: {}}", "P203", 5, 15, "write a list: [split]"),
    ("{timeout: 10, expect: {}}", "P203", 5, 17, 'put it in quotes: "10"'),
    ("{timeout: ten, expect: {}}", "P206", 5, 17, "write a number and a unit: 30s, 15m, 2h or 7d"),
    ("{expect: {outputs: {split.parts: {}}}}", "P202", 5, 27, "write 'exists: true'"),
    ("{expect: {outputs: {split.parts: {files: -1}}}}", "P207", 5, 48, "at least 0"),
    ("{expect: {outputs: {split.parts: {rows: {at_lest: 3}}}}}", "P201", 5, 48, "did you mean 'at_least'?"),
    (
        "{expect: {outputs: {split.parts: {exists: false, rows: 3}}}}",
        "P513",
        5,
        56,
        "remove it, or 'exists: false'",
    ),
    (
        "{expect: {outputs: {split.parts: {rows: {at_least: 3, at_most: 2}}}}}",
        "P513",
        5,
        48,
        "exchange them",
    ),
    ("{expect: {metrics: {judge.report.score: {at_least: 3, at_most: 2}}}}", "P513", 5, 48, "exchange them"),
    (
        "{expect: {metrics: {judge.report.score: {tolerance: 1}}}}",
        "P513",
        5,
        48,
        "add 'value:', or remove it",
    ),
    (
        "{expect: {metrics: {judge.report.score: {value: 1, at_least: 0}}}}",
        "P513",
        5,
        58,
        "keep one of them",
    ),
    ("{expect: {metrics: {judge.report.score: {}}}}", "P202", 5, 27, "write 'at_least:' or 'at_most:'"),
    ("{expect: {metrics: {judge.score: 1}}}", "P512", 5, 27, ""),
    ("{expect: {metrics: {judge.rebort.score: 1}}}", "P502", 5, 27, "did you mean 'report'?"),
    ("{expect: {metrics: {split.parts.score: 1}}}", "P511", 5, 27, ""),
    ("{expect: {outputs: {split: {files: 1}}}}", "P512", 5, 27, "write STEP.OUTPUT, such as prepare.train"),
    ("{expect: {outputs: {split.parts: {contains: '/(/'}}}}", "P512", 5, 51, ""),
    ("{expect: {outputs: {publish.page: {contains: {a: b}}}}}", "P511", 5, 42, ""),
    ("{expect: {outputs: {publish.page: {equals: rows.cvs}}}}", "P250", 5, 50, "did you mean 'rows.csv'?"),
    ("{expect: {outputs: {publish.page: {equals: fixtures}}}}", "P505", 5, 50, "name a file"),
    ("{expect: {outputs: {judge.report: {rows: 1}}}}", "P511", 5, 42, "expect fields of it under 'metrics'"),
    ("{given: {split.parts: fixtures/part}, expect: {}}", "P250", 5, 29, "did you mean 'fixtures/parts'?"),
    ("{given: {split.parts: rows.csv}, expect: {}}", "P505", 5, 29, "name a folder"),
    ("{parameters: {floor: high}, expect: {}}", "P503", 5, 28, "it is of type number"),
    ("{steps: [split], expect: {kpis: {good: met}}}", "P510", 5, 40, ""),
    ("{message: x, expect: {}}", "P201", 5, 8, ""),
]


@pytest.mark.parametrize(("case", "code", "line", "column", "hint"), WRONG)
def test_a_mistake_is_told_once_with_its_place(
    case: str, code: str, line: int, column: int, hint: str, tmp_path: Path
) -> None:
    (found,) = suite_of(tmp_path, f"it: {case}").diagnostics

    assert found.place is not None
    assert (found.code, found.place.line, found.place.column) == (code, line, column)
    assert found.hint and hint in found.hint


def test_all_mistakes_of_all_cases_are_told_at_once(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        """
        one: {steps: [splitt], parameters: {flor: 1}, expect: {steps: {stopp: failed}}}
        two: {datasets: {row: rows.csv}, expect: {outputs: {split.part: {files: 1}}, kpis: {god: met}}}
        """,
        more="targets: [locl]\n",
    )

    assert sorted(each.code for each in suite.diagnostics) == [
        "P501",
        "P501",
        "P502",
        "P503",
        "P504",
        "P506",
    ]


def test_cases_are_checked_beside_others_whose_form_is_wrong(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        """
        one: {expct: {}, expect: {}}
        two: {steps: [splitt], expect: {}}
        """,
    )

    assert [(each.code, each.place.line if each.place else 0) for each in suite.diagnostics] == [
        ("P201", 5),
        ("P501", 6),
    ]
    assert suite.tests is None


def test_a_parameter_without_default_must_be_set_where_it_is_needed(tmp_path: Path) -> None:
    path = lay_out(tmp_path, "it: {expect: {}}\nsplits: {steps: [split], expect: {}}")
    spec = tmp_path / "pipeline.yaml"
    spec.write_text(spec.read_text().replace("default: 0.5, ", ""))

    (found,) = load_suite(path).diagnostics

    assert (found.code, found.place.line if found.place else 0) == ("P503", 5)
    assert found.hint == "add it: parameters: {floor: VALUE}"


def test_a_dataset_without_a_path_must_be_brought_where_it_is_needed(tmp_path: Path) -> None:
    path = lay_out(tmp_path, "it: {expect: {}}\njudges: {given: {split.parts: fixtures/parts}, expect: {}}")
    spec = tmp_path / "pipeline.yaml"
    spec.write_text(spec.read_text().replace(", path: rows.csv", ""))

    (found,) = load_suite(path).diagnostics

    assert (found.code, found.place.line if found.place else 0) == ("P504", 5)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("penstock: v1\nkind: tests\nspec: pipelin.yaml\ncases: {a: {expect: {}}}\n", "P250"),
        ("penstock: v1\nkind: tests\nspec: fixtures\ncases: {a: {expect: {}}}\n", "P505"),
        ("penstock: v1\nkind: tests\ncases: {a: {expect: {}}}\n", "P202"),
        ("penstock: v1\nkind: tests\nspec: pipeline.yaml\n", "P202"),
        ("penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases: {}\n", "P202"),
        ("penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases: {a b: {expect: {}}}\n", "P205"),
        ("penstock: v2\nkind: tests\nspec: pipeline.yaml\ncases: {a: {expect: {}}}\n", "P115"),
        ("kind: tests\nspec: pipeline.yaml\ncases: {a: {expect: {}}}\n", "P115"),
        ("penstock: v1\nkind: test\nspec: pipeline.yaml\ncases: {a: {expect: {}}}\n", "P115"),
        ("penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases: {a: {expect: {}\n", "P103"),
        ("", "P107"),
    ],
)
def test_a_file_that_is_no_tests_file_is_told(text: str, code: str, tmp_path: Path) -> None:
    path = lay_out(tmp_path, "a: {expect: {}}")
    path.write_text(text)

    found = load_suite(path).diagnostics

    assert [each.code for each in found] == [code]
    assert all(each.hint and each.place for each in found)


def test_the_pipelines_own_mistakes_are_told_in_its_own_file(tmp_path: Path) -> None:
    path = lay_out(tmp_path, "it: {expect: {}}")
    spec = tmp_path / "pipeline.yaml"
    spec.write_text(spec.read_text().replace("steps.split.outputs.parts", "steps.spilt.outputs.parts"))

    found = load_suite(path).diagnostics

    assert {each.code for each in found} == {"P211"}
    assert {each.place.file for each in found if each.place} == {str(spec)}
