"""Specs of several kinds, for the tests that run them."""

from __future__ import annotations

from pathlib import Path

from tests.specs_for_tests import Shop

CLEAN = """
    penstock: v1
    kind: component
    name: clean
    version: "1"
    inputs:
      raw: file
      n: {type: integer, default: 3}
      mode: {type: string, enum: [fast, slow], default: fast}
      extra: {type: file, optional: true}
    outputs: {out: {type: file, file: clean.txt}}
    step:
      run: |
        sh show.sh ${{ inputs.raw }} ${{ inputs.n }} ${{ inputs.mode }} \\
          $[[ --extra ${{ inputs.extra }} ]] > ${{ outputs.out }}
      code: ../src
"""


SHOW = 'echo $(cat "$1") $2 $3 $(test "$4" = --extra && cat "$5" || echo none)\n'


INNER = """
    penstock: v1
    kind: pipeline
    name: inner
    parameters: {k: {type: integer, default: 3}, floor: {type: number, default: 0.5}}
    datasets: {cells: {type: file}}
    conditions: {good: "${{ steps.judge.outputs.report.score >= parameters.floor }}"}
    steps:
      judge:
        run: |
          cat ${{ inputs.cells }}; echo "{\\"score\\": 0.${{ inputs.k }}}" > ${{ outputs.report }}
        inputs: {cells: "${{ datasets.cells }}", k: "${{ parameters.k }}"}
        outputs: {report: metrics}
      fine: {run: "echo fine > ${{ outputs.o }}", when: "${{ conditions.good }}", outputs: {o: file}}
      poor: {run: "true", when: "${{ not conditions.good }}"}
    outputs: {report: "${{ steps.judge.outputs.report }}"}
"""


MODEL_FN = "def model_fn(folder):\n    return open(folder + '/w').read().strip()\n"


TRANSFORM_FN = (
    MODEL_FN
    + "def transform_fn(model, body, content_type, accept):\n"
    + "    return model + body.upper() + content_type, accept\n"
)


def files(folder: Path) -> dict[str, str]:
    """Read a folder: path below it → content."""
    return {
        str(each.relative_to(folder)): each.read_text(encoding="utf-8")
        for each in sorted(folder.rglob("*"))
        if each.is_file()
    }


def with_clean(shop: Shop) -> Shop:
    """Put the component `clean`, and what it reads, into a shop."""
    shop.write(CLEAN, "components/clean.yaml")
    shop.file("src/show.sh", SHOW)
    shop.file("rows.txt", "rows")
    shop.file("more.txt", "more of it")
    return shop
