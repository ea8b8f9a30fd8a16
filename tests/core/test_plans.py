"""The kept plan of a spec: it spares work, and is believed only as long as nothing has changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock import compiler

SPEC = """
    datasets: {cells: {type: file, path: data/cells.csv}}
    steps:
      one: {run: "cat ${{ inputs.cells }} part.txt", code: src, inputs: {cells: "${{ datasets.cells }}"}}
"""


@pytest.fixture
def planned(shop: Shop) -> Shop:
    shop.file("data/cells.csv", "a\n")
    shop.file("src/part.txt", "part\n")
    shop.run(SPEC)
    return shop


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was compiled again")

    monkeypatch.setattr(compiler, "plan", refuse)


def plans(shop: Shop) -> list[Path]:
    return sorted(shop.project.plans.iterdir())


def test_an_unchanged_spec_is_not_compiled_again(planned: Shop, no_compiler: None) -> None:
    assert planned.run().steps["one"].cache == "hit"
    assert len(plans(planned)) == 1


def test_files_are_looked_at_in_every_case(planned: Shop, no_compiler: None) -> None:
    planned.file("data/cells.csv", "b\n")
    planned.file("src/part.txt", "PART\n")

    run = planned.run()

    assert run.steps["one"].cache == "miss"
    assert planned.lines("one")[-2:] == ["b", "PART"]


def test_a_changed_spec_is_compiled_anew(planned: Shop, no_compiler: None) -> None:
    with pytest.raises(AssertionError, match="compiled again"):
        planned.run(SPEC.replace("cat", "tac"))


def test_a_file_that_went_missing_is_told_with_its_place(planned: Shop) -> None:
    (planned.folder / "data" / "cells.csv").unlink()

    with pytest.raises(penstock.SpecError, match="P250") as refused:
        planned.run()

    assert refused.value.diagnostics[0].place is not None


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"{}", b"\xff\xfe", b"null", b"[" * 100_000])
def test_garbage_in_place_of_a_plan_is_left_aside(planned: Shop, garbage: bytes) -> None:
    (plan,) = plans(planned)
    plan.write_bytes(garbage)

    assert planned.run().steps["one"].cache == "hit"
    assert plan.read_bytes() != garbage


def test_a_plan_that_was_edited_is_not_executed(planned: Shop) -> None:
    (plan,) = plans(planned)
    text = plan.read_text()
    assert "cat" in text
    plan.write_text(text.replace("cat", f"touch {planned.folder}/executed; cat"))

    run = planned.run(cache=False)

    assert run.succeeded
    assert not (planned.folder / "executed").exists()


def test_a_plan_with_a_right_digest_and_a_wrong_graph_is_left_aside(planned: Shop) -> None:
    (plan,) = plans(planned)
    kept = json.loads(plan.read_text().partition("\n")[2])
    kept["graph"]["steps"][0]["timeout"] = {"never": 1}
    body = json.dumps(kept).encode()
    plan.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    assert planned.run().steps["one"].cache == "hit"


def test_a_plan_folder_that_cannot_be_written_costs_time_and_nothing_else(shop: Shop) -> None:
    shop.file(".penstock/plans", "in the way")

    assert shop.run("steps: {one: {run: 'true'}}").succeeded
    assert shop.run().steps["one"].cache == "hit"


def test_warnings_are_told_from_a_kept_plan_too(shop: Shop) -> None:
    spec = "parameters: {unused: {type: integer, default: 1}}\nsteps: {one: {run: 'true'}}"
    shop.run(spec)
    shop.run()

    told = [each for each in shop.notices() if "1 warning" in each]
    assert len(told) == 2
    assert "penstock check" in told[0]
