from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.providers.aws.submission.test_filling import DEV, TUMOUR

import penstock
from penstock.documents import read_bundle
from penstock.errors import RunError
from penstock.runtime.hashing import StatIndex
from penstock_aws.submission.contents import Content, contents
from penstock_aws.submission.filling import filled


def bytes_of(content: Content) -> bytes:
    return Path(content.path).read_bytes() if content.path else content.body


def test_every_address_of_the_definition_gets_its_objects() -> None:
    whole = filled(penstock.compile(TUMOUR, "sagemaker"), DEV)

    objects, addresses = contents(whole, {}, StatIndex(None))

    assert addresses == {}
    assert any(each.key.endswith("/code/prepare.py") for each in objects)
    for each in objects:
        assert hashlib.sha256(bytes_of(each)).hexdigest() == each.digest
        assert len(bytes_of(each)) == each.size
        assert each.bucket == "my-ml" and each.key.startswith("teams/churn/tumour-classifier/assets/")


def test_a_bundle_from_its_folder_sends_the_same_objects_as_the_spec(tmp_path: Path) -> None:
    bundle = penstock.compile(TUMOUR, "sagemaker")
    bundle.write(tmp_path / "bundle")

    def sent(each: penstock.Bundle) -> set[tuple[str, str]]:
        objects, _ = contents(filled(each, DEV), {}, StatIndex(None))
        return {(one.address, one.digest) for one in objects}

    assert sent(read_bundle(tmp_path / "bundle")) == sent(bundle)


def test_data_of_this_machine_gets_an_address_by_its_content(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n")
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.png").write_bytes(b"1")
    (folder / "link.png").symlink_to("deep/one.png")
    whole = filled(penstock.compile(TUMOUR, "sagemaker"), DEV)
    given = {"rows": str(rows), "images": str(folder), "far": "s3://elsewhere/x"}

    objects, addresses = contents(whole, given, StatIndex(None))

    digest = hashlib.sha256(b"a,b\n").hexdigest()
    assert addresses["rows"] == f"s3://my-ml/teams/churn/tumour-classifier/data/{digest[:16]}/rows.csv"
    assert addresses["far"] == "s3://elsewhere/x"
    below = [each.address for each in objects if each.address.startswith(addresses["images"])]
    assert sorted(below) == [f"{addresses['images']}/deep/one.png", f"{addresses['images']}/link.png"]


def test_code_that_changed_since_it_was_compiled_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "work.py").write_text("print(1)\n")
    (tmp_path / "pipeline.yaml").write_text(
        "penstock: v1\nkind: pipeline\nname: one\nsteps: {work: {run: python work.py, code: src}}\n"
    )
    bundle = penstock.compile(tmp_path / "pipeline.yaml", "sagemaker")
    (tmp_path / "src" / "work.py").write_text("print(2)\n")

    with pytest.raises(RunError) as fault:
        contents(filled(bundle, DEV), {}, StatIndex(None))

    assert [each.code for each in fault.value.diagnostics] == ["P459"]


@pytest.mark.parametrize(
    "given", ["s3://", "s3:///key", "S3://lab/cells.csv", "file:///cells.csv", "azureml://cells"]
)
def test_an_address_that_the_service_cannot_read_is_refused(given: str) -> None:
    whole = filled(penstock.compile(TUMOUR, "sagemaker"), DEV)

    with pytest.raises(RunError, match="P408"):
        contents(whole, {"cells": given}, StatIndex(None))
