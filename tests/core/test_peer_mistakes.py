"""Mistakes that other pipeline tools let pass, misdiagnose, or tell without a place or a suggestion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.compiler import check
from penstock.diagnostics import Diagnostic, render

HEAD = "penstock: v1\nkind: pipeline\nname: example\n"
Check = Callable[[str], list[Diagnostic]]


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    """Check a pipeline; lines count from its own first line, the head left out."""

    def check_text(text: str) -> list[Diagnostic]:
        path = tmp_path / "pipeline.yaml"
        path.write_text(HEAD + dedent(text).lstrip("\n"))
        return check(path)

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("")
    return check_text


def spot(found: Diagnostic) -> tuple[int, str]:
    """Give the line, counted behind the head, and the text that the caret stands under."""
    place = found.place
    assert place is not None
    assert f"pipeline.yaml:{place.line}:{place.column}" in render(found)
    return place.line - 3, place.excerpt[place.column - 1 : place.column - 1 + place.length]


TWO_STEPS = """
steps:
  prepare:
    run: python -m prepare ${{ outputs.clean }}
    outputs: {clean: folder}
  train:
    run: python -m train ${{ inputs.data }}
    inputs: {data: "${{ %s }}"}
"""


def test_a_typo_in_the_name_of_an_upstream_step(checked: Check) -> None:
    (found,) = checked(TWO_STEPS % "steps.prepre.outputs.clean")

    assert found.message == "there is no step 'prepre'"
    assert spot(found) == (7, "steps.prepre.outputs.clean")
    assert found.hint == "did you mean 'prepare'?"


def test_a_typo_in_the_name_of_an_upstream_output(checked: Check) -> None:
    (found,) = checked(TWO_STEPS % "steps.prepare.outputs.claen")

    assert found.message == "step 'prepare' has no output 'claen'"
    assert spot(found) == (7, "steps.prepare.outputs.claen")
    assert found.hint == "did you mean 'clean'?"


def test_a_typo_in_after(checked: Check) -> None:
    (found,) = checked("""
        steps:
          prepare: {run: echo 1}
          train: {run: echo 2, after: [nope, prepare]}
    """)

    assert found.message == "there is no step 'nope'"
    assert spot(found) == (3, "nope")
    assert found.hint == "steps: prepare, train"


def test_a_type_mismatch_between_steps(checked: Check) -> None:
    (found,) = checked("""
        steps:
          evaluate:
            run: python -m evaluate ${{ outputs.report }}
            outputs: {report: metrics}
          score:
            run: python -m score ${{ inputs.model }}
            inputs: {model: {value: "${{ steps.evaluate.outputs.report }}", type: model}}
    """)

    assert found.message == "input 'model' takes a model, and 'steps.evaluate.outputs.report' is metrics"
    assert spot(found) == (7, "steps.evaluate.outputs.report")
    assert found.hint == "metrics can be taken as metrics or file"


def test_a_type_mismatch_of_values(checked: Check) -> None:
    (found,) = checked("""
        parameters:
          country: {type: string, default: NL}
        steps:
          train:
            run: python -m train ${{ inputs.depth }}
            inputs: {depth: {value: "${{ parameters.country }}", type: integer}}
    """)

    assert found.message == "input 'depth' takes an integer, and 'parameters.country' is a string"
    assert spot(found) == (6, "parameters.country")
    assert found.hint


def test_an_unknown_type_of_output_lists_what_there_is(checked: Check) -> None:
    (found,) = checked("""
        steps:
          train:
            run: python -m train ${{ outputs.model }}
            outputs: {model: uri_folder}
        outputs: {model: "${{ steps.train.outputs.model }}"}
    """)

    assert found.message == "output 'model' cannot be 'uri_folder'"
    assert spot(found) == (4, "uri_folder")
    assert found.hint == "did you mean 'folder'?"


def test_a_circle_is_drawn_whole(checked: Check) -> None:
    (found,) = checked("""
        steps:
          a:
            run: python -m a ${{ inputs.x }} ${{ outputs.o }}
            inputs: {x: "${{ steps.c.outputs.o }}"}
            outputs: {o: file}
          b:
            run: python -m b ${{ inputs.x }}
            inputs: {x: "${{ steps.a.outputs.o }}"}
          c:
            run: python -m c ${{ outputs.o }}
            outputs: {o: file}
            after: [b]
    """)

    assert found.message == "steps need each other in a circle: a ← c ← b ← a"
    assert found.details == ("a ← c  (a.inputs.x)", "c ← b  (c.after)", "b ← a  (b.inputs.x)")
    assert spot(found) == (2, "a")
    assert found.hint == "one of these references has to go"


def test_a_circle_by_order_alone(checked: Check) -> None:
    (found,) = checked("""
        steps:
          a: {run: echo a, after: [b]}
          b: {run: echo b, after: [a]}
    """)

    assert found.message == "steps need each other in a circle: a ← b ← a"
    assert found.details == ("a ← b  (a.after)", "b ← a  (b.after)")


def test_a_circle_through_a_condition(checked: Check) -> None:
    (found,) = checked("""
        conditions:
          good: ${{ steps.evaluate.outputs.report.recall > 0.9 }}
        steps:
          train:
            when: ${{ conditions.good }}
            run: python -m train ${{ outputs.model }}
            outputs: {model: model}
          evaluate:
            run: python -m evaluate ${{ inputs.model }} ${{ outputs.report }}
            inputs: {model: "${{ steps.train.outputs.model }}"}
            outputs: {report: metrics}
    """)

    assert found.code == "P230"
    assert found.details == (
        "train ← evaluate  (train.when: good)",
        "evaluate ← train  (evaluate.inputs.model)",
    )


def test_a_missing_code_folder_is_named(checked: Check) -> None:
    (found,) = checked("""
        steps:
          prepare:
            run: python -m train
            code: srcs
          train:
            run: python -m train
            code: src
    """)

    assert found.message == "there is no file or folder 'srcs'"
    assert spot(found) == (4, "srcs")
    assert found.hint == "did you mean 'src'?"


def test_a_missing_data_file_is_named(checked: Check) -> None:
    (found,) = checked("""
        datasets:
          cells: {type: file, path: src/trian.py}
        steps:
          count:
            run: wc -l ${{ inputs.cells }}
            inputs: {cells: "${{ datasets.cells }}"}
    """)

    assert found.message == "there is no file or folder 'src/trian.py'"
    assert spot(found) == (2, "src/trian.py")
    assert found.hint == "did you mean 'src/train.py'?"


def test_a_missing_script_is_named(checked: Check) -> None:
    (found,) = checked("steps: {train: {run: python trian.py, code: src}}\n")

    assert spot(found) == (1, "trian.py")
    assert found.hint == "did you mean 'train.py'?"


def test_a_misspelt_dataset_type_is_what_is_complained_of(checked: Check) -> None:
    (found,) = checked("""
        datasets:
          cells: {type: pandas.CSVDataset, path: src/train.py}
        steps:
          count:
            run: wc -l ${{ inputs.cells }}
            inputs: {cells: "${{ datasets.cells }}"}
    """)

    assert found.message == "'type' cannot be 'pandas.CSVDataset'"
    assert spot(found) == (2, "pandas.CSVDataset")
    assert found.hint == "allowed: file, folder, table, model, metrics"


def test_an_unknown_key_at_the_root(checked: Check) -> None:
    (found,) = checked("stepz:\n  train: {run: echo hello}\n")

    assert found.message == "a pipeline has no key 'stepz'"
    assert spot(found) == (1, "stepz")
    assert found.hint == "did you mean 'steps'?"


def test_an_unknown_key_of_a_step(checked: Check) -> None:
    (found,) = checked("steps:\n  train:\n    comand: python -m train\n")

    assert found.message == "step 'train' has no key 'comand'"
    assert spot(found) == (3, "comand")
    assert found.hint == "did you mean 'run'?"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("command", "run"),
        ("depends_on", "after"),
        ("needs", "after"),
        ("if", "when"),
        ("resources", "compute"),
    ],
)
def test_keys_of_other_tools_are_known_for_what_they_are(checked: Check, key: str, meant: str) -> None:
    found = checked(f"steps:\n  train:\n    run: echo hello\n    {key}: echo\n")

    assert [(each.code, each.hint) for each in found] == [("P201", f"did you mean '{meant}'?")]


def test_an_unknown_key_deep_inside(checked: Check) -> None:
    (found,) = checked("steps: {train: {run: echo, compute: {cpus: 4}}}\n")

    assert found.message == "'compute' has no key 'cpus'"
    assert spot(found) == (1, "cpus")
    assert found.hint == "did you mean 'cpu'?"


def test_a_reference_to_an_undeclared_input(checked: Check) -> None:
    (found,) = checked("steps:\n  train:\n    run: python -m train ${{ inputs.zzz }}\n")

    assert found.message == "step 'train' has no input 'zzz'"
    assert spot(found) == (3, "inputs.zzz")
    assert found.hint == "there are no inputs of 'train'"


def test_a_reference_to_an_undeclared_parameter(checked: Check) -> None:
    (found,) = checked("""
        parameters:
          rounds: {type: integer, default: 3}
        steps:
          train:
            run: python -m train ${{ inputs.n }}
            inputs: {n: "${{ parameters.round }}"}
    """)

    assert found.message == "there is no parameter 'round'"
    assert spot(found) == (6, "parameters.round")
    assert found.hint == "did you mean 'rounds'?"


def test_an_illegal_step_name(checked: Check) -> None:
    (found,) = checked("steps:\n  my step!: {run: echo hello}\n")

    assert found.message == "'my step!' is not a name"
    assert spot(found) == (2, "my step!")
    assert found.hint.endswith("for example 'my_step'")


def test_duplicate_names(checked: Check) -> None:
    (found,) = checked("steps:\n  train: {run: echo 1}\n  train: {run: echo 2}\n")

    assert found.message == "'train' is given twice; the first is on line 5"
    assert spot(found) == (3, "train")


def test_an_unused_parameter_and_an_unused_output(checked: Check) -> None:
    parameter, output = checked("""
        parameters:
          depth: {type: integer, default: 4}
        steps:
          train:
            run: python -m train ${{ outputs.model }}
            outputs: {model: model}
    """)

    assert (parameter.severity, output.severity) == ("warning", "warning")
    assert spot(parameter) == (2, "depth")
    assert spot(output) == (6, "model")
    assert parameter.hint and output.hint


def test_a_literal_secret(checked: Check) -> None:
    (found,) = checked("steps:\n  train:\n    run: echo\n    env: {API_KEY: sk-9fK2mQ7xV4bN8rT1wZ3y}\n")

    assert spot(found)[0] == 4
    assert found.code == "P260"
    assert "from_env" in found.hint
    assert "9fK2mQ7x" not in found.message


def test_a_value_out_of_bounds(checked: Check) -> None:
    (found,) = checked("""
        parameters:
          depth: {type: integer, default: 40, minimum: 1, maximum: 16}
        steps:
          train:
            run: python -m train ${{ inputs.depth }}
            inputs: {depth: "${{ parameters.depth }}"}
    """)

    assert found.message == "the default of 'depth' is 40, above the maximum of 16"
    assert spot(found) == (2, "40")
    assert "at most 16" in found.hint


def test_a_condition_that_cannot_be_true(checked: Check) -> None:
    (found,) = checked("""
        parameters:
          depth: {type: integer, default: 4, minimum: 1, maximum: 16}
        steps:
          stop:
            kind: fail
            when: ${{ parameters.depth > 20 }}
            message: too deep
    """)

    assert found.message == "this condition can never be true: parameters.depth is between 1 and 16"
    assert spot(found) == (6, "${{ parameters.depth > 20 }}")
    assert found.hint


def test_an_unquoted_expression(checked: Check) -> None:
    (found,) = checked("""
        parameters:
          depth: {type: integer, default: 4}
        steps:
          train:
            run: python -m train ${{ inputs.depth }}
            inputs: {depth: ${{ parameters.depth }}}
    """)

    assert spot(found) == (6, "${{ parameters.depth }}")
    assert found.hint == 'quote it: inputs: {depth: "${{ parameters.depth }}"}'


EVERYTHING = """
parameters:
  depth: {type: integer, default: 40, maximum: 16}
  unused: {type: string, default: x}
  my name: {type: string, default: x}
