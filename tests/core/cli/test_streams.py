"""What happens to the output: pipes whose reader leaves, full disks, terminals, odd encodings."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest
from tests.specs_for_tests import PENSTOCK, Shop

from penstock.running import load_run

SLOW = """
    steps:
      one: {run: "for i in $(seq 300); do echo line $i; done; sleep 0.2; echo x"}
      two: {run: "true", after: [one]}
"""


def shell(shop: Shop, script: str) -> subprocess.CompletedProcess[str]:
    command = " ".join(PENSTOCK)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script.replace("penstock ", f"{command} ")],
        cwd=shop.folder,
        env=shop.env(None),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("verb", ["schema", "explain", "--help", "providers local"])
def test_a_reader_that_leaves_is_no_failure(shop: Shop, verb: str) -> None:
    ran = shell(shop, f"penstock {verb} | head -c 10 > /dev/null; echo ${{PIPESTATUS[0]}}")

    assert ran.stdout == "0\n"
    assert ran.stderr == ""


@pytest.mark.sampled(1)
@pytest.mark.parametrize("redirection", ["2>&1 | head -n 2", "2> /dev/full", "2>&-", "> /dev/null 2>&-"])
def test_a_run_goes_on_where_nobody_watches(shop: Shop, redirection: str) -> None:
    shop.write(SLOW)

    shell(shop, f"penstock run pipeline.yaml {redirection}")

    assert load_run("last", shop.project).states == {"one": "succeeded", "two": "succeeded"}


def test_the_exit_code_of_a_run_is_the_runs_own(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'exit 1'}}")
    assert shell(shop, "penstock run pipeline.yaml --json | head -c 0; echo ${PIPESTATUS[0]}").stdout == "1\n"
    shop.write("steps: {one: {run: 'true'}}")
    assert shell(shop, "penstock run pipeline.yaml --json | head -c 0; echo ${PIPESTATUS[0]}").stdout == "0\n"


def test_a_full_disk_for_the_output_is_told(shop: Shop) -> None:
    ran = shell(shop, "penstock schema > /dev/full")

    assert ran.returncode == 1
    assert ran.stderr == "error: No space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_the_characters_gets_others(shop: Shop, encoding: str) -> None:
    shop.write("steps: {one: {run: 'echo ü ✓ 日本'}}")

    ran = shop.cli(
        "run", "pipeline.yaml", env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}, errors="replace"
    )

    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "\\u2713 one" in ran.stderr


def on_a_terminal(shop: Shop, *words: str) -> tuple[int, str]:
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*PENSTOCK, *words],
        cwd=shop.folder,
        env=shop.env({"TERM": "xterm-256color"}),
        stdout=side,
        stderr=side,
        stdin=side,
    )
    os.close(side)
    shown = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(main)
    return process.wait(), shown.decode("utf-8", "replace")


def test_a_terminal_gets_colours_and_a_list_of_what_runs(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'echo hello; sleep 0.4'}, two: {run: 'exit 1', after: [one]}}")

    code, shown = on_a_terminal(shop, "run", "pipeline.yaml")

    assert code == 1
    assert "Traceback" not in shown
    assert "\x1b[" in shown
    assert "hello" in shown and "▸" in shown and "✗" in shown
    # The cursor that the live list hides has to come back.
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


def test_colours_stay_out_of_pipes_and_json(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'true'}}")

    ran = shop.cli("run", "pipeline.yaml", "--json", env={"TERM": "xterm-256color"})

    assert "\x1b" not in ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["status"] == "succeeded"


def test_a_folder_that_is_gone_is_told(shop: Shop) -> None:
    gone = shop.folder / "gone"
    gone.mkdir()
    spec = shop.write("steps: {one: {run: 'true'}}")
    env = {name: value for name, value in os.environ.items() if name != "PENSTOCK_PROJECT"}
    script = f"cd {gone} && rmdir {gone} && exec {' '.join(PENSTOCK)} run {spec}"

    ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, env=env)

    assert ran.returncode in (0, 1, 2)
    assert "Traceback" not in ran.stderr
