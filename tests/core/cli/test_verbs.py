"""Every verb, called as a user calls it: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

from penstock.cli import VERBS

BROKEN = "steps: {one: {run: 'true', inputss: {}}}\nnothing: 1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A project made by `init`, with three runs: one of its own, a cached one, and one that refused the model."""
    shop = Shop(tmp_path_factory.mktemp("made"))
    assert shop.cli("init", ".").returncode == 0
    for words, code in (([], 0), ([], 0), (["-p", "r2_floor=1"], 1)):
        assert shop.cli("run", "pipeline.yaml", *words).returncode == code
    yield shop


def clean(ran: subprocess.CompletedProcess[str], code: int = 0) -> str:
    assert ran.returncode == code, (ran.stdout, ran.stderr)
    assert "Traceback" not in ran.stderr + ran.stdout
    return ran.stdout


def test_help_lists_every_verb_and_every_verb_has_help(shop: Shop) -> None:
    listed = clean(shop.cli("--help"))

    assert all(re.search(rf"^  {verb} +\S", listed, re.MULTILINE) for verb in VERBS)
    for verb, words in VERBS.items():
        assert clean(shop.cli(verb, "--help")).startswith(f"Usage: penstock {verb}"), words


def test_version(shop: Shop) -> None:
    assert re.fullmatch(r"penstock \d+\.\d+\.\d+\n", clean(shop.cli("--version")))


def test_a_verb_that_is_misspelt_is_told_with_the_nearest(shop: Shop) -> None:
    ran = shop.cli("chekc", "x.yaml")

    clean(ran, 2)
    assert "'check'" in ran.stderr


def test_init_prints_a_command_that_can_be_pasted(shop: Shop) -> None:
    written = clean(shop.cli("init", "mon projet ü's"))

    command = written.splitlines()[-1].removeprefix("now: ")
    assert shlex.split(command) == ["penstock", "run", "mon projet ü's/pipeline.yaml"]


def test_init_writes_what_runs_at_once_and_overwrites_nothing(shop: Shop) -> None:
    written = clean(shop.cli("init", "new/project"))
    assert "penstock run new/project/pipeline.yaml" in written
    (shop.folder / "new" / "project" / "src" / "train.py").write_text("mine")

    again = shop.cli("init", "new/project")

    clean(again, 2)
    assert "error[P152]" in again.stderr
    assert (shop.folder / "new" / "project" / "src" / "train.py").read_text() == "mine"
    as_json = json.loads(clean(shop.cli("init", "other", "--json")))
    assert as_json["spec"] == "other/pipeline.yaml"
    assert all((shop.folder / each).is_file() for each in as_json["written"])


def test_check_says_everything_on_stderr_and_gives_1_for_errors_alone(shop: Shop) -> None:
    shop.write(BROKEN)
    refused = shop.cli("check", "pipeline.yaml")
    assert clean(refused, 1) == ""
    assert refused.stderr.count("error[P201]") == 2
    assert "--> pipeline.yaml:4:" in refused.stderr and "2 errors" in refused.stderr
    found = json.loads(clean(shop.cli("check", "pipeline.yaml", "--json"), 1))
    assert found["ok"] is False
    assert [(each["code"], each["line"]) for each in found["diagnostics"]] == [("P201", 4), ("P201", 5)]

    shop.write("parameters: {unused: {type: integer, default: 1}}\nsteps: {one: {run: 'true'}}")
    warned = shop.cli("check", "pipeline.yaml")
    clean(warned)
    assert "warning[P240]" in warned.stderr

    shop.write("steps: {one: {run: 'true'}}")
    assert clean(shop.cli("check", "pipeline.yaml")).startswith("pipeline.yaml: no findings\n\nstep")
    found = json.loads(clean(shop.cli("check", "pipeline.yaml", "--json")))
    assert (found["ok"], found["diagnostics"]) == (True, [])
    assert [row["step"] for row in found["portability"]] == ["one"]


@pytest.mark.parametrize(
    "words", [["check"], ["run"], ["graph"], ["compile", "--target", "local", "-o", "out"]]
)
def test_a_file_that_is_not_there_is_told(shop: Shop, words: list[str]) -> None:
    ran = shop.cli(words[0], "nothing.yaml", *words[1:])

    clean(ran, 1)
    assert "error[P101]" in ran.stderr


