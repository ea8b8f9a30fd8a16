from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.core.runtime.sandbox.sandboxes_for_tests import Ended, Place

from penstock.runtime.sandbox import Mount

ODD = "a b\tc\nd'\"\\ü 0"


def test_what_is_written_in_a_mount_lands_in_the_host_s_folder_and_belongs_to_the_caller(
    place: Place,
) -> None:
    job = place.made("job")

    ended = place.run("echo hello > note; pwd", Mount(job, "/opt/ml"), cwd="/opt/ml")

    assert (ended.code, ended.out, ended.err) == (0, "/opt/ml\n", "")
    assert (job / "note").read_text() == "hello\n"
    assert (job / "note").stat().st_uid == (os.geteuid() if place.who == "caller" else 65534)


@pytest.mark.parametrize(
    "target",
    [
        "/opt/ml",
        "/data/in/deep",
        "/usr/local/thing",
        "/usr/thing",
        "/etc/thing",
        "/var/lib/thing/deep",
        "/home/user/project",
        "/root/project",
        "/tmp/thing",
        "/dev/shm",
        "/opt/../mnt/./thing/",
        f"/opt/{ODD}",
    ],
)
def test_a_target_may_lie_anywhere_and_leaves_nothing_on_the_host(place: Place, target: str) -> None:
    job = place.made(ODD)
    before = Path(os.path.normpath(target)).exists()
    beside = [sorted(os.listdir(each)) for each in ("/", "/opt", "/usr", "/usr/local", "/etc", "/var/lib")]

    ended = place.run(["sh", "-c", 'echo x > "$0/made"; ls "$0/.."', target], Mount(job, target))

    assert (ended.code, ended.err) == (0, "")
    assert os.listdir(job) == ["made"]
    assert Path(os.path.normpath(target)).exists() == before
    now = [sorted(os.listdir(each)) for each in ("/", "/opt", "/usr", "/usr/local", "/etc", "/var/lib")]
    assert now == beside


@pytest.mark.sampled(2)
def test_what_a_shadowed_folder_had_is_still_there(place: Place) -> None:
    listed = "for each in / /usr /usr/local /usr/bin; do ls $each; done"
    job = place.made("job")
    plain = place.run(listed).out

    ended = place.run(listed, Mount(job, "/usr/local/thing"), Mount(job, "/usr/bin/thing"))

    gained = sorted(ended.out.splitlines())
    assert gained == sorted([*plain.splitlines(), "thing", "thing"])
    assert place.run("python3 -V; test -L /bin/sh -o -x /bin/sh").code == 0


@pytest.mark.parametrize(
    "path", ["/x", "/usr/x", "/etc/x", "/home/x", "/root/x", "/opt/x", "/dev/x", "/run/x"]
)
def test_the_root_cannot_be_written(place: Place, path: str) -> None:
    ended = place.run(f": > {path}", Mount(place.made("job"), "/opt/ml"))

    assert ended.code == 2
    assert "Read-only" in ended.err or "Permission denied" in ended.err


def test_mounts_of_the_host_below_the_root_cannot_be_written_either(place: Place) -> None:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [each for each in points if each.startswith("/sys/")]

    ended = place.run(f"for each in /sys {' '.join(below)}; do mkdir $each/penstock && echo $each; done")

    assert ended.out == ""


def test_a_read_only_mount_can_be_read_and_not_written(place: Place) -> None:
    place.written("data/rows.csv", "1,2\n").parent.chmod(0o777)

    ended = place.run("cat rows.csv; : > new", Mount(place.folder / "data", "/in", read_only=True), cwd="/in")

    assert (ended.code, ended.out) == (2, "1,2\n")
    assert os.listdir(place.folder / "data") == ["rows.csv"]


def test_files_can_be_mounted_over_files_and_where_there_is_nothing(place: Place) -> None:
    text = place.written("text", "ours\n")
    text.chmod(0o666)

    ended = place.run(
        "cat /etc/passwd /opt/one/file; echo more >> /opt/one/file",
        Mount(text, "/etc/passwd", read_only=True),
        Mount(text, "/opt/one/file"),
    )

    assert (ended.code, ended.out) == (0, "ours\nours\n")
    assert text.read_text() == "ours\nmore\n"
    assert "ours" not in Path("/etc/passwd").read_text()


def test_a_later_mount_lies_over_an_earlier_one_and_all_that_lay_in_that(place: Place) -> None:
    old, deep, new = place.made("old"), place.made("deep"), place.made("new")
    (old / "in").mkdir()

    ended = place.run(
        "ls /opt/ml; : > /opt/ml/mark",
        Mount(old, "/opt/ml"),
        Mount(deep, "/opt/ml/in"),
        Mount(new, "/opt/ml"),
    )

    assert (ended.code, ended.out) == (0, "")
    assert [os.listdir(each) for each in (old, deep, new)] == [["in"], [], ["mark"]]


