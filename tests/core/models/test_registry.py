from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen

import pytest

from penstock.models.registry import Approval, ModelRegistry, ModelVersion
from penstock.runtime.ledger import Ledger, LedgerError

DIGEST = "d" * 64
LINEAGE = {"run": "20261123-142501-4f2a", "step": "train", "code": {"train": "c" * 64}}


@pytest.fixture
def models(tmp_path: Path) -> Iterator[ModelRegistry]:
    with ModelRegistry.open(tmp_path / "ledger.db") as opened:
        yield opened


def register(models: ModelRegistry, fingerprint: str, name: str = "tumour") -> ModelVersion:
    version, _ = models.register(name, DIGEST, fingerprint, now=1.0)
    return version


def test_a_version_comes_back_as_it_was_registered(models: ModelRegistry) -> None:
    version, new = models.register(
        "tumour",
        DIGEST,
        "f1",
        metrics={"recall": 0.97, "by class": [1, 2]},
        lineage=LINEAGE,
        serving={"entry": "inference.py"},
        description="naïve trees",
        tags={"domain": "health"},
        now=12.5,
    )

    assert new
    assert version == ModelVersion(
        "tumour",
        1,
        DIGEST,
        {"recall": 0.97, "by class": [1, 2]},
        Approval.PENDING,
        LINEAGE,
        {"entry": "inference.py"},
        "naïve trees",
        {"domain": "health"},
        12.5,
    )
    assert models.get("tumour", 1) == version
    assert json.loads(json.dumps(version.to_json()))["approval"] == "pending"
    assert models.decisions("tumour") == ()


def test_the_same_model_code_and_data_give_the_same_version(models: ModelRegistry) -> None:
    first = register(models, "f1")
    models.approve("tumour", 1, by="ana")

    again, new = models.register(
        "tumour", DIGEST, "f1", metrics={"recall": 0.1}, approval=Approval.REJECTED, now=99.0
    )

    assert not new
    assert (again.version, again.metrics, again.created) == (1, {}, first.created)
    assert again.approval is Approval.APPROVED


def test_another_model_or_another_making_is_another_version(models: ModelRegistry) -> None:
    register(models, "f1")

    made = [
        models.register("tumour", "e" * 64, "f1"),
        models.register("tumour", DIGEST, "f2"),
        models.register("churn", DIGEST, "f1"),
    ]

    assert [(each.name, each.version, new) for each, new in made] == [
        ("tumour", 2, True),
        ("tumour", 3, True),
        ("churn", 1, True),
    ]


def test_an_approval_at_registration_is_recorded(models: ModelRegistry) -> None:
    version, _ = models.register("tumour", DIGEST, "f1", approval=Approval.APPROVED, by="nightly", now=5.0)

    assert (version.approval, version.decided_by, version.decided_at) == ("approved", "nightly", 5.0)
    assert [each.decided_by for each in models.decisions("tumour", 1)] == ["nightly"]


def test_every_decision_is_kept_and_the_last_one_holds(models: ModelRegistry) -> None:
    register(models, "f1")

    models.reject("tumour", 1, "recall too low", by="ana", now=2.0)
    decided = models.approve("tumour", "latest", "after the audit", by="ben", now=3.0)

    assert decided == models.get("tumour")
    assert (decided.approval, decided.decided_by, decided.decided_at, decided.comment) == (
        "approved",
        "ben",
        3.0,
        "after the audit",
    )
    assert [
        (each.approval.value, each.decided_by, each.decided_at, each.comment)
        for each in models.decisions("tumour", 1)
    ] == [("rejected", "ana", 2.0, "recall too low"), ("approved", "ben", 3.0, "after the audit")]


