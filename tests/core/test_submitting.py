from __future__ import annotations

import sys
from pathlib import Path

import pytest

import penstock
from penstock.errors import RunError
from penstock.submitting import submitter_of

SPEC = Path(__file__).parents[2] / "specs" / "tumour" / "pipeline.yaml"


@pytest.mark.parametrize("target", ["local", "azureml"])
def test_what_takes_no_submissions_is_told(target: str) -> None:
    with pytest.raises(RunError) as caught:
        submitter_of(target)

    (found,) = caught.value.diagnostics
    assert found.code == "P450"


def test_a_client_library_that_is_missing_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sagemaker", None)

    with pytest.raises(RunError) as caught:
        penstock.compile(SPEC, "sagemaker").to_sdk()

    (found,) = caught.value.diagnostics
    assert found.code == "P451"
    assert "pip install 'penstock[sagemaker]'" in found.hint
