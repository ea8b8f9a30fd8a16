"""Inputs and outputs: what they declare, which values fit them, and which ends may be joined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml import snapshot
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.report import (
    SCHEMA,
    Report,
    by_name,
    is_list,
    is_mapping,
    mapping,
    shown,
)
from penstock_azure.azureml.validation.scalars import number

PRIMITIVES = frozenset({"string", "number", "integer", "boolean"})

ASSETS = frozenset({"uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"})
_TYPES = PRIMITIVES | ASSETS | {"path"}

_FOLDERS = frozenset({"uri_folder", "mltable", "mlflow_model", "triton_model"})
# Custom models are whatever their author makes them, and `path` is the untyped port of old components.
_EITHER = frozenset({"custom_model", "path"})
_MARKED = frozenset({"mltable", "mlflow_model", "triton_model"})

_DICT_METHODS = frozenset(name for name in dir(dict) if not name.startswith("_"))
_NAME = 255

_INPUT_MODES = ("ro_mount", "download", "direct")
_TABLE_MODES = (*_INPUT_MODES, "eval_mount", "eval_download")
_OUTPUT_MODES = ("rw_mount", "upload", "mount", "direct")


class Port(NamedTuple):
    """One input or output.

    Attributes:
        type: empty where the document does not tell.
        optional: of an input: it may stay unset, and then has no value.
        default: whether it has one.
        low: smallest value.
        high: largest value.
        values: what a text may be; empty for anything.
    """

    type: str = ""
    optional: bool = False
    default: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether a node has to bind it."""
        return not self.optional and not self.default


class Interface(NamedTuple):
    """The ports of a node or pipeline; `None` where they are known to the workspace only."""

    inputs: Mapping[str, Port] | None = None
    outputs: Mapping[str, Port] | None = None


UNKNOWN = Interface()


def ports(given: object) -> dict[str, Port] | None:
    """Read the ports that a component declares; `None` where what stands there declares none."""
    if not is_mapping(given):
        return None
    return {key: port(value) for key, value in by_name(given).items()}


def port(given: object) -> Port:
    """Read one declared port."""
    raw = mapping(given)
    values = raw.get("enum")
    items = values if is_list(values) else []
    return Port(
        known_type(raw.get("type")),
        raw.get("optional") in (True, "true", "True") or is_placeholder(raw.get("optional")),
        raw.get("default") is not None,
        number(raw["min"]) if "min" in raw else None,
        number(raw["max"]) if "max" in raw else None,
        # With a value to come, any value may be that one.
        () if any(map(is_placeholder, items)) else tuple(each for each in items if isinstance(each, str)),
    )


def known_type(given: object) -> str:
    """Give a type where it is one, else an empty text, so that a misspelt type is reported only where it stands."""
    return given if isinstance(given, str) and given in _TYPES else ""


def joins(producer: str, consumer: str) -> Literal["yes", "no", "doubtful"]:
    """Tell whether an output may feed an input.

    `doubtful`: the service takes a folder for a table or a model, and the consumer fails unless its producer
    wrote the file that marks it (MLTable, MLmodel).
    """
    if producer == consumer or not producer or not consumer or "path" in (producer, consumer):
        return "yes"
    if producer in PRIMITIVES or consumer in PRIMITIVES:
        # The service passes literals on as text, so text takes anything.
        both = producer in PRIMITIVES and consumer in PRIMITIVES
        fits = consumer == "string" or (producer, consumer) == ("integer", "number")
        return "yes" if both and fits else "no"
    if producer in _EITHER or consumer in _EITHER:
        return "doubtful" if consumer in _MARKED else "yes"
    if (producer in _FOLDERS) != (consumer in _FOLDERS):
        return "no"
    return "doubtful" if consumer in _MARKED else "yes"


def unfit(value: object, to: Port) -> str:
    """Say why a literal does not fit an input: `must be an integer, not 'abc'`; empty where it does."""
    if is_placeholder(value) or not to.type:
        return ""
    if to.type not in PRIMITIVES:
        fits = isinstance(value, str)
        return "" if fits else f"must be a path or an asset of type {to.type}, not {shown(value)}"
    if is_mapping(value) or is_list(value) or value is None:
        return f"must be a literal of type {to.type}, not {shown(value)}"
    if to.type == "boolean":
        return "" if str(value).lower() in {"true", "false"} else f"must be true or false, not {shown(value)}"
    if to.type == "string":
        if to.values and str(value) not in to.values:
            return f"must be one of {', '.join(to.values)}, not {shown(value)}"
        return ""
    read = number(value)
    if read is None or read != read:
        return f"must be {'an integer' if to.type == 'integer' else 'a number'}, not {shown(value)}"
    if to.type == "integer" and not read.is_integer():
        return f"must be an integer, not {shown(value)}"
    if to.low is not None and read < to.low:
        return f"must be at least {to.low:g}, not {shown(value)}"
    if to.high is not None and read > to.high:
        return f"must be at most {to.high:g}, not {shown(value)}"
    if to.values and str(value) not in to.values:
        return f"must be one of {', '.join(to.values)}, not {shown(value)}"
    return ""


