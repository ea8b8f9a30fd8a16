from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from tests.core.runtime.sandbox.sandboxes_for_tests import Place, require

from penstock.runtime.sandbox import Mount, Sandbox, Way, enclose, found_way, ways, why_none

NO_NEW_CALL = """
import errno
from penstock.runtime.sandbox.inside import kernel
def unknown(target, attributes):
    raise OSError(errno.ENOSYS, "unknown", target)
kernel.restrict_mounts = unknown
main()
"""


def test_a_way_is_found_or_there_are_words_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_SANDBOX", raising=False)

    way = found_way()

    assert (way is None) == bool(why_none())


def test_a_forced_way_is_taken(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_SANDBOX", way)

    assert found_way() == way
    assert why_none() == ""
    ended = subprocess.run(enclose(Sandbox((), "/"), ["sh", "-c", "exit 6"]), check=False)
    assert ended.returncode == 6


@pytest.mark.parametrize("forced", ["none", "docker"])
def test_no_way_is_told_with_the_variable_that_forbids_it(
    forced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_SANDBOX", forced)

    assert found_way() is None
    assert "PENSTOCK_SANDBOX" in why_none() and f"'{forced}'" in why_none()
    ended = subprocess.run(enclose(Sandbox((), "/"), ["true"]), capture_output=True, check=False)
    assert ended.returncode == 125
    assert ended.stderr.decode() == f"penstock: sandbox: {why_none()}\n"


def test_a_machine_that_refuses_namespaces_has_no_way_and_says_what_it_refused() -> None:
    unshare = shutil.which("unshare")
    limit = 'echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_pid_namespaces && exec "$@"'
    asked = "from penstock.runtime.sandbox import *; print(found_way(), '|', why_none())"
    # The limits hold for the user namespace that they are written in, which ends with the command.
    argv = [str(unshare), "-Ur", "sh", "-c", limit, "sh", sys.executable, "-c", asked]
    if not unshare or subprocess.run([unshare, "-Ur", "true"], capture_output=True, check=False).returncode:
        pytest.skip("there is no user namespace to refuse more of them in")

    ended = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert ended.stdout.startswith("None | ")
    assert "namespaces: this machine does not let us" in ended.stdout, ended.stderr


def test_kernels_without_the_recursive_call_give_the_same_view(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    if place.way != "namespaces":
        pytest.skip("bubblewrap has its own way")
    require("namespaces", monkeypatch)
    job = place.made("job \t\\ü")
    sandbox = Sandbox((Mount(job, "/opt/ml"), Mount(job, "/in", read_only=True)), "/opt/ml", way=place.way)
    script = ": > made; ls /in; for each in /usr /etc /sys/fs/cgroup /in /; do (: > $each/x) && echo $each; done; :"
    argv = place.argv(sandbox, ["sh", "-c", script])
    argv[4] = argv[4].replace("\nmain()\n", NO_NEW_CALL)

    ended = place.end(argv)

    assert (ended.code, ended.out) == (0, "made\n")
    assert ended.err.count("Read-only") + ended.err.count("denied") == 5
    assert [each.name for each in job.iterdir()] == ["made"]


def test_a_host_s_proc_serves_where_a_fresh_one_is_refused(place: Place) -> None:
    sandbox = Sandbox((), "/", way=place.way)
    argv = ways._enclose(  # pyright: ignore[reportPrivateUsage]
        sandbox, ["sh", "-c", "cat /proc/self/comm; : > /proc/sys/vm/swappiness"], place.way, False
    )
    if place.who == "ordinary":
        argv[0] = place.python()

    ended = place.end(argv)

    assert (ended.code, ended.out) == (2, "cat\n")