@pytest.mark.parametrize("there", [True, False])
def test_a_mount_below_a_writable_one_leaves_no_place_behind(place: Place, there: bool) -> None:
    job, data = place.made("job"), place.made("data")
    file = place.written("file", "text")
    (data / "rows").touch()
    if there:
        (job / "input" / "data").mkdir(parents=True)

    ended = place.run(
        "ls input/data; cat config/file; : > made",
        Mount(job, "/opt/ml"),
        Mount(data, "/opt/ml/input/data", read_only=True),
        Mount(file, "/opt/ml/config/file"),
        cwd="/opt/ml",
    )

    assert (ended.code, ended.out, ended.err) == (0, "rows\ntext", "")
    left = sorted(str(each.relative_to(job)) for each in job.rglob("*"))
    assert left == (["input", "input/data", "made"] if there else ["made"])


def test_a_place_that_the_command_filled_stays(place: Place) -> None:
    job, data = place.made("job"), place.made("data")

    place.run("echo 1 > /opt/ml/input/other", Mount(job, "/opt/ml"), Mount(data, "/opt/ml/input/data"))

    assert (job / "input" / "other").read_text() == "1\n"
    assert not (job / "input" / "data").exists()


def test_a_mount_below_a_read_only_one_needs_no_place_in_it(place: Place) -> None:
    data, more = place.made("data"), place.made("more")
    (data / "rows").touch()

    ended = place.run(
        "ls /in; : > /in/more/x; : > /in/y", Mount(data, "/in", read_only=True), Mount(more, "/in/more")
    )

    assert (ended.code, ended.out) == (2, "more\nrows\n")
    assert (os.listdir(data), os.listdir(more)) == (["rows"], ["x"])


def test_links_of_the_host_are_followed_on_the_way_to_a_target(place: Place) -> None:
    job = place.made("job")
    system = place.made("system")
    (system / "real").mkdir()
    (system / "link").symlink_to("real")

    ended = place.run(
        ": > /system/real/made/x; ls -l /system/link",
        Mount(system, "/system", read_only=True),
        Mount(job, "/system/link/made"),
    )

    assert ended.code == 0 and ended.out.rstrip().endswith("-> real")
    assert os.listdir(job) == ["x"]


def test_homes_and_temporary_folders_are_private_and_empty(place: Place) -> None:
    place.written("secret", "x")

    ended = place.run("ls -A /home /root /tmp /var/tmp; echo x > /tmp/y && cp /tmp/y /var/tmp/y && echo done")

    listed = {"/home:", "/root:", "/tmp:", "/var/tmp:", ""}
    homes = {Path.home().relative_to("/home").parts[0]} if Path.home().is_relative_to("/home") else set[str]()
    *seen, last = ended.out.splitlines()
    assert set(seen) <= listed | homes
    assert last == "done"
    assert not Path("/tmp/y").exists() and not Path("/var/tmp/y").exists()


def test_what_is_kept_shows_through_what_hides_it_read_only(place: Place) -> None:
    place.made("tools/bin")
    place.written("tools/bin/tool", "tool\n")
    (place.folder / "link").symlink_to("tools/bin")
    (place.folder / "tools").chmod(0o777)
    home = place.made("home")
    kept = (place.folder / "tools", place.folder / "link", place.folder / "missing")

    for mounts in ((), (Mount(home, "/tmp"),)):
        ended = place.run(f"cd {place.folder}; cat link/tool; ls; : > tools/x", *mounts, keep=kept)

        assert (ended.code, ended.out) == (2, "tool\nlink\ntools\n")
        assert list(home.iterdir()) == []


def test_a_mount_lies_over_what_is_kept_when_it_lies_in_it(place: Place) -> None:
    project = place.made("project")
    data = place.made("data")
    target = str(project / "data")

    ended = place.run(f": > {target}/x; ls {project}", Mount(data, target), keep=(project,))

    assert (ended.code, ended.out) == (0, "data\n")
    assert (os.listdir(project), os.listdir(data)) == ([], ["x"])


def test_the_few_devices_work(place: Place) -> None:
    script = """
        echo x > /dev/null && head -c 3 /dev/zero | wc -c && head -c 3 /dev/urandom | wc -c
        echo x > /dev/shm/y && cat /dev/shm/y && echo fd | cat /dev/stdin && test -e /dev/pts && ls -A /dev/shm
    """

    ended = place.run(script)

    assert (ended.code, ended.out.split()) == (0, ["3", "3", "x", "fd", "y"])
    assert not Path("/dev/shm/y").exists()


def test_terminals_can_be_opened(place: Place) -> None:
    script = "import os; a, b = os.openpty(); os.write(a, b'x'); print(os.ttyname(b).rpartition('/')[0])"

    ended = place.run(["/usr/bin/python3", "-c", script])

    assert (ended.code, ended.out) == (0, "/dev/pts\n")


