import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from penstock_aws.sagemaker import snapshot

TYPES = {"boolean", "float", "integer", "list", "long", "map", "string", "structure", "timestamp"}


def installed() -> str:
    try:
        return version("botocore")
    except PackageNotFoundError:
        return "none"


def test_the_file_is_what_the_installed_botocore_gives() -> None:
    kept = snapshot.load().botocore
    if installed() != kept:
        pytest.skip(f"the snapshot is of botocore {kept}, installed is {installed()}")

    assert snapshot.render(snapshot.take()) == snapshot.FILE.read_text("utf-8")


def test_rendering_a_snapshot_and_parsing_it_gives_it_back() -> None:
    assert snapshot.Snapshot(**json.loads(snapshot.render(snapshot.load()))) == snapshot.load()


def test_every_name_in_the_file_leads_to_a_shape_of_a_known_type() -> None:
    kept = snapshot.load()

    named = {*kept.requests.values(), *kept.responses.values()}
    for shape in kept.shapes.values():
        named |= {
            *shape.get("members", {}).values(),
            *(shape[key] for key in ("member", "key", "value") if key in shape),
        }

    assert named == set(kept.shapes)
    assert {shape["type"] for shape in kept.shapes.values()} == TYPES


def test_the_file_has_the_constraints_and_no_documentation() -> None:
    kept = snapshot.load().shapes

    assert "ml.m5.xlarge" in kept["ProcessingInstanceType"]["enum"]
    assert kept["ContainerEntrypointString"]["max"] == 256
    assert kept["CreateTrainingJobRequest"]["required"][0] == "TrainingJobName"
    assert not any("documentation" in shape for shape in kept.values())
    assert snapshot.FILE.stat().st_size < 150_000


def test_checking_a_definition_loads_no_sdk_and_no_model_library() -> None:
    heavy = ["boto3", "botocore", "pydantic", "yaml", "rich"]
    program = (
        "import sys; from penstock_aws.sagemaker.validation import validate; "
        "assert validate({'Steps': [{'Name': 'a', 'Type': 'Processing', 'Arguments': {}}]}); "
        f"print([each for each in {heavy} if each in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
