from __future__ import annotations

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock as ps

COMPONENT = """
penstock: v1
kind: component
name: count
inputs: {rows: file, more: {type: integer, default: 1}}
outputs: {report: metrics}
step:
  run: python count.py ${{ inputs.rows }} ${{ inputs.more }} ${{ outputs.report }}
  code: SRC
"""

NESTED = """
penstock: v1
kind: pipeline
name: inner
parameters: {times: {type: integer, default: 2}}
steps:
  say: {run: 'echo ${{ inputs.n }} > ${{ outputs.o }}', inputs: {n: "${{ parameters.times }}"}, outputs: {o: file}}
outputs: {said: "${{ steps.say.outputs.o }}"}
"""

PIPELINE = """
import penstock as ps

pipeline = ps.Pipeline("outer")
rows = pipeline.dataset("rows", "file", path="rows.csv")
counted = pipeline.uses("counted", "parts/count.yaml", inputs={"rows": rows})
inner = pipeline.nested("inner", "inner.yaml", inputs={"times": 3})
each = pipeline.map(
    "each", over=ps.Over(items=["a", "b"]), run="echo ${{ item }} > ${{ outputs.word }}", outputs={"word": "file"}
)
pipeline.fail("stop", when=counted.outputs.report["rows"] < 1, message="empty")
pipeline.output("said", inner.outputs.said)
pipeline.output("words", each.outputs.word)
"""


@pytest.fixture
def outer(shop: Shop) -> Shop:
    shop.file("rows.csv", "1\n2\n")
    shop.file("parts/count.yaml", COMPONENT.lstrip().replace("SRC", "src"))
    shop.file("parts/src/count.py", "import sys; open(sys.argv[3], 'w').write('{\"rows\": 2}')\n")
    shop.file("inner.yaml", NESTED.lstrip())
    shop.file("pipeline.py", PIPELINE)
    return shop


def test_components_nested_pipelines_and_maps_run_from_python(outer: Shop) -> None:
    made = ps.run(outer.folder / "pipeline.py", project=outer.folder)

    assert made.succeeded
    assert made.metrics["counted"]["report"] == {"rows": 2}
    assert text_of(made, "inner__say", "o") == "3\n"
    assert sorted(each.name for each in made.outputs["words"].iterdir()) == ["a", "b"]


def test_what_is_wrong_in_a_component_is_told_there(outer: Shop) -> None:
    outer.file("parts/count.yaml", COMPONENT.lstrip().replace("SRC", "nowhere"))

    (found,) = ps.check(outer.folder / "pipeline.py")

    assert found.code == "P250"
    assert found.place and found.place.file.endswith("parts/count.yaml") and found.place.line == 8


def test_an_input_that_the_component_lacks_is_told_at_the_call(outer: Shop) -> None:
    outer.file("pipeline.py", PIPELINE.replace('inputs={"rows": rows}', 'inputs={"rows": rows, "mor": 1}'))

    (found,) = ps.check(outer.folder / "pipeline.py")

    assert found.place and found.place.file.endswith("pipeline.py") and found.place.line == 6
    assert found.hint == "did you mean 'more'?"
