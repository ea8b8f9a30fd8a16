"""What a spec means, proved by running it: steps, edges, conditions, models, KPIs."""

from __future__ import annotations

import json
import os

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock
from penstock.models.registry import ModelRegistry


def test_a_step_reads_its_inputs_and_writes_its_outputs(shop: Shop) -> None:
    shop.file("data/cells.csv", "a,b\n1,2\n")
    shop.file("src/double.py", "import sys\nopen(sys.argv[2], 'w').write(open(sys.argv[1]).read() * 2)\n")

    run = shop.run("""
        datasets: {cells: {type: file, path: data/cells.csv}}
        steps:
          first:
            run: python double.py ${{ inputs.cells }} ${{ outputs.twice }}
            code: src
            inputs: {cells: "${{ datasets.cells }}"}
            outputs: {twice: file}
          second:
            run: mkdir ${{ outputs.all }}/sub; cp ${{ inputs.given }} ${{ outputs.all }}/sub/copy; pwd
            inputs: {given: "${{ steps.first.outputs.twice }}"}
            outputs: {all: folder}
    """)

    assert run.states == {"first": "succeeded", "second": "succeeded"}
    assert text_of(run, "first", "twice") == "a,b\n1,2\n" * 2
    assert (run.output("second", "all") / "sub" / "copy").read_text() == "a,b\n1,2\n" * 2
    # The working folder is the step's own, not the project.
    assert shop.lines("second") == [str(run.folder / "steps" / "second" / "work")]


def test_a_file_output_has_the_name_that_the_spec_gives(shop: Shop) -> None:
    run = shop.run("""
        steps:
          make:
            run: |
              basename ${{ outputs.report }}; basename ${{ outputs.plain }}
              echo '{}' > ${{ outputs.report }}; touch ${{ outputs.plain }}
            outputs: {report: {type: metrics, file: evaluation.json}, plain: file}
          take:
            run: basename ${{ inputs.report }}
            inputs: {report: "${{ steps.make.outputs.report }}"}
    """)

    assert shop.lines("make") == ["evaluation.json", "plain"]
    assert shop.lines("take") == ["evaluation.json"]
    assert run.output("make", "report").name == "evaluation.json"


def test_a_model_travels_as_a_folder(shop: Shop) -> None:
    run = shop.run("""
        steps:
          fit:
            kind: train
            run: |
              mkdir ${{ outputs.model }}/code
              echo weights > ${{ outputs.model }}/w; echo x > ${{ outputs.model }}/code/m.py
            outputs: {model: model}
          use:
            run: cd ${{ inputs.model }}; find . -type f | sort
            inputs: {model: {value: "${{ steps.fit.outputs.model }}", type: folder}}
    """)

    assert run.succeeded
    assert shop.lines("use") == ["./code/m.py", "./w"]


GATED = """
    parameters: {floor: {type: number, default: 0.5}}
    conditions: {good: "${{ steps.judge.outputs.report.score >= parameters.floor }}"}
    steps:
      fit:
        kind: train
        run: echo w > ${{ outputs.model }}/w
        outputs: {model: model}
      judge:
        run: echo '{"score":0.75,"note":"so so"}' > ${{ outputs.report }}; cat ${{ inputs.model }}/w
        inputs: {model: "${{ steps.fit.outputs.model }}"}
        outputs: {report: metrics}
      enter:
        kind: register
        when: ${{ conditions.good }}
        model: ${{ steps.fit.outputs.model }}
        name: judged
        metrics: ${{ steps.judge.outputs.report }}
      stop:
        kind: fail
        when: ${{ not conditions.good }}
        message: >-
          ${{ steps.judge.outputs.report.score }} is below
          ${{ parameters.floor }}: ${{ steps.judge.outputs.report.note }}
"""


def test_a_closed_condition_skips_and_an_open_one_runs(shop: Shop) -> None:
    passed = shop.run(GATED)
    refused = shop.run(parameters={"floor": 0.9})

    assert passed.status == "succeeded"
    assert (passed.states["enter"], passed.states["stop"]) == ("succeeded", "skipped")
    assert passed.steps["stop"].message == "good is true"
    assert refused.status == "failed"
    assert (refused.states["enter"], refused.states["stop"]) == ("skipped", "failed")
    with ModelRegistry.open(shop.project.ledger) as registry:
        assert [each.versions for each in registry.list_models()] == [1]
        assert registry.get("judged").metrics == {"score": 0.75, "note": "so so"}


