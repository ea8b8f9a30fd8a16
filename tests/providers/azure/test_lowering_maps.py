"""Maps and batch inference on Azure ML: nodes an item, parallel nodes, command nodes, each run as the service would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.azureml_for_tests import Service, compiled, refused, run

ITEMS = """
steps:
  m:
    kind: map
    over: {items: [{key: "NO", depth: 4}, {key: NL, depth: 6}]}%s
    run: echo ${{ item.key }} ${{ item.depth }} > ${{ outputs.o }}
    outputs: {o: {type: file, file: r.txt}}
"""
READ = "outputs: {o: '${{ steps.m.outputs.o }}'}\n"
FILES = """
parameters: {who: {type: string, default: "it's $(touch x)"}, n: {type: integer, default: 3}}
datasets: {d: {type: folder, path: d}}
steps:
  m:
    kind: map
    over: {files: "${{ datasets.d }}"%s}%s
    run: |
      cp ${{ item }} ${{ outputs.o }}/copy
      printf '%%s|' ${{ inputs.who }} ${{ inputs.t }} ${{ inputs.k }} ${{ inputs.n }} "$V" "$W" ${{ run.id }} \\
        > ${{ outputs.o }}/words
    inputs:
      who: "${{ parameters.who }}"
      t: "<${{ parameters.who }}>"
      k: "$(lit) '\\"`\\\\"
      n: "${{ parameters.n }}"
    env: {V: "a ${{ parameters.who }}", W: "${{ parameters.who }}"}
    outputs: {o: folder}
"""
PREDICT = """
datasets: {d: {type: %s, path: %s}, m: {type: folder, path: m}}
steps:
  p:
    kind: predict
    model: ${{ datasets.m }}
    data: ${{ datasets.d }}
    serving: {code: src, entry: serve.py, content_types: [text/csv]}%s
outputs: {o: "${{ steps.p.outputs.predictions }}"}
"""
SERVE = (
    "def model_fn(d): return open(d + '/w').read()\ndef transform_fn(m, body, t, a): return m + body + t\n"
)


def folder(root: Path, **files: str) -> None:
    """Write files; `__` in a name stands for `/`."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files(path: Path) -> dict[str, str]:
    return {
        each.relative_to(path).as_posix(): each.read_text("utf-8")
        for each in sorted(path.rglob("*"))
        if each.is_file()
    }


def test_few_items_are_one_node_each(tmp_path: Path) -> None:
    found = compiled(tmp_path, ITEMS % "")

    assert list(found.job["jobs"]) == ["m__no", "m__nl"]
    assert found.node("m__no") == {
        "type": "command",
        "component": "./components/m__item.yml",
        "display_name": "m [NO]",
        "inputs": {"item_key": "NO", "item_depth": 4},
    }
    assert found.command("m__item") == ["echo ${{inputs.item_key}} ${{inputs.item_depth}} > ${{outputs.o}}"]
    assert [each for each in found.bundle.texts if each.startswith("components/")] == [
        "components/m__item.yml"
    ]
    assert found.bundle.launcher == ()


def test_what_is_read_is_gathered(tmp_path: Path) -> None:
    ran = run(tmp_path, ITEMS % "" + READ)

    assert ran.codes == {"m__no": 0, "m__nl": 0, "m": 0}
    assert files(ran.outputs["m"]["o"]) == {"NO/r.txt": "NO 4\n", "NL/r.txt": "NL 6\n"}


def test_a_train_step_for_each_item_keeps_its_tag(tmp_path: Path) -> None:
    text = """
    steps:
      m: {kind: map, over: {items: [1, 2]}, uses: ./t.yaml, inputs: {n: "${{ item }}"}}
    """
    component = (
        "penstock: v1\nkind: component\nname: t\nversion: '1'\ninputs: {n: integer}\noutputs: {m: model}\n"
    )
    component += "step: {kind: train, run: 'echo ${{ inputs.n }} > ${{ outputs.m }}/w'}\n"
    (tmp_path / "t.yaml").write_text(component, encoding="utf-8")
    found = compiled(tmp_path, text)

    assert found.node("m__1")["component"] == found.node("m__2")["component"]
    assert found.read(found.node("m__1")["component"].removeprefix("./"))["tags"] == {
        "penstock_kind": "training"
    }


HOSTILE = ["it's", '"q"', "$(touch x)", "`id`", "a b\n\\", "*", "~", "", "-n", "${{", "$[[x]]", "größe"]


@pytest.mark.parametrize("words", [HOSTILE[:9], HOSTILE], ids=["in variables", "in the text"])
def test_items_are_exact_whatever_they_hold(words: list[str], tmp_path: Path) -> None:
    listed = [{"key": f"k{number}", "v": each} for number, each in enumerate(words)]
    text = f"""
    steps:
      m:
        kind: map
        over: {{items: {json.dumps(listed, ensure_ascii=False)}}}
        run: printf %s ${{{{ item.v }}}} "<${{{{ item.v }}}}>" > ${{{{ outputs.o }}}}
        outputs: {{o: file}}
    outputs: {{o: "${{{{ steps.m.outputs.o }}}}"}}
    """
    ran = run(tmp_path, text)

    assert set(ran.codes.values()) == {0}
    assert files(ran.outputs["m"]["o"]) == {f"k{n}/o": f"{each}<{each}>" for n, each in enumerate(words)}


def test_keys_that_differ_in_case_are_nodes_of_their_own(tmp_path: Path) -> None:
    text = (ITEMS % "" + READ).replace("key: NL", 'key: "no"').replace("${{ item.key }} ", "")
    ran = run(tmp_path, text)

    assert set(ran.codes) == {"m__no", "m__no_2", "m"}
    assert files(ran.outputs["m"]["o"]) == {"NO/r.txt": "4\n", "no/r.txt": "6\n"}


def test_what_waits_for_a_map_waits_for_its_nodes(tmp_path: Path) -> None:
    found = compiled(tmp_path, ITEMS % "" + "  last: {run: echo, after: [m]}\n")

    assert found.node("last")["inputs"] == {
        "after_m__NO": "${{parent.jobs.m__no.outputs.penstock_done}}",
        "after_m__NL": "${{parent.jobs.m__nl.outputs.penstock_done}}",
    }


def test_a_closed_gate_skips_every_item(tmp_path: Path) -> None:
    text = ITEMS % '\n    when: "${{ parameters.n > 3 }}"' + READ
    ran = run(tmp_path, "parameters: {n: {type: integer, default: 3}}\n" + text.lstrip("\n"))

    assert set(ran.codes.values()) == {0}
    assert files(ran.outputs["m"]["o"]) == {}


def test_many_items_are_one_node(tmp_path: Path) -> None:
    text = """
    steps:
      m: {kind: map, over: {range: 101}, parallel: 3, run: 'echo ${{ item }}'}
    """
    found = compiled(tmp_path, text)

    assert list(found.job["jobs"]) == ["m"]
    assert " --parallel 3 " in found.command("m")[0]
    assert [(each.step, "101 items" in each.reason) for each in found.bundle.launcher] == [("m", True)]


def test_how_many_nodes_run_at_once_is_announced(tmp_path: Path) -> None:
    assert "P349" in compiled(tmp_path, ITEMS % "\n    parallel: 1").codes()


def test_tolerated_failures_are_counted(tmp_path: Path) -> None:
    text = ITEMS % "\n    tolerate: 1" + READ
    ran = run(tmp_path, text.replace("run: echo", "run: test ${{ item.depth }} = 6; echo"))

    assert ran.codes == {"m": 0}
    assert files(ran.outputs["m"]["o"]) == {"NL/r.txt": "NL 6\n"}


def test_files_are_a_parallel_node(tmp_path: Path) -> None:
    folder(tmp_path / "d", **{"a b": "1", "c": "2", "deep__e": "3"})
    found = compiled(tmp_path, FILES % ("", ""))

    component = found.component("m")
    assert found.node("m")["type"] == component["type"] == "parallel"
    assert component["input_data"] == "${{inputs.penstock_source}}"
    assert component["task"]["entry_script"] == "penstock_parallel.py"
    assert (component["mini_batch_size"], component["retry_settings"]["max_retries"]) == ("1", 0)
    assert found.bundle.launcher == ()
    ran = Service(found, tmp_path).run()
    who = "it's $(touch x)"
    words = f"{who}|<{who}>|$(lit) '\"`\\|3|a {who}|{who}|brave_sky_1|"
    assert files(ran.outputs["m"]["o"]) == {
        f"{key}/{name}": text
        for key, copied in (("a b", "1"), ("c", "2"), ("deep__e", "3"))
        for name, text in (("copy", copied), ("words", words))
    }


