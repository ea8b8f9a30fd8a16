"""Components as steps: bound, with defaults, and read again where their files change."""

from __future__ import annotations

import pytest
from tests.kinds_for_tests import CLEAN, files, with_clean
from tests.specs_for_tests import Shop, text_of

from penstock.errors import SpecError

USES = """
    datasets: {rows: {type: file, path: rows.txt}, more: {type: file, path: more.txt}}
    steps:
      plain: {uses: components/clean.yaml, inputs: {raw: "${{ datasets.rows }}"}}
      bound:
        uses: components/clean.yaml
        inputs: {raw: "${{ steps.plain.outputs.out }}", n: 7, mode: slow, extra: "${{ datasets.more }}"}
"""


def test_a_component_is_bound_and_runs(shop: Shop) -> None:
    with_clean(shop)
    run = shop.run(USES)

    assert text_of(run, "plain", "out") == "rows 3 fast none\n"
    assert text_of(run, "bound", "out") == "rows 3 fast none 7 slow more of it\n"


def test_a_value_outside_of_a_components_enum_is_refused(shop: Shop) -> None:
    with_clean(shop)
    with pytest.raises(SpecError, match="mode"):
        shop.run(USES.replace("mode: slow", "mode: middling"))


def test_a_changed_component_file_is_read_again(shop: Shop) -> None:
    with_clean(shop)
    shop.run(USES)
    assert {each.cache for each in shop.run().steps.values()} == {"hit"}

    shop.write(CLEAN.replace("default: 3", "default: 4"), "components/clean.yaml")
    run = shop.run()

    assert text_of(run, "plain", "out") == "rows 4 fast none\n"
    shop.file("src/show.sh", "echo shown\n")
    assert text_of(shop.run(), "plain", "out") == "shown\n"
    shop.write(CLEAN.replace("default: fast", "default: quick"), "components/clean.yaml")
    with pytest.raises(SpecError):
        shop.run()


def test_a_component_brings_its_own_environment(shop: Shop) -> None:
    shop.write(
        """
        penstock: v1
        kind: component
        name: own
        environments: {sklearn: {python: ">=3.4"}}
        outputs: {o: file}
        step: {run: "echo ran > ${{ outputs.o }}", environment: sklearn}
        """,
        "own.yaml",
    )

    run = shop.run("""
        environments: {sklearn: {python: ">=4"}}
        steps:
          ours: {uses: own.yaml}
    """)

    assert run.succeeded, run.record.message


def test_a_component_may_be_the_body_of_a_map(shop: Shop) -> None:
    with_clean(shop)
    run = shop.run("""
        datasets: {rows: {type: file, path: rows.txt}}
        steps:
          each:
            kind: map
            over: {items: [{key: one, n: 1}, {key: two, n: 2}]}
            uses: components/clean.yaml
            inputs: {raw: "${{ datasets.rows }}", n: "${{ item.n }}", mode: slow}
    """)

    assert files(run.output("each", "out")) == {
        "one/clean.txt": "rows 1 slow none\n",
        "two/clean.txt": "rows 2 slow none\n",
    }


def test_data_that_stays_unfilled_leaves_its_segment_out_in_a_component(shop: Shop) -> None:
    with_clean(shop)
    spec = USES.replace("more.txt}", "more.txt, optional: true}").replace("path: more.txt, ", "")

    run = shop.run(spec)

    assert text_of(run, "bound", "out") == "rows 3 fast none 7 slow none\n"
    assert text_of(shop.run(datasets={"more": shop.folder / "more.txt"}), "bound", "out").endswith(
        " 7 slow more of it\n"
    )