def test_what_a_skipped_step_would_feed_is_skipped_too(shop: Shop) -> None:
    run = shop.run("""
        parameters: {wanted: {type: boolean, default: false}}
        steps:
          make: {run: "echo x > ${{ outputs.o }}", outputs: {o: file}, when: "${{ parameters.wanted }}"}
          use: {run: "cat ${{ inputs.o }}", inputs: {o: "${{ steps.make.outputs.o }}"}}
          other: {run: "true"}
    """)

    assert run.status == "succeeded"
    assert run.states == {"make": "skipped", "use": "skipped", "other": "succeeded"}


def test_a_fail_step_ends_the_run_with_its_message(shop: Shop) -> None:
    run = shop.run(GATED, parameters={"floor": 0.9})

    assert run.status == "failed"
    assert run.record.message == "0.75 is below 0.9: so so"
    assert run.steps["stop"].message == run.record.message


def test_registering_twice_gives_one_version(shop: Shop) -> None:
    shop.run(GATED)
    again = shop.run(cache=False)
    shop.write(GATED.replace("echo w >", "echo better >"))
    better = shop.run()

    with ModelRegistry.open(shop.project.ledger) as registry:
        versions = registry.versions("judged")
    assert "version 1" in again.steps["enter"].message
    assert "version 2" in better.steps["enter"].message
    assert sorted(each.version for each in versions) == [1, 2]
    assert registry_lineage(shop, 2)["run"] == better.id


def registry_lineage(shop: Shop, version: int) -> dict[str, object]:
    with ModelRegistry.open(shop.project.ledger) as registry:
        return registry.get("judged", version).lineage


@pytest.mark.parametrize(("floor", "approval"), [(0.5, "approved"), (0.9, "pending")])
def test_approval_may_be_an_expression(shop: Shop, floor: float, approval: str) -> None:
    shop.run(
        """
        parameters: {floor: {type: number}}
        steps:
          fit:
            kind: train
            run: echo w > ${{ outputs.model }}/w; echo '{"score":0.75}' > ${{ outputs.report }}
            outputs: {model: model, report: metrics}
          enter:
            kind: register
            model: ${{ steps.fit.outputs.model }}
            name: judged
            approval: ${{ steps.fit.outputs.report.score > parameters.floor }}
        """,
        parameters={"floor": floor},
    )

    with ModelRegistry.open(shop.project.ledger) as registry:
        assert str(registry.get("judged").approval) == approval


def test_metrics_of_a_train_step_decide(shop: Shop) -> None:
    run = shop.run("""
        conditions: {small: "${{ steps.fit.outputs.report['a b'].loss[1] < 0.2 }}"}
        steps:
          fit:
            kind: train
            run: echo '{"a b":{"loss":[0.9,0.1]}}' > ${{ outputs.report }}; echo w > ${{ outputs.model }}/w
            outputs: {model: model, report: metrics}
          go: {run: "true", when: "${{ conditions.small }}"}
          stay: {run: "true", when: "${{ not conditions.small }}"}
    """)

    assert (run.states["go"], run.states["stay"]) == ("succeeded", "skipped")


def test_conditions_may_calculate(shop: Shop) -> None:
    run = shop.run("""
        parameters: {factor: {type: number, default: 2}}
        steps:
          measure: {run: "echo '{\\"a\\":3,\\"b\\":1.5}' > ${{ outputs.m }}", outputs: {m: metrics}}
          yes: {run: "true", when: "${{ steps.measure.outputs.m.a / parameters.factor == steps.measure.outputs.m.b }}"}
          no: {run: "true", when: "${{ steps.measure.outputs.m.a - 1 > 2 }}"}
    """)

    assert (run.states["yes"], run.states["no"]) == ("succeeded", "skipped")


def test_a_condition_without_a_value_fails_the_step_that_asks(shop: Shop) -> None:
    run = shop.run("""
        steps:
          measure: {run: "echo '{\\"recal\\":3}' > ${{ outputs.m }}", outputs: {m: metrics}}
          gated: {run: "true", when: "${{ steps.measure.outputs.m.recall > 2 }}"}
    """)

    assert run.states == {"measure": "succeeded", "gated": "failed"}
    assert "recall" in run.steps["gated"].message
    assert "nearest: recal" in run.steps["gated"].message
    assert "[P410]" in run.steps["gated"].message


