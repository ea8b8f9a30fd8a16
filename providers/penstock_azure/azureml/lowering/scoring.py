"""Batch inference: a parallel node whose entry module calls the serving functions for each file."""

from __future__ import annotations

from penstock import launcher
from penstock.ir import Predict
from penstock.simplify.commands import PREFIX, scripts, with_files
from penstock_azure.azureml.lowering.draft import Draft, port
from penstock_azure.azureml.lowering.parallel import Entry, argument, lower_parallel, quoted


def lower_predict(step: Predict, draft: Draft) -> None:
    """Add the node of a batch inference."""
    serving = step.serving
    inputs = {each.name: each for each in step.inputs}
    arguments = ["--penstock_entry", quoted(serving.entry)]
    for name in ("model", "data"):
        arguments += [f"--penstock_{name}", argument(name, inputs[name])]
    arguments += ["--penstock_output", f"${{{{outputs.{port(step.outputs[0].name)}}}}}"]
    for option, types in (("content_type", serving.content_types), ("accept", serving.response_types)):
        if types:
            arguments += [f"--penstock_{option}", quoted(types[0])]
    lower_parallel(
        step,
        Entry(
            script=f"{PREFIX}scoring.py",
            code=with_files(serving.code, scripts(launcher.SCORING)),
            environment=step.environment,
            data="data",
            arguments=arguments,
            inputs=step.inputs,
            at_once=step.parallel,
        ),
        draft,
    )
