"""The SageMaker shapes that a pipeline definition is checked against, kept beside the code.

`shapes.json` holds the service model of one botocore release without its documentation: every shape that can
be reached from the requests behind pipeline steps and from the responses that step properties walk. Checking
a definition needs no SDK. `python -m penstock_aws.sagemaker.snapshot` takes it anew from the installed one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("shapes.json")

REQUESTS = (
    "CreateAutoMLJob",
    "CreateEndpoint",
    "CreateEndpointConfig",
    "CreateHyperParameterTuningJob",
    "CreateModel",
    "CreateModelPackage",
    "CreatePipeline",
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTransformJob",
    "StartPipelineExecution",
)
"""Operations whose input is kept: what the steps' Arguments are, and what starts a pipeline."""

RESPONSES = (
    "DescribeAutoMLJob",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeHyperParameterTuningJob",
    "DescribeModel",
    "DescribeModelPackage",
    "DescribeProcessingJob",
    "DescribeTrainingJob",
    "DescribeTransformJob",
    "ListTrainingJobsForHyperParameterTuningJob",
)
"""Operations whose output is kept: what `Steps.<name>.<property>` reads from."""

_KEPT = ("type", "required", "enum", "pattern", "min", "max", "union")


Shape = dict[str, Any]
"""A shape in botocore's own form, but for members, which are given by the name of their shape."""


class Snapshot(NamedTuple):
    """The parsed file: the botocore release it came from, operation → shape name, shape name → shape."""

    botocore: str
    requests: dict[str, str]
    responses: dict[str, str]
    shapes: dict[str, Shape]


@cache
def load() -> Snapshot:
    """Read the file, once in a process."""
    return Snapshot(**json.loads(FILE.read_bytes()))


def take() -> Snapshot:
    """Cut the snapshot out of the installed botocore; an ImportError where there is none."""
    from importlib import import_module

    # By name, since botocore carries no types: everything below would be unknown to the type checkers.
    version: str = import_module("botocore").__version__
    model: dict[str, Any] = (
        import_module("botocore.loaders").Loader().load_service_model("sagemaker", "service-2")
    )

    operations, source = model["operations"], model["shapes"]
    requests: dict[str, str] = {each: operations[each]["input"]["shape"] for each in REQUESTS}
    responses: dict[str, str] = {each: operations[each]["output"]["shape"] for each in RESPONSES}
    shapes: dict[str, Shape] = {}
    waiting = [*requests.values(), *responses.values()]
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _without_documentation(source[name])
            waiting += _neighbours(shapes[name])
    return Snapshot(version, requests, responses, shapes)


def render(snapshot: Snapshot) -> str:
    """Lay a snapshot out as the file's text: sorted and compact, one shape a line for readable diffs."""
    heads = {"botocore": snapshot.botocore, "requests": snapshot.requests, "responses": snapshot.responses}
    lines = [f"{_compact(key)}:{_compact(value)}" for key, value in heads.items()]
    shapes = [f"{_compact(name)}:{_compact(shape)}" for name, shape in sorted(snapshot.shapes.items())]
    return "{" + ",\n".join(lines) + ',\n"shapes":{\n' + ",\n".join(shapes) + "\n}}\n"


def _without_documentation(shape: Shape) -> Shape:
    kept: Shape = {key: shape[key] for key in _KEPT if key in shape}
    for key in ("member", "key", "value"):
        if key in shape:
            kept[key] = shape[key]["shape"]
    if "members" in shape:
        kept["members"] = {name: member["shape"] for name, member in shape["members"].items()}
    return kept


def _neighbours(shape: Shape) -> list[str]:
    ends = [shape.get("member"), shape.get("key"), shape.get("value")]
    return [*shape.get("members", {}).values(), *(each for each in ends if each)]


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def main() -> None:
    """Write the file from the installed botocore."""
    snapshot = take()
    FILE.write_text(render(snapshot), "utf-8", newline="\n")
    print(f"{FILE}: {len(snapshot.shapes)} shapes of botocore {snapshot.botocore}")


if __name__ == "__main__":
    main()
