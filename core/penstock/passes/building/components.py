"""A component in the place of a command: its declared inputs meet what the caller binds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from penstock.diagnostics import At, Path, error
from penstock.expressions.nodes import DatasetRef, Literal, Scalar
from penstock.expressions.segments import bare_inputs, settle
from penstock.frozen import dataclass, replace
from penstock.ir import SCALARS, Argv, Code, Component, Input, Output, PortType, Shell
from penstock.library import Used
from penstock.passes import declarations
from penstock.passes.building.bounds import allowed, check_bound, check_value
from penstock.passes.building.jobs import JobReader
from penstock.spec import execution, ports
from penstock.spec.component import ComponentInput, ComponentSpec
from penstock.suggest import nearest
from penstock.used_files import MARK, beside


@dataclass(frozen=True, slots=True)
class Body:
    """What a component brings: everything of a job but how it is bound and executed."""

    component: Component
    spec: ComponentSpec
    run: Shell | Argv | None
    code: Code | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    checkpoint: str


def read_body(
    reader: JobReader,
    used: Used,
    bindings: Mapping[str, ports.InputBinding],
    path: Path,
    *,
    varied: Collection[str] = (),
    items: Mapping[str, PortType] | None = None,
) -> Body:
    """Bind a component. `varied` are inputs that a search fills; `items` types `item` inside a map."""
    spec = used.spec
    assert isinstance(spec, ComponentSpec)
    place: Path = (f"{MARK}{used.file}",)
    _unknown(reader, spec, [*bindings], path, used.file)
    inputs: list[Input] = []
    unset: set[str] = set()
    for name, declared in spec.inputs.items():
        _declaration(reader, declared, (*place, "inputs", name))
        if name in bindings:
            inputs.append(_bound(reader, spec, name, bindings[name], path, items))
        elif name in varied:
            continue
        elif declared.default is not None:
            inputs.append(_by_default(name, declared))
        elif declared.optional:
            unset.add(name)
        else:
            message = f"input '{name}' of component '{spec.name}' is not bound"
            hint = f"bind it: inputs: {{{name}: …}}; it takes {_a(declared.type)}"
            at = At((*path, "inputs" if bindings else "uses"), key=True)
            reader.found.append(error("P283", message, at, hint))
    run = reader.run(spec.step.run, (*place, "step", "run"))
    if run is not None:
        _refuse_bare(reader, run, spec, (*place, "step", "run"))
        run = settle(run, unset, _undecided(reader, inputs))
    code = Code(beside(spec.step.code, used.file)) if spec.step.code else None
    return Body(
        component=Component(spec.name, spec.version, used.file),
        spec=spec,
        run=run,
        code=code,
        inputs=tuple(inputs),
        outputs=reader.outputs(spec.outputs, place),
        checkpoint=reader.checkpoint(spec.step.checkpoint, (*place, "step")),
    )


def environment(spec: execution.Environment, name: str, file: str) -> Any:
    """Make an environment of a used file: its paths become paths from the spec's folder."""
    if not file:
        return declarations.environment(name, spec)
    moved = {key: beside(value, file) for key in ("requirements", "conda") if (value := getattr(spec, key))}
    return declarations.environment(name, spec.model_copy(update=moved))


def _unknown(reader: JobReader, spec: ComponentSpec, names: list[str], path: Path, file: str) -> None:
    for name in names:
        if name not in spec.inputs:
            message = f"component '{spec.name}' has no input '{name}'"
            hint = nearest(name, spec.inputs, f"inputs of {file}")
            reader.found.append(error("P282", message, At((*path, "inputs", name), key=True), hint))


def _bound(
    reader: JobReader,
    spec: ComponentSpec,
    name: str,
    binding: ports.InputBinding,
    path: Path,
    items: Mapping[str, PortType] | None,
) -> Input:
    declared = spec.inputs[name]
    asked = {
        key: getattr(binding, key) if key in binding.model_fields_set else getattr(declared, key)
        for key in ("at", "mode", "content_type", "shard", "packed")
    }
    merged = binding.model_copy(
        update={**asked, "type": declared.type, "optional": binding.optional or declared.optional}
    )
    found = replace(reader.input(name, merged, path, items), description=declared.description)
    if declared.type in SCALARS:
        check_bound(reader, allowed(name, declared), found.value, At((*path, "inputs", name)))
    if binding.type not in (None, declared.type):
        message = f"input '{name}' is {_a(declared.type)}: component '{spec.name}' declares it"
        reader.found.append(
            error("P208", message, At((*path, "inputs", name, "type"), key=True), "remove 'type'")
        )
    return found


def _undecided(reader: JobReader, inputs: list[Input]) -> set[str]:
    """Name the inputs of which the start of a run decides whether they are set: those of data that may be missing."""
    return {
        each.name
        for each in inputs
        if isinstance(each.value, DatasetRef)
        and (dataset := reader.spec.datasets.get(each.value.name)) is not None
        and dataset.optional
    }


def _by_default(name: str, declared: ComponentInput) -> Input:
    assert declared.default is not None
    value: Scalar = float(declared.default) if declared.type == "number" else declared.default
    return Input(name, declared.type, declared.type, Literal(value), description=declared.description)


def _declaration(reader: JobReader, declared: ComponentInput, place: Path) -> None:
    """Check what a component says of one input; said once, however often it is used."""
    scalar = declared.type in SCALARS
    for key in ("enum", "minimum", "maximum", "default"):
        if getattr(declared, key) in (None, []):
            continue
        if not scalar or (key in ("minimum", "maximum") and declared.type not in ("integer", "number")):
            message, hint = f"'{key}' does not go with {_a(declared.type)}", f"remove '{key}'"
            reader.found.append(error("P208", message, At((*place, key), key=True), hint))
            return
    if declared.default is not None and scalar:
        limits = allowed(str(place[-1]), declared)
        if fault := check_value(limits, declared.default, At((*place, "default"))):
            reader.found.append(fault)


def _refuse_bare(reader: JobReader, run: Shell | Argv, spec: ComponentSpec, path: Path) -> None:
    """Say where an input that may stay unbound stands outside of a segment: only there it can go."""
    for name in sorted(bare_inputs(run)):
        if name in spec.inputs and spec.inputs[name].optional:
            text = f"inputs.{name}"
            message = f"input '{name}' may stay unbound, and stands outside a segment that can go"
            hint = f"write $[[ --{name} ${{{{ {text} }}}} ]]"
            reader.found.append(error("P285", message, At(path, needle=text), hint))


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}" if word != "metrics" else "metrics"
