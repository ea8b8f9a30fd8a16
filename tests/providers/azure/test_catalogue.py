from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.ir import Compute
from penstock_azure.azureml.catalogue import pick, sizes


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        (Compute(cpu=2, memory=8192), "Standard_D2s_v3"),
        (Compute(cpu=4, memory=16384), "Standard_D4s_v3"),
        (Compute(cpu=4), "Standard_F4s_v2"),
        (Compute(cpu=2, memory=16384), "Standard_E2s_v3"),
        (Compute(gpu=1), "Standard_NC4as_T4_v3"),
        (Compute(cpu=10_000), ""),
        (Compute(gpu=1000), ""),
    ],
)
def test_the_cheapest_that_suffices_is_picked(asked: Compute, size: str) -> None:
    assert pick(asked) == size


@given(st.floats(0, 128), st.integers(0, 1 << 20), st.integers(0, 8))
def test_what_is_picked_has_enough_and_nothing_before_it_has(cpu: float, memory: int, gpu: int) -> None:
    def suffices(name: str) -> bool:
        each = known[name]
        enough = each["cpu"] >= cpu and each["memory"] * 1024 >= memory and each["gpu"] >= gpu
        return enough and bool(each["gpu"]) == bool(gpu)

    known = {each["name"]: each for each in sizes()}
    chosen = pick(Compute(cpu=cpu, memory=memory, gpu=gpu))

    cheaper = list(known)[: list(known).index(chosen)] if chosen else list(known)
    assert not any(map(suffices, cheaper))
    assert not chosen or suffices(chosen)


def test_names_are_unique() -> None:
    names = [each["name"] for each in sizes()]
    assert len(names) == len(set(names))