@pytest.mark.parametrize(("tolerate", "code"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("batch", ["", ", batch: 1"])
def test_the_service_counts_what_failed_of_files(
    tolerate: int, code: int, batch: str, tmp_path: Path
) -> None:
    folder(tmp_path / "d", good="1", bad="2")
    text = FILES % (batch, f"\n    tolerate: {tolerate}")
    body = "cat ${{ item }}/good" if batch else "grep 1 ${{ item }}"
    ran = run(
        tmp_path, text.replace("cp ${{ item }} ${{ outputs.o }}/copy", f"{body} > ${{{{ outputs.o }}}}/copy")
    )

    assert ran.codes == {"m": code}
    assert "good/copy" in files(ran.outputs["m"]["o"])
    assert not (ran.outputs["m"]["o"] / "bad").exists()


def test_a_batch_is_one_call(tmp_path: Path) -> None:
    folder(tmp_path / "d", a="1", b="2", c="3")
    text = FILES % (", batch: 2", "\n    parallel: 6\n    compute: {count: 2}\n    timeout: 1h")
    found = compiled(tmp_path, text.replace("cp ${{ item }}", "cat ${{ item }}/* >"))

    component = found.component("m")
    assert component["mini_batch_size"] == "2"
    assert component["max_concurrency_per_instance"] == 3
    assert component["retry_settings"] == {"max_retries": 0, "timeout": 3600}
    assert found.node("m")["resources"]["instance_count"] == 2
    assert "P312" in found.codes()
    made = files(Service(found, tmp_path).run().outputs["m"]["o"])
    assert {key: text for key, text in made.items() if key.endswith("copy")} == {
        "a/copy": "12",
        "c/copy": "3",
    }


def test_a_parallel_node_leaves_a_marker(tmp_path: Path) -> None:
    folder(tmp_path / "d", a="1", b="2")
    ran = run(tmp_path, FILES % ("", "") + "  last: {run: echo, after: [m]}\n")

    assert ran.codes == {"m": 0, "last": 0}
    assert ran.text("m", "penstock_done") == "a\nb\n"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ('\n    when: "${{ parameters.n > 2 }}"', "gate"),
        ("\n    timeout: 1m", ""),
    ],
)
def test_what_a_parallel_node_cannot_do_is_a_command(keys: str, reason: str, tmp_path: Path) -> None:
    folder(tmp_path / "d", a="1")
    found = compiled(tmp_path, FILES % ("", keys))

    reasons = [each.reason for each in found.bundle.launcher if each.step == "m"]
    assert [reason in each for each in reasons] == ([True] if reason else [])
    ran = Service(found, tmp_path).run()
    assert ran.codes["m"] == 0
    assert files(ran.outputs["m"]["o"])["a/copy"] == "1"


