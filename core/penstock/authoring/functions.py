"""Plain functions as steps: the decorator, and what calling it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any, Generic, Literal, ParamSpec, TypeVar, Unpack, cast, overload

from penstock.authoring.shapes import Execution
from penstock.authoring.signatures import Signature, read_signature

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class StepFunction(Generic[P, R]):
    """A function that can be a step: `pipeline.step(NAME, function, inputs=…)`. Calling it calls the function.

    Attributes:
        function: as it was written.
        options: what the decorator said of its steps; `Pipeline.step` may say otherwise.
        kind: `command` or `train`.
        returns: the output that holds what it returns.
        files: output → the name of its file.
    """

    def __init__(
        self,
        function: Callable[P, R],
        kind: str,
        returns: str,
        files: Mapping[str, str],
        options: dict[str, Any],
    ) -> None:
        self.function = function
        self.options = options
        self.kind = kind
        self.returns = returns
        self.files = files
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, as a test does."""
        return self.function(*args, **kwargs)

    def signature(self) -> Signature:
        """Read the ports. Raises SpecError where the function cannot be a step (P145)."""
        return read_signature(self.function, self.kind, self.returns, self.files)


@overload
def step(function: Callable[P, R], /) -> StepFunction[P, R]: ...
@overload
def step(
    *,
    kind: Literal["command", "train"] = "command",
    returns: str = "metrics",
    files: Mapping[str, str] | None = None,
    **execution: Unpack[Execution],
) -> Callable[[Callable[P, R]], StepFunction[P, R]]: ...
def step(
    function: Callable[P, R] | None = None,
    /,
    *,
    kind: Literal["command", "train"] = "command",
    returns: str = "metrics",
    files: Mapping[str, str] | None = None,
    **execution: Unpack[Execution],
) -> StepFunction[P, R] | Callable[[Callable[P, R]], StepFunction[P, R]]:
    """Make a function one that `Pipeline.step` takes; called directly it does what it always did.

    Its module is imported in the step's process, without the statements that use Penstock. Files that are no Python
    do not travel with it: bind them as datasets.

    Args:
        function: a function of a module's top level, with every parameter annotated.
        kind: `train` makes it a training job on the clouds.
        returns: the output for what it returns, where it returns `Metrics`.
        files: output → the name of its file, where that is not the output's own.
        execution: environment, compute, retry and the like, of every step made from it.
    """
    options = cast("dict[str, Any]", execution)
    if function is not None:
        return StepFunction(function, kind, returns, files or {}, options)
    return lambda marked: StepFunction(marked, kind, returns, files or {}, options)
