"""A search as a tuning job: what it seeks, how much it may spend, and the job of one trial.

A trial is a training job in all but its algorithm: tuning jobs take no container command, so the training toolkit of
the image starts a shipped script, which becomes the command (`trials`). Limits are those of the service's page on
automatic model tuning, and the bounds of its request.
"""

from __future__ import annotations

import math
import re
from typing import Any

from penstock.diagnostics import At, error, note, warning
from penstock.expressions.nodes import MetricRef, OutputRef
from penstock.expressions.references import references
from penstock.expressions.segments import settle
from penstock.ir import Train, Tune
from penstock.passes.sites import sites
from penstock_aws.sagemaker.images import has_toolkit
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.job import image
from penstock_aws.sagemaker.lowering.names import tags
from penstock_aws.sagemaker.lowering.ranges import points, ranges
from penstock_aws.sagemaker.lowering.training import machinery, refuse_strings, require_builtin, staged
from penstock_aws.sagemaker.lowering.trials import hyperparameters, script_mode

MOST_TRIALS, MOST_RANDOM_TRIALS = 750, 10_000
MOST_PARALLEL, MOST_PARALLEL_EVER = 10, 100
SHORTEST, LONGEST = 120, 15_768_000
"""Bounds of MaxRuntimeInSeconds of a tuning job."""
LONGEST_REGEX = 500
_STRATEGY = {"grid": "Grid", "random": "Random", "bayesian": "Bayesian"}


def tuning(step: Tune, draft: Draft) -> dict[str, Any]:
    """Lower a step to the arguments of CreateHyperParameterTuningJob."""
    trial = trial_of(step)
    sought = _sought(step, draft)
    algorithm: dict[str, Any] = {
        "TrainingImage": image(trial, step.environment, draft).uri,
        "TrainingInputMode": "File",
    }
    definition: dict[str, Any] = {}
    if trial.run is None:
        require_builtin(trial, draft)
        _note_regex(step, draft)
        prepared = staged(trial, (), draft)
        static = hyperparameters(step, {}, draft, quoted=False)
    else:
        _require_toolkit(step, draft)
        _note_stopping(step, draft)
        prepared = staged(trial, [step.objective.output] if step.objective.output else [], draft)
        algorithm["MetricDefinitions"] = [{"Name": sought, "Regex": _regex(step, sought, draft)}]
        static = script_mode(step, trial, prepared, draft)
    if static:
        definition["StaticHyperParameters"] = static
    definition["AlgorithmSpecification"] = algorithm
    definition |= machinery(trial, prepared.channels, draft)
    refuse_strings(trial, draft)
    _refuse_other_metrics(step, draft)
    _refuse_checkpoints(step, draft)
    found: dict[str, Any] = {
        "HyperParameterTuningJobConfig": _config(step, sought, draft),
        "TrainingJobDefinition": definition,
    }
    if tagged := tags(step, draft):
        found["Tags"] = tagged
    return found


def trial_of(step: Tune) -> Train:
    """Give one trial as a train step, of the search's name and place; inputs that vary are not among its own."""
    return Train(
        name=step.name,
        path=step.path,
        tags=step.tags,
        # Every input has an address there, so that no segment is left out.
        run=settle(step.run, ()) if step.run is not None else None,
        code=step.code,
        inputs=step.inputs,
        outputs=step.outputs,
        environment=step.environment,
        compute=step.compute,
        env=step.env,
        retry=step.retry,
        timeout=step.trial_timeout,
        checkpoint=step.checkpoint,
        component=step.component,
    )


def _config(step: Tune, sought: str, draft: Draft) -> dict[str, Any]:
    objective = step.objective
    limits: dict[str, Any] = {
        "MaxNumberOfTrainingJobs": _trials(step, draft),
        "MaxParallelTrainingJobs": _parallel(step, draft),
    }
    if step.timeout is not None:
        limits["MaxRuntimeInSeconds"] = step.timeout
        if not SHORTEST <= step.timeout <= LONGEST:
            message = f"sagemaker bounds a search by {SHORTEST} to {LONGEST} s, and '{step.name}' has {step.timeout} s"
            hint = "limits: {trial_timeout: …} bounds each trial"
            draft.found.append(error("P393", message, At((*step.path, "timeout")), hint))
    found: dict[str, Any] = {
        "Strategy": _STRATEGY[step.sampling],
        "HyperParameterTuningJobObjective": {"Type": objective.goal.capitalize(), "MetricName": sought},
        "ResourceLimits": limits,
        "ParameterRanges": ranges(step, draft),
        "TrainingJobEarlyStoppingType": "Auto" if step.early_stopping else "Off",
    }
    if step.sampling != "grid":
        found["RandomSeed"] = step.seed
    return found


