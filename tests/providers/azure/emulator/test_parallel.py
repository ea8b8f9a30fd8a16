"""Parallel nodes: mini-batches handed out to processes of an entry module, and how much of them may fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.providers.azure.emulator.jobs_for_tests import PLAIN, command, log, pipeline, ran
from tests.same_as_local_for_tests import differences
from tests.specs_for_tests import Shop

import penstock
from penstock_azure.azureml.emulator.parallel.batches import batches_of, source_of
from penstock_azure.azureml.emulator.parallel.driver import rows
from penstock_azure.azureml.emulator.parallel.settings import Settings
from penstock_azure.azureml.emulator.tasks import TaskFault

ENTRY = """
import argparse, os, sys, time

def init():
    global given
    parser = argparse.ArgumentParser()
    parser.add_argument("--word")
    parser.add_argument("--out")
    given, _ = parser.parse_known_args()

def run(mini_batch, context):
    names = [os.path.basename(each) for each in mini_batch]
    bad = [each for each in names if each.startswith("bad")]
    if bad and not os.path.exists(os.path.join(given.out, "tried")):
        open(os.path.join(given.out, "tried"), "w").close()
        raise RuntimeError("no " + bad[0])
    if names[0].startswith("slow"):
        time.sleep(60)
    if names[0].startswith("exit"):
        os._exit(9)
    open(os.path.join(given.out, str(context.minibatch_index)), "w").write(",".join(names))
    return [given.word + " " + each for each in names if not each.startswith("less")]

def shutdown():
    open(os.path.join(given.out, "shut"), "w").close()
