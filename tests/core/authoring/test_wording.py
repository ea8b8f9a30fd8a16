from __future__ import annotations

import pytest
from tests.specs_for_tests import Shop

import penstock as ps

HEAD = "import penstock as ps\n\npipeline = ps.Pipeline('probe')\n"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("pipeline.train('one')", "add run=…"),
        ("pipeline.command('one', run='x', inputs=['a'])", "write a dictionary: {'name': value}"),
        ("pipeline.command('one', run='x', cache='yes')", "write a dictionary: {'name': value}"),
        ("pipeline.command('one', run='x', env={'A': None})", "give a value, or leave the argument out"),
        (
            "pipeline.parameter('p', 'integer', default=1)\npipeline.command('one', run='x ${{ parameters.p }}')",
            "bind it: inputs={'p': \"${{ parameters.p }}\"}, then ${{ inputs.p }}",
        ),
        (
            "pipeline.parameter('p', 'integer', default=1)\npipeline.command('one', run='x')",
            "remove it, or bind it to an input: inputs={'p': \"${{ parameters.p }}\"}",
        ),
        (
            "pipeline.environment('e', python='>=3.11')\npipeline.command('one', run='x')",
            "remove it, or name it in a step or in 'defaults': environment='e'",
        ),
        (
            "pipeline.command('one', run='x ${{ outputs.o }}', outputs={'o': 'file'})",
            "remove it, or keep it: pipeline.output('o', \"${{ steps.one.outputs.o }}\")",
        ),
    ],
)
def test_a_hint_says_what_to_write_in_python(shop: Shop, line: str, hint: str) -> None:
    path = shop.file("pipeline.py", HEAD + line + "\n")

    assert [each.hint for each in ps.check(path)] == [hint]


def test_a_hint_about_yaml_stays_one_about_yaml(shop: Shop) -> None:
    shop.file("pipeline.yaml", "penstock: v1\nname: a\nsteps:\n  one: {kind: train}\n")
    pipeline = ps.Pipeline.from_yaml(shop.folder / "pipeline.yaml")

    pipeline.train("two")

    assert sorted(each.hint for each in pipeline.check()) == ["add 'run:'", "add run=…"]
