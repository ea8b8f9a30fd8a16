"""The folders of a step: fixed paths, archives, private copies, clean-up."""

from __future__ import annotations

import os
import subprocess
import tarfile

import pytest
from tests.specs_for_tests import PENSTOCK, Shop, text_of, until

import penstock
from penstock.running import load_run


def test_an_input_at_a_fixed_path(shop: Shop) -> None:
    wanted = shop.folder / "opt" / "ml" / "input"
    shop.file("data/cells.csv", "a\n")
    run = shop.run(f"""
        datasets: {{cells: {{type: file, path: data/cells.csv}}}}
        steps:
          make: {{run: "echo b > ${{{{ outputs.tree }}}}/b", outputs: {{tree: folder}}}}
          use:
            run: cat {wanted}/tree/b {wanted}/cells/cells.csv; ls {wanted}/cells
            inputs:
              tree: {{value: "${{{{ steps.make.outputs.tree }}}}", at: {wanted}/tree}}
              cells: {{value: "${{{{ datasets.cells }}}}", at: {wanted}/cells}}
    """)

    assert run.succeeded
    assert shop.lines("use") == ["b", "a", "cells.csv"]
    # The link is there as long as the step runs, and no longer.
    assert not os.path.lexists(wanted / "tree")
    assert not os.path.lexists(wanted / "cells")


def test_what_stands_at_a_fixed_path_is_left_alone(shop: Shop) -> None:
    shop.file("taken/precious", "precious")
    run = shop.run(f"""
        steps:
          make: {{run: "echo b > ${{{{ outputs.tree }}}}/b", outputs: {{tree: folder}}}}
          use:
            run: "true"
            inputs: {{tree: {{value: "${{{{ steps.make.outputs.tree }}}}", at: {shop.folder}/taken}}}}
    """)

    assert run.states["use"] == "failed"
    assert "[P414]" in run.steps["use"].message
    assert (shop.folder / "taken" / "precious").read_text() == "precious"


def test_steps_that_ask_for_the_same_fixed_path_take_turns(shop: Shop) -> None:
    step = """
          use{n}:
            run: sleep 0.1; cat {at}/b; echo {n}
            inputs: {{tree: {{value: "${{{{ steps.make{n}.outputs.tree }}}}", at: {at}}}}}
          make{n}: {{run: "echo from{n} > ${{{{ outputs.tree }}}}/b", outputs: {{tree: folder}}}}"""
    body = "".join(step.format(n=n, at=shop.folder / "fixed") for n in (1, 2, 3))

    run = shop.run("\n        steps:" + body, jobs=3)

    assert run.succeeded
    assert [shop.lines(f"use{n}")[0] for n in (1, 2, 3)] == ["from1", "from2", "from3"]


def test_a_packed_input_is_an_archive(shop: Shop) -> None:
    run = shop.run("""
        steps:
          fit:
            kind: train
            run: mkdir ${{ outputs.model }}/code; touch ${{ outputs.model }}/w ${{ outputs.model }}/code/m.py
            outputs: {model: model}
          use:
            run: basename ${{ inputs.model }}; cp ${{ inputs.model }} ${{ outputs.seen }}
            inputs: {model: {value: "${{ steps.fit.outputs.model }}", packed: true}}
            outputs: {seen: file}
          again:
            run: echo; cp ${{ inputs.model }} ${{ outputs.seen }}
            inputs: {model: {value: "${{ steps.fit.outputs.model }}", packed: true}}
            outputs: {seen: file}
    """)

    assert shop.lines("use") == ["model.tar.gz"]
    with tarfile.open(run.output("use", "seen")) as archive:
        assert sorted(archive.getnames()) == ["code", "code/m.py", "w"]
    assert run.steps["use"].outputs[0].digest == run.steps["again"].outputs[0].digest


def test_a_packed_dataset_is_an_archive_too(shop: Shop) -> None:
    shop.file("data/model/w", "w")
    run = shop.run("""
        datasets: {model: {type: model, path: data/model}}
        steps:
          use:
            run: tar -xzf ${{ inputs.model }} && cat w
            inputs: {model: {value: "${{ datasets.model }}", packed: true}}
    """)

    assert run.succeeded
    assert shop.lines("use") == ["w"]


def test_the_code_is_a_private_writable_copy(shop: Shop) -> None:
    shop.file("src/notes.txt", "as written\n")
    shop.file("src/tool.sh", "#!/bin/sh\necho tool\n").chmod(0o755)
    shop.file("src/.penstockignore", "*.log\n")
    shop.file("src/old.log", "")
    run = shop.run("""
        steps:
          spoil: {run: "echo changed > notes.txt; rm tool.sh; touch new; ls", code: src}
          read: {run: "cat notes.txt; ./tool.sh; ls", code: src, after: [spoil]}
    """)

    assert run.succeeded
    assert (shop.folder / "src" / "notes.txt").read_text() == "as written\n"
    assert shop.lines("read")[:2] == ["as written", "tool"]
    assert "new" not in shop.lines("read") and "old.log" not in shop.lines("read")