def test_inputs_may_calculate_and_compose(shop: Shop) -> None:
    shop.run(
        """
        parameters: {n: {type: integer, default: 3}, r: {type: number, default: 0.5}, who: {type: string, default: you}}
        steps:
          show:
            run: [printf, "%s\\n", "${{ inputs.product }}", "${{ inputs.rate }}", "${{inputs.text}}", "${{inputs.on}}"]
            inputs:
              product: ${{ parameters.n * 2 + 1 }}
              rate: ${{ parameters.r / 4 }}
              text: "${{ parameters.who }} and ${{ parameters.n }} more"
              on: true
            env: {GREETING: "hello ${{ parameters.who }}"}
        """,
        parameters={"who": "she"},
    )

    assert shop.lines("show") == ["7", "0.125", "she and 3 more", "true"]


def test_after_orders_without_data(shop: Shop) -> None:
    run = shop.run(
        """
        steps:
          last: {run: "true", after: [middle]}
          middle: {run: "sleep 0.21", after: [first]}
          first: {run: "sleep 0.2"}
        """,
        jobs=3,
    )

    first, middle, last = (run.steps[name] for name in ("first", "middle", "last"))
    assert first.ended is not None and middle.started is not None and first.ended <= middle.started
    assert middle.ended is not None and last.started is not None and middle.ended <= last.started


def test_ready_steps_run_beside_each_other(shop: Shop) -> None:
    shop.file("gate")
    meet = "touch {own}; for i in $(seq 400); do test -e {other} && exit 0; sleep 0.01; done; exit 1"
    run = shop.run(
        "steps:\n"
        + "".join(
            f"  {own}: {{run: '{meet.format(own=shop.folder / own, other=shop.folder / other)}', cache: false}}\n"
            for own, other in (("left", "right"), ("right", "left"))
        ),
        jobs=2,
    )

    assert run.succeeded


def test_a_step_gets_its_own_variables_and_none_of_the_callers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "MY_OWN", "PYTHONPATH", "HTTP_PROXY"):
        monkeypatch.setenv(name, "leak")
    monkeypatch.setenv("PENSTOCK_PROJECT", str(shop.folder))

    run = shop.run("""
        parameters: {n: {type: integer, default: 3}}
        defaults: {env: {SHARED: a, BOTH: default}}
        steps:
          show:
            run: python -c 'import json, os; print(json.dumps(dict(os.environ)))' > ${{ outputs.o }}
            outputs: {o: file}
            env: {BOTH: step, COUNT: "${{ parameters.n }}", RATE: 0.5, ON: true, EMPTY: ""}
    """)

    found = json.loads(text_of(run, "show", "o"))
    assert "leak" not in found.values()
    assert {name: found.get(name) for name in ("SHARED", "BOTH", "COUNT", "RATE", "ON", "EMPTY")} == {
        "SHARED": "a",
        "BOTH": "step",
        "COUNT": "3",
        "RATE": "0.5",
        "ON": "true",
        "EMPTY": "",
    }
    assert found["HOME"].startswith(str(run.folder)) and found["TMPDIR"].startswith(str(run.folder))
    assert not [name for name in found if name.startswith("PENSTOCK")]


def test_variables_of_the_caller_come_in_by_name_and_are_masked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REAL_TOKEN", "s3cr3t-value")
    monkeypatch.setenv("OTHER_TOKEN", "0ther-value")

    run = shop.run(
        """
        steps:
          show:
            run: echo "$TOKEN and $OTHER_TOKEN"; printf %s "$TOKEN" | wc -c
            env: {TOKEN: {from_env: REAL_TOKEN}}
        """,
        pass_env=["OTHER_TOKEN"],
    )

    assert [each.strip() for each in shop.lines("show")] == ["*** and ***", "12"]
    everything = b"".join(path.read_bytes() for path in shop.folder.rglob("*") if path.is_file())
    assert b"s3cr3t" not in everything
    assert b"0ther" not in everything
    assert run.succeeded


def test_a_variable_that_the_caller_lacks_is_said_before_anything_runs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABSENT", raising=False)
    with pytest.raises(penstock.RunError, match="P417") as refused:
        shop.run("steps: {show: {run: 'true', env: {TOKEN: {from_env: ABSENT}}}}", pass_env=["ALSO_ABSENT"])

    assert ["ABSENT" in each.message for each in refused.value.diagnostics] == [True, True]
    assert not shop.events