def test_a_table_is_one_node(tmp_path: Path) -> None:
    folder(tmp_path / "d", **{"t.csv": "country,x\nNO,1\nNL,2\nNO,3\n"})
    text = """
    parameters: {who: {type: string, default: "it's $(touch x)"}}
    datasets: {d: {type: table, path: d}}
    steps:
      m:
        kind: map
        over: {table: "${{ datasets.d }}", by: [country]}
        run: cat ${{ item }}/* > ${{ outputs.o }}; printf %s ${{ inputs.who }} >> ${{ outputs.o }}
        inputs: {who: "${{ parameters.who }}"}
        outputs: {o: file}
    """
    found = compiled(tmp_path, text)

    assert list(found.job["jobs"]) == ["m"]
    assert [each.step for each in found.bundle.launcher] == ["m"]
    assert files(Service(found, tmp_path).run().outputs["m"]["o"]) == {
        "NO/o": "country,x\nNO,1\nNO,3\nit's $(touch x)",
        "NL/o": "country,x\nNL,2\nit's $(touch x)",
    }


def test_batch_inference_is_a_parallel_node(tmp_path: Path) -> None:
    folder(tmp_path, m__w="W", src__serve="", **{"d__a b.csv": "1", "d__deep__c.csv": "2"})
    (tmp_path / "src/serve.py").write_text(SERVE, encoding="utf-8")
    found = compiled(tmp_path, PREDICT % ("folder", "d", "\n    parallel: 2"))

    component = found.component("p")
    assert component["type"] == "parallel"
    assert component["task"]["entry_script"] == "penstock_scoring.py"
    assert component["max_concurrency_per_instance"] == 2
    assert found.bundle.launcher == ()
    ran = Service(found, tmp_path).run()
    assert files(ran.outputs["p"]["predictions"]) == {
        "a b.csv.out": "W1text/csv",
        "deep/c.csv.out": "W2text/csv",
    }