def test_the_current_user_decides_unless_another_is_named(
    models: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(models, "f1")
    assert models.approve("tumour", 1).decided_by == getpass.getuser()

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert models.reject("tumour", 1).decided_by == f"uid {os.getuid()}"


def test_versions_are_got_by_number_latest_and_approved(models: ModelRegistry) -> None:
    for number in range(1, 5):
        register(models, f"f{number}")
    for number in (1, 3, 2):
        models.approve("tumour", number, by="ana")
    models.reject("tumour", 3, by="ana")

    assert [each.version for each in models.versions("tumour")] == [4, 3, 2, 1]
    asked: list[int | str] = [2, "2", "v2", "latest", "approved"]
    assert [models.get("tumour", each).version for each in asked] == [2, 2, 2, 4, 2]
    assert models.get("tumour").version == 4


def test_models_are_listed_by_name(models: ModelRegistry) -> None:
    assert models.list_models() == ()
    register(models, "f1", "tumour")
    register(models, "f2", "tumour")
    models.approve("tumour", 1, by="ana")
    register(models, "f1", "churn")

    listed = models.list_models()

    assert [(each.name, each.versions, each.latest.version, each.approved) for each in listed] == [
        ("churn", 1, 1, None),
        ("tumour", 2, 2, 1),
    ]
    assert listed[1].latest == models.get("tumour", 2)


@pytest.mark.parametrize(
    ("name", "version", "message", "hint"),
    [
        ("tumor", "latest", "there is no model 'tumor'", "did you mean 'tumour'?"),
        ("tumor", 1, "there is no model 'tumor'", "did you mean 'tumour'?"),
        ("x", "approved", "there is no model 'x'", "models: churn, tumour"),
        ("tumour", 3, "'tumour' has no version '3'", "there are 1 to 2, `latest` and `approved`"),
        (
            "tumour",
            "lastest",
            "'tumour' has no version 'lastest'",
            "there are 1 to 2, `latest` and `approved`",
        ),
        ("tumour", -1, "'tumour' has no version '-1'", "there are 1 to 2, `latest` and `approved`"),
        ("churn", 10**30, f"'churn' has no version '{10**30}'", "there is version 1"),
        (
            "tumour",
            "approved",
            "no version of 'tumour' is approved",
            "`penstock models approve tumour VERSION` approves one",
        ),
    ],
)
def test_what_the_registry_does_not_have_is_told_with_what_it_has(
    models: ModelRegistry, name: str, version: int | str, message: str, hint: str
) -> None:
    register(models, "f1")
    register(models, "f2")
    register(models, "f1", "churn")

    for call in (models.get, models.approve, models.reject):
        with pytest.raises(LedgerError) as raised:
            call(name, version)
        (found,) = raised.value.diagnostics
        assert (found.code, found.message, found.hint) == ("P486", message, hint)
    assert models.decisions("tumour") == ()


def test_the_versions_of_an_unknown_model_are_told_to_be_missing(models: ModelRegistry) -> None:
    with pytest.raises(LedgerError, match="there is no model 'tumour'") as raised:
        models.versions("tumour")

    assert raised.value.diagnostics[0].hint == "there are no models"


def test_the_registry_shares_the_ledger_s_file(tmp_path: Path, models: ModelRegistry) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        register(ModelRegistry(ledger.database), "f1")

    assert models.get("tumour").version == 1


REGISTERS = """
import sys
from pathlib import Path
from penstock.models.registry import ModelRegistry
with ModelRegistry.open(Path(sys.argv[1])) as models:
    for number in range(20):
        models.register("tumour", "d" * 64, f"own {sys.argv[2]} {number}")
        models.register("tumour", "d" * 64, f"shared {number}")
"""


def test_versions_rise_without_gaps_when_processes_register_at_once(
    tmp_path: Path, models: ModelRegistry
) -> None:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", REGISTERS, str(tmp_path / "ledger.db")]
    with ExitStack() as stack:
        processes = [stack.enter_context(Popen([*arguments, name], env=environ)) for name in "abc"]

    assert [each.returncode for each in processes] == [0, 0, 0]
    assert [each.version for each in models.versions("tumour")] == list(range(80, 0, -1))
