"""What expressions are worth in one run: parameters, metrics read so far, and the run itself."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import evaluate, metric
from penstock.expressions.nodes import Expression, MetricRef, ParameterRef, Reference, RunRef, Scalar
from penstock.ir import Condition, Graph, Kpi
from penstock.runtime.records import RunRecord, StepRecord, StepStatus

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Values:
    """Evaluates over one run. `records` is read at each call: metrics appear as steps end."""

    def __init__(
        self,
        graph: Graph,
        run: RunRecord,
        parameters: Mapping[str, Scalar],
        records: Mapping[str, StepRecord],
    ) -> None:
        self.graph = graph
        self.run = run
        self.parameters = parameters
        self.records = records

    def of(self, expression: Expression) -> Scalar:
        """Evaluate a scalar expression. Raises EvaluationError."""
        return evaluate(expression, self._lookup)

    def outcome(self, condition: Condition) -> bool:
        """Evaluate a condition. Raises EvaluationError, also where it is neither true nor false."""
        found = self.of(condition.expression)
        if not isinstance(found, bool):
            raise EvaluationError(f"condition '{condition.name}' gives {found!r}, neither true nor false")
        return found

    def verdict(self, kpi: Kpi) -> dict[str, object]:
        """Compare a KPI with its target; where it was not measured `value` is `None` and `why` tells."""
        target = f"{kpi.operator} {kpi.threshold:g}"
        try:
            value = self.of(kpi.value)
        except EvaluationError as fault:
            return {"name": kpi.name, "value": None, "target": target, "met": False, "why": str(fault)}
        if isinstance(value, bool | str):
            why = f"{value!r} is not a number"
            return {"name": kpi.name, "value": value, "target": target, "met": False, "why": why}
        met = _COMPARE[kpi.operator](value, kpi.threshold)
        return {"name": kpi.name, "value": value, "target": target, "met": met}

    def context(self) -> dict[str, str]:
        """Give `run.id` and `run.started_at`."""
        started = datetime.fromtimestamp(self.run.started, UTC).isoformat(timespec="seconds")
        return {"id": self.run.id, "started_at": started}

    def _lookup(self, reference: Reference) -> Scalar:
        match reference:
            case ParameterRef(name):
                return self.parameters[name]
            case RunRef(name):
                return self.context()[name]
            case MetricRef(step, output, path):
                record = self.records.get(step)
                if record is None or record.status is not StepStatus.SUCCEEDED:
                    raise EvaluationError(f"step '{step}' did not run, so its {output} is not known")
                try:
                    return metric(record.metrics.get(output), path)
                except EvaluationError as fault:
                    raise EvaluationError(f"{step}.{output}: {fault}") from None
            case _:
                raise EvaluationError(f"{reference} has no value here")