def test_batch_inference_over_one_file_is_a_command(tmp_path: Path) -> None:
    folder(tmp_path, m__w="W", **{"d.csv": "1"})
    (tmp_path / "src").mkdir()
    (tmp_path / "src/serve.py").write_text(SERVE, encoding="utf-8")
    found = compiled(tmp_path, PREDICT % ("file", "d.csv", ""))

    assert found.node("p")["type"] == "command"
    assert [each.step for each in found.bundle.launcher] == ["p"]
    ran = Service(found, tmp_path).run()
    assert files(ran.outputs["p"]["predictions"]) == {"d.csv.out": "W1text/csv"}


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("compute: {spot: true}", "P315"),
        ("retry: {attempts: 3, delay: 10s, errors: any}", "P311"),
        ("timeout: 1h", "P312"),
        ("compute: {count: 2}\n    when: '${{ parameters.n > 2 }}'", "P317"),
    ],
    ids=["tier", "delay", "time limit", "machines of a command"],
)
def test_what_a_map_over_files_loses_is_announced(keys: str, code: str, tmp_path: Path) -> None:
    folder(tmp_path / "d", a="1")
    found = compiled(tmp_path, FILES % ("", f"\n    {keys}"))

    assert found.codes().count(code) == 1
    assert "queue_settings" not in found.node("m")
    if "retry" in keys:
        assert found.component("m")["retry_settings"]["max_retries"] == 2


def test_a_variable_that_carries_a_parameter_is_not_the_steps_own(tmp_path: Path) -> None:
    folder(tmp_path / "d", a="1")
    text = (FILES % ("", "")).replace('env: {V: "a', 'env: {PENSTOCK_who: x, V: "a')

    assert "P235" in [each.code for each in refused(tmp_path, text)]


@pytest.mark.parametrize(
    "keys",
    ["\n    when: '${{ parameters.n > 2 }}'", "\n    env: {V: 'v ${{ parameters.w }}'}"],
    ids=["gate", "variable"],
)
def test_batch_inference_that_no_parallel_node_can_do_is_a_command(keys: str, tmp_path: Path) -> None:
    folder(tmp_path, m__w="W", src__serve="", **{"d__a.csv": "1"})
    served = SERVE.replace("m + body + t", "m + body + __import__('os').environ.get('V', '')")
    (tmp_path / "src/serve.py").write_text(served, encoding="utf-8")
    head = "parameters: {n: {type: integer, default: 3}, w: {type: string, default: $(touch x)}}\n"
    found = compiled(tmp_path, head + (PREDICT % ("folder", "d", keys)).lstrip("\n"))

    assert found.node("p")["type"] == "command"
    assert "p" in [each.step for each in found.bundle.launcher]
    ran = Service(found, tmp_path).run()
    value = "v $(touch x)" if "env" in keys else ""
    assert files(ran.outputs["p"]["predictions"]) == {"a.csv.out": f"W1{value}"}


def test_the_files_of_a_model_are_gone_over_in_a_command(tmp_path: Path) -> None:
    text = """
    steps:
      t: {kind: train, run: 'echo 1 > ${{ outputs.m }}/w', outputs: {m: model}}
      m:
        kind: map
        over: {files: "${{ steps.t.outputs.m }}"}
        run: cp ${{ item }} ${{ outputs.o }}
        outputs: {o: file}
    outputs: {o: "${{ steps.m.outputs.o }}"}
    """
    found = compiled(tmp_path, text)

    assert found.component("m")["inputs"] == {"penstock_source": {"type": "custom_model"}}
    assert files(Service(found, tmp_path).run().outputs["m"]["o"]) == {"w/o": "1\n"}


def test_a_map_over_nothing_gives_an_empty_folder(tmp_path: Path) -> None:
    text = (ITEMS % "").replace('[{key: "NO", depth: 4}, {key: NL, depth: 6}]', "[]")
    ran = run(tmp_path, text.replace("${{ item.key }} ${{ item.depth }}", "${{ item }}") + READ)

    assert ran.codes == {"m": 0}
    assert files(ran.outputs["m"]["o"]) == {}


def test_items_are_integers_where_all_are(tmp_path: Path) -> None:
    text = """
    steps:
      m:
        kind: map
        over: {items: [{key: a, n: 1, s: 0.5}, {key: b, n: 2, s: 1}]}
        run: echo ${{ item.n }} ${{ item.s }}
    """

    found = compiled(tmp_path, text)

    assert found.component("m__item")["inputs"] == {
        "item_n": {"type": "integer"},
        "item_s": {"type": "string"},
    }
    assert found.node("m__b")["inputs"] == {"item_n": 2, "item_s": "1"}
