"""An account at an endpoint of this machine, as the tests of submitting see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.specs_for_tests import Shop

import penstock
from penstock.asking import Asked
from penstock.runtime.events import Event, Notice
from penstock.submitting import plan_submit

BUCKET = "my-ml"
REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/ml"

IMAGES = """images:
  "sagemaker-scikit-learn:1.9-0-cpu-py3":
    {python: ">=3.11", packages: [scikit-learn==1.8.0, pandas==2.3.3], toolkit: true}
"""
"""What stands for the image, to the last library: artifacts may tell the versions of what made them."""

SMALL = """
    parameters: {words: {type: string, default: hello}, times: {type: integer, default: 2, minimum: 0, maximum: 600}}
    goal: {statement: Say it., kpis: [{name: said, value: "${{ steps.say.outputs.report.said }}", target: ">= 1"}]}
    conditions: {often: "${{ steps.say.outputs.report.said > 1 }}"}
    outputs: {copy: "${{ steps.again.outputs.copy }}"}
    steps:
      say:
        run: python say.py ${{ inputs.words }} ${{ inputs.times }} ${{ outputs.made }} ${{ outputs.report }}
        code: src
        inputs: {words: "${{ parameters.words }}", times: "${{ parameters.times }}"}
        outputs: {made: folder, report: metrics}
      again:
        when: ${{ conditions.often }}
        run: cp ${{ inputs.made }}/said.txt ${{ outputs.copy }}
        inputs: {made: "${{ steps.say.outputs.made }}"}
        outputs: {copy: {type: file, file: copy.txt}}
      rarely:
        when: "${{ not conditions.often }}"
        run: echo rarely
"""
SAY = """import json, os, sys, time

words, times, made, report = sys.argv[1:]
os.makedirs(made, exist_ok=True)
for number in range(int(times)):
    print(words, number, flush=True)
    time.sleep(0.1)
with open(os.path.join(made, "said.txt"), "w") as file:
    file.write(words)
with open(report, "w") as file:
    json.dump({"said": int(times)}, file)
"""


@dataclass
class Cloud:
    """One account, and the project that sends to it.

    Attributes:
        s3: boto3's client, like `sagemaker`.
        prefix: of the profile: no other test has it.
    """

    shop: Shop
    s3: Any
    sagemaker: Any
    prefix: str

    def write_profile(self, **more: str) -> None:
        """Write penstock.yaml with the profile `dev`."""
        rows = {"region": REGION, "role": ROLE, "bucket": BUCKET, "prefix": self.prefix, **more}
        settings = ", ".join(f'{key}: "{value}"' for key, value in rows.items())
        self.shop.file("penstock.yaml", f"profiles: {{dev: {{target: sagemaker, {settings}}}}}\n")

    def small(self, name: str = "pipeline.yaml") -> Path:
        """Write a small pipeline, under a name that no other test uses."""
        self.shop.file("src/say.py", SAY)
        head = f"penstock: v1\nkind: pipeline\nname: {self.prefix}\n"
        body = "\n".join(line.removeprefix("    ") for line in SMALL.splitlines())
        return self.shop.file(name, head + body)

    def submit(self, spec: Path | penstock.Bundle, **asked: Any) -> penstock.Run:
        """Submit in this process, and wait."""
        return penstock.submit(spec, "dev", project=self.shop.folder, watch=self.shop.events.append, **asked)

    def plan(self, spec: Path, **asked: Any) -> list[tuple[str, str]]:
        """Give what a submit would do: (action, what)."""
        found = plan_submit(spec, to="dev", asked=Asked(**asked), project=self.shop.project)
        return [(each.action, each.what) for each in found.changes]

    def keys(self) -> dict[str, str]:
        """Give the keys below the test's prefix → their ETag and time."""
        return dict(self._keys())

    def _keys(self) -> Iterator[tuple[str, str]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.prefix}/")
        for page in pages:
            for each in page.get("Contents") or ():
                yield each["Key"], f"{each['ETag']} {each['LastModified']}"

    def executions(self, pipeline: str) -> list[dict[str, Any]]:
        """List the executions of a pipeline, the newest first."""
        found: list[dict[str, Any]] = self.sagemaker.list_pipeline_executions(PipelineName=pipeline)[
            "PipelineExecutionSummaries"
        ]
        return found

    def notices(self, events: list[Event] | None = None) -> list[str]:
        """Give what was told of the run as a whole."""
        return [each.message for each in events or self.shop.events if isinstance(each, Notice)]