def test_kpis_are_judged_at_the_end(shop: Shop) -> None:
    run = shop.run("""
        parameters: {wanted: {type: boolean, default: false}}
        goal:
          statement: Be good.
          kpis:
            - {name: recall, value: "${{ steps.judge.outputs.report.recall }}", target: ">= 0.9"}
            - {name: cost, value: "${{ steps.judge.outputs.report.cost }}", target: "< 10"}
            - {name: later, value: "${{ steps.maybe.outputs.report.x }}", target: "> 0"}
            - {name: gone, value: "${{ steps.judge.outputs.report.gone }}", target: "> 0"}
        steps:
          judge: {run: "echo '{\\"recall\\":0.93,\\"cost\\":12}' > ${{ outputs.report }}", outputs: {report: metrics}}
          maybe:
            run: echo '{}' > ${{ outputs.report }}
            outputs: {report: metrics}
            when: ${{ parameters.wanted }}
    """)

    assert run.record.goal == "Be good."
    assert [(each["name"], each["value"], each["met"]) for each in run.kpis] == [
        ("recall", 0.93, True),
        ("cost", 12, False),
        ("later", None, False),
        ("gone", None, False),
    ]
    # A goal that was missed does not make the run a failure: it says what was measured.
    assert run.status == "succeeded"


def test_a_conda_file_gives_its_pip_packages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CACHE", str(shop.folder / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    spec = """
        environments: {lab: {conda: lab.yaml}}
        steps: {show: {run: python -c 'import yaml; print(yaml.__name__)', environment: lab}}
    """
    shop.file("lab.yaml", "name: lab\ndependencies:\n  - python=3\n  - numpy\n  - pip:\n      - pyyaml\n")

    here = shop.run(spec)
    shop.file("lab.yaml", "name: lab\ndependencies:\n  - pip:\n      - penstock-no-such-package==1.2.3\n")
    lacking = shop.run()

    assert here.succeeded
    assert shop.lines("show") == ["yaml"]
    assert lacking.states == {"show": "failed"}
    assert "[P405]" in lacking.steps["show"].message
    assert any("penstock-no-such-package" in each for each in shop.notices())


def test_pipeline_outputs_are_paths_of_the_run(shop: Shop) -> None:
    spec = """
        parameters: {wanted: {type: boolean, default: true}}
        steps:
          make:
            run: echo a > ${{ outputs.o }}; mkdir ${{ outputs.f }}/s; echo b > ${{ outputs.f }}/s/x
            outputs: {o: file, f: folder}
          maybe: {run: "echo c > ${{ outputs.o }}", outputs: {o: file}, when: "${{ parameters.wanted }}"}
        outputs:
          one: ${{ steps.make.outputs.o }}
          tree: ${{ steps.make.outputs.f }}
          rest: ${{ steps.maybe.outputs.o }}
    """
    run = shop.run(spec)
    without = shop.run(parameters={"wanted": False})

    assert {name: path.is_relative_to(run.folder) for name, path in run.outputs.items()} == {
        "one": True,
        "tree": True,
        "rest": True,
    }
    assert run.outputs["one"].read_text() == "a\n"
    assert (run.outputs["tree"] / "s" / "x").read_text() == "b\n"
    assert without.outputs.keys() == {"one", "tree"}
    assert run.artifacts["make"]["o"] == run.outputs["one"]
    with pytest.raises(KeyError):
        run.output("make", "nothing")


def test_an_output_laid_out_by_half_is_not_taken_for_the_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shop.run("""
        steps: {make: {run: "echo a > ${{ outputs.f }}/a; echo b > ${{ outputs.f }}/b", outputs: {f: folder}}}
    """)
    make_link, done = os.link, list[object]()

    def interrupted(*args: object, **more: object) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(args)
        make_link(*args, **more)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    def no_reflink(*_: object) -> None:
        return None

    monkeypatch.setattr("os.link", interrupted)
    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_reflink)
    monkeypatch.setattr("penstock.runtime.results.LARGEST_COPY", -1)
    with pytest.raises(KeyboardInterrupt):
        run.output("make", "f")
    monkeypatch.undo()

    assert sorted(each.name for each in run.output("make", "f").iterdir()) == ["a", "b"]


def test_a_model_is_registered_whose_step_left_an_optional_dataset_unset(shop: Shop) -> None:
    run = shop.run("""
        datasets: {champion: {type: metrics, optional: true}}
        steps:
          fit:
            run: touch $[[ ${{ inputs.champion }} ]] ${{ outputs.model }}/m
            inputs: {champion: {value: "${{ datasets.champion }}", optional: true}}
            outputs: {model: model}
          enter: {kind: register, model: "${{ steps.fit.outputs.model }}", name: m}
    """)

    assert run.succeeded
    assert "version 1" in run.steps["enter"].message
