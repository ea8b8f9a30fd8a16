"""Rules that one kind of node has beyond its schema: sweep, parallel, spark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml import snapshot
from penstock_azure.azureml.validation.expressions import is_placeholder, single
from penstock_azure.azureml.validation.ports import Interface, stands_open
from penstock_azure.azureml.validation.report import (
    GRAPH,
    LIMIT,
    REFERENCE,
    SCHEMA,
    Report,
    by_name,
    is_list,
    is_mapping,
    mapping,
    shown,
)
from penstock_azure.azureml.validation.scalars import number

_MOST_TRIALS = 1000
"""Of `max_total_trials` and `max_concurrent_trials` (Azure ML's reference of sweep jobs)."""
_BAYESIAN = ("choice", "uniform", "quniform")

_CONF = ("driver.cores", "driver.memory", "executor.cores", "executor.memory")
_LEAST, _MOST = "dynamicAllocation.minExecutors", "dynamicAllocation.maxExecutors"
_FILES = ("py_files", "jars", "files", "archives")


def check_sweep(node: Mapping[str, Any], path: Path, report: Report, trial: Interface) -> None:
    """Report parameters that the trial does not have, and a sampling that cannot draw them."""
    space = by_name(node.get("search_space"))
    sampling = node.get("sampling_algorithm")
    sampling = mapping(sampling).get("type") if is_mapping(sampling) else sampling
    method = sampling.lower() if isinstance(sampling, str) else ""
    for name, given in space.items():
        place = (*path, "search_space", name)
        if trial.inputs is not None and name not in trial.inputs:
            message = f"{report.label} searches over '{name}', which its trial has no input for"
            report.error(place, REFERENCE, message, nearest(str(name), trial.inputs, "inputs of the trial"))
        kind = mapping(given).get("type")
        if method == "grid" and isinstance(kind, str) and kind.lower() != "choice":
            message = f"{report.label} searches '{name}' on a grid, but '{kind}' has no end of values"
            report.error((*place, "type"), GRAPH, message, "a grid takes choice only")
        elif method == "bayesian" and isinstance(kind, str) and kind.lower() not in _BAYESIAN:
            message = f"{report.label} draws '{name}' from '{kind}', which Bayesian sampling does not know"
            report.error((*place, "type"), GRAPH, message, f"one of {', '.join(_BAYESIAN)}")
    for key in ("max_total_trials", "max_concurrent_trials"):
        trials = number(mapping(node.get("limits")).get(key))
        if trials is not None and trials > _MOST_TRIALS:
            message = f"{report.label} asks for {trials:g} trials, and Azure ML takes {_MOST_TRIALS}"
            report.error((*path, "limits", key), LIMIT, message, f"at most {_MOST_TRIALS}")
    policy = mapping(node.get("early_termination"))
    if "slack_factor" in policy and "slack_amount" in policy:
        message = f"the early termination of {report.label} has both a slack factor and a slack amount"
        report.error((*path, "early_termination", "slack_amount"), SCHEMA, message, "keep one of the two")


def check_parallel_settings(given: Mapping[str, Any], path: Path, report: Report) -> None:
    """Report a mini-batch size of no known form, and rows that are appended to no output."""
    size = given.get("mini_batch_size")
    pattern = snapshot.load().patterns["mini_batch_size"]
    if isinstance(size, str) and not stands_open(size) and re.match(pattern, size) is None:
        message = f"'mini_batch_size' of {report.label} is {shown(size)}, which is no size"
        hint = "a number of files, or of bytes with kb, mb or gb, such as 10 or 100kb"
        report.error((*path, "mini_batch_size"), SCHEMA, message, hint)
    rows = mapping(given.get("task")).get("append_row_to")
    found = single(rows)
    if rows is not None and not is_placeholder(rows) and (found is None or found.head != "outputs"):
        message = f"'task.append_row_to' of {report.label} must be one of its outputs, not {shown(rows)}"
        report.error((*path, "task", "append_row_to"), SCHEMA, message, "write ${{outputs.NAME}}")


def check_spark(
    node: Mapping[str, Any], path: Path, report: Report, component: Mapping[str, Any], known: bool
) -> None:
    """Report what a Spark node lacks. `component`: empty for an inline node; `known`: it is not remote."""
    if ("compute" in node) == ("resources" in node):
        both = "both compute and resources" if "compute" in node else "neither compute nor resources"
        hint = "compute is an attached Synapse pool, resources are serverless Spark"
        report.error((*path, "resources"), SCHEMA, f"{report.label} has {both}, and needs one of them", hint)
    for key in _FILES:
        given = node.get(key)
        if is_list(given):
            names = [each for each in given if isinstance(each, str)]
            for twice in dict.fromkeys(each for each in names if names.count(each) > 1):
                report.error(
                    (*path, key), SCHEMA, f"'{key}' of {report.label} names '{twice}' more than once"
                )
    entry = mapping(node.get("entry")) or mapping(component.get("entry"))
    if "class_name" in entry:
        message = f"the entry of {report.label} is a class, which pipeline nodes do not take"
        report.error((*path, "entry"), SCHEMA, message, "write file: SCRIPT.py")
    if known:
        _check_conf({**mapping(component.get("conf")), **mapping(node.get("conf"))}, path, report)
        for side in ("inputs", "outputs"):
            _check_direct(side, node, component, path, report)


def _check_direct(
    side: str, node: Mapping[str, Any], component: Mapping[str, Any], path: Path, report: Report
) -> None:
    declared = mapping(component.get(side))
    for name, given in by_name(node.get(side)).items():
        raw = mapping(given)
        # A bound port takes its mode from where it is bound to, which only the service sees.
        if not raw or stands_open(raw.get("path")):
            continue
        modes = (raw.get("mode"), mapping(declared.get(name)).get("mode"))
        if "value" in raw or "direct" in modes or any(map(stands_open, modes)):
            continue
        message = f"'{side}.{name}' of {report.label} must have the mode direct: Spark mounts nothing"
        report.error((*path, side, name, "mode"), SCHEMA, message, "write mode: direct")


def _check_conf(conf: Mapping[str, Any], path: Path, report: Report) -> None:
    """Report settings that Azure ML wants in full. Keys come in Spark's spelling, or in the SDK's own."""
    place = (*path, "conf")

    def value(key: str) -> object:
        short = re.sub(r"([a-z])([A-Z])", r"\1_\2", key).lower().replace(".", "_")
        return conf.get(f"spark.{key}", conf.get(short))

    dynamic = str(value("dynamicAllocation.enabled")).lower() == "true"
    wanted = (*_CONF, _LEAST, _MOST) if dynamic else (*_CONF, "executor.instances")
    lacking = [f"spark.{key}" for key in wanted if value(key) is None]
    if lacking:
        report.error(place, SCHEMA, f"'conf' of {report.label} lacks {', '.join(lacking)}")
        return
    if not dynamic:
        if value(_LEAST) is not None or value(_MOST) is not None:
            message = f"'conf' of {report.label} bounds the executors without turning dynamic allocation on"
            report.error(place, SCHEMA, message, "set spark.dynamicAllocation.enabled: true")
        return
    least, most, asked = number(value(_LEAST)), number(value(_MOST)), number(value("executor.instances"))
    if least is None or most is None:
        return
    if not 0 < least <= most:
        report.error(place, SCHEMA, f"'conf' of {report.label} must have 0 < minExecutors <= maxExecutors")
    elif asked and not least <= asked <= most:
        message = f"'conf' of {report.label} asks for {asked:g} executors, outside of {least:g} to {most:g}"
        report.error(place, SCHEMA, message)
