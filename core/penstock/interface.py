"""What a pipeline is from outside, beside its documents: so that a bundle runs, and is judged, without its spec.

A target's document has no place for bounds of parameters, for goals, or for what a step's output is called in the
spec. A bundle therefore carries them in `interface.json`:

    {"format": 1, "pipeline": {…}, "steps": {…}, "results": {…}}

`pipeline` is the graph laid flat and without its steps; `steps` says of each step what it is and what it offers;
`results` is the target's own: where each of these outputs stands once the document has run. A document that Penstock
did not write may have `outputs` beside them: output of the pipeline → [step, output], for steps that are named as no
spec names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from penstock.codec import KIND_OF, CodecError, decode, encode
from penstock.frozen import dataclass, replace
from penstock.ir import (
    Graph,
    Output,
    Step,
)
from penstock.ir import offered as offered_by
from penstock.simplify.flatten import flatten

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Face:
    """What a step is from outside: its kind in the language, its title, and the outputs that others see."""

    kind: str
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """A pipeline from outside.

    Attributes:
        pipeline: parameters, datasets (without their paths), environments, goal and outputs; no steps.
        steps: step of the flat pipeline → what it is.
        results: the target's own rows, as its lowering wrote them.
    """

    pipeline: Graph
    steps: dict[str, Face] = field(default_factory=dict[str, Face])
    results: dict[str, Any] = field(default_factory=dict[str, Any])


def interface_of(graph: Graph, results: Mapping[str, Any]) -> dict[str, Any]:
    """Write down what a bundle of this graph carries, as JSON-able data."""
    flat = flatten(graph)
    # Places in the spec, and on the machine that compiled it, mean nothing beside a document.
    datasets = {name: replace(each, path="") for name, each in flat.datasets.items()}
    environments = {
        name: replace(each, requirements="", conda={}) for name, each in flat.environments.items()
    }
    outside = replace(flat, steps=(), conditions={}, options={}, datasets=datasets, environments=environments)
    return {
        "format": FORMAT,
        "pipeline": encode(outside),
        "steps": {step.name: encode(_face(step)) for step in flat.steps},
        "results": dict(results),
    }


def read_interface(data: Any) -> Interface:
    """Read what `interface_of` wrote. Raises CodecError."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:  # pyright: ignore[reportUnknownMemberType]
        raise CodecError(("format",), f"this Penstock reads format {FORMAT}")
    try:
        return Interface(
            decode(Graph, data["pipeline"]),
            {str(name): decode(Face, each) for name, each in data["steps"].items()},  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
            dict(data["results"]),  # pyright: ignore[reportUnknownArgumentType]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        if isinstance(fault, CodecError):
            raise
        raise CodecError((), f"it is no interface: {fault}") from None


def _face(step: Step) -> Face:
    return Face(KIND_OF[type(step)], offered_by(step))