@pytest.mark.parametrize("words", [["run"], ["graph"], ["compile", "--target", "local", "-o", "out"]])
def test_a_spec_with_errors_gives_1_everywhere(shop: Shop, words: list[str]) -> None:
    shop.write(BROKEN)

    ran = shop.cli(words[0], "pipeline.yaml", *words[1:])

    assert clean(ran, 1) == ""
    assert "2 errors" in ran.stderr
    assert not (shop.folder / "out").exists()


@pytest.mark.parametrize(
    "words", [["check", "--target", "nowhere"], ["compile", "-o", "out", "--target", "nowhere"]]
)
def test_a_target_that_is_not_there_is_a_wrong_call(shop: Shop, words: list[str]) -> None:
    shop.write("steps: {one: {run: 'true'}}")

    ran = shop.cli(words[0], "pipeline.yaml", *words[1:])

    clean(ran, 2)
    assert "error[P121]" in ran.stderr


def test_run_shows_plain_lines_on_stderr_and_the_end_on_stdout(shop: Shop) -> None:
    clean(shop.cli("init", "."))

    ran = shop.cli("run", "pipeline.yaml")

    output = clean(ran)
    assert "\x1b" not in ran.stderr + output
    lines = [line.split() for line in ran.stderr.splitlines()]
    assert [line[:2] for line in lines if line[0] in "▸✓○✗"] == [
        ["▸", "split"],
        ["✓", "split"],
        ["▸", "train"],
        ["✓", "train"],
        ["▸", "evaluate"],
        ["✓", "evaluate"],
        ["✓", "register"],
        ["○", "stop"],
    ]
    assert "  split    | train: 60 points" in ran.stderr.splitlines()
    assert "registered as starter version 1, pending" in output
    assert re.search(r"✓ r2 +0\.98\d+ +>= 0\.9 +met", output)
    assert re.search(r"run \S+ succeeded in \d\.\d s", output)
    (path,) = re.findall(r"output model: (\S+)", output)
    assert (shop.folder / path).is_dir()


def test_run_with_json_gives_one_document_on_stdout(made: Shop) -> None:
    found = json.loads(clean(made.cli("run", "pipeline.yaml", "--json")))

    assert found["status"] == "succeeded"
    assert found["kpis"][0]["met"] is True
    assert {each["name"]: each["cache"] for each in found["steps"]} == {
        "split": "hit",
        "train": "hit",
        "evaluate": "hit",
        "register": "",
        "stop": "",
    }


def test_a_failed_run_gives_1_and_says_where_to_look(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'echo told; exit 3'}}")

    ran = shop.cli("run", "pipeline.yaml", "--quiet")

    output = clean(ran, 1)
    assert "told" not in ran.stderr
    (command,) = re.findall(r"its log: penstock (.+)", output)
    assert clean(shop.cli(*command.split())) == "told\n"
    (command,) = re.findall(r"go on from here: penstock (.+)", output)
    clean(shop.cli(*command.split()), 1)
    assert json.loads(clean(shop.cli("resume", "--json"), 1))["resumes"] == 2


def test_runs_are_listed_newest_first(made: Shop) -> None:
    rows = json.loads(clean(made.cli("runs", "list", "--json")))

    assert [each["started"] for each in rows] == sorted((each["started"] for each in rows), reverse=True)
    text = clean(made.cli("runs", "list", "-n", "2")).splitlines()
    assert [line.split()[0] for line in text] == [each["id"] for each in rows[:2]]
    assert json.loads(clean(made.cli("runs", "list", "--json", "--pipeline", "other"))) == []
    assert clean(made.cli("runs", "list", "--pipeline", "other")) == "no runs yet\n"


def first_run(made: Shop) -> str:
    rows = json.loads(clean(made.cli("runs", "list", "--json", "-n", "1000")))
    return str(rows[-1]["id"])


def test_a_run_is_shown_with_parameters_data_metrics_and_lineage(made: Shop) -> None:
    name = first_run(made)
    text = clean(made.cli("runs", "show", name))
    found = json.loads(clean(made.cli("runs", "show", name[:18], "--json")))

    assert found["id"] == name
    for words in (
        "parameter r2_floor = 0.9",
        "dataset points = ",
        "report.r2 = 0.98",
        "from step split",
        "good_enough is true",
    ):
        assert words in text
    digest = found["steps"][0]["outputs"][0]["digest"]
    assert f"output train = {digest[:12]}" in text