def check_mode(mode: object, kind: str, output: bool, path: Path, report: Report) -> None:
    """Report a way of mounting that the type of a port does not have."""
    if not isinstance(mode, str) or not kind or kind not in ASSETS or stands_open(mode):
        return
    if output:
        allowed: tuple[str, ...] = _OUTPUT_MODES
    else:
        allowed = _TABLE_MODES if kind == "mltable" else _INPUT_MODES
    # `link` is known to components only, and to no documentation.
    if mode not in allowed and mode != "link":
        side = "an output" if output else "an input"
        message = f"{report.place(path)} is '{mode}', which {side} of type {kind} does not have"
        report.error(path, SCHEMA, message, nearest(mode, allowed, "allowed"))


def check_declared(given: object, path: Path, report: Report) -> None:
    """Report a declared input that contradicts itself: a default or bounds that its type does not take."""
    raw: Mapping[str, Any] = mapping(given)
    kind = known_type(raw.get("type"))
    if not kind or not ("default" in raw or "min" in raw or "max" in raw):
        return
    place = report.place(path)
    numeric = kind in {"integer", "number"}
    for key in ("min", "max"):
        bound = raw.get(key)
        if bound is None or is_placeholder(bound):
            continue
        if not numeric:
            report.error((*path, key), SCHEMA, f"{place} is of type {kind} and can have no '{key}'")
        elif number(bound) is None:
            report.error((*path, key), SCHEMA, f"'{key}' of {place} must be a number, not {shown(bound)}")
    declared = port(raw)
    if declared.low is not None and declared.high is not None and numeric and declared.low > declared.high:
        message = f"{place} can take no value: its smallest is above its largest"
        report.error((*path, "min"), SCHEMA, message)
    default = raw.get("default")
    if default is None:
        return
    if kind not in PRIMITIVES:
        hint = "make it optional instead"
        report.error((*path, "default"), SCHEMA, f"{place} is of type {kind} and can have no default", hint)
    elif fault := unfit(default, declared):
        report.error((*path, "default"), SCHEMA, f"the default of {place} {fault}")


def check_names(given: Mapping[str, Any], path: Path, report: Report, output: bool = False) -> None:
    """Report names of inputs or outputs that Azure ML refuses, or takes for one another."""
    kind = "output" if output else "input"
    legal = re.compile(snapshot.load().patterns["port"])
    seen: dict[str, str] = {}
    for name in given:
        if is_placeholder(name):
            continue
        place, folded = (*path, name), name.lower()
        if legal.match(name) is None:
            message = f"{report.label} has an {kind} '{name}', which is no name for a port"
            report.error(place, SCHEMA, message, "letters, digits and underscores, no digit first")
        elif folded in seen:
            message = (
                f"{report.label} has the {kind}s '{seen[folded]}' and '{name}', which differ in case only"
            )
            report.error(place, SCHEMA, message)
        elif output and name == "default":
            message = f"{report.label} has an {kind} 'default', a name that Azure ML keeps for its own"
            report.error(place, SCHEMA, message, "choose another name")
        elif name in _DICT_METHODS:
            message = (
                f"{report.label} has an {kind} '{name}', which the Python SDK cannot reach as an attribute"
            )
            report.warning(place, SCHEMA, message, "choose another name")
        seen.setdefault(folded, name)


def check_outputs(given: Mapping[str, Any], path: Path, report: Report) -> None:
    """Report outputs that could not be registered under the name that they ask for."""
    legal = re.compile(snapshot.load().patterns["asset_name"])
    for key, value in given.items():
        raw = mapping(value)
        name, place = raw.get("name"), (*path, key)
        if isinstance(name, str) and not stands_open(name) and (not legal.match(name) or len(name) > _NAME):
            message = f"'name' of {report.place(place)} is {shown(name)}, which is no name for an asset"
            report.error((*place, "name"), SCHEMA, message, f"letters, digits, - and _, at most {_NAME}")
        if raw.get("version") is not None and not name:
            message = f"{report.place(place)} has a version but no name to register it under"
            report.error((*place, "version"), SCHEMA, message, "add name:")


def stands_open(value: object) -> bool:
    """Tell whether a value is filled in later, by the service or by submit."""
    return isinstance(value, str) and ("${{" in value or is_placeholder(value))