def _trials(step: Tune, draft: Draft) -> int:
    """Give the number of trials: that of the points for a grid, which the service tries all."""
    at = At((*step.path, "limits", "trials"))
    grid = math.prod(map(points, step.space)) if step.sampling == "grid" else 0
    if grid > step.trials:
        message = f"sagemaker tries all {grid} points of the grid of '{step.name}', not {step.trials} of them"
        hint = f"allow {grid} trials, list fewer values, or take sampling: random"
        draft.found.append(error("P393", message, at, hint))
    found = grid or step.trials
    most = MOST_RANDOM_TRIALS if step.sampling == "random" else MOST_TRIALS
    if found > MOST_TRIALS:
        message = f"sagemaker allows {MOST_TRIALS} trials of a search, and '{step.name}' has {found}"
        if found > most:
            draft.found.append(error("P393", message, at, "allow fewer, or take sampling: random"))
        else:
            draft.found.append(warning("P393", message, at, "ask AWS to raise the quota for this account"))
    return found


def _parallel(step: Tune, draft: Draft) -> int:
    if step.parallel > MOST_PARALLEL:
        at = At((*step.path, "limits", "parallel"))
        if step.parallel > MOST_PARALLEL_EVER:
            message = f"sagemaker runs at most {MOST_PARALLEL_EVER} trials at once, not {step.parallel}"
            draft.found.append(error("P393", message, at, f"write {MOST_PARALLEL_EVER} or less"))
        else:
            message = (
                f"sagemaker runs {MOST_PARALLEL} trials at once, and '{step.name}' asks for {step.parallel}"
            )
            draft.found.append(warning("P393", message, at, "ask AWS to raise the quota for this account"))
    return step.parallel


def _sought(step: Tune, draft: Draft) -> str:
    """Name the objective as the job reports it: nested names joined by dots, as the launcher prints them."""
    objective = step.objective
    if any(isinstance(part, int) for part in objective.path):
        message = f"positions in lists are no metrics of a training job: the objective of '{step.name}'"
        hint = "write the field under a name of its own"
        draft.found.append(error("P335", message, At((*step.path, "objective", "metric")), hint))
    return ".".join(map(str, objective.path)) or objective.metric


def _regex(step: Tune, sought: str, draft: Draft) -> str:
    regex = step.objective.regex
    if not regex:
        return f"penstock_metric {re.escape(sought)}=([^;]+);"
    if len(regex) > LONGEST_REGEX or "\n" in regex:
        message = f"sagemaker takes expressions of one line and {LONGEST_REGEX} characters"
        at = At((*step.path, "objective", "regex"))
        draft.found.append(
            error("P393", message, at, "shorten it, or write the number into a metrics output")
        )
    return regex


def _note_regex(step: Tune, draft: Draft) -> None:
    if step.objective.regex:
        message = "sagemaker knows the metrics of its own algorithms by name, and does not read 'regex'"
        draft.found.append(note("P347", message, At((*step.path, "objective", "regex"))))


def _note_stopping(step: Tune, draft: Draft) -> None:
    if step.early_stopping and step.objective.source == "metrics":
        message = f"the objective of '{step.name}' is known when a trial has ended, so that sagemaker ends none early"
        hint = "print the number while the trial runs, and write source: log with its regex"
        draft.found.append(note("P345", message, At((*step.path, "early_stopping"), key=True), hint))


def _require_toolkit(step: Tune, draft: Draft) -> None:
    if not has_toolkit(draft.environment(step.environment), draft.place):
        message = (
            f"the trials of '{step.name}' are started by the training toolkit, and only AWS's own framework "
            f"images are known to have it"
        )
        hint = 'leave the image out, or name one of these: image: {sagemaker: "builtin:pytorch:2.4"}'
        draft.found.append(error("P342", message, At(("environments", step.environment, "image")), hint))


def _refuse_other_metrics(step: Tune, draft: Draft) -> None:
    """Say where a field is read that the job does not report: it knows the best trial by the objective alone."""
    objective = step.objective
    for site in sites(draft.graph, commands=False):
        # KPIs are read by Penstock from the files, after the run.
        for each in references(site.expression) if site.what != "a KPI" else ():
            if not isinstance(each, MetricRef) or each.step != step.name:
                continue
            if (each.output, each.path) != (objective.output, objective.path):
                message = (
                    f"of the best trial sagemaker reports the objective alone, and not '{each.path[-1]}'"
                )
                hint = "evaluate the model in a command step, and read the metrics of that"
                draft.found.append(error("P335", message, At(site.path), hint))


def _refuse_checkpoints(step: Tune, draft: Draft) -> None:
    """Say where another step wants the checkpoints: they lie in one folder a trial, of no name known before."""
    if not step.checkpoint:
        return
    for site in sites(draft.graph, commands=False):
        if OutputRef(step.name, step.checkpoint) in references(site.expression):
            message = (
                f"the checkpoints of the trials of '{step.name}' are no output of the best one on sagemaker"
            )
            hint = "write what the next step needs into another output"
            draft.found.append(error("P316", message, At(site.path), hint))
