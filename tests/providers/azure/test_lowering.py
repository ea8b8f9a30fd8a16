"""What each feature of the language becomes in a pipeline job: the proofs of the capability table."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import Compiled, compiled, refused, run

STEP = """
steps:
  a: {run: 'echo hi > ${{ outputs.o }}', outputs: {o: file}%s}
outputs: {o: '${{ steps.a.outputs.o }}'}
"""
TRAIN = """
steps:
  t:
    kind: train
    run: touch ${{ outputs.m }}/weights
    outputs: {m: model}
"""
GATED = """
parameters: {floor: {type: number, default: 0.9}}
conditions: {good: "${{ steps.e.outputs.report.score * 2 >= parameters.floor }}"}
steps:
  e:
    %srun: echo '{"score":0.5}' > ${{ outputs.report }}; touch ${{ outputs.m }}/weights
    outputs: {report: metrics, m: model}
  r:
    {kind: register, when: "${{ conditions.good }}", model: "${{ steps.e.outputs.m }}", name: trees, tags: {a b: x$y}}
  s: {kind: fail, when: "${{ not conditions.good }}", message: "-n below ${{ parameters.floor }}"}
"""


def step(folder: Path, keys: str, head: str = "") -> Compiled:
    return compiled(folder, head + STEP % f", {keys}")


def test_a_command_step_is_a_command_component(tmp_path: Path) -> None:
    found = compiled(tmp_path, STEP % "")

    assert found.node("a")["component"] == "./components/a.yml"
    assert found.node("a")["type"] == found.component("a")["type"] == "command"
    assert found.component("a")["outputs"] == {"o": {"type": "uri_file"}}
    assert found.command("a") == ["echo hi > ${{outputs.o}}"]
    assert "code" not in found.component("a")
    assert found.bundle.launcher == ()


def test_a_train_step_is_a_command_component_with_a_model(tmp_path: Path) -> None:
    found = compiled(tmp_path, TRAIN)

    assert found.component("t")["outputs"] == {"m": {"type": "custom_model"}}
    assert found.component("t")["tags"] == {"penstock_kind": "training"}


def test_registering_without_a_condition_names_the_output(tmp_path: Path) -> None:
    found = compiled(
        tmp_path, TRAIN + "  r: {kind: register, model: '${{ steps.t.outputs.m }}', name: trees}\n"
    )

    assert list(found.job["jobs"]) == ["t"]
    assert found.node("t")["outputs"] == {"m": {"type": "custom_model", "name": "trees"}}


def test_an_output_that_is_given_out_takes_the_name_with_it(tmp_path: Path) -> None:
    text = TRAIN + "  r: {kind: register, model: '${{ steps.t.outputs.m }}', name: trees}\n"
    found = compiled(tmp_path, text + "outputs: {m: '${{ steps.t.outputs.m }}'}\n")

    assert found.job["outputs"] == {"m": {"type": "custom_model", "name": "trees"}}
    assert found.node("t")["outputs"] == {"m": "${{parent.outputs.m}}"}


def test_registering_under_a_condition_is_a_command(tmp_path: Path) -> None:
    found = compiled(tmp_path, GATED % "")

    *_, registered = found.command("r")
    assert registered.startswith("python penstock_register.py --model ${{inputs.model}} --name trees")
    assert registered.endswith('--tag "a b=x\\$y"')
    assert found.node("r")["inputs"]["gate_good"] == "${{parent.jobs.good.outputs.decision}}"
    assert "r" in [each.step for each in found.bundle.launcher]


def test_a_fail_step_says_its_message(tmp_path: Path) -> None:
    ran = run(tmp_path, GATED % "", floor=1.5)

    assert ran.codes == {"e": 0, "good": 0, "r": 0, "s": 1}
    assert ran.said["s"] == "-n below 1.5\n"


def test_a_field_in_a_message_is_named_and_announced(tmp_path: Path) -> None:
    text = (GATED % "").replace("below ${{ parameters.floor }}", "got ${{ steps.e.outputs.report.score }}")
    found = compiled(tmp_path, text)

    assert "P336" in found.codes()
    assert "steps.e.outputs.report.score" in found.command("s")[-2]


def test_a_condition_is_a_gate(tmp_path: Path) -> None:
    found = compiled(tmp_path, GATED % "")

    assert found.node("good")["inputs"] == {
        "report": "${{parent.jobs.e.outputs.report}}",
        "floor": "${{parent.inputs.floor}}",
    }
    assert found.component("good")["outputs"] == {"decision": {"type": "uri_file"}}
    assert found.command("s")[:2] == [
        "PENSTOCK_GATE=$(cat ${{inputs.gate_good}})",
        '[ "$PENSTOCK_GATE" = false ] || { exit 0; }',
    ]
    assert "if_else" not in found.bundle.texts["pipeline.yml"]


def test_a_gate_calculates(tmp_path: Path) -> None:
    text = GATED % ""
    text = text[: text.index("  r:\n")] + text[text.index("  s: {") :]
    for floor, outcome in ((1.0, "true"), (1.01, "false")):
        (tmp_path / outcome).mkdir()
        assert run(tmp_path / outcome, text, floor=floor).text("good", "decision") == outcome


def test_a_gate_reads_metrics_of_a_train_step(tmp_path: Path) -> None:
    text = GATED % "kind: train\n    "
    ran = run(tmp_path, text[: text.index("  r:\n")] + text[text.index("  s: {") :])

    assert ran.text("good", "decision") == "true"
    assert ran.codes["s"] == 0


def test_text_is_composed_by_the_shell(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        """
        parameters: {who: {type: string, default: "it's $(touch x) `id`"}, n: {type: integer, default: 3}}
        steps:
          a:
            run: printf %s ${{ inputs.t }} > ${{ outputs.o }}
            inputs: {t: 'a "b" $c ${{ parameters.who }}/${{ parameters.n }} '}
            outputs: {o: file}
        outputs: {o: "${{ steps.a.outputs.o }}"}
        """,
    )

    assert ran.text("a", "o") == 'a "b" $c it\'s $(touch x) `id`/3 '


def test_after_binds_a_marker(tmp_path: Path) -> None:
    text = "steps:\n  a: {run: exit 0}\n  b: {run: echo, after: [a]}\n"
    found = compiled(tmp_path, text)

    assert found.node("b")["inputs"] == {"after_a": "${{parent.jobs.a.outputs.penstock_done}}"}
    assert "P309" in found.codes()
    assert run(tmp_path, text).codes == {"a": 0, "b": 0}


def test_retries_are_a_loop_in_the_launcher(tmp_path: Path) -> None:
    text = """
    steps:
      a:
        run: |
          echo x >> tried
          [ $(wc -l < tried) = 3 ]
          cp tried ${{ outputs.o }}
        outputs: {o: file}
        retry: {attempts: 3, errors: %s}
    outputs: {o: "${{ steps.a.outputs.o }}"}
    """
    found = compiled(tmp_path, text % "any")

    assert found.command("a") == [
        "python penstock_launcher.py run --attempts 3 --delay 0 --backoff 1 --errors any"
        " -- bash penstock_run.sh ${{outputs.o}}"
    ]
    assert [each.step for each in found.bundle.launcher] == ["a"]
    assert run(tmp_path, text % "any").text("a", "o") == "x\nx\nx\n"
    other = tmp_path / "platform"
    other.mkdir()
    assert run(other, text % "platform").codes["a"] == 1
    assert "P310" in compiled(tmp_path, text % "platform").codes()


def test_a_timeout_is_a_limit(tmp_path: Path) -> None:
    assert step(tmp_path, "timeout: 2h").node("a")["limits"] == {"timeout": 7200}


def test_the_cache_is_determinism(tmp_path: Path) -> None:
    assert compiled(tmp_path, STEP % "").component("a")["is_deterministic"] is True
    assert step(tmp_path, "cache: false").component("a")["is_deterministic"] is False
    expiring = step(tmp_path, "cache: {expires: 30d}")
    assert expiring.component("a")["is_deterministic"] is True
    assert "P314" in expiring.codes()


def test_spot_is_a_job_tier(tmp_path: Path) -> None:
    assert step(tmp_path, "compute: {spot: true}").node("a")["queue_settings"] == {"job_tier": "Spot"}


def test_the_number_of_machines(tmp_path: Path) -> None:
    assert step(tmp_path, "compute: {count: 3}").node("a")["resources"] == {"instance_count": 3}
    asked = step(
        tmp_path,
        "compute: {count: '${{ parameters.n }}'}",
        "parameters: {n: {type: integer, default: 2, minimum: 1}}\n",
    )
    assert asked.node("a")["resources"] == {"instance_count": "${{parent.inputs.n}}"}


def test_an_accelerator_picks_a_size_that_has_one(tmp_path: Path) -> None:
    found = step(tmp_path, "compute: {gpu: 1}").node("a")["resources"]

    assert found == {"instance_type": "Standard_NC4as_T4_v3"}


def test_an_input_at_a_fixed_path_is_a_link(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        f"""
        steps:
          a: {{run: "echo deep > ${{{{ outputs.o }}}}/f", outputs: {{o: folder}}}}
          b:
            run: cat {tmp_path}/fixed/in/f > ${{{{ outputs.o }}}}
            inputs: {{i: {{value: "${{{{ steps.a.outputs.o }}}}", at: {tmp_path}/fixed/in}}}}
            outputs: {{o: file}}
        outputs: {{o: "${{{{ steps.b.outputs.o }}}}"}}
        """,
    )

    assert ran.text("b", "o") == "deep\n"


@pytest.mark.parametrize(
    ("mode", "native"),
    [("mount", "ro_mount"), ("download", "download"), ("direct", "direct"), ("stream", "ro_mount")],
)
def test_modes_of_inputs(mode: str, native: str, tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        f"""
        steps:
          a: {{run: "touch ${{{{ outputs.o }}}}", outputs: {{o: file}}}}
          b: {{run: "cat ${{{{ inputs.i }}}}", inputs: {{i: {{value: "${{{{ steps.a.outputs.o }}}}", mode: {mode}}}}}}}
        """,
    )

    assert found.node("b")["inputs"]["i"] == {"path": "${{parent.jobs.a.outputs.o}}", "mode": native}


def test_variables_stand_on_the_node(tmp_path: Path) -> None:
    text = """
    parameters: {p: {type: string, default: a'b}}
    steps:
      a:
        run: printf '%s|' "$K" "$P" "$T" "$R" "$I" > ${{ outputs.o }}
        env: {K: "v $x", P: "${{ parameters.p }}", T: "<${{ parameters.p }}>", R: "${{ run.id }}", I: "${{ inputs.i }}"}
        inputs: {i: 7}
        outputs: {o: file}
    outputs: {o: "${{ steps.a.outputs.o }}"}
    """
    found = compiled(tmp_path, text)

    assert found.node("a")["environment_variables"] == {
        "PENSTOCK_p": "${{parent.inputs.p}}",
        "K": "v $x",
        "P": "${{parent.inputs.p}}",
        "I": "7",
    }
    assert "environment_variables" not in found.component("a")
    assert run(tmp_path, text).text("a", "o") == "v $x|a'b|<a'b>|brave_sky_1|7|"


def test_bounds_and_enums_stand_on_components(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        parameters:
          n: {type: integer, default: 3, minimum: 1, maximum: 9}
          x: {type: number, default: 0.5, minimum: 0, maximum: 1}
          e: {type: string, default: log, enum: [log, exp]}
          b: {type: boolean, default: true}
        steps:
          a:
            run: echo ${{ inputs.n }} ${{ inputs.x }} ${{ inputs.e }} ${{ inputs.b }}
            inputs:
              {n: "${{ parameters.n }}", x: "${{ parameters.x }}", e: "${{ parameters.e }}", b: "${{ parameters.b }}"}
        """,
    )

    assert found.component("a")["inputs"] == {
        "n": {"type": "integer", "min": 1, "max": 9},
        "x": {"type": "number", "min": 0, "max": 1},
        "e": {"type": "string", "enum": ["log", "exp"]},
        "b": {"type": "string", "enum": ["true", "false"]},
    }
    assert found.command("a") == ["echo ${{inputs.n}} ${{inputs.x}} ${{inputs.e}} ${{inputs.b}}"]
    assert found.job["inputs"]["b"] == "true"


def test_a_parameter_without_default_makes_a_component(tmp_path: Path) -> None:
    found = step(
        tmp_path,
        "inputs: {p: '${{ parameters.p }}'}, env: {P: '${{ inputs.p }}'}",
        "parameters: {p: {type: string}, q: {type: integer, default: 2}}\n",
    )

    assert found.job["name"] == "probe"
    assert "pipelineComponent" in found.job["$schema"]
    assert found.job["inputs"]["p"] == {"type": "string"}
    assert found.job["inputs"]["q"] == {"type": "integer", "default": 2}
    assert "settings" not in found.job


def test_a_dataset_slot_makes_a_component(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n")
    found = compiled(
        tmp_path,
        """
        datasets: {d: {type: table}, e: {type: file, path: data.csv}}
        steps:
          a: {run: "ls ${{ inputs.d }} ${{ inputs.e }}", inputs: {d: "${{ datasets.d }}", e: "${{ datasets.e }}"}}
        """,
    )

    assert found.job["inputs"] == {"d": {"type": "uri_folder"}, "e": {"type": "uri_file"}}
    assert "pipelineComponent" in found.job["$schema"]


def test_the_run_id_is_the_root_run(tmp_path: Path) -> None:
    text = STEP.replace("echo hi", "echo ${{ run.id }}") % ""
    assert compiled(tmp_path, text).component("a")["is_deterministic"] is False
    assert run(tmp_path, text).text("a", "o") == "brave_sky_1\n"
    (found,) = [
        each
        for each in refused(tmp_path, text.replace("run.id", "run.started_at"))
        if each.severity.value == "error"
    ]
    assert (found.code, found.at.path) == ("P332", ("steps", "a", "run"))


def test_goals_leave_no_trace(tmp_path: Path) -> None:
    goal = "goal: {statement: s, kpis: [{name: k, value: '${{ steps.e.outputs.report.score }}', target: '>= 1'}]}\n"
    with_goal = compiled(tmp_path, goal + GATED.lstrip("\n") % "")

    assert "P338" in with_goal.codes() or "P337" in with_goal.codes()
    assert with_goal.bundle.texts == compiled(tmp_path, GATED % "").bundle.texts


def test_a_conda_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text(
        "name: own\nchannels: [conda-forge]\ndependencies: [python=3.11, numpy]\n"
    )
    found = step(tmp_path, "environment: e", "environments: {e: {conda: conda.yml}}\n")

    assert found.component("a")["environment"]["conda_file"] == {
        "name": "own",
        "channels": ["conda-forge"],
        "dependencies": ["python=3.11", "numpy"],
    }


def test_outputs_of_the_pipeline_are_outputs_of_the_job(tmp_path: Path) -> None:
    found = compiled(tmp_path, STEP % "")

    assert found.job["outputs"] == {"o": {"type": "uri_file"}}
    assert found.node("a")["outputs"] == {"o": "${{parent.outputs.o}}"}
    twice = STEP.replace("outputs: {o: '${{ s", "outputs: {p: '${{ steps.a.outputs.o }}', o: '${{ s") % ""
    (said,) = refused(tmp_path, twice)
    assert (said.code, said.at.path) == ("P339", ("outputs", "o"))


def test_tags_stand_on_job_and_components(tmp_path: Path) -> None:
    found = step(tmp_path, "tags: {team: x}", "owner: me\ntags: {domain: health}\n")

    assert found.job["tags"] == {"domain": "health", "owner": "me"}
    assert found.component("a")["tags"] == {"team": "x"}


def test_options_are_merged_and_validated(tmp_path: Path) -> None:
    found = step(tmp_path, "options: {azureml: {queue_settings: {job_tier: Spot}}}")
    assert found.node("a")["queue_settings"] == {"job_tier": "Spot"}
    found = compiled(tmp_path, "options: {azureml: {experiment_name: mine}}\n" + STEP % "")
    assert found.job["experiment_name"] == "mine"
    said = refused(tmp_path, STEP % ", options: {azureml: {queue_settings: {job_teir: Spot}}}")
    assert any(each.code == "P390" for each in said)
    assert all(each.place for each in said)


def test_a_file_that_gets_another_name_is_told(tmp_path: Path) -> None:
    text = "steps:\n  s: {run: 'cp ${{ outputs.a }} ${{ outputs.b }}', outputs: {a: {type: file, file: %s}, b: file}}\n"

    renamed, kept = compiled(tmp_path, text % "a.csv"), compiled(tmp_path, text % "a")

    assert [each.message for each in renamed.bundle.diagnostics if each.code == "P359"] == [
        "the file of output 'a' is called 'a' on azureml, not 'a.csv'"
    ]
    assert "P359" not in kept.codes()
