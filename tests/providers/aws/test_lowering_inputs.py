"""Where inputs come from and under which paths steps find them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sagemaker_for_tests import compiled, excerpts, refused

AT = """
datasets: {d: {type: %s, uri: "s3://b/d"}}
steps:
  a:
    kind: %s
    run: use ${{ inputs.d }}%s
    inputs: {d: {value: "${{ datasets.d }}", at: "/srv/in put"}}
%s
"""
MADE = "    outputs: {m: model}"


def test_an_input_at_a_fixed_path(tmp_path: Path) -> None:
    folder = compiled(tmp_path, AT % ("folder", "command", "", ""))
    file = compiled(tmp_path, AT % ("file", "command", "", ""))
    channel = compiled(tmp_path, AT % ("folder", "train", " ${{ outputs.m }}", MADE))

    assert folder.arguments("a")["ProcessingInputs"][0]["S3Input"]["LocalPath"] == "/srv/in put"
    assert "ln -sfn" not in folder.scripts()
    assert "ln -sfn /tmp/penstock/d/d '/srv/in put'" in file.scripts()
    assert "ln -sfn /opt/ml/input/data/d '/srv/in put'" in channel.scripts()


def test_a_packed_model_is_not_unpacked(tmp_path: Path) -> None:
    text = """
    steps:
      t: {kind: train, run: "fit ${{ outputs.m }}", outputs: {m: model}}
      u: {run: "use ${{ inputs.m }}", inputs: {m: {value: "${{ steps.t.outputs.m }}", packed: %s}}}
    """
    packed, plain = (compiled(tmp_path, text % each) for each in ("true", "false"))

    assert packed.bundle.launcher == ()
    assert packed.arguments("u")["AppSpecification"]["ContainerArguments"] == [
        "/opt/ml/processing/input/m/model.tar.gz"
    ]
    assert [each.reason for each in plain.bundle.launcher] == ["input m: unpacks an archive"]


def test_a_folder_of_a_processing_job_is_not_to_be_had_packed(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        """
        steps:
          a: {run: "make ${{ outputs.m }}", outputs: {m: model}}
          b: {run: "use ${{ inputs.m }}", inputs: {m: {value: "${{ steps.a.outputs.m }}", packed: true}}}
        """,
    )

    assert [each[:4] for each in excerpts(found, "P321")] == ["true"]


def test_outputs_whose_names_begin_alike_do_not_travel_together(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        steps:
          a: {run: "make ${{ outputs.train }} ${{ outputs.train_y }}", outputs: {train: folder, train_y: folder}}
        """,
    )
    outputs = found.arguments("a")["ProcessingOutputConfig"]["Outputs"]
    addresses = ["/".join(map(str, each["S3Output"]["S3Uri"]["Std:Join"]["Values"])) for each in outputs]

    # Keys below the second must not begin with the address of the first.
    assert not f"{addresses[1]}/part".startswith(addresses[0])


HOSTILE = """
steps:
  a:
    run: echo ${{ inputs.i }}
    inputs:
      i: "%s"
"""


@pytest.mark.parametrize("literal", ["a\\nb", "a\\rb", "x" * 257])
def test_a_literal_that_an_argument_cannot_hold_is_refused_at_its_place(tmp_path: Path, literal: str) -> None:
    assert [each[:1] for each in excerpts(refused(tmp_path, HOSTILE % literal), "P393")] == ['"']


def test_a_literal_of_256_characters_is_taken(tmp_path: Path) -> None:
    assert compiled(tmp_path, HOSTILE % ("x" * 256)).arguments("a")["AppSpecification"][
        "ContainerArguments"
    ] == ["x" * 256]