"""


def parallel(**more: Any) -> dict[str, Any]:
    """Give an inline parallel node over a folder of files."""
    task: dict[str, Any] = {
        "type": "run_function",
        "code": "./src",
        "entry_script": "entry.py",
        "program_arguments": "--word 'a b' --out ${{outputs.out}} --progress_update_timeout 600",
        "environment": PLAIN,
        "append_row_to": "${{outputs.rows}}",
        **more.pop("task", {}),
    }
    return {
        "type": "parallel",
        "compute": "azureml:cpu",
        "inputs": {"data": {"type": "uri_folder", "path": "./data"}},
        "outputs": {"out": {"type": "uri_folder"}, "rows": {"type": "uri_file"}},
        "input_data": "${{inputs.data}}",
        "mini_batch_size": "2",
        "mini_batch_error_threshold": 0,
        "max_concurrency_per_instance": 2,
        "resources": {"instance_count": 1},
        "task": task,
        **more,
    }


def handed(folder: Path, node: dict[str, Any], *files: str, **asked: Any) -> penstock.Run:
    """Run a parallel node over files of these names."""
    data = {f"data/{each}": each for each in files}
    return ran(folder, {"job.yml": pipeline({"one": node}), "src/entry.py": ENTRY, **data}, **asked)


def test_files_are_handed_out_a_few_at_a_time_and_rows_come_in_order(tmp_path: Path) -> None:
    run = handed(tmp_path, parallel(), "a", "b", "c", "d", "e")

    assert run.succeeded, run.record.message
    out = run.output("one", "out")
    assert [(out / each).read_text() for each in "012"] == ["a,b", "c,d", "e"]
    assert (out / "shut").exists()
    assert run.output("one", "rows").read_text() == "".join(f"a b {each}\n" for each in "abcde")
    assert run.steps["one"].message == "3 of 3 mini-batches succeeded"
    assert run.steps["one"].kind == "map"


@pytest.mark.parametrize(
    ("change", "files", "reason"),
    [
        ({}, ["bad", "b", "c"], ""),
        ({"retry_settings": {"max_retries": 0}}, ["bad", "b", "c"], "1 mini-batches failed"),
        ({"error_threshold": 0}, ["less", "b"], "1 items failed, and error_threshold is 0"),
        ({"error_threshold": 1}, ["less", "b"], ""),
        ({"mini_batch_error_threshold": -1, "retry_settings": {"max_retries": 0}}, ["bad", "b", "c"], ""),
        pytest.param(
            {"retry_settings": {"max_retries": 1, "timeout": 1}, "mini_batch_size": "1"},
            ["slow"],
            "took longer than 1 s",
            marks=[pytest.mark.slow],
        ),
        ({"retry_settings": {"max_retries": 1}, "mini_batch_size": "1"}, ["exit"], "ended with code 9"),
    ],
    ids=["retried", "failed", "rows", "rows that may", "batches that may", "slow", "crash"],
)
def test_what_fails_is_tried_again_and_counted(
    change: dict[str, Any], files: list[str], reason: str, tmp_path: Path
) -> None:
    run = handed(tmp_path, parallel(**change), *files)

    assert run.succeeded is not bool(reason), run.steps["one"].message
    assert reason in run.steps["one"].message


def test_a_module_that_cannot_begin_ends_the_node(tmp_path: Path) -> None:
    files = {"src/entry.py": "def init():\n    raise ValueError('no')\n", "data/a": ""}

    run = ran(tmp_path, {"job.yml": pipeline({"one": parallel()}), **files})

    assert "the entry module 'entry.py' cannot begin: ValueError: no" in run.steps["one"].message
    assert "Traceback" in log(run, "one")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input_data": "data"}, "input_data"),
        ({"task": {"type": "model"}}, "model"),
        ({"task": {"program_arguments": "--word 'a"}}, "cannot be split"),
    ],
)
def test_what_cannot_be_handed_out_is_told_before_anything_runs(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(penstock.PenstockError, match=said):
        handed(tmp_path, parallel(**change), "a")

    assert not (tmp_path / ".penstock" / "runs").exists()


def settings(**more: Any) -> Settings:
    plain: dict[str, Any] = dict.fromkeys(Settings.__annotations__, 0)
    asked: dict[str, Any] = {**plain, "keys": (), **more}
    return Settings(**asked)


def names(source: Any, asked: Settings) -> list[list[str]]:
    return [[Path(each).name for each in batch.what["files"]] for batch in batches_of(source, asked)]


def test_files_are_divided_by_size_and_by_partitions(tmp_path: Path) -> None:
    for path in ("s=1/b=x/1.csv", "s=1/b=x/2.csv", "s=2/b=x/3.csv"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("12345")
    source = source_of(str(tmp_path), "uri_folder")

    assert names(source, settings(bytes=10)) == [["1.csv", "2.csv"], ["3.csv"]]
    assert names(source, settings(bytes=1)) == [["1.csv"], ["2.csv"], ["3.csv"]]
    by_key = batches_of(source, settings(keys=("s",)))
    assert [each.what["key"] for each in by_key] == [{"s": "1"}, {"s": "2"}]
    assert [each.what["key"] for each in batches_of(source, settings(keys=("p", "q")))] == [
        {"p": "s=1", "q": "b=x"},
        {"p": "s=2", "q": "b=x"},
    ]
    with pytest.raises(TaskFault, match="in no partition"):
        batches_of(source, settings(keys=("a", "b", "c")))


def test_a_table_of_paths_names_the_files(tmp_path: Path) -> None:
    table = (
        "paths: [{pattern: ./*.csv}, {file: ./other}]\n"
        "transformations: [{extract_columns_from_partition_format: {partition_format: '/{store}_{brand}.csv'}}]\n"
    )
    (tmp_path / "MLTable").write_text(table)
    for each in ("1_a.csv", "1_b.csv", "2_a.csv", "other"):
        (tmp_path / each).touch()

    source = source_of(str(tmp_path), "mltable")

    assert names(source, settings(files=9)) == [["1_a.csv", "1_b.csv", "2_a.csv", "other"]]
    (tmp_path / "MLTable").write_text(table.replace(", {file: ./other}", ""))
    assert names(source_of(str(tmp_path), "mltable"), settings(keys=("store",))) == [
        ["1_a.csv", "1_b.csv"],
        ["2_a.csv"],
    ]
    for bad in ("paths: [{file: ./none}]", "paths: [{file: 'https://host/x'}]", "a: [", "- b"):
        (tmp_path / "MLTable").write_text(bad)
        if bad != "- b":
            with pytest.raises(TaskFault):
                source_of(str(tmp_path), "mltable")


def test_rows_are_written_a_line_each() -> None:
    assert rows([1, "b"]) == "1\nb\n"
    for bad in (None, "text", 5):
        with pytest.raises(TypeError):
            rows(bad)


TABLES: dict[str, Any] = {
    "image": "python:3.11",
    "conda_file": {"dependencies": ["python=3.11", {"pip": ["pandas==2.3.3", "pyyaml"]}]},
}
TABULAR = """
def init():
    pass

def run(mini_batch, mini_batch_context=None):
    key = mini_batch_context.partition_key_value
    print("batch", len(mini_batch), sorted(mini_batch.columns), key)
    return mini_batch[["shop", "sold"]]
