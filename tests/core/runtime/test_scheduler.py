"""The scheduler alone, over steps that are functions: order, bounds, failures, stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.scheduler import default_jobs, run_steps

Do = Callable[[str], StepStatus]


class Steps:
    """Steps that do what `do` says; those in `decided` are settled without running."""

    def __init__(self, do: Do, decided: Mapping[str, StepStatus] | None = None) -> None:
        self.do = do
        self.decided = decided or {}
        self.shut: dict[str, StepRecord] = {}
        self.asked: list[str] = []
        self.begun: list[str] = []
        self.saved: list[list[StepRecord]] = []
        self.running = self.most = 0
        self.lock = threading.Lock()

    def pending(self, name: str) -> StepRecord:
        return StepRecord("run", name)

    def closed(self, name: str) -> StepRecord | None:
        return self.shut.get(name)

    def decide(self, name: str) -> StepRecord | None:
        self.asked.append(name)
        return replace(self.pending(name), status=self.decided[name]) if name in self.decided else None

    def execute(self, name: str) -> StepRecord:
        with self.lock:
            self.begun.append(name)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            return replace(self.pending(name), status=self.do(name))
        finally:
            with self.lock:
                self.running -= 1

    def save(self, records: Sequence[StepRecord]) -> None:
        self.saved.append(list(records))

    def run(
        self, needs: Mapping[str, Sequence[str]], jobs: int = 2, stop: threading.Event | None = None
    ) -> dict[str, str]:
        found = run_steps(needs, self, jobs=jobs, stop=stop or threading.Event())
        assert {each.name for batch in self.saved for each in batch} == set(needs)
        return {name: str(each.status) for name, each in found.items()}


def well(name: str) -> StepStatus:
    return StepStatus.SUCCEEDED


def test_a_run_that_is_to_go_on_starts_whatever_needs_nothing_that_failed() -> None:
    needs = {"bad": [], "behind": ["bad"], "further": ["behind"], "aside": [], "last": ["aside"]}
    steps = Steps(lambda name: StepStatus.FAILED if name == "bad" else StepStatus.SUCCEEDED)

    found = run_steps(needs, steps, jobs=1, stop=threading.Event(), go_on=True)

    assert {name: str(each.status) for name, each in found.items()} == {
        "bad": "failed",
        "behind": "upstream_failed",
        "further": "upstream_failed",
        "aside": "succeeded",
        "last": "succeeded",
    }


def test_every_step_runs_once_after_what_it_needs() -> None:
    steps = Steps(well)

    states = steps.run({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c", "b"]})

    assert set(states.values()) == {"succeeded"}
    assert steps.begun[0] == "a" and steps.begun[-1] == "d" and len(steps.begun) == 4


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data(), size=st.integers(0, 25), jobs=st.integers(1, 6))
def test_any_graph_runs_in_order_within_its_bound(data: st.DataObject, size: int, jobs: int) -> None:
    names = [f"s{number}" for number in range(size)]
    needs = {
        name: data.draw(st.lists(st.sampled_from(names[:number]), max_size=3)) if number else []
        for number, name in enumerate(names)
    }
    ends = data.draw(
        st.fixed_dictionaries(
            {name: st.sampled_from(["run", "run", "run", "skip", "fail"]) for name in names}
        )
    )
    steps = Steps(
        lambda name: StepStatus.FAILED if ends[name] == "fail" else StepStatus.SUCCEEDED,
        {name: StepStatus.SKIPPED for name in names if ends[name] == "skip"},
    )

    states = steps.run(needs, jobs)

    assert steps.most <= jobs
    assert set(states) == set(names)
    assert len(steps.begun) == len(set(steps.begun))
    for position, name in enumerate(steps.begun):
        before = set(steps.begun[:position])
        assert all(need in before or states[need] == "skipped" for need in needs[name])
        assert all(states[need] in ("succeeded", "skipped") for need in needs[name])
    for name in names:
        bad = [need for need in needs[name] if states[need] in ("failed", "upstream_failed")]
        assert (states[name] == "upstream_failed") == bool(bad)
    if "failed" not in states.values():
        assert set(states.values()) <= {"succeeded", "skipped"}


def test_after_a_failure_nothing_new_starts_and_what_runs_finishes() -> None:
    failed = threading.Event()

    def do(name: str) -> StepStatus:
        if name == "bad":
            failed.set()
            return StepStatus.FAILED
        failed.wait(5)
        time.sleep(0.1)
        return StepStatus.SUCCEEDED

    states = Steps(do).run(
        {"slow": [], "bad": [], "later": ["slow"], "blocked": ["bad"], "deeper": ["blocked"]}
    )

    assert states == {
        "slow": "succeeded",
        "bad": "failed",
        "later": "pending",
        "blocked": "upstream_failed",
        "deeper": "upstream_failed",
    }


def test_a_failure_that_is_decided_stops_the_rest_too() -> None:
    steps = Steps(well, {"bad": StepStatus.FAILED})

    assert steps.run({"bad": [], "other": []}) == {"bad": "failed", "other": "pending"}
    assert steps.begun == []


def test_a_stop_keeps_new_steps_from_starting() -> None:
    stop = threading.Event()

    def do(name: str) -> StepStatus:
        stop.set()
        return StepStatus.STOPPED

    steps = Steps(do)

    assert steps.run({"a": [], "b": [], "c": ["a"]}, 1, stop) == {
        "a": "stopped",
        "b": "pending",
        "c": "upstream_failed",
    }


def test_decisions_are_saved_together_and_before_what_follows_begins() -> None:
    decided = {f"hit{number}": StepStatus.SUCCEEDED for number in range(50)}
    steps = Steps(well, decided)

    steps.run({**{name: [] for name in decided}, "last": list(decided)})

    assert [len(batch) for batch in steps.saved] == [50, 1]


def test_a_wide_graph_is_not_asked_again_and_again() -> None:
    names = [f"s{number}" for number in range(200)]
    steps = Steps(well)

    steps.run({name: [] for name in names}, 2)

    assert len(steps.asked) < 5 * len(names)


@pytest.mark.parametrize("method", ["decide", "execute", "save"])
def test_what_breaks_comes_out_and_leaves_no_thread(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(well)
    stop = threading.Event()

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(steps, method, broken)
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        run_steps({"a": [], "b": []}, steps, jobs=2, stop=stop)

    assert stop.is_set()
    assert threading.active_count() == before


def test_no_steps_are_no_fault() -> None:
    assert Steps(well).run({}) == {}


def test_as_many_steps_at_once_as_this_process_has_cores() -> None:
    assert default_jobs() >= 1


def test_a_step_that_came_too_late_is_skipped_where_its_condition_is_known() -> None:
    steps = Steps(lambda name: StepStatus.FAILED if name == "stop" else StepStatus.SUCCEEDED)
    steps.shut["closed"] = replace(steps.pending("closed"), status=StepStatus.SKIPPED)

    found = steps.run({"stop": [], "late": [], "closed": []}, jobs=1)

    assert found == {"stop": "failed", "late": "pending", "closed": "skipped"}
    assert steps.begun == ["stop"]
