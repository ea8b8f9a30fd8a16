"""Pipelines as steps of others: their steps run under the name of the outer one."""

from __future__ import annotations

import pytest
from tests.kinds_for_tests import INNER
from tests.specs_for_tests import Shop

from penstock.errors import RunError

OUTER = """
    parameters: {open: {type: boolean, default: true}}
    steps:
      first: {run: "echo cells > ${{ outputs.o }}", outputs: {o: file}}
      nightly:
        kind: pipeline
        uses: ./inner.yaml
        when: ${{ parameters.open }}
        inputs: {cells: "${{ steps.first.outputs.o }}", k: 7}
      high: {run: "true", when: "${{ steps.nightly.outputs.report.score > 0.6 }}"}
      low: {run: "true", when: "${{ steps.nightly.outputs.report.score <= 0.6 }}"}
      read: {run: "cat ${{ inputs.r }}", inputs: {r: "${{ steps.nightly.outputs.report }}"}}
      last: {run: "echo last", after: [nightly]}
    outputs: {report: "${{ steps.nightly.outputs.report }}"}
"""


def nested(shop: Shop) -> None:
    shop.write(INNER, "inner.yaml")
    shop.write(OUTER)


def test_a_nested_pipeline_runs_its_steps(shop: Shop) -> None:
    nested(shop)

    run = shop.run()

    assert run.states == {
        "first": "succeeded",
        "nightly__judge": "succeeded",
        "nightly__fine": "succeeded",
        "nightly__poor": "skipped",
        "high": "succeeded",
        "low": "skipped",
        "read": "succeeded",
        "last": "succeeded",
    }
    assert shop.lines("nightly__judge") == ["cells"]
    assert shop.lines("read") == ['{"score": 0.7}']
    assert {name: path.read_text() for name, path in run.outputs.items()} == {"report": '{"score": 0.7}\n'}


def test_a_closed_nested_pipeline_skips_all_its_steps(shop: Shop) -> None:
    nested(shop)

    run = shop.run(parameters={"open": False})

    assert run.succeeded, run.record.message
    # What comes after a skipped step is skipped, whether it reads from it or waits for it.
    assert {name for name, state in run.states.items() if state == "succeeded"} == {"first"}
    assert set(run.states.values()) == {"succeeded", "skipped"}
    assert run.outputs == {}


def test_conditions_inside_a_nested_pipeline_do_not_close_what_waits_for_it(shop: Shop) -> None:
    nested(shop)
    shop.write(OUTER.replace("k: 7", "k: 2"))

    run = shop.run()

    assert (run.states["nightly__fine"], run.states["nightly__poor"]) == ("skipped", "succeeded")
    assert run.states["last"] == "succeeded"


def test_order_behind_a_nested_pipeline_waits_for_all_of_it(shop: Shop) -> None:
    shop.write(INNER.replace("echo fine", "sleep 0.1; echo fine"), "inner.yaml")

    run = shop.run(OUTER, jobs=4)

    ended = run.steps["nightly__fine"].ended
    assert ended is not None
    assert (run.steps["last"].started or 0) >= ended


def test_a_nested_pipeline_is_run_again_by_its_name(shop: Shop) -> None:
    nested(shop)
    shop.run()

    run = shop.run(rerun=["nightly"])

    assert {name for name, each in run.steps.items() if each.cache_reason == "--rerun"} == {
        "nightly__judge",
        "nightly__fine",
    }


def test_pipelines_nest_in_nested_ones(shop: Shop) -> None:
    shop.write(INNER, "deep/inner.yaml")
    shop.write(
        """
        penstock: v1
        kind: pipeline
        name: middle
        parameters: {k: {type: integer}}
        datasets: {cells: {type: file}}
        steps:
          twice:
            kind: pipeline
            uses: ./inner.yaml
            inputs: {cells: "${{ datasets.cells }}", k: "${{ parameters.k }}"}
          again: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ datasets.cells }}", floor: 0.1}}
        outputs: {report: "${{ steps.twice.outputs.report }}", other: "${{ steps.again.outputs.report }}"}
        """,
        "deep/middle.yaml",
    )
    shop.file("cells.txt", "cells")

    run = shop.run("""
        datasets: {cells: {type: file, path: cells.txt}}
        conditions: {good: "${{ steps.out.outputs.report.score > steps.out.outputs.other.score }}"}
        steps:
          out: {kind: pipeline, uses: deep/middle.yaml, inputs: {cells: "${{ datasets.cells }}", k: 4}}
          good:
            run: cat ${{ inputs.r }}
            when: ${{ conditions.good }}
            inputs: {r: "${{ steps.out.outputs.report }}"}
    """)

    assert run.succeeded, run.record.message
    assert {name for name, state in run.states.items() if state == "succeeded"} == {
        "out__twice__judge",
        "out__again__judge",
        "out__again__fine",
        "out__twice__poor",
        "good",
    }
    assert shop.lines("good") == ['{"score": 0.4}']


