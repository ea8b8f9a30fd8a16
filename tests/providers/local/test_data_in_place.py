"""Datasets as steps get them: what a step writes must reach neither the user's files nor accuse another step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

from penstock.runtime.records import StepRecord

DATA = """
    datasets: {cells: {type: file, path: data/cells.csv}, tree: {type: folder, path: data}}
"""


def no_copy(*_: object) -> None:
    return None


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hands every dataset over in place, as what is too large to be copied."""
    monkeypatch.setattr("penstock_local.local.emulator.places.take_copy", no_copy)


def step(name: str, run: str, dataset: str = "cells", more: str = "") -> str:
    value = f'"${{{{ datasets.{dataset} }}}}"'
    return f"      {name}: {{run: {run!r}, inputs: {{d: {value}}}{more}}}\n"


@pytest.mark.parametrize(
    ("dataset", "spoil"),
    [
        ("cells", "chmod u+w ${{ inputs.d }}; echo bad >> ${{ inputs.d }}"),
        ("cells", "rm ${{ inputs.d }}"),
        ("tree", "chmod u+w ${{ inputs.d }}/cells.csv; echo bad > ${{ inputs.d }}/cells.csv"),
        ("tree", "touch ${{ inputs.d }}/new"),
        ("tree", "rm ${{ inputs.d }}/deep/b"),
    ],
)
def test_what_a_step_writes_into_a_dataset_stays_its_own(shop: Shop, dataset: str, spoil: str) -> None:
    shop.file("data/cells.csv", "a\n")
    shop.file("data/deep/b", "b\n")

    run = shop.run(DATA + "    steps:\n" + step("spoil", spoil, dataset))

    assert run.steps["spoil"].message == "it changed its input 'd' [P413]"
    assert (shop.folder / "data" / "cells.csv").read_text() == "a\n"
    assert sorted(os.listdir(shop.folder / "data")) == ["cells.csv", "deep"]
    assert os.listdir(shop.folder / "data" / "deep") == ["b"]


def test_steps_that_read_beside_one_that_writes_are_not_accused(shop: Shop) -> None:
    shop.file("data/cells.csv", "a\n")
    meet = f"touch {shop.folder}/at-$0; until test -e {shop.folder}/at-bad; do sleep 0.01; done; "
    bad = f"chmod u+w ${{{{ inputs.d }}}}; echo bad >> ${{{{ inputs.d }}}}; touch {shop.folder}/at-bad"
    steps = step("bad", bad) + "".join(
        step(f"good{n}", meet + "sleep 0.1; cat ${{ inputs.d }}") for n in (1, 2)
    )

    run = shop.run(DATA + "    steps:\n" + steps, jobs=3)

    assert run.states == {"bad": "failed", "good1": "succeeded", "good2": "succeeded"}
    assert shop.lines("good1") == shop.lines("good2") == ["a"]


@pytest.mark.usefixtures("in_place")
def test_who_read_changed_data_alone_is_named_alone(shop: Shop) -> None:
    data = shop.file("data/cells.csv", "a\n")

    run = shop.run(DATA + "    steps:\n" + step("spoil", "echo bad >> ${{ inputs.d }}"))

    told = run.steps["spoil"].message
    assert told.startswith("its input 'd' changed while it alone was reading it: ")
    assert told.endswith(f"{data} is no longer what it was when the run began [P413]")


@pytest.mark.usefixtures("in_place")
def test_of_several_readers_of_changed_data_none_is_accused(shop: Shop) -> None:
    data = shop.file("data/cells.csv", "a\n")
    gather = f"touch {shop.folder}/at-$RANDOM$$; until test $(ls {shop.folder} | grep -c at-) = 3; "
    gather = gather.replace("$(", "`").replace("-) =", "-` =") + "do sleep 0.01; done; "
    steps = step("bad", gather + "echo bad >> ${{ inputs.d }}; touch " + str(shop.folder / "done"))
    wait = f"until test -e {shop.folder}/done; do sleep 0.01; done; : ${{{{ inputs.d }}}}"
    steps += step("one", gather + wait) + step("two", gather + wait)

    run = shop.run(DATA + "    steps:\n" + steps, jobs=3)

    for name, others in [("bad", "'one' and 'two'"), ("one", "'bad' and 'two'"), ("two", "'bad' and 'one'")]:
        told = run.steps[name].message
        assert told.startswith(f"its input 'd' changed while it was reading it beside {others}: {data} ")
        assert told.endswith("is no longer what it was when the run began [P413]")


@pytest.mark.usefixtures("in_place")
def test_a_step_that_failed_otherwise_says_too_that_its_data_changed(shop: Shop) -> None:
    data = shop.file("data/cells.csv", "a\n")

    run = shop.run(DATA + "    steps:\n" + step("spoil", "echo bad >> ${{ inputs.d }}; exit 3"))

    assert run.steps["spoil"].message == "it ended with exit code 3 [P401]"
    assert any(f"{data} is no longer what it was" in each for each in shop.notices())


def test_data_that_changed_before_its_step_began_fails_the_step_with_its_path(shop: Shop) -> None:
    data = shop.file("data/cells.csv", "a\n")
    first = f"echo more >> {data}"
    steps = f"      first: {{run: {first!r}}}\n" + step(
        "second", "cat ${{ inputs.d }}", more=", after: [first]"
    )

    run = shop.run(DATA + "    steps:\n" + steps)

    assert run.states == {"first": "succeeded", "second": "failed"}
    told = f"its input 'd' cannot be given: {data} is no longer what it was when the run began [P413]"
    assert run.steps["second"].message == told


def test_links_modes_and_times_of_a_folder_are_kept(shop: Shop) -> None:
    shop.file("data/tool", "#!/bin/sh\necho runs\n").chmod(0o755)
    os.utime(shop.file("data/old", "x"), (86400, 86400))
    Path(shop.folder, "data", "link").symlink_to("old")
    Path(shop.folder, "data", "none").mkdir()
    run = "cd ${{ inputs.d }}; ./tool; readlink link; stat -c %Y old; ls -d none"

    ran = shop.run(
        "    datasets: {tree: {type: folder, path: data}}\n    steps:\n" + step("use", run, "tree")
    )

    assert ran.succeeded
    assert shop.lines("use") == ["runs", "old", "86400", "none"]


SHARED = """
    steps:
      make: {run: "echo whole > ${{ outputs.page }}", outputs: {page: file}}
      tail:
        run: chmod u+w ${{ inputs.page }}; echo more >> ${{ inputs.page }}
        inputs: {page: "${{ steps.make.outputs.page }}"}
    outputs: {page: "${{ steps.make.outputs.page }}"}
"""


def test_an_earlier_output_is_not_altered_by_a_later_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_copy)
    make = SHARED.partition("      tail")
    first = shop.run(make[0] + "    outputs" + SHARED.rpartition("    outputs")[2])
    shown = first.outputs["page"]

    second = shop.run(SHARED)

    failed: StepRecord = second.steps["tail"]
    assert failed.message.startswith("its input 'page' changed while it alone was reading it: ")
    assert shown.read_text() == "whole\n"
    third = shop.run(SHARED.replace("chmod", "exit 0; chmod"))
    assert third.outputs["page"].read_text() == "whole\n"