def test_logs_of_one_step_or_of_all(made: Shop) -> None:
    name = first_run(made)

    assert clean(made.cli("runs", "logs", name, "split")) == "train: 60 points\ntest: 20 points\n"
    assert "==> train\n" in clean(made.cli("runs", "logs", name))
    (found,) = json.loads(clean(made.cli("runs", "logs", name, "split", "--json")))
    assert (found["step"], found["text"]) == ("split", "train: 60 points\ntest: 20 points\n")
    refused = made.cli("runs", "logs", name, "splitt")
    clean(refused, 2)
    assert "error[P418]" in refused.stderr and "'split'" in refused.stderr


def test_a_difference_of_two_runs_names_parameter_step_and_status(made: Shop) -> None:
    rows = json.loads(clean(made.cli("runs", "list", "--json", "-n", "1000")))
    refused = next(each["id"] for each in rows if each["status"] == "failed")

    text = clean(made.cli("runs", "diff", first_run(made), refused))

    assert "parameter r2_floor: 0.9 → 1.0" in text
    assert "step register: succeeded → skipped" in text
    assert "status: succeeded → failed" in text
    found = json.loads(clean(made.cli("runs", "diff", first_run(made), refused, "--json")))
    assert {"what": "parameter r2_floor", "first": 0.9, "second": 1.0} in found
    assert clean(made.cli("runs", "diff", "last", "last")).endswith("  no differences\n")


def test_a_difference_of_commands_can_be_read(shop: Shop) -> None:
    for number in (1, 2):
        shop.run(f"steps: {{one: {{run: 'echo {number} ${{{{ inputs.x }}}}', inputs: {{x: 3}}}}}}")
    with shop.ledger() as ledger:
        second, first = (each.id for each in ledger.runs())

    text = clean(shop.cli("runs", "diff", first, second))

    assert "  step one command: bash echo 1 ${{ inputs.x }} → bash echo 2 ${{ inputs.x }}\n" in text


@pytest.mark.parametrize(
    "words", [["runs", "show", "nothing"], ["runs", "logs", "nothing"], ["runs", "diff", "a", "b"]]
)
def test_a_run_that_is_not_there_is_told(made: Shop, words: list[str]) -> None:
    ran = made.cli(*words)

    clean(ran, 2)
    assert "error[P484]" in ran.stderr


@pytest.mark.parametrize("words", [["runs", "list"], ["models", "list"]])
def test_before_the_first_run_there_is_nothing_to_list(shop: Shop, words: list[str]) -> None:
    assert clean(shop.cli(*words)) == f"no {words[0]} yet\n"
    assert json.loads(clean(shop.cli(*words, "--json"))) == []
    assert not (shop.folder / ".penstock").exists()


@pytest.mark.parametrize("words", [["resume"], ["runs", "show"], ["runs", "logs"], ["models", "show", "m"]])
def test_a_project_without_runs_is_told(shop: Shop, words: list[str]) -> None:
    ran = shop.cli(*words)

    clean(ran, 2)
    assert "error[P481]" in ran.stderr
    assert not (shop.folder / ".penstock").exists()


def test_models_are_listed_shown_approved_and_rejected(shop: Shop) -> None:
    clean(shop.cli("init", "."))
    clean(shop.cli("run", "pipeline.yaml"))

    assert clean(shop.cli("models", "list")) == "starter  1 version, latest 1, none approved\n"
    text = clean(shop.cli("models", "show", "starter"))
    assert "starter version 1: pending" in text and "metric r2 = 0.98" in text and "dataset points = " in text
    assert (
        clean(shop.cli("models", "approve", "starter", "1", "-m", "looks good"))
        == "starter version 1: approved\n"
    )
    assert clean(shop.cli("models", "list")) == "starter  1 version, latest 1, approved 1\n"
    rejected = json.loads(clean(shop.cli("models", "reject", "starter", "latest", "-m", "no", "--json")))
    assert (rejected["version"], rejected["approval"]) == (1, "rejected")
    found = json.loads(clean(shop.cli("models", "show", "starter", "1", "--json")))
    assert [(each["approval"], each["comment"]) for each in found["decisions"]] == [
        ("approved", "looks good"),
        ("rejected", "no"),
    ]
    assert found["lineage"]["pipeline"] == "starter"
    assert [each["name"] for each in json.loads(clean(shop.cli("models", "list", "--json")))] == ["starter"]


@pytest.mark.parametrize(
    "words", [["show", "startr"], ["approve", "starter", "9"], ["reject", "starter", "x"]]
)
def test_a_model_that_is_not_there_is_told(made: Shop, words: list[str]) -> None:
    ran = made.cli("models", *words)

    clean(ran, 2)
    assert "error[P486]" in ran.stderr


