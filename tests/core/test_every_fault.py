"""Every problem at once, also within one text: each finding with its own place and hint."""

from __future__ import annotations

import re

import pytest
from tests.specs_for_tests import Shop

from penstock.compiler import check
from penstock.diagnostics import Diagnostic

STEPS = """
    parameters: {p: {type: integer, default: 1}}
    steps:
      w: {run: "echo 1 > ${{ outputs.q }}; cp ${{ outputs.q }} ${{ outputs.r }}", outputs: {q: file, r: metrics}}
    outputs: {q: "${{ steps.w.outputs.q }}", r: "${{ steps.w.outputs.r }}"}
"""


def found(shop: Shop, text: str) -> list[Diagnostic]:
    return check(shop.write(text))


def told(findings: list[Diagnostic]) -> list[tuple[str, str]]:
    """Give the code of each error, and the text that it points at."""
    shown: list[tuple[str, str]] = []
    for each in findings:
        if each.severity != "error":
            continue
        assert each.place is not None
        assert each.hint
        start = each.place.column - 1
        shown.append((each.code, each.place.excerpt[start : start + each.place.length]))
    return shown


def test_every_fault_of_a_command_is_told(shop: Shop) -> None:
    run = (
        "echo ${{ inputs.q }} ${{ steps.zz.outputs.o }} ${{ inputs.r }} ${{ 1 + }} '${{ inputs.z }}' "
        "${{ parameters.p }}"
    )

    findings = found(shop, STEPS.replace("    steps:", f'    steps:\n      one: {{run: "{run}"}}'))

    assert told(findings) == [
        ("P216", "inputs.q"),
        ("P210", "${{ steps.zz.outputs.o }}"),
        ("P216", "inputs.r"),
        ("P210", "+"),
        ("P210", "${{ inputs.z }}"),
        ("P216", "inputs.z"),
        ("P210", "${{ parameters.p }}"),
    ]


LISTED = '[echo, "${{ inputs.q }}${{ 1 + }}", "${{ parameters.p }} ${{ inputs.r }} ${{ x }}"]'


def test_every_fault_of_a_command_in_words_is_told(shop: Shop) -> None:
    findings = found(shop, STEPS.replace("    steps:", f"    steps:\n      one: {{run: {LISTED}}}"))

    assert told(findings) == [
        ("P216", "inputs.q"),
        ("P210", "+"),
        ("P210", "${{ parameters.p }}"),
        ("P216", "inputs.r"),
        ("P210", "x"),
    ]


BROKEN = "${{ parameters.no }} ${{ 1 + }} ${{ steps.no.outputs.r.x }} ${{ stepz.w.outputs.r.y }}"
WANTED = [
    ("P213", "parameters.no"),
    ("P210", "+"),
    ("P211", "steps.no.outputs.r.x"),
    ("P210", "stepz.w.outputs.r.y"),
]


CONDITION = "${{ parameters.no > 1 and 2 > and stepz.w.outputs.r.y < steps.no.outputs.r.x }}"
TEXTS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "message": ("steps", f'f: {{kind: fail, message: "{BROKEN}"}}', WANTED),
    "env": (
        "steps",
        f'o: {{run: echo, env: {{A: "{BROKEN}"}}}}',
        [WANTED[0], WANTED[1], ("P219", WANTED[2][1]), WANTED[3]],
    ),
    "kpi": ("goal", f'{{statement: s, kpis: [{{name: k, value: "{BROKEN}", target: ">= 1"}}]}}', WANTED),
    "condition": (
        "conditions",
        f'{{c: "{CONDITION}", d: "${{{{ not conditions.c }}}}"}}',
        [
            ("P213", "parameters.no"),
            ("P210", "and"),
            ("P210", "stepz.w.outputs.r.y"),
            ("P211", "steps.no.outputs.r.x"),
        ],
    ),
    "when": (
        "steps",
        'o: {run: echo, when: "${{ step.a or parameter.b }}"}',
        [("P210", "step.a"), ("P210", "parameter.b")],
    ),
    "a field, and no output": (
        "steps",
        'f: {kind: fail, message: "${{ steps.w.outputs.q.a }} ${{ steps.w.outputs }}"}',
        [("P223", "steps.w.outputs.q.a"), ("P210", "steps.w.outputs")],
    ),
    "the same slip twice, and a type": (
        "steps",
        """f: {kind: fail, message: "${{ 1 + }} ${{ parameters.p > 'x' }} ${{ 1 + }}"}""",
        [("P210", "+"), ("P221", "parameters.p > 'x'"), ("P210", "+")],
    ),
    "approval": (
        "steps",
        'r: {kind: register, model: "${{ stepz.a }}", name: m, approval: "${{ 1 + }}"}',
        [("P210", "stepz.a"), ("P210", "+")],
    ),
}


@pytest.mark.parametrize(("key", "text", "wanted"), TEXTS.values(), ids=TEXTS)
def test_every_fault_of_a_text_is_told(
    shop: Shop, key: str, text: str, wanted: list[tuple[str, str]]
) -> None:
    spec = (
        STEPS.replace("steps:", f"steps:\n      {text}") if key == "steps" else f"{STEPS}    {key}: {text}\n"
    )

    assert told(found(shop, spec)) == wanted


def test_a_reference_is_not_pointed_at_in_a_longer_one(shop: Shop) -> None:
    findings = found(
        shop,
        """
        steps:
          one: {run: "echo ${{ inputs.cells2 }} ${{ inputs.cells }}", inputs: {cells2: 1}}
        """,
    )

    (lost,) = findings
    assert lost.place is not None
    assert lost.place.column == lost.place.excerpt.index("inputs.cells }}") + 1


def test_an_expression_with_one_slip_gives_one_finding(shop: Shop) -> None:
    for slip in (
        "steps.my-step.outputs.o.a > 1",
        "1 < 2 < 3",
        "(a.b > 1",
        "parameters.p = 1",
        '"x > 1',
        "p[1 and 2",
    ):
        text = STEPS + "    conditions:\n      c: '${{ " + slip.replace("'", "''") + " }}'\n"
        findings = [each for each in found(shop, text) if each.severity == "error"]

        assert len(findings) == 1, slip


def test_a_fault_of_form_hides_no_missing_script(shop: Shop) -> None:
    shop.file("src/main.py")

    findings = found(
        shop,
        """
        datasets: {d: {type: file, path: ""}}
        steps:
          one: {run: python gone.py, code: src}
          two: {run: "echo ${{ inputs.d }}", inputs: {d: "${{ datasets.d }}"}}
        """,
    )

    assert [each.code for each in findings] == ["P202", "P253"]


def test_many_faults_of_one_text_take_no_more_than_a_moment(shop: Shop) -> None:
    findings = found(shop, f"""steps: {{one: {{run: "{"'${{ inputs.a }}' ${{ x }} " * 3000}"}}}}""")

    assert {each.code for each in findings} == {"P210", "P216"}
    assert all(re.search("single quotes|is not known|neither|no input", each.message) for each in findings)
