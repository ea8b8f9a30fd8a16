"""Searches on this machine: which trials there are, which is best, and which have failed."""

from __future__ import annotations

import re
import sys

import pytest
from tests.searches_for_tests import DRAWN, LOGGED, grid, table, trials, tried, values
from tests.specs_for_tests import Shop, text_of

from penstock.errors import RunError


def test_the_best_trial_gives_the_outputs(shop: Shop) -> None:
    run = shop.run(
        grid(shop)
        + """
      use:
        when: ${{ steps.tune.outputs.report.recall >= 0.7 }}
        run: cat ${{ inputs.model }}/depth
        inputs: {model: "${{ steps.tune.outputs.model }}"}
      worse:
        when: ${{ steps.tune.outputs.report.recall < 0.7 }}
        run: "false"
    """
    )

    assert run.states == {"tune": "succeeded", "use": "succeeded", "worse": "skipped"}
    assert shop.lines("use") == ["7"]
    assert run.metrics["tune"]["report"] == {"recall": 0.7}
    assert text_of(run, "tune", "model") == "7\n"
    assert run.steps["tune"].search["best"] == {"number": 1, "values": {"depth": 7}, "objective": 0.7}
    assert run.steps["tune"].message == "best of 4 trials: number 1 (depth=7) with recall = 0.7"


def test_the_least_is_best_where_the_goal_is_to_minimize(shop: Shop) -> None:
    run = shop.run(grid(shop).replace("maximize", "minimize"))

    assert run.steps["tune"].search["best"]["values"] == {"depth": 4}
    assert text_of(run, "tune", "model") == "4\n"


def test_a_grid_tries_every_point(shop: Shop) -> None:
    run = shop.run("""
        steps:
          tune:
            kind: tune
            run: "echo '{\\"r\\": 1}' > ${{ outputs.m }}; echo ${{ inputs.a }} ${{ inputs.b }} ${{ inputs.c }}"
            outputs: {m: metrics}
            search_space: {a: {type: integer, minimum: 1, maximum: 2}, b: {enum: [x, y]}, c: {enum: [true]}}
            sampling: grid
            objective: {metric: r, goal: minimize}
            limits: {trials: 99, parallel: 3}
    """)

    assert [tuple(each["values"].values()) for each in table(run)] == [
        (1, "x", True),
        (1, "y", True),
        (2, "x", True),
        (2, "y", True),
    ]
    # Of several alike the first is best.
    assert run.steps["tune"].search["best"]["number"] == 0
    assert [shop.lines(f"tune[{each}]") for each in range(4)] == [
        ["1 x true"],
        ["1 y true"],
        ["2 x true"],
        ["2 y true"],
    ]


def test_a_random_search_is_drawn_by_its_seed(shop: Shop) -> None:
    spec = DRAWN.replace("SAMPLING", "random")
    first = values(shop.run(spec), "x")

    assert values(shop.run(cache=False), "x") == first
    assert len(set(first)) == 12
    assert set(values(shop.run(spec.replace("seed: 7", "seed: 8")), "x")).isdisjoint(first)


def test_a_bayesian_search_is_repeatable(shop: Shop) -> None:
    pytest.importorskip("optuna")
    run = shop.run(DRAWN.replace("SAMPLING", "bayesian"))

    again = shop.run(cache=False, jobs=1)

    assert values(run, "x") == values(again, "x")
    assert len(table(run)) == 12
    assert run.steps["tune"].search["best"] == again.steps["tune"].search["best"]