"""


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"mini_batch_size": "20kb"}, {"partition_keys": ["shop"]}])
def test_rows_of_a_table_are_handed_out(change: dict[str, Any], tmp_path: Path) -> None:
    table = {"type": "mltable", "path": "./data", "mode": "direct"}
    node: dict[str, Any] = {**parallel(), "inputs": {"data": table}}
    node = {key: each for key, each in node.items() if key != "mini_batch_size"} | change
    node["task"]["environment"] = TABLES

    run = ran(
        tmp_path,
        {
            "job.yml": pipeline({"one": node}),
            "src/entry.py": TABULAR,
            "data/MLTable": "paths: [{file: ./t.csv}]\ntransformations: [{read_delimited: {delimiter: ','}}]\n",
            "data/t.csv": "shop,sold\n2,5\n1,7\n2,6\n",
        },
    )

    assert run.succeeded, run.steps["one"].message
    written = run.output("one", "rows").read_text()
    if "partition_keys" in change:
        assert written == "1 7\n2 5\n2 6\n"
        assert "batch 2 ['shop', 'sold'] {'shop': 2}" in log(run, "one")
    else:
        assert written == "2 5\n1 7\n2 6\n"


SAME = {
    "files": """
    datasets: {parts: {type: folder, path: parts}}
    steps:
      each:
        kind: map
        over: {files: "${{ datasets.parts }}"}
        parallel: 2
        run: "cp ${{ item }} ${{ outputs.out }}/copy && echo ${{ item.name }} > ${{ outputs.said }}"
        outputs: {out: folder, said: file}
      after: {run: "find ${{ inputs.o }} -type f | sort | xargs cat > ${{ outputs.all }}",
              inputs: {o: "${{ steps.each.outputs.out }}"}, outputs: {all: file}}
    """,
    "batches of files, some of which fail": """
    datasets: {parts: {type: folder, path: parts}}
    steps:
      each:
        kind: map
        over: {files: "${{ datasets.parts }}", batch: 2}
        tolerate: 1
        run: "ls ${{ item }} | tee ${{ outputs.out }}/names | grep -v -q c"
        outputs: {out: folder}
    """,
    "a failing file": """
    datasets: {parts: {type: folder, path: parts}}
    steps:
      each:
        kind: map
        over: {files: "${{ datasets.parts }}"}
        run: "grep -v -q c ${{ item }}; touch ${{ outputs.out }}/x"
        outputs: {out: folder}
      after: {run: "ls ${{ inputs.o }}", inputs: {o: "${{ steps.each.outputs.out }}"}}
    """,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME)
def test_a_map_of_penstocks_own_leaves_what_it_leaves_on_local(name: str, tmp_path: Path) -> None:
    def on(target: str) -> penstock.Run:
        shop = Shop(tmp_path / target)
        for each in ("a", "b", "sub/c", "d.txt"):
            shop.file(f"parts/{each}", f"{each}\n")
        return shop.run(SAME[name], on=target)

    local, compiled = on("local"), on("azureml")

    assert differences(local, compiled) == []


@pytest.mark.slow
def test_several_machines_have_a_working_folder_each(tmp_path: Path) -> None:
    entry = ENTRY.replace(
        "def init():\n", "def init():\n    open(os.environ['AZUREML_CR_NODE_RANK'], 'x').close()\n"
    )
    node = parallel(resources={"instance_count": 2}, max_concurrency_per_instance=1, mini_batch_size="1")

    run = ran(
        tmp_path, {"job.yml": pipeline({"one": node}), "src/entry.py": entry, "data/a": "", "data/b": ""}
    )

    assert run.succeeded, run.steps["one"].message


def test_what_a_command_makes_is_handed_out_too(tmp_path: Path) -> None:
    first = command("touch ${{outputs.o}}/x ${{outputs.o}}/y", outputs={"o": {"type": "uri_folder"}})
    node = {**parallel(), "inputs": {"data": "${{parent.jobs.first.outputs.o}}"}}

    run = ran(tmp_path, {"job.yml": pipeline({"first": first, "one": node}), "src/entry.py": ENTRY})

    assert run.succeeded, run.steps["one"].message
    assert run.output("one", "rows").read_text() == "a b x\na b y\n"


def test_the_stand_in_of_mltable_is_found_where_a_table_is_read(tmp_path: Path) -> None:
    read = "import mltable; t = mltable.load('${{inputs.t}}'); print(t.paths)"
    node = command(f'python -c "{read}"', inputs={"t": {"type": "mltable", "path": "./t"}})

    run = ran(tmp_path, {"job.yml": pipeline({"one": node}), "t/MLTable": "paths: [{file: ./a.csv}]\n"})

    assert run.succeeded, log(run, "one")
    assert log(run, "one") == "[{'file': './a.csv'}]\n"
