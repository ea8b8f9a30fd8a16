"""When an earlier result serves, when it does not, and why: the ledger says it for each step."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock
from penstock.running import load_run
from penstock.runtime.artifacts import ArtifactStore

SPEC = """
    parameters: {depth: {type: integer, default: 4}}
    datasets: {cells: {type: file, path: data/cells.csv}}
    environments: {plain: {python: ">=3.11"}, other: {python: ">=3.10", packages: [pyyaml]}}
    steps:
      make:
        run: cat ${{ inputs.cells }} part.txt > ${{ outputs.o }}; echo ${{ inputs.depth }} $MODE
        code: src
        inputs: {cells: "${{ datasets.cells }}", depth: "${{ parameters.depth }}"}
        outputs: {o: file}
        env: {MODE: fast}
        environment: plain
      use: {run: "wc -c < ${{ inputs.o }}", inputs: {o: "${{ steps.make.outputs.o }}"}}
"""


@pytest.fixture
def made(shop: Shop) -> Shop:
    shop.file("data/cells.csv", "a\n")
    shop.file("src/part.txt", "part\n")
    assert shop.run(SPEC).succeeded
    return shop


def outcomes(run: penstock.Run) -> dict[str, str]:
    assert run.succeeded, run.record.message
    return {name: each.cache for name, each in run.steps.items()}


def test_an_unchanged_step_is_a_hit(made: Shop) -> None:
    (first,) = runs(made)
    again = made.run()

    assert outcomes(again) == {"make": "hit", "use": "hit"}
    assert again.steps["make"].cache_reason == f"same as in {first.id}"
    assert again.steps["make"].source_run == first.id
    assert text_of(again, "make", "o") == "a\npart\n"
    assert [each.cache_reason for each in first.steps.values()] == ["first run of this step"] * 2


def runs(shop: Shop) -> list[penstock.Run]:
    with shop.ledger() as ledger:
        return [load_run(each.id, shop.project) for each in ledger.runs()]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("$MODE", "$MODE again", "command"),
        ("MODE: fast", "MODE: slow", "env MODE"),
        ("{MODE: fast}", "{MODE: fast, MORE: x}", "env MORE"),
        ("environment: plain", "environment: other", "environment"),
        ("default: 4", "default: 5", "input depth"),
        ("type: file, path: data/cells.csv", "type: file, path: data/other.csv", "input cells"),
        ("outputs: {o: file}\n        env", "outputs: {o: {type: file, file: p}}\n        env", "output o"),
    ],
)
def test_what_changed_in_the_spec_makes_a_miss_that_names_it(
    made: Shop, old: str, new: str, reason: str
) -> None:
    made.file("data/other.csv", "b\n")
    assert old in SPEC
    (before,) = runs(made)

    run = made.run(SPEC.replace(old, new))

    assert run.steps["make"].cache == "miss"
    assert run.steps["make"].cache_reason == f"changed since {before.id}: {reason}"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("src/part.txt", "PART\n", "code"),
        ("src/new.py", "", "code"),
        ("data/cells.csv", "b\n", "input cells"),
    ],
)
def test_what_changed_in_a_file_makes_a_miss_that_names_it(
    made: Shop, name: str, content: str, reason: str
) -> None:
    made.file(name, content)

    run = made.run()

    assert run.steps["make"].cache == "miss"
    assert run.steps["make"].cache_reason.endswith(f": {reason}")
    # What reads an output that came out the same is a hit all the same.
    assert run.steps["use"].cache == ("hit" if content == "" else "miss")


def test_a_parameter_of_the_call_makes_a_miss_and_its_old_value_a_hit_again(made: Shop) -> None:
    other = made.run(parameters={"depth": 5})
    back = made.run(parameters={"depth": 4})

    assert outcomes(other) == {"make": "miss", "use": "hit"}
    assert outcomes(back) == {"make": "hit", "use": "hit"}


def test_where_data_stands_does_not_matter_but_what_it_holds(made: Shop) -> None:
    moved = made.file("elsewhere/cells.csv", "a\n")

    run = made.run(datasets={"cells": moved})

    assert outcomes(run) == {"make": "hit", "use": "hit"}


def test_no_cache_runs_every_step_and_later_runs_may_use_the_results(made: Shop) -> None:
    fresh = made.run(cache=False)
    again = made.run()

    assert outcomes(fresh) == {"make": "off", "use": "off"}
    assert fresh.steps["make"].cache_reason == "--no-cache"
    assert again.steps["make"].source_run == fresh.id


def test_rerun_runs_that_step_alone(made: Shop) -> None:
    run = made.run(rerun=["make"])

    assert outcomes(run) == {"make": "off", "use": "hit"}
    assert run.steps["make"].cache_reason == "--rerun"


def test_cache_false_is_never_a_hit_and_never_gives_one(made: Shop) -> None:
    spec = SPEC.replace("environment: plain", "environment: plain\n        cache: false")
    for _ in range(2):
        run = made.run(spec)
        assert run.steps["make"].cache == "off"
        assert run.steps["make"].cache_reason == "cache: false"
        assert run.steps["make"].key == ""


def test_an_expired_result_is_made_again(made: Shop) -> None:
    spec = SPEC.replace("environment: plain", "environment: plain\n        cache: {expires: 1d}")
    fresh = made.run(spec)
    assert outcomes(fresh)["make"] == "hit"
    age(made, 23 * 3600)
    assert outcomes(made.run())["make"] == "hit"
    age(made, 2 * 3600)

    late = made.run()

    assert outcomes(late)["make"] == "miss"
    assert late.steps["make"].cache_reason.endswith("has expired")
    assert outcomes(made.run())["make"] == "hit"


def age(shop: Shop, seconds: float) -> None:
    with sqlite3.connect(shop.project.ledger) as database:
        database.execute("UPDATE steps SET started = started - ?1, ended = ended - ?1", (seconds,))


@pytest.mark.parametrize(
    "spec",
    [
        "steps: {one: {run: 'echo ${{ run.id }}'}}",
        "steps: {one: {run: [echo, '${{ run.started_at }}']}}",
        "steps: {one: {run: 'echo $ID', env: {ID: '${{ run.id }}'}}}",
        "steps: {one: {run: 'echo ${{ inputs.i }}', inputs: {i: 'it is ${{ run.id }}'}}}",
    ],
)
def test_a_step_that_uses_the_run_is_never_a_hit(shop: Shop, spec: str) -> None:
    first, second = shop.run(spec), shop.run()

    assert [each.steps["one"].cache for each in (first, second)] == ["off", "off"]
    assert second.steps["one"].cache_reason == "it uses the run's id or start"
    shown = shop.lines("one")
    assert len(shown) == 2
    assert all(
        run.id in line or line.startswith("20") for run, line in zip((first, second), shown, strict=True)
    )


def test_a_step_that_failed_gives_no_hit(shop: Shop) -> None:
    spec = f"steps: {{one: {{run: 'echo x > ${{{{ outputs.o }}}}; test -e {shop.folder}/ok', outputs: {{o: file}}}}}}"
    assert shop.run(spec).status == "failed"
    shop.file("ok")

    assert outcomes(shop.run()) == {"one": "miss"}


def test_the_value_of_a_variable_of_the_caller_is_no_part_of_the_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = "steps: {one: {run: 'echo', env: {TOKEN: {from_env: SOME_TOKEN}}}}"
    monkeypatch.setenv("SOME_TOKEN", "first-value")
    shop.run(spec)
    monkeypatch.setenv("SOME_TOKEN", "second-value")

    again = shop.run()

    assert outcomes(again) == {"one": "hit"}
    assert b"first-value" not in shop.project.ledger.read_bytes()


def test_artifacts_that_were_deleted_are_made_again(made: Shop) -> None:
    shutil.rmtree(made.project.artifacts)

    run = made.run()

    assert run.steps["make"].cache == "miss"
    assert run.steps["make"].cache_reason.endswith("are gone or damaged")
    assert text_of(run, "make", "o") == "a\npart\n"


@pytest.mark.parametrize("content", [b"", b"A\npart\n", b"longer than it was before\n"])
def test_artifacts_that_were_damaged_are_made_again(made: Shop, content: bytes) -> None:
    digest = runs(made)[0].steps["make"].outputs[0].digest
    path = ArtifactStore(made.project.artifacts).path(digest)
    path.chmod(0o644)
    path.write_bytes(content)

    run = made.run()

    assert run.steps["make"].cache == "miss"
    assert text_of(run, "make", "o") == "a\npart\n"
    # Made to the letter as before, so that what reads it is a hit.
    assert run.steps["use"].cache == "hit"


def test_damaged_code_in_the_store_is_taken_again(made: Shop) -> None:
    for each in (made.project.artifacts / "objects").rglob("*"):
        if each.is_file() and each.read_bytes() == b"part\n":
            each.chmod(0o644)
            each.write_bytes(b"spoilt\n")

    run = made.run(rerun=["make"])

    assert text_of(run, "make", "o") == "a\npart\n"


def test_a_missing_output_of_an_old_run_is_told_and_no_traceback(made: Shop) -> None:
    (run,) = runs(made)
    shutil.rmtree(made.project.artifacts)

    with pytest.raises(penstock.RunError, match="P421"):
        run.output("make", "o")


def test_equal_steps_of_two_pipelines_share_their_results(made: Shop) -> None:
    made.write(SPEC.replace("make", "produce").replace("use:", "consume:"), "other.yaml")

    run = penstock.run(made.folder / "other.yaml", project=made.folder)

    assert outcomes(run) == {"produce": "hit", "consume": "hit"}


def test_equal_steps_of_one_run_do_the_work_once_where_they_follow_each_other(shop: Shop) -> None:
    run = shop.run("""
        steps:
          one: {run: "echo x > ${{ outputs.o }}", outputs: {o: file}}
          two: {run: "echo x > ${{ outputs.o }}", outputs: {o: file}, after: [one]}
    """)

    assert outcomes(run) == {"one": "miss", "two": "hit"}
    assert run.steps["one"].outputs == run.steps["two"].outputs


def test_a_cached_run_leaves_no_folders_of_steps(made: Shop) -> None:
    run = made.run()

    assert not list((run.folder / "steps").glob("*"))
    assert logs(made, run) == logs(made, runs(made)[1])


def logs(shop: Shop, run: penstock.Run) -> dict[str, str]:
    return {name: Path(shop.project.home / each.log).read_text() for name, each in run.steps.items()}
