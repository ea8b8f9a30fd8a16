"""Jobs and archives that fill the disk, and archives that lead out of their folder."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.generated.offline.definitions import laid_out, training
from tests.generated.offline.subjects import SUBJECTS
from tests.providers.aws.emulator.hostile_jobs_for_tests import OUT, Bench

import penstock
from penstock.runtime.sandbox import found_way

pytestmark = pytest.mark.skipif(found_way() is None, reason="this machine gives no sandbox")


@pytest.mark.sampled(1)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
@pytest.mark.parametrize("first", ["", "trap '' TERM; "])
def test_a_job_that_fills_the_disk_leaves_a_run_that_goes_on_once_there_is_room(
    bench: Bench, first: str
) -> None:
    disk = bench.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "none", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("no small disk is to be had here")
    try:
        bench.project = laid_out(disk)
        fill = f"dd if=/dev/zero of={OUT}/big bs=4M count=40 2> /dev/null || sleep 60; rm {OUT}/big"
        run = bench.run(bench.processing(f"{first}{fill}; echo enough"))
        subprocess.run(["rm", "-rf", str(run.folder / "steps" / "job")], check=True)
        subprocess.run(["mount", "-o", "remount,size=1g", str(disk)], check=True)

        resumed = penstock.resume(project=bench.project)
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    assert run.steps["job"].message.endswith("the disk that holds the project is full [P430]")
    assert resumed.succeeded


def bad_archive(path: Path, kind: str) -> None:
    """Write an archive with a script that runs, and with a member that leads out, or that grows without end."""
    with tarfile.open(path, "w:gz") as tar:
        script = tarfile.TarInfo("tell.py")
        tar.addfile(script, io.BytesIO())
        member = tarfile.TarInfo({"above": "../../../evil", "absolute": "/srv/evil"}.get(kind, "evil"))
        if kind == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
            tar.addfile(member)
            member = tarfile.TarInfo("evil/evil")
        elif kind == "device":
            member.type, member.devmajor, member.devminor = tarfile.CHRTYPE, 1, 3
        tar.addfile(member, io.BytesIO())


@pytest.mark.parametrize("kind", ["above", "absolute", "link", "device"])
def test_archives_of_code_that_lead_out_are_refused(bench: Bench, kind: str) -> None:
    bad_archive(bench.project / "given" / "sourcedir.tar.gz", kind)
    named = {
        "sagemaker_program": '"tell.py"',
        "sagemaker_submit_directory": '"s3://given/sourcedir.tar.gz"',
    }
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": "probe-script", "TrainingInputMode": "File"},
        "HyperParameters": named,
    }

    run = bench.run(training("job", arguments=arguments))

    assert "s3://given/sourcedir.tar.gz cannot be unpacked" in run.steps["job"].message
    assert not Path("/srv/evil").exists()


@pytest.mark.parametrize("kind", ["above", "absolute", "link", "device"])
def test_archives_of_models_that_lead_out_are_refused(bench: Bench, kind: str) -> None:
    bad_archive(bench.project / "given" / "model.tar.gz", kind)
    model, answer, _ = SUBJECTS["models"].document["Steps"]

    run = bench.run(model, answer)

    assert "cannot be unpacked" in run.steps["answer"].message
    assert not Path("/srv/evil").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_an_archive_that_grows_beyond_the_disk_is_refused_before_it_is_full(bench: Bench) -> None:
    disk = bench.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "none", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("no small disk is to be had here")
    try:
        bench.project = laid_out(disk)
        with tarfile.open(disk / "given" / "model.tar.gz", "w:gz", compresslevel=1) as tar:
            member = tarfile.TarInfo("zeros")
            member.size = 1 << 28
            with open("/dev/zero", "rb") as zeros:
                tar.addfile(member, zeros)
        model, answer, _ = SUBJECTS["models"].document["Steps"]

        run = bench.run(model, answer)
        free = shutil.disk_usage(disk).free
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    assert "it unpacks to more" in run.steps["answer"].message
    assert free > 100 << 20