def test_no_process_of_the_host_is_seen(place: Place) -> None:
    ended = place.run("ls /proc | grep -c '^[0-9]'")

    assert int(ended.out) <= 5


def test_the_machine_cannot_be_commanded_through_proc(place: Place) -> None:
    # What is written is what stands there.
    ended = place.run("cd /proc/sys/vm && found=$(cat swappiness) && echo $found > swappiness")

    assert ended.code == 2 and "cannot create" in ended.err


def test_the_command_has_no_descriptor_of_ours(place: Place) -> None:
    ended = place.run("ls /proc/self/fd", hosts=("somewhere",))

    # The last one is the listed folder's own.
    assert ended.out.split() == ["0", "1", "2", "3"]


def test_without_a_network_there_is_a_loopback_and_nothing_else(place: Place) -> None:
    script = """
        import socket, pathlib
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        print([line.split(":")[0].strip() for line in open("/proc/net/dev")][2:])
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=5)
        except OSError as fault:
            print(type(fault).__name__, fault.errno)
    """
    lines = "\n".join(line.removeprefix("        ") for line in script.splitlines())

    ended = place.run(["/usr/bin/python3", "-c", lines], network=False)

    assert (ended.code, ended.out, ended.err) == (0, "['lo']\nOSError 101\n", "")


def test_names_of_hosts_mean_this_machine_beside_those_of_the_host(place: Place) -> None:
    ended = place.run("cat /etc/hosts; getent ahostsv4 algo-2", hosts=("algo-1", "algo-2"))

    assert ended.out.startswith("127.0.0.1 localhost algo-1 algo-2\n" + Path("/etc/hosts").read_text())
    assert ended.out.splitlines()[-1].split()[0] == "127.0.0.1"


def test_the_machine_has_the_name_that_it_is_given_and_keeps_its_own_outside(place: Place) -> None:
    named = place.run("hostname; cat /proc/sys/kernel/hostname", hostname="algo-2", hosts=("algo-2",))
    unnamed = place.run("cat /proc/sys/kernel/hostname")

    assert (named.out, named.err) == ("algo-2\nalgo-2\n", "")
    assert unnamed.out == f"{os.uname().nodename}\n"


def test_nothing_gains_privileges_and_the_view_cannot_be_undone(place: Place) -> None:
    ended = place.run("grep NoNewPrivs /proc/self/status; umount /usr; mount -o remount,rw /; : > /usr/x")

    assert ended.out == "NoNewPrivs:\t1\n"
    assert ended.code == 2


def test_a_namespace_within_does_not_undo_the_view(place: Place) -> None:
    remounts = "umount /etc; mount -o remount,rw /usr; mount -o remount,bind,rw /usr"

    ended = place.run(f"unshare -rm sh -c '{remounts}; : > /usr/x'")

    assert ended.code != 0
    assert not Path("/usr/x").exists()


def test_several_processes_of_python_work_inside(place: Place) -> None:
    script = "from multiprocessing import Pool\nwith Pool(2) as pool: print(pool.map(abs, [-1, -2]))"

    ended = place.run(["/usr/bin/python3", "-c", script])

    assert (ended.code, ended.out, ended.err) == (0, "[1, 2]\n", "")


@pytest.mark.sampled(2)
def test_forty_at_once_do_not_disturb_each_other(place: Place) -> None:
    jobs = [place.made(str(number)) for number in range(40)]

    def run(job: Path) -> Ended:
        return place.run(f"echo {job.name} > /opt/ml/name", Mount(job, "/opt/ml"))

    with ThreadPoolExecutor(40) as pool:
        ended = list(pool.map(run, jobs))

    assert {(each.code, each.err) for each in ended} == {(0, "")}
    assert [(each / "name").read_text().strip() for each in jobs] == [each.name for each in jobs]


@pytest.mark.slow
@pytest.mark.sampled(1, rest="exhaustive")
def test_thousands_of_entries_can_be_shadowed(place: Place) -> None:
    data = place.made("data")
    for number in range(2000):
        (data / str(number)).touch()

    ended = place.run("ls /in | wc -l", Mount(data, "/in", read_only=True), Mount(data, "/in/more"))

    assert (ended.code, ended.out.strip(), ended.err) == (0, "2001", "")


def test_sources_below_a_home_or_a_project_that_is_not_on_the_root_file_system_work(place: Place) -> None:
    # /dev/shm is a file system of its own, and hidden inside.
    source = Path("/dev/shm", f"penstock-{place.folder.name}")
    source.mkdir(mode=0o777)
    try:
        source.chmod(0o777)

        ended = place.run(": > /opt/ml/x", Mount(source, "/opt/ml"))

        assert (ended.code, os.listdir(source)) == (0, ["x"])
    finally:
        for each in source.iterdir():
            each.unlink()
        source.rmdir()
