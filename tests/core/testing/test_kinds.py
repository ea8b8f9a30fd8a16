"""Cases of pipelines with maps, components, nested pipelines and native steps."""

from __future__ import annotations

import pytest
from tests.core.testing.probe_for_tests import shown
from tests.specs_for_tests import Shop

from penstock.testing.observed import together
from penstock.testing.penstock_run import PenstockRun
from penstock.testing.running import run_case
from penstock.testing.suite import Suite, load_suite

OUTER = """\
penstock: v1
kind: pipeline
name: outer
datasets: {rows: {type: file, path: rows.csv}}
steps:
  nested:
    kind: pipeline
    uses: ./inner.yaml
    inputs: {rows: "${{ datasets.rows }}", word: ho}
  each:
    kind: map
    over: {items: [a, b]}
    run: (echo ${{ item }}; cat ${{ inputs.text }}) > ${{ outputs.page }}
    inputs: {text: "${{ steps.nested.outputs.text }}"}
    outputs: {page: file}
  joined:
    run: cat ${{ inputs.pages }}/*/* > ${{ outputs.all }}
    inputs: {pages: "${{ steps.each.outputs.page }}"}
    outputs: {all: file}
  far:
    kind: native
    inputs: {all: "${{ steps.joined.outputs.all }}"}
    outputs: {o: {type: file, from: "OutputParameters['o']"}}
    sagemaker: {Type: Callback, SqsQueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/q"}
    local: {run: "cp ${{ inputs.all }} ${{ outputs.o }}"}
  tally:
    uses: counts.yaml
    inputs: {rows: "${{ steps.far.outputs.o }}"}
"""
INNER = """\
penstock: v1
kind: pipeline
name: inner
goal:
  statement: Say it louder.
  kpis: [{name: loud, value: "${{ steps.count.outputs.report.n }}", target: ">= 3"}]
parameters: {word: {type: string, default: hi}}
datasets: {rows: {type: file}}
steps:
  shout:
    run: (cat ${{ inputs.rows }}; echo ${{ inputs.word }}) > ${{ outputs.text }}
    inputs: {rows: "${{ datasets.rows }}", word: "${{ parameters.word }}"}
    outputs: {text: file}
  count:
    uses: counts.yaml
    inputs: {rows: "${{ steps.shout.outputs.text }}"}
outputs: {text: "${{ steps.shout.outputs.text }}"}
"""
COUNTS = """\
penstock: v1
kind: component
name: counts
version: "1"
inputs: {rows: file}
outputs: {report: metrics}
step:
  run: |
    rows=${{ inputs.rows }}
    echo "{\\"n\\": $(wc -l < "$rows")}" > ${{ outputs.report }}
"""


def suite_of(shop: Shop, case: str) -> Suite:
    shop.file("pipeline.yaml", OUTER)
    shop.file("inner.yaml", INNER)
    shop.file("counts.yaml", COUNTS)
    shop.file("rows.csv", "x\n1\n")
    shop.file("fixtures/pages/k/page", "z\n")
    shop.file("fixtures/text", "one\n")
    head = "penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases:\n"
    return load_suite(shop.file("tests.yaml", f"{head}  it: {case}\n"))


@pytest.mark.parametrize(
    "case",
    [
        "{expect: {metrics: {tally.report.n: 8}, outputs: {each.page: {files: [a/page, b/page]}}}}",
        "{steps: [each], given: {nested.text: fixtures/text}, expect: {outputs: {each.page: {contains: one}}}}",
        "{given: {each.page: fixtures/pages}, expect: {metrics: {tally.report.n: 1}}}",
        "{steps: [nested], expect: {outputs: {nested.text: {contains: ho}}, steps: {nested: succeeded}}}",
        "{steps: [nested], expect: {kpis: {nested__loud: met}}}",
        "{steps: [nested], datasets: {rows: fixtures/text}, expect: {kpis: {nested__loud: missed}}}",
        "{steps: [nested], expect: {outputs: {nested__shout.text: {contains: ho}}}}",
        "{steps: [tally], given: {far.o: fixtures/text}, expect: {metrics: {tally.report.n: 1}}}",
    ],
)
def test_steps_of_every_kind_run_alone_and_are_stood_in_for(case: str, shop: Shop) -> None:
    suite = suite_of(shop, case)
    assert not suite.diagnostics

    result = run_case(suite, "it", "local")

    assert result.verdict == "passed", result.failures


def test_a_test_in_python_sees_a_pipeline_step_as_the_others(shop: Shop) -> None:
    suite_of(shop, "{expect: {}}")
    count = 'outputs: {n: "${{ steps.count.outputs.report }}"'
    shop.file("inner.yaml", INNER.replace('outputs: {text: "', f'{count}, text: "'))

    run = PenstockRun(shop.folder / "project", shop.folder)("pipeline.yaml", steps=["nested"])

    assert run.metrics == {"nested": {"n": {"n": 3}}, "nested__count": {"report": {"n": 3}}}


def test_a_pipeline_step_that_fails_is_told_by_its_own_name_and_that_of_the_step_inside(shop: Shop) -> None:
    suite = suite_of(shop, "{steps: [nested], expect: {steps: {nested: succeeded}}}")
    shop.file("inner.yaml", INNER.replace("(cat", "(exit 3; cat"))

    result = run_case(load_suite(suite.path), "it", "local")

    assert ("state of nested", "succeeded", "failed") in map(shown, result.failures)
    assert result.step == "nested__shout"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("{steps: [nested__shout], expect: {}}", "P501"),
        ("{given: {nested__shout.text: fixtures/text}, expect: {}}", "P501"),
        ("{steps: [tally], given: {far.o: fixtures/text}, expect: {steps: {nested__shout: failed}}}", "P510"),
        ("{expect: {outputs: {nested__shout.txt: {files: 1}}}}", "P502"),
        ("{given: {each.page: fixtures/text}, expect: {}}", "P505"),
        ("{expect: {kpis: {loud: met}}}", "P507"),
        ("{expect: {kpis: {nested__lod: met}}}", "P507"),
        ("{steps: [tally], given: {far.o: fixtures/text}, expect: {kpis: {nested__loud: met}}}", "P510"),
    ],
)
def test_what_stands_inside_a_pipeline_step_can_be_looked_at_alone(case: str, code: str, shop: Shop) -> None:
    assert [each.code for each in suite_of(shop, case).diagnostics] == [code]


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["succeeded", "failed", "pending"], "failed"),
        (["succeeded", "skipped"], "succeeded"),
        (["skipped", "skipped"], "skipped"),
        (["succeeded", "upstream_failed"], "upstream_failed"),
        ([], "pending"),
    ],
)
def test_several_steps_have_one_state_together(states: list[str], state: str) -> None:
    assert together(states) == state
