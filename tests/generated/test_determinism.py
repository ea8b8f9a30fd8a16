"""The same spec gives the same bytes: from another folder, on another day, with another hash seed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock import discovery
from penstock.compiler import compile_bundle

ROOT = Path(__file__).parents[2]
SPECS = {
    **{path.parent.name: path.parent for path in sorted(ROOT.glob("specs/*/pipeline.yaml"))},
    "whole": Path(__file__).parent / "whole",
}
TARGETS = sorted(discovery.targets())
LONG_AGO = 1_000_000_000

WRITE = """
import sys
from pathlib import Path
from penstock.compiler import compile_bundle
folder, *targets = sys.argv[1:]
for spec in sorted(Path(folder).glob("*/pipeline.yaml")):
    for target in targets:
        compile_bundle(spec, target).write(Path(folder, "bundles", spec.parent.name, target))
"""


def digests(bundle: Path) -> dict[str, str]:
    return {
        path.relative_to(bundle).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(bundle.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_another_folder_another_day_and_another_hash_seed_give_the_same_bytes(tmp_path: Path) -> None:
    for name, home in SPECS.items():
        shutil.copytree(home, tmp_path / "elsewhere" / name)
    for each in (tmp_path / "elsewhere").rglob("*"):
        os.utime(each, (LONG_AGO, LONG_AGO))
    # One process for all of them: starting one takes longer than compiling.
    env = {**os.environ, "PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-c", WRITE, "elsewhere", *TARGETS], cwd=tmp_path, env=env, check=True, timeout=120
    )

    for name, home in SPECS.items():
        for target in TARGETS:
            here = tmp_path / "here" / name / target
            compile_bundle(home / "pipeline.yaml", target).write(here)
            assert digests(here) == digests(tmp_path / "elsewhere" / "bundles" / name / target), (
                name,
                target,
            )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SPECS)
def test_compiling_again_gives_the_same_bundle(name: str, target: str) -> None:
    first = compile_bundle(SPECS[name] / "pipeline.yaml", target)
    second = compile_bundle(SPECS[name] / "pipeline.yaml", target)

    assert first.texts == second.texts
    assert json.dumps(first.manifest()) == json.dumps(second.manifest())
    assert first.source_map == second.source_map
    assert first.diagnostics == second.diagnostics