def test_a_search_and_a_map_may_stand_in_a_nested_pipeline(shop: Shop) -> None:
    shop.write(
        """
        penstock: v1
        kind: pipeline
        name: inner
        parameters: {base: {type: integer, default: 1}}
        steps:
          tune:
            kind: tune
            run: |
              echo "{\\"r\\": ${{ inputs.base }}${{ inputs.d }}}" > ${{ outputs.m }}
            inputs: {base: "${{ parameters.base }}"}
            outputs: {m: metrics}
            search_space: {d: {enum: [1, 2]}}
            sampling: grid
            objective: {metric: r, goal: maximize}
            limits: {trials: 2}
          each:
            kind: map
            over: {items: [a, b]}
            run: cat ${{ inputs.m }} > ${{ outputs.o }}; echo ${{ item }} >> ${{ outputs.o }}
            inputs: {m: "${{ steps.tune.outputs.m }}"}
            outputs: {o: file}
        outputs: {m: "${{ steps.tune.outputs.m }}", o: "${{ steps.each.outputs.o }}"}
        """,
        "inner.yaml",
    )

    run = shop.run("""
        steps:
          in: {kind: pipeline, uses: ./inner.yaml, inputs: {base: 5}}
          good:
            run: cat ${{ inputs.o }}/b/o
            when: ${{ steps.in.outputs.m.r == 52 }}
            inputs: {o: "${{ steps.in.outputs.o }}"}
    """)

    assert run.succeeded, run.record.message
    assert shop.lines("good") == ['{"r": 52}', "b"]


def test_a_changed_inner_pipeline_is_read_again(shop: Shop) -> None:
    nested(shop)
    shop.run()
    assert {each.cache for each in shop.run().steps.values()} == {"hit", ""}

    shop.write(INNER.replace("0.${{", "0.1${{"), "inner.yaml")

    assert shop.run().metrics["nightly__judge"]["report"] == {"score": 0.17}


def test_a_nested_pipeline_brings_its_own_data(shop: Shop) -> None:
    shop.write(INNER.replace("{type: file}", "{type: file, path: own.txt}"), "away/inner.yaml")
    shop.file("away/own.txt", "its own\n")
    shop.file("other.txt", "another's\n")
    middle = "steps: {judging: {kind: pipeline, uses: away/inner.yaml, inputs: {k: 7}}}\n"
    shop.write(f"penstock: v1\nkind: pipeline\nname: middle\n{middle}", "middle.yaml")

    run = shop.run("steps: {in: {kind: pipeline, uses: middle.yaml}}")

    assert run.states["in__judging__judge"] == "succeeded"
    assert shop.lines("in__judging__judge") == ["its own"]
    shop.run(datasets={"in__judging__cells": shop.folder / "other.txt"})
    assert shop.lines("in__judging__judge")[1:] == ["another's"]
    (shop.folder / "away" / "own.txt").unlink()
    assert shop.run(datasets={"in__judging__cells": shop.folder / "other.txt"}).succeeded


def test_data_of_a_nested_pipeline_that_only_a_cloud_has_has_to_be_given(shop: Shop) -> None:
    shop.write(INNER.replace("{type: file}", "{type: file, uri: 'far://away/cells'}"), "inner.yaml")

    with pytest.raises(RunError, match="'in__cells' stands on a cloud alone"):
        shop.run("steps: {in: {kind: pipeline, uses: inner.yaml}}")


def test_long_names_may_be_joined(shop: Shop) -> None:
    long = "n" * 63
    shop.write(
        INNER.replace("{type: file}", "{type: file, path: own.txt}").replace("judge", long), "inner.yaml"
    )
    shop.file("own.txt", "its own\n")

    run = shop.run(f"steps: {{{long}: {{kind: pipeline, uses: inner.yaml}}}}")

    assert run.states[f"{long}__{long}"] == "succeeded"
    assert shop.lines(f"{long}__{long}") == ["its own"]
