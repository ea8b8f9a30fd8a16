"""What every kind that runs a process shares: ports, environment, compute, variables, retries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.diagnostics import At, Path, error
from penstock.expressions.nodes import (
    Calculate,
    Compare,
    ConditionRef,
    Contains,
    DatasetRef,
    Expression,
    ItemRef,
    Literal,
    Logical,
    Negative,
    Not,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
)
from penstock.ir import SINGLE_FILES, Compute, Input, Output, PortType, Retry, Spot
from penstock.passes import declarations
from penstock.passes.building.reading import Reader, bare_reference
from penstock.spec import execution, ports
from penstock.spec.pipeline import PipelineSpec
from penstock.spec.quantities import mebibytes, seconds
from penstock.used_files import MARK

_NOTHING_STATED = execution.Compute.model_validate({})

Layers = Sequence[tuple[Any, Path]]
"""Models that say how a process runs and where they stand, the weakest first: defaults, component, step."""


class JobReader(Reader):
    """Reads jobs. `offered` gives step → output → type, as other steps see it."""

    def __init__(self, spec: PipelineSpec, offered: Mapping[str, Mapping[str, PortType]]) -> None:
        super().__init__()
        self.spec = spec
        self.offered = offered
        self._default_compute: Compute | None = None

    def layers(self, spec: Any, path: Path, component: Any = None, file: str = "") -> Layers:
        """Give what says how a step runs; `component` is the `step` of a component's file."""
        found: list[tuple[Any, Path]] = [(self.spec.defaults, ("defaults",))]
        if component is not None:
            found.append((component, (f"{MARK}{file}", "step")))
        return [*found, (spec, path)]

    def rules(self, layers: Layers) -> dict[str, Any]:
        """Merge the layers into a job's environment, compute, variables and rules."""

        def stated(name: str) -> Any:
            values = (getattr(model, name) for model, _ in reversed(layers))
            return next((each for each in values if each is not None), None)

        env: dict[str, Expression] = {}
        env_from: dict[str, str] = {}
        for model, path in layers:
            for key, value in model.env.items():
                if isinstance(value, execution.FromCaller):
                    env.pop(key, None)
                    env_from[key] = value.from_env
                else:
                    env_from.pop(key, None)
                    env[key] = self.scalar(value, (*path, "env", key))
        retry, timeout = stated("retry"), stated("timeout")
        return {
            "environment": stated("environment") or "",
            "compute": self.compute(layers),
            "env": env,
            "env_from": env_from,
            "retry": declarations.retry(retry) if retry else Retry(),
            "timeout": math.ceil(seconds(timeout)) if timeout else None,
            "cache": declarations.cache(stated("cache")),
        }

    def compute(self, layers: Layers) -> Compute:
        """Merge what is asked of the machine, key by key."""
        if all(model.compute is None for model, _ in layers[1:]):
            if self._default_compute is None:
                self._default_compute = self._merged(layers[:1])
            return self._default_compute
        return self._merged(layers)

    def _merged(self, layers: Layers) -> Compute:
        merged, instance = _NOTHING_STATED, dict[str, str]()
        place: Path = ()
        for model, path in layers:
            own = model.compute or _NOTHING_STATED
            merged = merged.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})
            instance |= own.instance
            place = (*path, "compute", "count") if "count" in own.model_fields_set else place
        count: int | ParameterRef = 1
        if isinstance(merged.count, str):
            count = self.reference(merged.count, place, ParameterRef, "a parameter") or 1
        elif merged.count is not None:
            count = merged.count
        spot: Spot | None = None
        if isinstance(merged.spot, execution.Spot):
            spot = Spot(math.ceil(seconds(merged.spot.max_wait)) if merged.spot.max_wait else None)
        elif merged.spot:
            spot = Spot()
        return Compute(
            cpu=merged.cpu or 0,
            memory=mebibytes(merged.memory) if merged.memory else 0,
            gpu=merged.gpu or 0,
            count=count,
            spot=spot,
            instance=instance,
        )

    def inputs(
        self,
        bindings: Mapping[str, ports.InputBinding],
        path: Path,
        items: Mapping[str, PortType] | None = None,
    ) -> tuple[Input, ...]:
        """Read the inputs of a step; `items` gives the types of `item` and its fields inside a map."""
        return tuple(self.input(name, each, path, items) for name, each in bindings.items())

    def input(
        self, name: str, spec: ports.InputBinding, path: Path, items: Mapping[str, PortType] | None = None
    ) -> Input:
        """Read one input."""
        path = (*path, "inputs", name)
        value = self.scalar(spec.value, path)
        if isinstance(value, Literal) and isinstance(value.value, str):
            self.found += bare_reference(value.value, path)
        source = self.type_of(value, items)
        if spec.type == "number" and source == "integer" and isinstance(value, Literal):
            value, source = Literal(float(value.value)), "number"
        return Input(
            name=name,
            type=spec.type or source,
            source_type=source,
            value=value,
            at=spec.at or "",
            mode=spec.mode or "",
            content_type=spec.content_type,
            shard=spec.shard,
            packed=spec.packed,
            optional=spec.optional,
        )

    def type_of(self, value: Expression, items: Mapping[str, PortType] | None = None) -> PortType:
        """Tell the type of a bound value; "string" where its reference leads nowhere, which another pass says."""
        match value:
            case DatasetRef(name) if name in self.spec.datasets:
                return self.spec.datasets[name].type
            case ParameterRef(name) if name in self.spec.parameters:
                return self.spec.parameters[name].type
            case OutputRef(step, output):
                return self.offered.get(step, {}).get(output, "string")
            case ItemRef(field) if items and field in items:
                return items[field]
            case Literal(bool()) | Compare() | Contains() | Logical() | Not() | ConditionRef():
                return "boolean"
            case Literal(int()):
                return "integer"
            case Literal(float()):
                return "number"
            case Calculate(operator, left, right):
                types = (self.type_of(left, items), self.type_of(right, items))
                return "integer" if operator != "/" and types == ("integer", "integer") else "number"
            case Negative(operand):
                return self.type_of(operand, items)
            case _:
                return "string"

    def outputs(self, declared: Mapping[str, ports.OutputDeclaration], path: Path) -> tuple[Output, ...]:
        """Read the outputs of a step or component; `path` leads to what holds `outputs`."""
        return tuple(self._output(name, each, (*path, "outputs", name)) for name, each in declared.items())

    def _output(self, name: str, spec: ports.OutputDeclaration, path: Path) -> Output:
        if name == "default":
            message = "an output cannot be called 'default': a target reserves that name"
            self.found.append(error("P236", message, At(path, key=True), "choose another name"))
        single = spec.type in SINGLE_FILES
        if spec.file and not single:
            message = f"output '{name}' is a {spec.type}, a folder: 'file' goes with file and metrics alone"
            self.found.append(error("P208", message, At((*path, "file"), key=True), "remove 'file'"))
        return Output(name, spec.type, (spec.file or name) if single else "", spec.description)

    def checkpoint(self, spec: execution.Checkpoint | None, path: Path) -> str:
        """Read the name of the output that is put back before a restart; empty for none."""
        if spec is None:
            return ""
        path = (*path, "checkpoint", "path")
        found = self.reference(spec.path, path, OwnOutputRef, "an output of this step")
        return found.name if found else ""

    def env(self, given: execution.Env, path: Path) -> tuple[dict[str, Expression], dict[str, str]]:
        """Read the variables of a stand-in: values, and names of the caller's."""
        values = {
            key: self.scalar(value, (*path, "env", key))
            for key, value in given.items()
            if not isinstance(value, execution.FromCaller)
        }
        return values, {
            key: each.from_env for key, each in given.items() if isinstance(each, execution.FromCaller)
        }
