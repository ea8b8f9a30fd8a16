from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.sandbox.description import Mount, Sandbox, SandboxFault
from penstock.runtime.sandbox.operations import Bind, Folder, Link, Plan, Point, ReadOnly, Tmpfs
from penstock.runtime.sandbox.plan import make_plan

NAMES = st.sampled_from(["opt", "ml", "in", "usr", "home", "tmp", "a b", "ü", "new"])
TARGETS = st.lists(NAMES, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))


def planned(*mounts: Mount, keep: tuple[Path, ...] = ()) -> Plan:
    return make_plan(Sandbox(mounts, "/", keep))


def bound_at(plan: Plan, target: str) -> list[Bind]:
    return [each for each in plan.operations if isinstance(each, Bind) and each.target == target]


def test_a_plan_begins_with_an_empty_root_and_ends_with_a_closed_one() -> None:
    plan = planned()

    assert plan.operations[0] == Tmpfs("/")
    assert plan.operations[-1] == ReadOnly("/")
    assert plan.points == ()


def test_folders_of_the_root_are_bound_and_links_made_again() -> None:
    plan = planned()

    assert bound_at(plan, "/etc") == [Bind(Path("/etc"), "/etc", optional=True)]
    links = [each for each in os.listdir("/") if os.path.islink(f"/{each}")]
    made = {each.target: each.points_to for each in plan.operations if isinstance(each, Link)}
    assert {name: made[f"/{name}"] for name in links} == {name: os.readlink(f"/{name}") for name in links}


def test_only_the_folder_that_must_gain_an_entry_is_shadowed(tmp_path: Path) -> None:
    plan = planned(Mount(tmp_path, "/usr/local/thing"))

    assert bound_at(plan, "/usr") == [Bind(Path("/usr"), "/usr", optional=True)]
    assert Tmpfs("/usr/local") in plan.operations and ReadOnly("/usr/local") in plan.operations
    assert bound_at(plan, "/usr/local/bin") == [Bind(Path("/usr/local/bin"), "/usr/local/bin", optional=True)]
    assert bound_at(plan, "/usr/local/thing") == [Bind(tmp_path, "/usr/local/thing", "write")]


def test_a_mount_over_what_is_there_shadows_nothing(tmp_path: Path) -> None:
    plan = planned(Mount(tmp_path, "/usr/local/lib", read_only=True))

    assert Tmpfs("/usr/local") not in plan.operations
    assert bound_at(plan, "/usr/local/lib") == [Bind(tmp_path, "/usr/local/lib")]


def test_what_a_writable_mount_lacks_becomes_a_point_with_all_folders_on_the_way(tmp_path: Path) -> None:
    job, data = tmp_path / "job", tmp_path / "data"
    job.mkdir()
    data.mkdir()

    plan = planned(Mount(job, "/opt/ml"), Mount(data, "/opt/ml/input/data"))

    assert plan.points == (Point("folder", job / "input"), Point("folder", job / "input" / "data"))
    assert list(job.iterdir()) == []


def test_links_in_a_mount_lead_where_they_lead_inside(tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    (job / "out").symlink_to("/data/out")

    plan = planned(Mount(job, "/opt/ml"), Mount(tmp_path, "/opt/ml/out/deep"))

    assert Folder("/data/out") in plan.operations
    assert len(bound_at(plan, "/data/out/deep")) == 1


def test_links_in_a_circle_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(SandboxFault, match="in a circle"):
        planned(Mount(tmp_path, "/job"), Mount(tmp_path, "/job/a/x"))
    with pytest.raises(SandboxFault, match="cannot be shown"):
        planned(Mount(tmp_path / "a", "/job"))


def test_a_kept_path_that_nothing_hides_costs_nothing() -> None:
    assert planned(keep=(Path("/usr/bin"), Path("/usr/lib"), Path("/etc/hostname"))) == planned()


def test_a_kept_link_stays_that_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    plan = planned(keep=(tmp_path / "link",))

    assert Link("real", str(tmp_path / "link")) in plan.operations


def test_the_home_of_the_user_is_empty_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    private = planned()
    monkeypatch.setenv("HOME", "/usr/share")
    system = planned()

    assert Folder(str(tmp_path)) in private.operations
    assert Tmpfs("/usr/share") not in system.operations


@given(st.lists(TARGETS, max_size=4), st.booleans())
def test_whatever_is_mounted_each_target_gets_its_source_unless_a_later_one_hides_it(
    tmp_path_factory: pytest.TempPathFactory, targets: list[str], read_only: bool
) -> None:
    source = tmp_path_factory.getbasetemp()
    mounts = [Mount(source, each, read_only) for each in targets]

    plan = planned(*mounts)

    for place, target in enumerate(targets):
        later = targets[place + 1 :]
        hidden = any(f"{target}/".startswith(f"{each}/") for each in later)
        shadowed = read_only and any(each.startswith(f"{target}/") for each in later)
        if not hidden and not shadowed:
            found = [(each.source, each.access) for each in bound_at(plan, target)]
            assert found == [(source.resolve(), "read" if read_only else "write")]


@given(st.lists(TARGETS, max_size=4), st.booleans())
def test_nothing_is_laid_twice_or_over_something_that_must_be_seen(
    tmp_path_factory: pytest.TempPathFactory, targets: list[str], read_only: bool
) -> None:
    source = tmp_path_factory.getbasetemp()

    plan = planned(*(Mount(source, each, read_only) for each in targets))

    laid: set[str] = set()
    for each in plan.operations:
        if not isinstance(each, ReadOnly):
            assert not any(f"{other}/".startswith(f"{each.target.rstrip('/')}/") for other in laid)
            laid.add(each.target)