def test_nothing_is_left_of_a_step_that_succeeded_and_everything_of_one_that_failed(shop: Shop) -> None:
    run = shop.run("""
        steps:
          good: {run: "touch left; touch $HOME/x $TMPDIR/y"}
          bad: {run: "echo seen > left; exit 3", after: [good]}
    """)

    steps = run.folder / "steps"
    assert not (steps / "good").exists()
    assert not (run.folder / "trash").exists()
    assert (steps / "bad" / "work" / "left").read_text() == "seen\n"


@pytest.mark.sampled(3, rest="exhaustive")
@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "it's",
        'a "quote"',
        "new\nline",
        "日本-é",
        "$(touch x)",
        "-dash",
        "back\\slash",
        "a:b",
        "a%20b",
    ],
)
def test_a_project_may_have_any_name(shop: Shop, name: str) -> None:
    inner = Shop(shop.folder / name)
    inner.file("data/cells.csv", "a\n")
    inner.file("src/copy.py", "import sys, shutil\nshutil.copy(sys.argv[1], sys.argv[2])\n")
    spec = inner.write("""
        datasets: {cells: {type: file, path: data/cells.csv}}
        steps:
          one:
            run: python copy.py ${{ inputs.cells }} ${{ outputs.o }}
            code: src
            inputs: {cells: "${{ datasets.cells }}"}
            outputs: {o: file}
          two:
            run: [cp, "${{ inputs.o }}", "${{ outputs.f }}/copy"]
            inputs: {o: "${{ steps.one.outputs.o }}"}
            outputs: {f: folder}
    """)

    first = inner.cli("run", spec)
    again = inner.cli("run", spec)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert "2 of 2 steps cached" in again.stdout
    assert sorted(each.name for each in shop.folder.iterdir()) == [name]


def test_a_run_from_another_folder_uses_the_files_beside_the_spec(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop.file("data/cells.csv", "a\n")
    shop.write("""
        datasets: {cells: {type: file, path: data/cells.csv}}
        steps:
          one:
            run: cp ${{ inputs.cells }} ${{ outputs.o }}
            inputs: {cells: "${{ datasets.cells }}"}
            outputs: {o: file}
        outputs: {o: "${{ steps.one.outputs.o }}"}
    """)
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    ran = shop.cli("run", os.path.relpath(shop.folder / "pipeline.yaml", elsewhere), cwd=elsewhere)

    assert ran.returncode == 0, ran.stderr
    assert not list(elsewhere.iterdir())
    assert (shop.folder / ".penstock").is_dir()


def test_code_that_is_edited_during_the_run_does_not_reach_it(shop: Shop) -> None:
    shop.file("src/say.py", "print('old')\n")
    shop.write(f"""
        steps:
          wait: {{run: "touch {shop.folder}/began; until test -e {shop.folder}/edited; do sleep 0.01; done"}}
          say: {{run: "python say.py > ${{{{ outputs.o }}}}", code: src, after: [wait], outputs: {{o: file}}}}
    """)
    running = shop.start("run", "pipeline.yaml")
    until((shop.folder / "began").exists)
    shop.file("src/say.py", "print('new')\n")
    shop.file("src/more.py", "")
    shop.file("edited")

    running.communicate(timeout=20)

    assert running.returncode == 0
    edited = shop.run()
    (old, new) = (text_of(each, "say", "o") for each in (last_but_one(shop), edited))
    assert (old, new) == ("old\n", "new\n")
    assert "code" in edited.steps["say"].cache_reason


def last_but_one(shop: Shop) -> penstock.Run:
    with shop.ledger() as ledger:
        return load_run(ledger.runs(2)[1].id, shop.project)


def test_a_project_that_cannot_be_written_is_said_in_words(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'true'}}")
    shop.file(".penstock", "a file in the way")

    ran = shop.cli("run", "pipeline.yaml")

    assert ran.returncode == 2
    assert "error[P480]" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_read_only_project_is_refused_in_words(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'true'}}")
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    wrapped = ["unshare", "--mount", "--map-root-user", "sh", "-c", read_only, str(shop.folder)]
    if subprocess.run([*wrapped, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no mount namespaces")

    ran = subprocess.run(
        [*wrapped, *PENSTOCK, "run", "pipeline.yaml"],
        env=shop.env(None),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert "error[P480]" in ran.stderr
    assert "PENSTOCK_PROJECT" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_step_that_locks_its_own_folders_does_not_stop_the_run(shop: Shop) -> None:
    run = shop.run("""
        steps:
          lock:
            run: mkdir -p d/e; touch d/e/f; chmod 500 d/e d; mkdir ${{ outputs.o }}/s; chmod 500 ${{ outputs.o }}/s
            outputs: {o: folder}
          use: {run: "ls ${{ inputs.o }}", inputs: {o: "${{ steps.lock.outputs.o }}"}}
    """)

    assert run.succeeded