datasets:
  cells: {type: file, path: nowhere.csv}
environments:
  sklearn: {packages: [pandas=2]}
conditions:
  never: ${{ parameters.depth > 99 }}
steps:
  prepare:
    comand: python -m prepare
    inputs: {cells: ${{ datasets.cells }}, deep: "${{ parameters.dept }}"}
    outputs: {train: foldr}
  train:
    run: python -m train ${{ inputs.data }} ${{ inputs.gone }}
    inputs: {data: "${{ steps.prepare.outputs.trian }}"}
    timeout: 2 hours
    environment: sklern
    env: {PASSWORD: x7Gq2pLw9ZtR4vB}
  a: {run: echo a, after: [b]}
  b: {run: echo b, after: [a]}
  stop:
    kind: fail
    when: ${{ conditions.nevr }}
    message: stopped
"""


def test_many_mistakes_at_once_are_all_told(checked: Check) -> None:
    found = checked(EVERYTHING)

    told = {(each.code, *spot(each)) for each in found}
    assert {
        ("P222", 2, "40"),
        ("P205", 4, "my name"),
        ("P250", 6, "nowhere.csv"),
        ("P206", 8, "pandas=2"),
        ("P233", 10, "${{ parameters.depth > 99 }}"),
        ("P201", 13, "comand"),
        ("P114", 14, "${{ datasets.cells }}"),
        ("P213", 14, "parameters.dept"),
        ("P204", 15, "foldr"),
        ("P216", 17, "inputs.gone"),
        ("P206", 19, "2 hours"),
        ("P217", 20, "sklern"),
        ("P260", 21, "x7Gq2pLw9ZtR4vB"),
        ("P230", 22, "a"),
        ("P215", 26, "conditions.nevr"),
    } <= told
    assert len(found) <= 16
    assert [each.place.line for each in found if each.place] == sorted(
        each.place.line for each in found if each.place
    )


def test_a_pattern_that_may_never_end_is_refused_before_it_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        "penstock: v1\nkind: pipeline\nname: p\n"
        "parameters:\n  a: {type: string, pattern: '^(a+)+$', default: '" + "a" * 60 + "!'}\n"
        "  b: {type: string, pattern: '([a-z]+-)*[a-z]{1,20}', default: a-b}\n"
        "steps:\n  s: {run: 'echo ${{ inputs.a }} ${{ inputs.b }}', "
        "inputs: {a: '${{ parameters.a }}', b: '${{ parameters.b }}'}}\n"
    )

    assert [(each.code, each.place and each.place.line) for each in check(path)] == [("P206", 5)]
