from __future__ import annotations

import subprocess
import sys

import pytest


def loaded(script: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {each.partition(".")[0] for each in ran.stdout.split()} | {
        each for each in ran.stdout.split() if each.startswith("penstock.")
    }


def test_importing_penstock_loads_nothing_of_it() -> None:
    assert {each for each in loaded("import penstock") if each.startswith("penstock.")} == set()


@pytest.mark.parametrize(
    "script",
    [
        "import penstock as ps\np = ps.Pipeline('a')\np.command('one', run='x')",
        "import penstock as ps\n@ps.step\ndef f(a: ps.File, b: ps.Output[ps.Model]) -> ps.Metrics: ...",
    ],
)
def test_writing_a_pipeline_loads_no_models(script: str) -> None:
    assert not loaded(script) & {"pydantic", "rich", "click", "sqlite3"}


def test_every_public_name_is_there() -> None:
    import penstock

    assert [name for name in penstock.__all__ if getattr(penstock, name, None) is None] == []
    assert sorted(penstock.__all__) == penstock.__all__
