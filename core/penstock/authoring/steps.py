"""One method a step kind; the arguments are the keys of the YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack, cast

from penstock.authoring.callsites import NAME
from penstock.authoring.draft import Draft, given
from penstock.authoring.functions import StepFunction
from penstock.authoring.refusal import refuse
from penstock.authoring.shapes import (
    Body,
    Condition,
    EarlyStopping,
    Execution,
    Head,
    Inputs,
    Limits,
    NativePort,
    Objective,
    Options,
    Outputs,
    Over,
    Run,
    SearchSpace,
    Serving,
    StandIn,
)
from penstock.authoring.values import Step, StepOutputs, Value


class StepKinds:
    """The methods that add a step. A step's name comes first; outputs of what is added feed later steps."""

    draft: Draft
    functions: dict[str, StepFunction[..., object]]

    def command(self, step: str, /, *, run: Run, **body: Unpack[Body]) -> Step:
        """Add a script that reads inputs and writes outputs."""
        return self._add(step, {"run": run, **body})

    def train(
        self, step: str, /, *, run: Run | None = None, local: StandIn | None = None, **body: Unpack[Body]
    ) -> Step:
        """Add a script, or a built-in algorithm, that makes a model: a training job on every cloud."""
        return self._add(step, {"kind": "train", **given(run=run, local=local), **body})

    def step(
        self,
        step: str,
        function: StepFunction[..., object],
        /,
        *,
        inputs: Inputs | None = None,
        **execution: Unpack[Execution],
    ) -> Step:
        """Add a function that `@penstock.step` marked; its signature gives the ports.

        Raises:
            SpecError: the inputs do not fit the signature (P146), or the function cannot be shipped (P145, P147).
        """
        if not isinstance(function, StepFunction):  # pyright: ignore[reportUnnecessaryIsInstance]
            name = getattr(function, "__name__", "this")
            refuse(
                "P145", f"{name}() is no step function yet", "put @penstock.step above its def", names=(NAME,)
            )
        signature = function.signature()
        bound = signature.bind(step, inputs or {})
        body = {**function.options, **execution}
        self.functions[step] = function
        return self._add(step, {**signature.body(bound), **body})

    def uses(
        self,
        step: str,
        uses: str,
        /,
        *,
        inputs: Inputs | None = None,
        kind: Literal["command", "train"] | None = None,
        **execution: Unpack[Execution],
    ) -> Step:
        """Add a component; its file declares command, code and outputs."""
        body = {**given(kind=kind), "uses": uses, **given(inputs=inputs), **execution}
        return self._add(step, body, names=(NAME, "uses"), outputs_known=False)

    def tune(
        self,
        step: str,
        /,
        *,
        search_space: SearchSpace,
        objective: Objective,
        limits: Limits,
        run: Run | None = None,
        uses: str | None = None,
        sampling: Literal["grid", "random", "bayesian"] | None = None,
        seed: int | None = None,
        early_stopping: EarlyStopping | None = None,
        **body: Unpack[Body],
    ) -> Step:
        """Add a search for the best values of a step's inputs; its outputs are those of the best trial."""
        search = given(
            search_space=search_space,
            sampling=sampling,
            seed=seed,
            objective=objective,
            limits=limits,
            early_stopping=early_stopping,
        )
        made = {"kind": "tune", **given(uses=uses, run=run), **body, **search}
        return self._add(step, made, outputs_known=uses is None)

    def map(
        self,
        step: str,
        /,
        *,
        over: Over,
        run: Run | None = None,
        uses: str | None = None,
        parallel: int | None = None,
        tolerate: int | None = None,
        **body: Unpack[Body],
    ) -> Step:
        """Add one command for each of many items; each output is a folder with one subfolder an item."""
        items = given(over=over, parallel=parallel, tolerate=tolerate, uses=uses, run=run)
        return self._add(step, {"kind": "map", **items, **body}, outputs_known=uses is None, gathered=True)

    def predict(
        self,
        step: str,
        /,
        *,
        model: Value | str,
        data: Value | str,
        serving: Serving,
        outputs: Outputs | None = None,
        parallel: int | None = None,
        **execution: Unpack[Execution],
    ) -> Step:
        """Add batch inference: a model answers every file of a folder. The output is `predictions`."""
        body = given(model=model, data=data, serving=serving, outputs=outputs, parallel=parallel)
        return self._add(
            step, {"kind": "predict", **body, **execution}, outputs=outputs or {"predictions": "folder"}
        )

    def register(
        self,
        step: str,
        /,
        *,
        model: Value | str,
        name: str,
        metrics: Value | str | None = None,
        approval: Condition | None = None,
        serving: Serving | None = None,
        **head: Unpack[Head],
    ) -> Step:
        """Add entering a model into the registry as a new version."""
        body = given(model=model, name=name, metrics=metrics, approval=approval, serving=serving)
        return self._add(step, {"kind": "register", **body, **head})

    def fail(self, step: str, /, *, message: str, **head: Unpack[Head]) -> Step:
        """Add an end of the run as failed. An f-string may hold metrics fields and parameters."""
        return self._add(step, {"kind": "fail", "message": message, **head})

    def nested(self, step: str, uses: str, /, *, inputs: Inputs | None = None, **head: Unpack[Head]) -> Step:
        """Add another pipeline as a step (`kind: pipeline`); `inputs` are its parameters and datasets."""
        body = {"kind": "pipeline", "uses": uses, **given(inputs=inputs), **head}
        return self._add(step, body, names=(NAME, "uses"), outputs_known=False)

    def native(
        self,
        step: str,
        /,
        *,
        inputs: Inputs | None = None,
        outputs: Mapping[str, str | NativePort] | None = None,
        local: StandIn | None = None,
        display_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        when: Condition | None = None,
        after: Sequence[Step | str] | None = None,
        options: Options | None = None,
        **bodies: Mapping[str, Any],
    ) -> Step:
        """Add a step in a target's own words: one body per target, by the target's name."""
        head = given(
            display_name=display_name,
            description=description,
            tags=tags,
            when=when,
            after=after,
            options=options,
        )
        body = given(inputs=inputs, outputs=outputs, local=local)
        return self._add(step, {"kind": "native", **body, **bodies, **head})

    def _add(
        self,
        name: str,
        body: Mapping[str, object],
        *,
        names: tuple[str, ...] = (NAME,),
        outputs: Outputs | None = None,
        outputs_known: bool = True,
        gathered: bool = False,
    ) -> Step:
        self.draft.put("steps", name, body, names)
        written = outputs if outputs is not None else self.draft.document["steps"][name].get("outputs", {})
        return Step(name, StepOutputs(name, types_of(written, gathered) if outputs_known else None))


def types_of(outputs: object, gathered: bool = False) -> dict[str, str]:
    """Give output → type; "" where none can be told. What a map gathers are folders."""
    types: dict[str, str] = {}
    if isinstance(outputs, Mapping):
        for name, each in cast("Mapping[str, object]", outputs).items():
            stated = cast("Mapping[str, object]", each).get("type", "") if isinstance(each, Mapping) else each
            types[name] = "folder" if gathered else stated if isinstance(stated, str) else ""
    return types
