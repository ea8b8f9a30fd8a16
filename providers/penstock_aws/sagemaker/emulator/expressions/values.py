"""The values of expressions while a definition runs: `Get`, `Std:Join` and `Std:JsonGet`, and data around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.suggest import nearest
from penstock_aws.sagemaker.emulator.expressions import json_files, property_paths
from penstock_aws.sagemaker.emulator.expressions.coercion import as_text
from penstock_aws.sagemaker.emulator.expressions.value_faults import ValueFault, article
from penstock_aws.sagemaker.validation.expressions import EXPRESSIONS, FREE_DEPTH
from penstock_aws.sagemaker.validation.findings import (
    DEPTH,
    bare,
    is_expression,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.paths import split_property, split_property_file
from penstock_aws.sagemaker.validation.references import EXECUTION_VARIABLES

__all__ = ["ValueFault", "Values"]


class Values:
    """What one execution knows, asked for by expressions."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        execution: Mapping[str, str],
        responses: Mapping[str, Any],
        property_file: Callable[[str, str], Any],
        read: Callable[[str], bytes],
    ) -> None:
        """Take over where values come from; nothing is copied, so that steps that end later are seen.

        Args:
            parameters: name → typed value.
            execution: variable → value, without its `Execution.`.
            responses: step → its record, shaped as the service describes the step; asked at each call.
            property_file: gives the parsed JSON of a step's property file.
            read: gives the content of an S3 object.

        """
        self._parameters = parameters
        self._execution = execution
        self._responses = responses
        self._property_file = property_file
        self._read = read

    def within(self, **execution: str) -> Values:
        """Give the same values with more execution variables: inside a job, its own name."""
        more = {**self._execution, **execution}
        return Values(self._parameters, more, self._responses, self._property_file, self._read)

    def resolve(self, value: Any) -> Any:
        """Put values in place of all expressions in a JSON tree; other data stays as it is.

        Raises:
            ValueFault: an expression has no value, or the tree is deeper than the service takes.

        """
        return self._resolved(value, 0, 0)

    def get(self, path: str) -> Any:
        """Give what a `Get` names: a parameter, an execution variable or a step's property.

        Raises:
            ValueFault: there is nothing of that name, or nothing yet.

        """
        head, dot, rest = path.partition(".")
        if head == "Parameters" and dot:
            if rest in self._parameters:
                return self._parameters[rest]
            hint = nearest(rest, self._parameters, "declared parameters")
            raise ValueFault(f"parameter {shown(rest)} is not declared; {hint}")
        if head == "Execution" and dot:
            if rest in self._execution:
                return self._execution[rest]
            if rest in EXECUTION_VARIABLES:
                raise ValueFault(f"Execution.{rest} has no value here; it has one inside of such a job")
            raise ValueFault(f"there is no Execution.{bare(rest)}; there are {listed(EXECUTION_VARIABLES)}")
        return self._property(path)

    def _property(self, path: str) -> Any:
        found = split_property(path)
        if found is None:
            raise ValueFault(
                f"the reference {shown(path)} cannot be read; write Parameters.<name>, Execution.<variable> or "
                "Steps.<name>.<property>"
            )
        step, segments = found
        if not segments:
            raise ValueFault(f"{bare(path)} is a step as a whole; a property has to follow")
        if segments[0] == ".PropertyFiles":
            raise ValueFault(f"{bare(path)} is a property file, which only Std:JsonGet reads")
        if step not in self._responses:
            raise ValueFault(f"{bare(path)} has no value: step {shown(step)} has not run")
        return property_paths.read(self._responses[step], step, segments)

    def _resolved(self, value: Any, depth: int, nested: int) -> Any:
        if isinstance(value, str):
            return value
        if depth > FREE_DEPTH:
            raise ValueFault(f"objects and lists nest more than {FREE_DEPTH} levels deep")
        if is_expression(value):
            return self._expression(value, nested)
        if is_object(value):
            return {key: self._resolved(each, depth + 1, nested) for key, each in value.items()}
        if is_list(value):
            return [self._resolved(each, depth + 1, nested) for each in value]
        return value

    def _expression(self, value: dict[str, Any], nested: int) -> Any:
        if nested > DEPTH:
            raise ValueFault(f"expressions nest more than {DEPTH} levels deep")
        ((name, body),) = value.items()
        if name == "Get":
            if isinstance(body, str):
                return self.get(body)
            raise ValueFault(f"a Get takes text, not {shown(body)}")
        if name == "Std:Join":
            return self._join(body, nested)
        if name == "Std:JsonGet":
            return self._json_get(body, nested)
        raise ValueFault(f"there is no expression {shown(name)}; there are {listed(EXPRESSIONS)}")

    def _join(self, body: Any, nested: int) -> str:
        if not is_object(body):
            raise ValueFault(f"a Std:Join takes an object, not {shown(body)}")
        on, values = body.get("On", ""), body.get("Values")
        if not isinstance(on, str):
            raise ValueFault(f"the On of a Std:Join takes text, not {shown(on)}")
        if not is_list(values):
            raise ValueFault(f"the Values of a Std:Join take a list, not {shown(values)}")
        parts: list[str] = []
        for each in values:
            found = self._expression(each, nested + 1) if is_expression(each) else each
            written = as_text(found)
            if written is None:
                raise ValueFault(f"a Std:Join takes single values, not {shown(found)}{_from(each)}")
            parts.append(written)
        return on.join(parts)

    def _json_get(self, body: Any, nested: int) -> Any:
        if not is_object(body):
            raise ValueFault(f"a Std:JsonGet takes an object, not {shown(body)}")
        path = body.get("Path")
        if not isinstance(path, str):
            raise ValueFault(f"the Path of a Std:JsonGet takes text, not {shown(path)}")
        if ("PropertyFile" in body) == ("S3Uri" in body):
            raise ValueFault("a Std:JsonGet takes exactly one of PropertyFile and S3Uri")
        if "PropertyFile" in body:
            document, source = self._from_property_file(body["PropertyFile"])
        else:
            document, source = self._from_s3(body["S3Uri"], nested)
        return json_files.at(document, path, source)

    def _from_property_file(self, value: Any) -> tuple[Any, str]:
        named = value.get("Get") if is_object(value) and len(value) == 1 else None
        found = split_property_file(named) if isinstance(named, str) else None
        if found is None:
            raise ValueFault(
                f"the PropertyFile of a Std:JsonGet takes a Get of Steps.<name>.PropertyFiles.<property file>, "
                f"not {shown(value if named is None else named)}"
            )
        step, name = found
        source = f"property file {shown(name)} of step {shown(step)}"
        try:
            return self._property_file(step, name), source
        except (OSError, ValueError, RecursionError) as fault:
            raise ValueFault(f"{source} cannot be read: {fault}") from fault

    def _from_s3(self, value: Any, nested: int) -> tuple[Any, str]:
        uri = self._expression(value, nested + 1) if is_expression(value) else value
        if not isinstance(uri, str):
            raise ValueFault(f"the S3Uri of a Std:JsonGet takes text, not {article(uri)}{_from(value)}")
        try:
            content = self._read(uri)
        except (OSError, ValueError) as fault:
            raise ValueFault(f"{shown(uri)} cannot be read: {fault}") from fault
        return json_files.parsed(content, shown(uri)), shown(uri)


def _from(value: Any) -> str:
    """Say where a value came from, if from a reference."""
    return f" (of {bare(value['Get'])})" if is_expression(value) and isinstance(value.get("Get"), str) else ""
