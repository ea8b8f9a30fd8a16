"""Jobs that do what they should not: whatever they try, the run ends, and nothing outside of its folder is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.generated.offline.definitions import brought, left, processing
from tests.providers.aws.emulator.hostile_jobs_for_tests import OUT, Bench

import penstock
from penstock.runtime.sandbox import found_way

PLAIN = {"OutputDataConfig": {"S3OutputPath": "s3://made/models", "CompressionType": "NONE"}}
CHECKPOINTS = {"CheckpointConfig": {"S3Uri": "s3://made/checkpoints"}}

pytestmark = pytest.mark.skipif(found_way() is None, reason="this machine gives no sandbox")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"mkfifo {OUT}/pipe", "'pipe' is a named pipe"),
        (
            f"cd {OUT}; python -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'",
            "'s' is a socket",
        ),
        (f"ln -s /etc/passwd {OUT}/link", "the link 'link' points to '/etc/passwd', outside its folder"),
        (f"ln -s . {OUT}/link", ""),
        (f"rm -rf {OUT}; ln -s /etc {OUT}", "the job put a link there, or above it"),
        (f"rm -rf {OUT}", "No such file or directory"),
        ("rm -rf /opt/ml/*", "No such file or directory"),
        ("rm -rf --no-preserve-root /etc /usr /srv /var 2> /dev/null", "exit code: 1"),
    ],
)
def test_what_a_processing_job_leaves_is_files_of_its_own(bench: Bench, script: str, said: str) -> None:
    run = bench.run(bench.processing(script))

    message = run.steps["job"].message
    assert (run.succeeded, said in message) == (said == "" and message == "", True), message


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("ln -s /etc/passwd /opt/ml/model/link", {}, "points to '/etc/passwd', outside its folder"),
        ("mkfifo /opt/ml/model/pipe", {}, "'pipe' is a named pipe"),
        ("mkfifo /opt/ml/model/pipe", PLAIN, "'pipe' is a named pipe"),
        ("rmdir /opt/ml/model; echo x > /opt/ml/model", {}, "Artifact upload failed: model: File exists"),
        ("mkfifo /opt/ml/output/failure; exit 3", {}, "See job logs for more information, exit code: 3"),
        ("mkdir /opt/ml/output/failure; exit 3", {}, "See job logs for more information, exit code: 3"),
        ("ln -s /etc/passwd /opt/ml/output/failure; exit 3", {}, "failure cannot be taken"),
    ],
)
def test_what_a_training_job_leaves_is_files_of_its_own(
    bench: Bench, script: str, arguments: dict[str, Any], said: str
) -> None:
    run = bench.run(bench.training(script, **arguments))

    assert said in run.steps["job"].message


def test_a_training_job_may_take_its_folders_away(bench: Bench) -> None:
    run = bench.run(bench.training("rm -rf /opt/ml/model /opt/ml/output /opt/ml/checkpoints", **CHECKPOINTS))

    assert run.succeeded
    assert [(each.port, each.files) for each in run.steps["job"].outputs] == [
        ("model", 1),
        ("checkpoints", 0),
    ]


@pytest.mark.parametrize(
    ("folder", "arguments"),
    [
        ("/opt/ml/output", PLAIN),
        ("/opt/ml/model", PLAIN),
        ("/opt/ml/model", {}),
        ("/opt/ml/checkpoints", CHECKPOINTS),
    ],
)
def test_links_in_the_place_of_folders_lead_nowhere(
    bench: Bench, folder: str, arguments: dict[str, Any]
) -> None:
    kept = bench.kept if folder == "/opt/ml/output" else bench.kept / "data"
    script = f"rm -rf {folder}; ln -s {kept} {folder}; ls {folder}/"

    run = bench.run(bench.training(script, **arguments))

    assert "the job put a link there, or above it" in run.steps["job"].message
    assert "secret" not in run.steps["job"].message


def test_links_above_an_output_lead_nowhere(bench: Bench) -> None:
    run = bench.run(bench.processing(f"rm -rf /opt/ml/processing; ln -s {bench.kept} /opt/ml/processing"))

    assert f"{OUT} cannot be taken" in run.steps["job"].message


def test_rights_that_a_job_takes_away_do_not_keep_its_outputs(bench: Bench) -> None:
    run = bench.run(bench.processing(f"mkdir {OUT}/d; echo x > {OUT}/d/e; chmod 000 {OUT}/d/e {OUT}/d {OUT}"))

    assert [each.files for each in run.steps["job"].outputs] == [1]


@pytest.mark.parametrize("place", ["/usr/x", "/etc/x", "/x", "/var/x", "{kept}/x"])
def test_nothing_outside_is_written_to(bench: Bench, place: str) -> None:
    path = place.format(kept=bench.kept)

    run = bench.run(bench.processing(f"touch {path} && exit 0; exit 7"))

    assert run.steps["job"].exit_code == 7
    assert not Path(path).exists()


@pytest.mark.parametrize(
    "path",
    ["/etc/rows", "/usr/lib/rows", "/opt/rows", "/tmp", "/root", "/opt/ml/input", "/opt/ml/../../home/rows"],
)
def test_data_stands_where_the_definition_has_it_inside_of_the_job_alone(bench: Bench, path: str) -> None:
    wanted = {"AppSpecification": {"ImageUri": "probe", "ContainerEntrypoint": ["ls", path]}}
    outputs = {"ProcessingOutputConfig": {"Outputs": [left("out", path)]}}
    rows = [brought("rows", "s3://given/rows", path)]

    run = bench.run(
        processing("in", inputs=rows, arguments=wanted), processing("out", arguments={**wanted, **outputs})
    )

    assert [each.exit_code for each in run.steps.values()] == [0, 0]
    assert "a.csv" in bench.log(run, "in")


def test_a_channel_named_like_the_folder_above_stays_inside(bench: Bench) -> None:
    place = {"S3Uri": "s3://given/rows", "S3DataType": "S3Prefix"}
    channels = [
        {"ChannelName": name, "DataSource": {"S3DataSource": place}} for name in ("..", ".", "...", "-rf")
    ]
    code = {"ChannelName": "code", "DataSource": {"S3DataSource": {**place, "S3Uri": "s3://given/code"}}}

    run = bench.run(bench.training("find /opt/ml -name a.csv", InputDataConfig=[*channels, code]))

    assert set(bench.log(run).split()) == {
        *("/opt/ml/input/a.csv", "/opt/ml/input/data/a.csv"),
        *("/opt/ml/input/data/.../a.csv", "/opt/ml/input/data/-rf/a.csv"),
    }


def test_names_of_any_bytes_are_kept_or_refused(bench: Bench) -> None:
    script = f"cd {OUT}; touch ' ' '..x' 'a\\b' $'new\\nline' $'bad\\xff'; echo done"

    run = bench.run(bench.processing(script))

    assert "done" in bench.log(run)
    assert run.steps["job"].status in ("succeeded", "failed")


def test_nothing_of_the_caller_reaches_a_job(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("PLEASE", "pass-me")

    run = bench.run(bench.processing('env; find "$HOME" -type f; echo "$PLEASE"'), pass_env=["PLEASE"])

    assert run.succeeded
    assert not any(word in bench.log(run) for word in ("hunter2", "AWS_PROFILE", "pass-me"))


@pytest.mark.parametrize(
    ("isolate", "asked"), [(True, {}), (False, {"NetworkConfig": {"EnableNetworkIsolation": True}})]
)
def test_a_job_without_a_network_has_none(bench: Bench, isolate: bool, asked: dict[str, Any]) -> None:
    run = bench.run(bench.processing("tail -n +3 /proc/net/dev | cut -d: -f1", **asked), isolate=isolate)

    assert bench.log(run).split() == ["lo"]


def test_children_that_leave_their_session_end_with_the_job(bench: Bench) -> None:
    mark = f"4{os.getpid()}"
    fork = "os.fork() and os._exit(0)"
    daemon = f"import os; {fork}; os.setsid(); {fork}; os.execlp('sleep', 'sleep', '{mark}')"

    run = bench.run(bench.processing(f'python -c "{daemon}"; setsid sleep {mark} & sleep {mark} & sleep 0.1'))

    assert run.succeeded
    assert not [each for each in commands() if mark in each]


@pytest.mark.slow
def test_a_job_that_ignores_its_end_is_ended(bench: Bench) -> None:
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}

    run = bench.run(bench.processing("trap '' TERM; while true; do sleep 1; done", **limit))

    assert run.steps["job"].message.startswith("MaxRuntimeExceeded")


@pytest.mark.parametrize(
    "script", ["yes 0123456789 | head -c 3000000", "head -c 3000000 /dev/zero | tr '\\0' x"]
)
def test_a_flood_of_output_is_a_large_log(bench: Bench, script: str) -> None:
    run = bench.run(bench.processing(script))

    assert run.succeeded
    assert (bench.project / ".penstock" / run.steps["job"].log).stat().st_size == 3_000_000


@pytest.mark.slow
def test_two_executions_at_once_do_not_meet(bench: Bench) -> None:
    bench.definition(bench.processing(f"sleep 0.5; hostname > {OUT}/a; echo done"))
    command = [sys.executable, "-m", "penstock", "run", "probe.json", "--replace", "s3://given=given"]

    running = [
        subprocess.Popen(command, cwd=bench.project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    ended = [(each.communicate()[0], each.returncode) for each in running]

    assert [code for _, code in ended] == [0, 0], ended


@pytest.mark.slow
def test_a_run_whose_process_is_killed_leaves_no_job_and_goes_on_later(bench: Bench) -> None:
    mark = f"5{os.getpid()}"
    # Not in the data that stands for the bucket: a run is not resumed with other data.
    gate = bench.project / "gate"
    bench.definition(bench.processing(f"test -e {gate} || sleep {mark}; echo {mark} > {OUT}/a"))
    command = [sys.executable, "-m", "penstock", "run", "probe.json", "--replace", "s3://given=given"]
    with subprocess.Popen(
        command, cwd=bench.project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        waited(lambda: any(f"sleep {mark}" in each for each in commands()))
        run.send_signal(signal.SIGKILL)
    waited(lambda: not any(f"sleep {mark}" in each for each in commands()))
    gate.write_text("open", encoding="utf-8")

    resumed = penstock.resume(project=bench.project)

    assert resumed.succeeded


def commands() -> list[str]:
    found: list[str] = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def waited(holds: Any, patience: float = 60.0) -> None:
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
