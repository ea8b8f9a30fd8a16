import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.runtime.artifacts import Artifact, ArtifactStore
from penstock.runtime.tree import decode

BUILD = """
import json, os, signal, sys
from pathlib import Path
from penstock.runtime.artifacts import ArtifactStore

def build(folder, seed):
    for name in ("a", "b/c", "b/d/e"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d %s" % (seed, name.encode()))
    (folder / "twin").write_bytes(b"%d a" % seed)
    (folder / "b" / "c").chmod(0o755)
    (folder / "bare").mkdir(exist_ok=True)
    if not (folder / "link").is_symlink():
        (folder / "link").symlink_to("b/c")
    return folder
"""

# A child for each call that the store makes to the kernel: it dies instead of making it.
DIE_AT_EVERY_CALL = """
CALLS = ("open", "read", "write", "close", "chmod", "fchmod", "utime", "rename", "unlink", "mkdir", "rmdir",
         "stat", "lstat", "fstat", "scandir", "readlink", "link")

def dying(real, at, count):
    def call(*args, **kwargs):
        count[0] += 1
        if count[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    return call

base, move = Path(sys.argv[1]), sys.argv[2] == "move"
at = 0
while True:
    at += 1
    source = build(base / f"source{at}", at)
    child = os.fork()
    if child == 0:
        count = [0]
        for name in CALLS:
            setattr(os, name, dying(getattr(os, name), at, count))
        ArtifactStore(base / "store").put(source, move=move)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(at)
"""

PUT_UNTIL_KILLED = """
base, move, seed = Path(sys.argv[1]), sys.argv[2] == "move", int(sys.argv[3])
store = ArtifactStore(base / "store")
print("ready", flush=True)
while True:
    seed += 1
    artifact = store.put(build(base / f"source{seed}", seed), move=move)
    print(json.dumps(artifact.to_json()), flush=True)
"""

PUT_AT_ONCE = """
base, number = Path(sys.argv[1]), sys.argv[2]
sources = [build(base / number / str(seed), seed) for seed in range(60)]
store = ArtifactStore(base / "store")
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([store.put(source, move=True).to_json() for source in sources]))
"""


def assert_sound(store: Path) -> None:
    """Everything that can be seen is whole: objects have their bytes, listings their files."""
    objects = [path for path in (store / "objects").rglob("*") if path.is_file()]
    for path in objects:
        digest = path.parent.name + path.name.removesuffix(".x")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert path.stat().st_mode & 0o777 == (0o555 if path.suffix else 0o444)
    names = {path.parent.name + path.name for path in objects}
    for path in (store / "trees").rglob("*"):
        if path.is_file():
            listing = path.read_bytes()
            assert hashlib.sha256(listing).hexdigest() == path.parent.name + path.name
            for entry in decode(listing):
                if entry.kind in "fx":
                    assert entry.value + {"f": "", "x": ".x"}[entry.kind] in names


@pytest.mark.sampled(1)
@pytest.mark.parametrize("way", ["move", "copy"])
def test_death_before_any_call_to_the_kernel_leaves_only_whole_artifacts(tmp_path: Path, way: str) -> None:
    command = [sys.executable, "-c", BUILD + DIE_AT_EVERY_CALL, str(tmp_path), way]
    calls = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert calls > 60
    assert_sound(tmp_path / "store")
    leftovers = list((tmp_path / "store" / "drafts").iterdir())
    assert len(leftovers) < calls
    assert len(list((tmp_path / "store" / "trees").rglob("??*"))) > 0


@pytest.mark.sampled(1)
@pytest.mark.parametrize("way", ["move", "copy"])
def test_kill_at_random_moments_loses_nothing_that_was_reported(tmp_path: Path, way: str) -> None:
    dice = random.Random(7)
    store = ArtifactStore(tmp_path / "store")
    reported: list[Artifact] = []
    for round_ in range(8):
        command = [sys.executable, "-c", BUILD + PUT_UNTIL_KILLED, str(tmp_path), way, str(round_ * 10_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            lines = [process.stdout.readline() for _ in range(dice.randint(0, 9))]
            time.sleep(dice.uniform(0, 0.003))
            process.kill()
            # A last line without its end was never fully reported.
            lines += process.stdout.read().split("\n")[:-1]
        reported += [Artifact.from_json(json.loads(line)) for line in lines]
        assert process.returncode == -signal.SIGKILL

    assert_sound(tmp_path / "store")
    assert len(reported) > 8
    assert [store.verify(artifact) for artifact in reported] == [[]] * len(reported)


def test_processes_that_put_the_same_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD + PUT_AT_ONCE, str(tmp_path)]
    running = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in running]

    store = ArtifactStore(tmp_path / "store")
    found = [Artifact.from_json(each) for each in json.loads(answers[0])]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert answers[1:] == answers[:1] * 2
    assert len(found) == 60
    assert [store.verify(artifact) for artifact in found] == [[]] * 60
    assert_sound(tmp_path / "store")
    assert os.listdir(tmp_path / "store" / "drafts") == []
