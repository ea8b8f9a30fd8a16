"""Batch inference and native steps on this machine, and every kind in one pipeline."""

from __future__ import annotations

import os

import pytest
from tests.kinds_for_tests import INNER, MODEL_FN, TRANSFORM_FN, files, with_clean
from tests.specs_for_tests import Shop

import penstock
from penstock.errors import SpecError


def log(run: penstock.Run, step: str) -> str:
    return (run.folder / "logs" / f"{step}.txt").read_text(encoding="utf-8")


PREDICT_FN = MODEL_FN + "def predict_fn(data, model):\n    return [model + str(each) for each in data]\n"


SCORED = """
    datasets: {rows: {type: folder, path: rows}, model: {type: model, path: model}}
    steps:
      fit: {kind: train, run: "echo fit > ${{ outputs.model }}/w", outputs: {model: model}}
      score:
        kind: predict
        model: ${{ MODEL }}
        data: ${{ datasets.rows }}
        serving: {code: src, entry: inference.py, content_types: [application/json]}
"""


def scored(shop: Shop, source: str, model: str = "steps.fit.outputs.model") -> penstock.Run:
    shop.file("src/inference.py", source)
    shop.file("rows/a.json", "[1, 2]")
    shop.file("rows/deep/b c.json", "[3]")
    shop.file("model/w", "given")
    return shop.run(SCORED.replace("MODEL", model))


def test_predict_answers_every_file(shop: Shop) -> None:
    run = scored(shop, PREDICT_FN)

    assert run.succeeded, log(run, "score")
    answers = {name: eval(text) for name, text in files(run.output("score", "predictions")).items()}
    assert answers == {"a.json.out": ["fit1", "fit2"], "deep/b c.json.out": ["fit3"]}


def test_predict_takes_one_function_for_all_and_a_model_from_a_dataset(shop: Shop) -> None:
    run = scored(shop, TRANSFORM_FN, "datasets.model")

    assert run.succeeded, log(run, "score")
    assert files(run.output("score", "predictions"))["a.json.out"].startswith("given[1, 2]application/json")


def test_a_broken_serving_function_is_named(shop: Shop) -> None:
    run = scored(shop, MODEL_FN + "def predict_fn(data, model):\n    raise KeyError('age')\n")

    assert run.steps["score"].status == "failed"
    assert "predict_fn" in log(run, "score")
    assert "a.json" in run.steps["score"].message
    assert run.steps["score"].message.endswith("KeyError: 'age' [P401]")


def test_a_missing_serving_function_is_named(shop: Shop) -> None:
    run = scored(shop, "def predict_fn(data, model):\n    return data\n")

    assert run.steps["score"].status == "failed"
    assert run.steps["score"].message == (
        "inference.py defines no model_fn(model_dir), which loads the model [P401]"
    )
    assert "Traceback" not in log(run, "score")


NATIVE = """
    steps:
      first: {run: "echo 7 > ${{ outputs.n }}", outputs: {n: file}}
      notify:
        kind: native
        inputs: {n: "${{ steps.first.outputs.n }}", word: hello}
        outputs: {data: {type: folder, from: "OutputParameters['data']"}}
        sagemaker: {Type: Callback, SqsQueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/q"}
        LOCAL
      use:
        run: cat ${{ inputs.data }}/*
        inputs: {data: "${{ steps.notify.outputs.data }}"}
"""


def test_a_native_step_runs_its_stand_in(shop: Shop) -> None:
    stand_in = "local: {run: '(cat ${{ inputs.n }}; echo ${{ inputs.word }}) > ${{ outputs.data }}/x'}"

    run = shop.run(NATIVE.replace("LOCAL", stand_in))

    assert run.succeeded
    assert shop.lines("use") == ["7", "hello"]
    assert shop.run().steps["notify"].cache in ("hit", "off")


def test_a_native_step_without_stand_in_is_refused(shop: Shop) -> None:
    with pytest.raises(SpecError) as fault:
        shop.run(NATIVE.replace("        LOCAL\n", ""))

    (found,) = [each for each in fault.value.diagnostics if each.severity == "error"]
    assert found.code == "P354"
    assert "local: {run:" in found.hint


def test_a_segment_goes_with_its_unset_input(shop: Shop) -> None:
    shop.file("more.txt", "more")
    spec = """
        datasets: {more: {type: file, optional: true}}
        steps:
          text:
            run: "echo begin $[[ --more ${{ inputs.more }} ]] end"
            inputs: {more: {value: "${{ datasets.more }}", optional: true}}
          list:
            run: [echo, begin, [--more, "${{ inputs.more }}"], end]
            inputs: {more: {value: "${{ datasets.more }}", optional: true}}
    """

    shop.run(spec)
    assert (shop.lines("text"), shop.lines("list")) == (["begin end"], ["begin end"])

    shop.events.clear()
    shop.run(datasets={"more": shop.folder / "more.txt"})
    for step in ("text", "list"):
        begin, option, path, end = shop.lines(step)[0].split()
        assert (begin, option, path.endswith(f"/{step}/inputs/more/more.txt"), end) == (
            "begin",
            "--more",
            True,
            "end",
        )


def test_a_second_run_of_every_kind_is_all_hits(shop: Shop) -> None:
    with_clean(shop)
    shop.write(INNER, "inner.yaml")
    shop.file("src/inference.py", TRANSFORM_FN)
    shop.file("model/w", "given")
    shop.write("""
        datasets:
          rows: {type: file, path: rows.txt}
          folder: {type: folder, path: src}
          model: {type: model, path: model}
        steps:
          cleaned: {uses: components/clean.yaml, inputs: {raw: "${{ datasets.rows }}"}}
          each:
            kind: map
            over: {files: "${{ datasets.folder }}"}
            run: cp ${{ item }} ${{ outputs.o }}
            outputs: {o: file}
          in: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ steps.cleaned.outputs.out }}"}}
          score:
            kind: predict
            model: ${{ datasets.model }}
            data: ${{ datasets.rows }}
            serving: {code: src, entry: inference.py, content_types: [text/csv]}
    """)

    first = shop.run()
    assert first.succeeded, first.record.message
    second = shop.run()

    assert {name for name, each in second.steps.items() if each.cache != "hit"} == {"in__fine"}
    assert second.states == first.states
    assert os.listdir(second.folder / "logs") == []
