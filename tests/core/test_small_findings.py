"""Wording and places of single findings."""

from __future__ import annotations

import pytest
from tests.specs_for_tests import Shop

from penstock.compiler import check


def test_a_model_with_a_bad_name_is_called_a_model(shop: Shop) -> None:
    spec = shop.write("""
        steps:
          fit: {run: "echo > ${{ outputs.model }}/w", outputs: {model: model}}
          enter: {kind: register, model: "${{ steps.fit.outputs.model }}", name: bad name!}
    """)

    (found,) = check(spec)

    assert found.code == "P205"
    assert found.message == "'bad name!' is not a model name"


def test_the_count_of_further_items_comes_behind_those_that_are_told(shop: Shop) -> None:
    items = ", ".join(f"a/{number}" for number in range(23))
    spec = shop.write(f"""
        steps:
          each: {{kind: map, over: {{items: [{items}]}}, run: "echo ${{{{ item }}}}"}}
    """)

    found = check(spec)

    assert {each.code for each in found} == {"P289"}
    told = [each.message.split()[0] for each in found]
    assert told[:-1] == ["item"] * (len(found) - 1)
    assert found[-1].message == f"{23 - (len(found) - 1)} more items have such faults"


WARNED = "the command starts '{}', and the step has no 'code' that brings it"


@pytest.mark.parametrize(
    ("run", "script"),
    [
        ("python score.py", "score.py"),
        ("python3 -u lib/score.py --x 1", "lib/score.py"),
        ("bash ./go.sh", "./go.sh"),
        ("./go.sh now", "./go.sh"),
        ("[python, score.py]", "score.py"),
        ("A=1 python score.py", "score.py"),
        ("cd /tmp; python score.py", ""),
        ("echo 'print(1)' > made.py; python made.py", ""),
        ("python /opt/score.py", ""),
        ("python -m score", ""),
        ("python -c 'print(1)' score.py", ""),
        ("echo score.py", ""),
    ],
)
def test_a_script_without_code_is_warned_of(shop: Shop, run: str, script: str) -> None:
    shop.file("score.py", "print(1)")

    found = check(shop.write(f"steps: {{one: {{run: {run if run[0] == '[' else repr(run)}}}}}"))

    assert [(each.code, each.severity, each.message) for each in found] == (
        [("P253", "warning", WARNED.format(script))] if script else []
    )
    if script == "score.py":
        assert found[0].hint == "name the folder that holds it: code: ."
        assert found[0].place and found[0].place.excerpt[found[0].place.column - 1 :].startswith(script)
