"""Maps over files: a parallel node that runs the command for each few files, and the plan that tells it how."""

from __future__ import annotations

import json
from typing import Any, cast

from penstock import launcher
from penstock.diagnostics import At, error
from penstock.expressions.nodes import Expression, InputRef, Literal, ParameterRef, RunRef, Template
from penstock.expressions.text import text
from penstock.ir import SCALARS, Map
from penstock.simplify.commands import PLAN, PREFIX, SOURCE, MapPlan, scripts, with_files
from penstock_azure.azureml.lowering.components import is_bound
from penstock_azure.azureml.lowering.draft import Draft, port, variable
from penstock_azure.azureml.lowering.parallel import Entry, argument, lower_parallel, quoted
from penstock_azure.azureml.lowering.words import ROOT_RUN, is_harmless


def lower_files(step: Map, draft: Draft) -> None:
    """Add the node of a map over files."""
    plan = _Plan(step, draft)
    batch, tolerate = step.over.batch, step.tolerate
    arguments = ["--penstock_plan", PLAN, "--penstock_files", argument(SOURCE, plan.inputs[SOURCE])]
    if batch:
        arguments += ["--penstock_batch", str(batch)]
    for each in step.outputs:
        words = f"{each.name}=${{{{outputs.{port(each.name)}}}}}"
        arguments += ["--penstock_output", quoted(f"{words}={each.file}")]
    for name in plan.handed:
        arguments += ["--penstock_value", quoted(f"{name}={argument(name, plan.inputs[name], bare=True)}")]
    count = step.compute.count if isinstance(step.compute.count, int) else 1
    lower_parallel(
        step,
        Entry(
            script=f"{PREFIX}parallel.py",
            code=with_files(step.code, {**plan.files, **scripts(launcher.PARALLEL)}),
            environment=step.environment,
            data=SOURCE,
            arguments=arguments,
            inputs=tuple(plan.inputs.values()),
            variables=plan.variables,
            size=batch or 1,
            errors=(tolerate, -1 if batch else tolerate),
            at_once=max(1, step.parallel // count) if step.parallel else 0,
        ),
        draft,
    )


class _Plan:
    """The plan of a map, with everything in it that is known now, and its variables by name.

    Attributes:
        handed: inputs whose text the arguments hold: paths, numbers, plain words.
        variables: of the node, by which free text of parameters comes.
    """

    def __init__(self, step: Map, draft: Draft) -> None:
        made = MapPlan(step)
        self.step, self.draft = step, draft
        self.inputs = {each.name: each for each in made.inputs}
        self.handed: dict[str, None] = {}
        self.variables: dict[str, str] = {}
        plan: dict[str, Any] = json.loads(made.files[PLAN])
        plan["command"] = [self._filled(each) for each in plan["command"]]
        plan["env"] = {name: self._filled(each) for name, each in plan["env"].items()}
        for name, value in made.shared_env.items():
            if not is_bound(value):
                plan["env"][name] = self._parts(value)
        self.files = {**made.files, PLAN: json.dumps(plan, ensure_ascii=False, indent=1) + "\n"}

    def _filled(self, parts: Any) -> Any:
        if isinstance(parts, str):
            return parts
        found: list[Any] = []
        for part in cast("list[Any]", parts):
            name: str = cast("dict[str, str]", part).get("value", "") if isinstance(part, dict) else ""
            if not name:
                found.append(part)
            elif name in self.inputs:
                found += self._parts(InputRef(name))
            else:
                found += self._parts(RunRef(cast("Any", name.removeprefix("run."))))
        return found

    def _parts(self, value: Expression) -> list[Any]:
        match value:
            case Literal(given):
                return [text(given)]
            case ParameterRef(name):
                self.variables[variable(name)] = f"${{{{parent.inputs.{port(name)}}}}}"
                return [{"variable": variable(name)}]
            case Template(parts):
                return [
                    each
                    for part in parts
                    for each in ([part] if isinstance(part, str) else self._parts(part))
                ]
            case InputRef(name):
                each = self.inputs[name]
                if each.source_type in SCALARS and not self._is_handed(each.value):
                    return self._parts(each.value)
                self.handed[name] = None
                return [{"value": name}]
            case RunRef("id"):
                return [{"variable": ROOT_RUN}]
            case RunRef():
                message = (
                    f"step '{self.step.name}' uses run.started_at, which azureml does not tell its nodes"
                )
                at = At((*self.step.path, "run"))
                self.draft.found.append(
                    error("P332", message, at, "use run.id, or take the time in the script")
                )
                return [""]
            case _:
                raise TypeError(f"{value} was announced as unsupported and cannot be here")

    def _is_handed(self, value: Expression) -> bool:
        if not isinstance(value, ParameterRef):
            return False
        parameter = self.draft.graph.parameters[value.name]
        return parameter.type != "string" or is_harmless(parameter)
