"""Executions stopped, killed, resumed: nothing that was shown is lost, nothing stays behind, the end is the same."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.specs_for_tests import PENSTOCK, Shop, until

import penstock
from penstock.models.registry import ModelRegistry
from penstock.running import load_run

ON = ("run", "pipeline.yaml", "--on", "sagemaker")
SPEC = """
    parameters: {floor: {type: number, default: 0.5}}
    datasets: {cells: {type: file, path: data/cells.csv}, rows: {type: folder, path: data/rows}}
    environments: {lab: {python: ">=3.11", image: {sagemaker: "builtin:pytorch:2.4"}}}
    conditions: {good: "${{ steps.judge.outputs.report.score >= parameters.floor }}"}
    defaults: {env: {SHOP: FOLDER}}
    steps:
      split:
        run: |
          sleep 0.05; head -n 2 ${{ inputs.cells }} > ${{ outputs.train }}/rows
          tail -n 1 ${{ inputs.cells }} > ${{ outputs.test }}/rows
        inputs: {cells: "${{ datasets.cells }}"}
        outputs: {train: folder, test: folder}
      right:
        run: sed s/^/right:/ ${{ inputs.rows }}/rows > ${{ outputs.o }}
        inputs: {rows: "${{ steps.split.outputs.test }}"}
        outputs: {o: file}
        cache: false
      fit:
        kind: train
        run: sleep 0.1; cat ${{ inputs.a }}/rows ${{ inputs.b }} > ${{ outputs.model }}/w
        inputs: {a: "${{ steps.split.outputs.train }}", b: "${{ steps.right.outputs.o }}"}
        outputs: {model: model}
      search:
        kind: tune
        environment: lab
        run: |
          sleep 0.05; echo "{\\"x\\":${{ inputs.x }}}" > ${{ outputs.r }}; cat ${{ inputs.o }} > ${{ outputs.model }}/x
        inputs: {o: "${{ steps.right.outputs.o }}"}
        outputs: {model: model, r: metrics}
        search_space: {x: {enum: [1, 3, 2]}}
        sampling: grid
        objective: {metric: x, goal: maximize}
        limits: {trials: 3, parallel: 2}
      answer:
        kind: predict
        model: ${{ steps.fit.outputs.model }}
        data: ${{ datasets.rows }}
        serving: {code: src, entry: inference.py, content_types: [text/csv]}
      judge:
        run: |
          cat ${{ inputs.model }}/w ${{ inputs.best }}/x ${{ inputs.answers }}/*.out
          echo '{"score":0.75}' > ${{ outputs.report }}
        inputs:
          model: ${{ steps.fit.outputs.model }}
          best: ${{ steps.search.outputs.model }}
          answers: ${{ steps.answer.outputs.predictions }}
        outputs: {report: metrics}
      enter: {kind: register, when: "${{ conditions.good }}", model: "${{ steps.fit.outputs.model }}", name: judged}
      worse: {run: "true", when: "${{ not conditions.good }}"}
      last: {run: sleep 0.05, after: [enter]}
"""
INFERENCE = """
import time
def model_fn(folder):
    time.sleep(0.05)
    return open(folder + '/w').read()
def transform_fn(model, body, content_type, accept):
    return model + body, accept
"""


def prepare(folder: Path) -> Shop:
    shop = Shop(folder)
    shop.file("data/cells.csv", "a\nb\nc\n")
    shop.file("data/rows/1.csv", "1\n")
    shop.file("data/rows/2.csv", "2\n")
    shop.file("src/inference.py", INFERENCE)
    shop.write(SPEC.replace("FOLDER", str(folder)))
    return shop


def digests(run: penstock.Run) -> dict[str, list[tuple[str, str]]]:
    return {name: [(each.port, each.digest) for each in step.outputs] for name, step in run.steps.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> penstock.Run:
    run = prepare(tmp_path_factory.mktemp("undisturbed")).run(on="sagemaker")
    assert run.succeeded, run.record.message
    return run


class Gate:
    """Something that jobs can look for, and that a test can open: no folder outside of a job's own can be both."""

    def __init__(self, door: socket.socket) -> None:
        door.bind(("127.0.0.1", 0))
        self._door = door
        self.look = f"(: < /dev/tcp/127.0.0.1/{door.getsockname()[1]})"
        """A command of bash that fails while the gate is closed."""

    def open(self) -> None:
        self._door.listen()


@pytest.fixture
def gate() -> Iterator[Gate]:
    with socket.socket() as door:
        yield Gate(door)


def strays(folder: Path) -> list[str]:
    """Find processes of steps: their SHOP is the folder, or they are shown folders of the project."""
    found: list[str] = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            said = (each / "environ").read_bytes() + (each / "cmdline").read_bytes()
        except OSError:
            continue
        if f"SHOP={folder}\0".encode() in said or f"{folder}/.penstock/runs".encode() in said:
            found.append(each.name)
    return found


def shown(errors: Path) -> tuple[set[str], set[str]]:
    """Read off the plain lines which steps began, and which ended well."""
    lines = [line.split() for line in errors.read_text(encoding="utf-8").split("\n")[:-1]]
    marked = [(line[0], line[1]) for line in lines if len(line) > 1]
    return {name for mark, name in marked if mark == "▸"}, {name for mark, name in marked if mark in "✓○"}


def kill_after(shop: Shop, seconds: float, *words: str) -> bool:
    """Run the command line, kill it alone and hard; tell whether it was still running."""
    with (shop.folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [*PENSTOCK, *words], cwd=shop.folder, env=shop.env(None), stdout=subprocess.DEVNULL, stderr=errors
        )
        time.sleep(seconds)
        running = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: not strays(shop.folder))
    return running


def attempts(shop: Shop, names: set[str]) -> dict[str, int]:
    with shop.ledger() as ledger:
        made = ledger.attempts(ledger.find_run("last").id)
    return {name: sum(each.step == name for each in made) for name in names}


def recorded(shop: Shop) -> dict[str, str]:
    """Read the status of every step and every trial of the last run."""
    with shop.ledger() as ledger:
        return {each.name: str(each.status) for each in ledger.steps(ledger.find_run("last").id)}


def has_begun(shop: Shop) -> bool:
    if not shop.project.ledger.exists():
        return False
    with shop.ledger() as ledger:
        return bool(ledger.runs())


def disturb(shop: Shop, chance: random.Random, undisturbed: penstock.Run, kills: int) -> None:
    words, kept = list(ON), dict[str, int]()
    for _ in range(kills):
        running = kill_after(shop, chance.uniform(0.2, 2.5), *words)
        began, ended = shown(shop.folder / "stderr")
        if has_begun(shop):
            words = ["resume"]
            states = recorded(shop)
            assert began <= set(states)
            assert {name for name in ended if states.get(name) not in ("succeeded", "skipped")} == set()
            kept = attempts(shop, {name for name in ended if states[name] == "succeeded"})
        if not running:
            break
    if words == ["resume"] and load_run("last", shop.project).succeeded:
        run = load_run("last", shop.project)
    else:
        ended_well = shop.cli(*words)
        assert ended_well.returncode == 0, ended_well.stderr
        run = load_run("last", shop.project)

    assert run.states == undisturbed.states
    assert digests(run) == digests(undisturbed)
    assert run.metrics == undisturbed.metrics
    assert attempts(shop, set(kept)) == kept
    with ModelRegistry.open(shop.project.ledger) as registry:
        assert [each.version for each in registry.versions("judged")] == [1]
    with shop.ledger() as ledger:
        assert len(ledger.runs()) == 1
    assert not strays(shop.folder)


@pytest.mark.slow
@pytest.mark.sampled(1)
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_it_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: penstock.Run, seed: int
) -> None:
    disturb(prepare(tmp_path), random.Random(seed), undisturbed, kills=1 + seed % 2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1000, 1040))
def test_killed_at_many_more_moments_it_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: penstock.Run, seed: int
) -> None:
    disturb(prepare(tmp_path), random.Random(seed), undisturbed, kills=1 + seed % 4)


WAITING = {
    "command": "run: BODY",
    "train": 'kind: train, run: "BODY && touch ${{ outputs.model }}/w", outputs: {model: model}',
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("command", signal.SIGINT),
        ("train", signal.SIGTERM),
        pytest.param("command", signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_jobs_and_leaves_a_run_that_can_be_resumed(
    shop: Shop, gate: Gate, kind: str, number: int
) -> None:
    body = f"echo begun; {gate.look} || sleep 60"
    step = WAITING[kind].replace("run: BODY", f'run: "{body}"').replace("BODY", f"({body})")
    shop.write(f"""
        defaults: {{env: {{SHOP: {shop.folder}}}}}
        steps:
          first: {{run: "echo x > ${{{{ outputs.o }}}}", outputs: {{o: file}}}}
          slow: {{{step}, after: [first]}}
          last: {{run: "true", after: [slow]}}
    """)
    running = shop.start(*ON)
    assert running.stderr is not None
    while "begun" not in running.stderr.readline():
        assert running.poll() is None

    running.send_signal(number)
    output, errors = running.communicate(timeout=60)

    assert running.returncode == 1
    assert "Traceback" not in errors
    assert "penstock resume" in output
    assert not strays(shop.folder)
    stopped = load_run("last", shop.project)
    assert stopped.status == "stopped"
    assert stopped.states == {"first": "succeeded", "slow": "stopped", "last": "upstream_failed"}
    gate.open()
    assert shop.cli("resume").returncode == 0
    resumed = load_run("last", shop.project)
    assert resumed.states == dict.fromkeys(("first", "slow", "last"), "succeeded")
    assert (resumed.id, attempts(shop, {"first"})) == (stopped.id, {"first": 1})


def test_a_failed_execution_is_retried_by_a_resume(shop: Shop, gate: Gate) -> None:
    failed = shop.run(
        f"""
        steps:
          read: {{run: "echo x > ${{{{ outputs.o }}}}", outputs: {{o: file}}}}
          gate: {{run: "cat ${{{{ inputs.o }}}}; {gate.look}", inputs: {{o: "${{{{ steps.read.outputs.o }}}}"}}}}
          last: {{run: "true", after: [gate]}}
        """,
        on="sagemaker",
    )
    gate.open()

    resumed = shop.resume()

    assert failed.states == {"read": "succeeded", "gate": "failed", "last": "upstream_failed"}
    assert resumed.states == dict.fromkeys(("read", "gate", "last"), "succeeded")
    assert (resumed.id, resumed.steps["read"].started) == (failed.id, failed.steps["read"].started)


@pytest.mark.slow
def test_two_executions_at_once_in_one_project_are_two(tmp_path: Path, undisturbed: penstock.Run) -> None:
    shop = prepare(tmp_path)

    both = [shop.start(*ON, "--no-cache") for _ in range(2)]
    ends = [(each.communicate(timeout=120)[1], each.returncode) for each in both]

    assert [code for _, code in ends] == [0, 0], ends
    with shop.ledger() as ledger:
        runs = [load_run(each.id, shop.project) for each in ledger.runs()]
    assert len(runs) == 2
    assert [digests(each) for each in runs] == [digests(undisturbed)] * 2
    assert len({each.record.details["execution"] for each in runs}) == 2