def test_compile_writes_a_bundle_twice_and_over_nothing_else(made: Shop) -> None:
    text = clean(made.cli("compile", "pipeline.yaml", "--target", "local", "-o", "out"))
    before = {path: path.read_bytes() for path in (made.folder / "out").rglob("*") if path.is_file()}
    found = json.loads(
        clean(made.cli("compile", "pipeline.yaml", "--target", "local", "-o", "out", "--json"))
    )

    assert "out/pipeline.json: 2 assets, for local" in text
    assert {path: path.read_bytes() for path in before} == before
    assert found["manifest"]["target"] == "local"
    refused = made.cli("compile", "pipeline.yaml", "--target", "local", "-o", "src")
    clean(refused, 2)
    assert "error[P150]" in refused.stderr
    assert (made.folder / "src" / "train.py").is_file()


def test_a_graph_is_drawn_in_three_forms(made: Shop) -> None:
    mermaid = clean(made.cli("graph", "pipeline.yaml")).splitlines()
    dot = clean(made.cli("graph", "pipeline.yaml", "--format", "dot"))
    plain = json.loads(clean(made.cli("graph", "pipeline.yaml", "--json")))

    assert mermaid[0] == "flowchart TD"
    node = re.compile(r"    \w+(\[|\{|\(\[|\[\(|\[\[)\".*\"(\]|\}|\]\)|\)\]|\]\])")
    edge = re.compile(r"    (\w+) -->(\|\".*\"\|)? (\w+)")
    assert all(node.fullmatch(line) or edge.fullmatch(line) for line in mermaid[1:])
    names = {each["id"] for each in plain["nodes"]}
    edges = {(each["from"], each["to"]) for each in plain["edges"]}
    assert {"step_split", "step_stop", "dataset_points", "condition_good_enough"} <= names
    assert {name for pair in edges for name in pair} <= names
    assert {(found[1], found[3]) for line in mermaid[1:] if (found := edge.fullmatch(line))} == edges
    assert dot.startswith('digraph "starter" {') and dot.rstrip().endswith("}")
    assert dot.count(" -> ") == len(plain["edges"])
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=dot, text=True, check=True, capture_output=True)


def test_explain_knows_every_code_that_it_lists(shop: Shop) -> None:
    rows = json.loads(clean(shop.cli("explain", "--json")))

    assert len(rows) > 50
    found = json.loads(clean(shop.cli("explain", "P407", "--json")))
    assert found["code"] == "P407" and found["text"]
    assert clean(shop.cli("explain", "P407")).startswith("P407: ")
    refused = shop.cli("explain", "P000")
    assert refused.returncode in (1, 2)
    assert "P000" in refused.stderr and "Traceback" not in refused.stderr


def test_the_schema_is_a_json_schema(shop: Shop) -> None:
    schema = json.loads(clean(shop.cli("schema")))

    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "steps" in schema["$defs"]["PipelineSpec"]["properties"]


def test_providers_are_counted_and_a_target_is_told_row_by_row(shop: Shop) -> None:
    rows = json.loads(clean(shop.cli("providers", "--json")))
    (local,) = [each for each in rows if each["target"] == "local"]
    features = json.loads(clean(shop.cli("providers", "local", "--json")))

    assert local["runs_offline"] is True
    assert len(features) == sum(local[each] for each in ("native", "launcher", "approximated", "unsupported"))
    assert "local" in clean(shop.cli("providers"))
    assert "P300  a command step" in clean(shop.cli("providers", "local"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_one_that_its_shell_reads(shop: Shop, shell: str) -> None:
    script = clean(shop.cli("completion", shell))

    assert "_PENSTOCK_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, capture_output=True)


def test_completion_names_verbs_and_options(shop: Shop) -> None:
    env = {"_PENSTOCK_COMPLETE": "bash_complete", "COMP_WORDS": "penstock ru", "COMP_CWORD": "1"}

    found = shop.cli(env=env).stdout.split()

    assert sorted(each.rpartition(",")[2] for each in found) == ["run", "runs"]


def test_paths_are_shown_as_the_caller_would_write_them(made: Shop) -> None:
    refused = made.cli("check", "./pipeline.yaml", "--target", "nowhere")

    clean(refused, 2)
    assert str(Path.home()) not in refused.stderr
