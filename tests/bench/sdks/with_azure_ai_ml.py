"""A chain of command nodes by azure-ai-ml, as its users write it, and its YAML: `with_azure_ai_ml.py STEPS FILE`."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# mypy: ignore-errors
# (it runs where the SDK is; the type checkers have none)
from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Build, validate as the client does, and write."""
    from azure.ai.ml import Input, Output, command, dsl

    count = int(sys.argv[1])
    commands = [
        command(
            name=f"s{number}",
            command=f"python step.py {number} --out ${{{{outputs.out}}}}"
            + (" --in ${{inputs.i}}" if number else ""),
            environment="azureml://registries/azureml/environments/sklearn-1.5/versions/1",
            inputs={"i": Input(type="uri_file")} if number else {},
            outputs={"out": Output(type="uri_file")},
        )
        for number in range(count)
    ]

    @dsl.pipeline(name="chain", default_compute="cpu-cluster")
    def chain() -> None:
        last = None
        for each in commands:
            last = each(i=last.outputs.out) if last is not None else each()

    job = chain()
    problems = job._validate()
    if not problems.passed:
        raise SystemExit(str(problems))
    Path(sys.argv[2]).write_text(str(job))


if __name__ == "__main__":
    main()