def test_missing_optuna_is_said_before_the_run_begins(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(RunError) as fault:
        shop.run(DRAWN.replace("SAMPLING", "bayesian"))

    assert [each.code for each in fault.value.diagnostics] == ["P422"]
    assert fault.value.diagnostics[0].hint == "pip install 'penstock[tune]'"
    assert not shop.project.ledger.exists()


def test_values_reach_the_trial_as_every_target_writes_them(shop: Shop) -> None:
    shop.file("src/put.py", "import sys\nprint(sys.argv[1:])\nopen(sys.argv[1], 'w').write('{\"r\": 1}')\n")

    shop.run("""
        steps:
          tune:
            kind: tune
            run: python3 put.py ${{ outputs.m }} ${{ inputs.text }} ${{ inputs.rate }} "--deep=${{ inputs.deep }}"
            code: src
            outputs: {m: metrics}
            search_space:
              text: {enum: ["it's", '"$(touch x)"', "two\\nlines", "", "a b*"]}
              rate: {type: number, enum: [1.0, 1.0e-5]}
              deep: {enum: [false, true]}
            sampling: grid
            objective: {metric: r, goal: maximize}
            limits: {trials: 20, parallel: 2}
    """)

    seen = [eval(shop.lines(f"tune[{number}]")[0])[1:] for number in range(20)]
    assert seen == [
        [text, rate, f"--deep={deep}"]
        for text in ("it's", '"$(touch x)"', "two\nlines", "", "a b*")
        for rate in ("1.0", "1e-05")
        for deep in ("false", "true")
    ]


def test_a_trial_has_a_place_a_log_and_a_record_of_its_own(shop: Shop) -> None:
    run = shop.run(grid(shop, bad=7).replace("echo", "pwd; echo", 1))

    # No brackets in a path: scripts that glob would take them for a pattern.
    assert shop.lines("tune[1]") == [str(run.folder / "steps" / "tune" / "trial-1" / "work")]
    assert (run.folder / "steps" / "tune" / "trial-1" / "outputs" / "model").is_dir()
    assert (run.folder / "logs" / "tune-1.txt").read_text().strip() == shop.lines("tune[1]")[0]
    assert {name: str(each.status) for name, each in trials(shop).items()} == {
        "tune[0]": "succeeded",
        "tune[1]": "failed",
        "tune[2]": "succeeded",
        "tune[3]": "succeeded",
    }
    assert list(run.steps) == ["tune"]
    assert shop.statuses("tune[1]") == ["running", "failed"]


def test_failed_trials_are_counted_and_do_not_fail_the_search(shop: Shop) -> None:
    run = shop.run(grid(shop, bad=7))

    assert run.succeeded
    assert run.steps["tune"].message == ("best of 4 trials: number 3 (depth=6) with recall = 0.6; 1 failed")
    assert [each["status"] for each in table(run)] == ["succeeded", "failed", "succeeded", "succeeded"]
    assert table(run)[1]["message"] == "it ended with exit code 1 [P401]"
    assert table(run)[1]["objective"] is None


def test_a_search_fails_with_the_first_reason_where_all_trials_failed(shop: Shop) -> None:
    run = shop.run(grid(shop).replace("test ", "exit 3; test "))

    assert run.steps["tune"].status == "failed"
    assert run.steps["tune"].message == (
        "none of 4 trials succeeded; trial 0 (depth=4): it ended with exit code 3 [P401]"
    )
    assert run.record.message.startswith("tune: none of 4 trials succeeded")
    assert run.steps["tune"].outputs == ()


def test_a_trial_whose_objective_is_no_number_has_failed(shop: Shop) -> None:
    run = shop.run("""
        steps:
          tune:
            kind: tune
            run: |
              printf '%s' ${{ inputs.text }} > ${{ outputs.m }}
            outputs: {m: metrics}
            search_space:
              text: {enum: ['{"a": {}}', '{"a": {"r": "high"}}', '{"a": {"r": true}}', '{"a": {"r": null}}',
                            '{"a": {"r": 1e999}}', '{"a": {"r": 2}}']}
            sampling: grid
            objective: {metric: a.r, goal: maximize}
            limits: {trials: 6, parallel: 2}
    """)

    assert run.succeeded, run.record.message
    assert [each["status"] for each in table(run)] == ["failed"] * 5 + ["succeeded"]
    assert run.metrics["tune"]["m"] == {"a": {"r": 2}}
    reasons = [each["message"] for each in table(run)]
    assert [re.findall("P4[0-9]+", each) for each in reasons] == [["P423"]] * 4 + [["P412"], []]
    assert "'high' is not a number" in reasons[1]


def test_an_objective_may_come_from_the_log(shop: Shop) -> None:
    run = shop.run(LOGGED)

    assert [each["objective"] for each in table(run)] == [0.4, 0.7, 0.5]
    assert run.steps["tune"].search["best"]["values"] == {"depth": 7}


def test_a_log_without_the_objective_fails_the_trial(shop: Shop) -> None:
    run = shop.run(LOGGED.replace('regex: "recall=([0-9.]+)"', 'regex: "recall=(0.[0-3.]+.*|$)"'))

    assert run.steps["tune"].status == "failed"
    assert run.steps["tune"].message.endswith("which its log holds, is not a number [P423]")
    assert (
        shop.run(LOGGED.replace("recall=([0-9.]+)", "loss=(.*)"))
        .steps["tune"]
        .message.endswith("trial 0 (depth=4): recall: nothing in its log matches loss=(.*) [P423]")
    )


def test_a_trial_over_its_time_fails(shop: Shop) -> None:
    run = shop.run(
        grid(shop)
        .replace("sleep 0", "test ${{ inputs.depth }} -ne 7 || sleep 60")
        .replace("parallel: 1", "parallel: 4, trial_timeout: 1s")
    )

    assert [each["status"] for each in table(run)] == ["succeeded", "failed", "succeeded", "succeeded"]
    assert table(run)[1]["message"] == "it ran longer than its timeout of 1 s [P402]"


def test_the_timeout_of_the_step_ends_the_search_and_what_is_done_counts(shop: Shop) -> None:
    slow = grid(shop, sleep=60).replace("tune:", "slow:").replace("    steps:\n", "")
    spec = grid(shop).replace("sleep 0", "test ${{ inputs.depth }} -ne 5 || sleep 60")

    run = shop.run(f"{spec}        timeout: 1s\n{slow}        timeout: 1s\n", jobs=4)

    assert [each["status"] for each in table(run)] == ["succeeded", "succeeded", "stopped"]
    assert run.steps["tune"].message == (
        "best of 2 trials: number 1 (depth=7) with recall = 0.7;"
        " its timeout of 1 s ended the search after 2 of at most 10"
    )
    assert text_of(run, "tune", "model") == "7\n"
    assert run.states == {"tune": "succeeded", "slow": "failed"}
    assert run.steps["slow"].message == "its timeout of 1 s came before any trial had ended [P402]"


@pytest.mark.parametrize(("parallel", "jobs", "most"), [(2, 8, 2), (8, 3, 3), (1, 8, 1)])
def test_no_more_trials_run_at_once_than_asked_for(shop: Shop, parallel: int, jobs: int, most: int) -> None:
    spec = grid(shop).replace("sleep 0", "echo + >> COUNT; sleep 0.06; echo - >> COUNT")
    spec = spec.replace("COUNT", str(shop.file("marks"))).replace("parallel: 1", f"parallel: {parallel}")

    run = shop.run(spec, jobs=jobs)

    marks = (shop.folder / "marks").read_text().split()
    heights = [marks[:end].count("+") - marks[:end].count("-") for end in range(len(marks))]
    assert run.succeeded
    assert max(heights) == most


def test_trials_and_other_steps_share_the_jobs_of_the_run(shop: Shop) -> None:
    spec = grid(shop).replace("sleep 0", "echo + >> COUNT; sleep 0.05; echo - >> COUNT")
    spec += """
      other:
        run: echo + >> COUNT; sleep 0.15; echo - >> COUNT
    """
    spec = spec.replace("COUNT", str(shop.file("marks"))).replace("parallel: 1", "parallel: 4")

    shop.run(spec, jobs=2)

    marks = (shop.folder / "marks").read_text().split()
    assert max(marks[:end].count("+") - marks[:end].count("-") for end in range(len(marks))) == 2


def test_a_trial_is_retried_as_its_step_says(shop: Shop) -> None:
    spec = grid(shop).replace("test ", f"test $(grep -c 7 {shop.folder}/count || true) -ne 1; test ")

    run = shop.run(spec + "        retry: {attempts: 2, errors: any}\n")

    assert tried(shop) == ["4", "7", "7", "5", "6"]
    assert [each["status"] for each in table(run)] == ["succeeded"] * 4
    assert trials(shop)["tune[1]"].attempt == 2
    assert shop.notices()[1:] == ["attempt 1 failed: it ended with exit code 1 [P401]; trying again in 0 s"]


def test_a_component_may_be_the_trial(shop: Shop) -> None:
    shop.file("data.txt", "rows\n")
    shop.write(
        """
        penstock: v1
        kind: component
        name: fit
        inputs: {data: file, depth: {type: integer, default: 4}, loss: {type: string, default: log}}
        outputs: {model: model, report: metrics}
        step:
          kind: train
          run: |
            cat ${{ inputs.data }}; echo ${{ inputs.loss }}
            echo "{\\"recall\\": 0.${{ inputs.depth }}}" > ${{ outputs.report }}; touch ${{ outputs.model }}/w
        """,
        "components/fit.yaml",
    )

    run = shop.run("""
        datasets: {data: {type: file, path: data.txt}}
        steps:
          tune:
            kind: tune
            uses: components/fit.yaml
            inputs: {data: "${{ datasets.data }}"}
            search_space: {depth: {type: integer, minimum: 2, maximum: 3}}
            sampling: grid
            objective: {metric: recall, goal: maximize}
            limits: {trials: 2}
    """)

    assert run.metrics["tune"]["report"] == {"recall": 0.3}
    assert shop.lines("tune[0]") == ["rows", "log"]
    assert trials(shop)["tune[0]"].kind == "train"


def test_an_environment_that_cannot_be_built_fails_the_search_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_CACHE", str(shop.file("cache")))

    run = shop.run(
        "environments: {odd: {packages: [a-package-that-nobody-has-written==1.0]}}\n"
        + grid(shop).replace("\n    ", "\n")
        + "    environment: odd\n"
    )

    assert "[P405]" in run.steps["tune"].message
    assert run.steps["tune"].search == {}
