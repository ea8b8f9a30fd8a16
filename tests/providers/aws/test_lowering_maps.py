"""Maps: a step for each item where that fits, else one job; both run as the service would run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.providers.aws.test_oracle import reports
from tests.sagemaker_for_tests import Compiled, compiled, refused
from tests.sagemaker_jobs_for_tests import Service

from penstock_aws.sagemaker.validation import validate

ITEMS = '{items: [{key: "NO", depth: 4}, {key: NL, depth: 6}, {key: k.3, depth: "$x it\'s"}]}'
MAP = """
datasets: {d: {type: file, path: data/cells.csv}}
steps:
  m:
    kind: map
    over: %s
    run: |
      touch ${{ outputs.rest }}/empty
      cat ${{ inputs.d }} > ${{ outputs.report }}
      echo ${{ item.key }} ${{ item.depth }} "$COUNTRY" >> ${{ outputs.report }}
    inputs: {d: "${{ datasets.d }}"}
    outputs: {report: {type: file, file: r.txt}, rest: folder}
    env: {COUNTRY: "in ${{ item.key }}"}
%s
"""
READ = '  read: {run: "ls ${{ inputs.i }}", inputs: {i: "${{ steps.m.outputs.report }}"}}\n'


def many(count: int) -> str:
    """Write a list of items."""
    return f"{{items: [{', '.join(f'{{key: k{each}, depth: {each}}}' for each in range(count))}]}}"


def names(found: Compiled) -> list[str]:
    return [each["Name"] for each in found.definition["Steps"]]


def launched(found: Compiled, step: str) -> list[str]:
    return [each.reason for each in found.bundle.launcher if each.step == step]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Assets name files relative to the spec.
    monkeypatch.chdir(tmp_path)
    return tmp_path


def below(service: Service, step: str, output: str) -> dict[str, str]:
    """Give the files of an output, by relative path."""
    uri = service.get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
    root = service.place(uri)
    return {
        str(each.relative_to(root)): each.read_text(encoding="utf-8")
        for each in sorted(root.rglob("*"))
        if each.is_file()
    }


def test_few_items_are_one_step_each(tmp_path: Path) -> None:
    found = compiled(tmp_path, MAP % (ITEMS, "") + READ)

    assert names(found) == ["m__NO", "m__NL", "m__k_3", "m", "read"]
    assert found.step("m__NL")["Description"] == "Map m: item NL (2 of 3)"
    assert found.step("m__NL")["DisplayName"] == "m [NL]"
    assert found.arguments("m__NL")["Environment"] == {"COUNTRY": "in NL"}
    # Only what is read is gathered, in a step that is called as the map.
    assert [each["InputName"] for each in found.arguments("m")["ProcessingInputs"]] == [
        "NO__report",
        "NL__report",
        "k_3__report",
        "code",
        "run",
    ]
    outputs = found.arguments("m")["ProcessingOutputConfig"]["Outputs"]
    assert [each["OutputName"] for each in outputs] == ["report"]
    assert launched(found, "m") == ["map: gathers 3 items"]
    assert set(reports(found).values()) == {""}
    assert validate(found.definition) == []
    assert found.codes() == ["P241"]


def test_steps_of_a_map_and_what_gathers_them_run(folder: Path) -> None:
    service = Service(folder, compiled(folder, MAP % (ITEMS, "") + READ))

    for name in names(service.compiled):
        service.run(name)

    assert below(service, "m", "report") == {
        "NO/r.txt": "a,b\n1,2\nNO 4 in NO\n",
        "NL/r.txt": "a,b\n1,2\nNL 6 in NL\n",
        "k.3/r.txt": "a,b\n1,2\nk.3 $x it's in k.3\n",
    }


def test_what_nobody_reads_is_not_gathered(tmp_path: Path) -> None:
    found = compiled(tmp_path, MAP % (ITEMS, "") + "  z: {run: echo z, after: [m]}\n")

    assert names(found) == ["m__NO", "m__NL", "m__k_3", "z"]
    assert found.step("z")["DependsOn"] == ["m__NO", "m__NL", "m__k_3"]
    assert found.bundle.launcher[0].step == "m__NO"


def test_an_output_of_the_pipeline_is_gathered(tmp_path: Path) -> None:
    found = compiled(tmp_path, MAP % (ITEMS, "outputs: {all: '${{ steps.m.outputs.rest }}'}"))

    (output,) = found.arguments("m")["ProcessingOutputConfig"]["Outputs"]
    assert output["OutputName"] == "rest"


def test_items_wait_for_each_other_where_few_may_run_at_once(tmp_path: Path) -> None:
    found = compiled(tmp_path, MAP % (ITEMS, "    parallel: 2"))

    assert [found.step(each).get("DependsOn") for each in names(found)] == [None, None, ["m__NO"]]


def test_a_map_under_a_condition_stands_in_its_branch(tmp_path: Path) -> None:
    text = MAP % (ITEMS, "    when: ${{ parameters.p }}") + READ + "parameters: {p: {type: boolean}}"

    (condition,) = compiled(tmp_path, text).definition["Steps"]

    inside = [each["Name"] for each in condition["Arguments"]["IfSteps"]]
    assert inside == ["m__NO", "m__NL", "m__k_3", "m", "read"]


def test_training_jobs_are_gathered_from_their_archives(folder: Path) -> None:
    (folder / "fit.yaml").write_text(
        "penstock: v1\nkind: component\nname: fit\nversion: '3'\ninputs: {n: integer}\n"
        "outputs: {model: model, report: metrics}\n"
        "step: {kind: train, run: 'echo ${{ inputs.n }} > ${{ outputs.model }}/m; echo {} > ${{ outputs.report }}'}\n",
        encoding="utf-8",
    )
    text = """
    steps:
      m: {kind: map, uses: fit.yaml, over: {items: [1, 2]}, inputs: {n: "${{ item }}"}}
      read:
        run: ls ${{ inputs.a }} ${{ inputs.b }}
        inputs: {a: "${{ steps.m.outputs.model }}", b: "${{ steps.m.outputs.report }}"}
    """
    service = Service(folder, compiled(folder, text))

    for name in names(service.compiled):
        service.run(name)

    assert service.compiled.step("m__1")["Type"] == "Training"
    assert {"Key": "penstock.component", "Value": "fit:3"} in service.compiled.arguments("m__1")["Tags"]
    assert below(service, "m", "model") == {"1/m": "1\n", "2/m": "2\n"}
    assert list(below(service, "m", "report")) == ["1/report.json", "2/report.json"]


def test_many_items_are_one_job_whose_document_stays_small(tmp_path: Path) -> None:
    found = compiled(tmp_path, MAP % (many(2000), "") + READ)

    assert names(found) == ["m", "read"]
    assert len(found.bundle.texts["pipeline.json"]) < 10_000
    assert launched(found, "m")[0] == (
        "map: runs 2000 items in one job, where steps of their own would be too many"
    )
    (code,) = [each for each in found.bundle.assets if each.added]
    assert len(json.loads(code.added["penstock_items.json"])) == 2000


@pytest.mark.parametrize(
    ("over", "more", "reason"),
    [
        (
            many(9),
            READ,
            "gathers 9 outputs",
        ),
        ("{items: [{key: a, depth: %s}]}" % ("x" * 257), "", "no arguments of a container"),
        ('{items: [{key: a, depth: "x\\ny"}]}', "", "no arguments of a container"),
        ("{items: [{key: %s, depth: 1}]}" % ("k" * 64), "", "no names of steps"),
        (ITEMS, "    compute: {count: 2}", "divides its items over the machines"),
    ],
)
def test_what_does_not_fit_is_one_job(tmp_path: Path, over: str, more: str, reason: str) -> None:
    found = compiled(tmp_path, MAP % (over, more))

    assert names(found)[0] == "m"
    assert reason in launched(found, "m")[0]
    assert set(reports(found).values()) == {""}
    assert validate(found.definition) == []


def test_tolerated_failures_make_one_job(folder: Path) -> None:
    text = """
    datasets: {d: {type: file, path: data/cells.csv}}
    steps:
      m:
        kind: map
        over: {items: [a, b, c]}
        tolerate: 1
        parallel: 2
        run: '[ ${{ item }} != b ] && cat ${{ inputs.d }} work.py > ${{ outputs.o }}/"${{ item }}"'
        code: src
        inputs: {d: "${{ datasets.d }}"}
        outputs: {o: folder}
    """
    service = Service(folder, compiled(folder, text))
    words = service.compiled.arguments("m")["AppSpecification"]["ContainerArguments"]

    ended = service.run("m")

    assert words[:3] == ["python3", "penstock_mapping.py", "run"]
    assert words[words.index("--parallel") + 1] == "2"
    assert "2 of 3 items succeeded; failed: b" in ended.stdout
    assert below(service, "m", "o") == dict.fromkeys(("a/a", "c/c"), "a,b\n1,2\nprint('working')\n")
    assert service.compiled.step("m")["Description"] == "Map m: 3 items in one job"
    assert "map: goes on when 1 of its items fail" in launched(service.compiled, "m")


def test_files_are_one_job(folder: Path) -> None:
    text = """
    datasets: {fs: {type: folder, path: data}}
    steps:
      m:
        kind: map
        over: {files: "${{ datasets.fs }}"}
        run: wc -l < ${{ item }} > ${{ outputs.n }}
        outputs: {n: file}
    """
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "data" / "deep" / "one.csv").write_text("1\n", encoding="utf-8")
    service = Service(folder, compiled(folder, text))

    service.run("m")

    assert sorted(each.split() for each in below(service, "m", "n").values()) == [["1"], ["2"]]
    assert "map: goes over the files of a folder" in launched(service.compiled, "m")
    assert set(reports(service.compiled).values()) == {""}
    assert service.compiled.codes() == ["P241"]


def test_a_table_is_one_job(folder: Path) -> None:
    text = """
    datasets: {t: {type: table, path: rows}}
    steps:
      m:
        kind: map
        over: {table: "${{ datasets.t }}", by: [country]}
        run: "cat ${{ item }}/* > ${{ outputs.o }}/${{ item.country }}"
        outputs: {o: folder}
    """
    (folder / "rows").mkdir()
    (folder / "rows" / "r.csv").write_text("country,v\nNO,1\nNL,2\nNO,3\n", encoding="utf-8")
    service = Service(folder, compiled(folder, text))

    service.run("m")

    found = {name.rpartition("/")[2]: text.split() for name, text in below(service, "m", "o").items()}
    assert found == {"NO": ["country,v", "NO,1", "NO,3"], "NL": ["country,v", "NL,2"]}
    assert "map: goes over the groups of a table" in launched(service.compiled, "m")


def test_machines_share_the_items(folder: Path) -> None:
    more = "    compute: {count: 2}\n    parallel: 3\n    tolerate: 1"
    service = Service(folder, compiled(folder, MAP % (ITEMS, more) + READ))
    words = service.compiled.arguments("m")["AppSpecification"]["ContainerArguments"]

    ended = service.run("m")

    assert words[words.index("--shard") + 1] == "auto"
    # Two at once on each of two machines.
    assert words[words.index("--parallel") + 1] == "2"
    assert "1 of 1 items succeeded" in ended.stdout
    assert sorted(below(service, "m", "report")) == ["NL/r.txt", "NO/r.txt", "k.3/r.txt"]
    assert "P352" in service.compiled.codes()


def test_items_that_train_in_one_job_are_announced(tmp_path: Path) -> None:
    (tmp_path / "fit.yaml").write_text(
        "penstock: v1\nkind: component\nname: fit\ninputs: {n: integer}\noutputs: {model: model}\n"
        "step: {kind: train, run: 'fit ${{ inputs.n }} ${{ outputs.model }}'}\n",
        encoding="utf-8",
    )
    text = "steps: {m: {kind: map, uses: fit.yaml, over: {items: [1, 2]}, tolerate: 1, inputs: {n: '${{ item }}'}}}"

    found = compiled(tmp_path, text)

    assert found.step("m")["Type"] == "Processing"
    assert [(each.code, str(each.severity)) for each in found.bundle.diagnostics] == [("P349", "note")]


def test_a_builtin_algorithm_is_a_training_job_for_each_item_or_refused(tmp_path: Path) -> None:
    (tmp_path / "fit.yaml").write_text(
        "penstock: v1\nkind: component\nname: fit\ninputs: {d: folder, max_depth: integer}\noutputs: {model: model}\n"
        "step: {kind: train, environment: xgb}\n",
        encoding="utf-8",
    )
    text = """
    datasets: {d: {type: folder, uri: "s3://b/d/"}}
    environments: {xgb: {image: {sagemaker: "builtin:xgboost"}}}
    steps:
      m:
        kind: map
        uses: fit.yaml
        over: {items: [1, 2]}
        inputs: {d: "${{ datasets.d }}", max_depth: "${{ item }}"}%s
    """

    found = compiled(tmp_path, text % "")
    said = refused(tmp_path, text % "\n        tolerate: 1")

    assert [found.arguments(each)["HyperParameters"] for each in names(found)] == [
        {"max_depth": "1"},
        {"max_depth": "2"},
    ]
    assert [each.code for each in said if str(each.severity) == "error"] == ["P349"]
