"""What a target can keep, as data: one table a target, read by `check`, by `penstock providers` and by the tests.

A feature is anything in the language that some target may not have. Lowering consults the same table, through
`announce`, so that what is declared and what is done cannot part.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from penstock.diagnostics import At, Diagnostic, Path, Severity
from penstock.frozen import dataclass
from penstock.ir import Graph


class Support(StrEnum):
    """How a target carries a feature."""

    NATIVE = "native"
    """The target's own form."""
    LAUNCHER = "launcher"
    """The shipped launcher does it inside the step; listed in the bundle's manifest."""
    APPROXIMATED = "approximated"
    """Something near it; announced as a warning."""
    UNSUPPORTED = "unsupported"
    """Not to be had; announced, as an error where leaving it out would change results."""


class Feature(Enum):
    """One thing in the language. The value is the code under which its loss is announced, and a title."""

    COMMAND = ("P300", "a command step")
    TRAIN = ("P301", "a train step")
    REGISTER = ("P302", "registering a model")
    REGISTER_UNDER_CONDITION = ("P303", "registering a model under a condition")
    FAIL = ("P304", "ending the run with a message")
    CONDITION = ("P305", "a condition")
    METRIC_ARITHMETIC = ("P306", "arithmetic over metrics in a condition")
    PARAMETER_ARITHMETIC = ("P307", "arithmetic over parameters")
    INTERPOLATION = ("P308", "text composed from parameters")
    ORDER_WITHOUT_DATA = ("P309", "order without data (`after`)")
    RETRY_PLATFORM = ("P310", "retrying after a platform fault")
    RETRY_ANY = ("P311", "retrying after any error")
    TIMEOUT = ("P312", "a time limit")
    CACHE = ("P313", "reuse of earlier results")
    CACHE_EXPIRY = ("P314", "expiry of cached results")
    SPOT = ("P315", "spot machines")
    CHECKPOINT = ("P316", "checkpoints")
    SEVERAL_MACHINES = ("P317", "several machines for one step")
    MACHINES_FROM_PARAMETER = ("P318", "a number of machines given by a parameter")
    GPU = ("P319", "accelerators")
    FIXED_INPUT_PATH = ("P320", "an input at a fixed path (`at`)")
    PACKED_INPUT = ("P321", "an input handed over packed")
    SHARDED_INPUT = ("P322", "an input divided over the machines (`shard`)")
    INPUT_MODE = ("P323", "the way an input is delivered (`mode`)")
    CONTENT_TYPE = ("P324", "the content type of an input")
    ENV = ("P325", "environment variables")
    ENV_FROM_CALLER = ("P326", "environment variables taken from the caller")
    PARAMETER_BOUNDS = ("P327", "bounds and patterns of parameters")
    PARAMETER_ENUM = ("P328", "a list of allowed values of a parameter")
    REQUIRED_PARAMETER = ("P329", "a parameter without a default")
    DATASET_SLOT = ("P330", "a dataset that the caller fills")
    OPTIONAL_DATASET = ("P331", "a dataset that may stay unfilled")
    RUN_CONTEXT = ("P332", "`run.id` and `run.started_at`")
    APPROVAL_EXPRESSION = ("P333", "approval decided by an expression")
    BUILTIN_ALGORITHM = ("P334", "a built-in algorithm (a train step without `run`)")
    TRAIN_METRICS = ("P335", "metrics of a train step in a condition")
    METRIC_IN_MESSAGE = ("P336", "metrics in a message")
    KPIS = ("P337", "KPI verdicts")
    CONDA = ("P338", "packages from a conda file")
    PIPELINE_OUTPUTS = ("P339", "outputs of the pipeline")
    TAGS = ("P340", "tags")
    OPTIONS = ("P341", "target options")
    TUNE = ("P342", "a search for the best values (`tune`)")
    GRID_SEARCH = ("P343", "a grid search")
    BAYESIAN_SEARCH = ("P344", "a Bayesian search")
    EARLY_STOPPING = ("P345", "ending trials that fall behind")
    TRIAL_TIMEOUT = ("P346", "a time limit of one trial")
    OBJECTIVE_FROM_LOG = ("P347", "an objective read from the log")
    OBJECTIVE_FROM_MLFLOW = ("P348", "an objective read from MLflow")
    MAP = ("P349", "a map over items")
    MAP_FILES = ("P350", "a map over files")
    MAP_TABLE = ("P351", "a map over the groups of a table")
    TOLERATED_FAILURES = ("P352", "items that may fail")
    PREDICT = ("P353", "batch inference (`predict`)")
    NATIVE = ("P354", "a step in a target's own words (`native`)")
    STAND_IN = ("P355", "a stand-in for what only a cloud has")
    NESTED = ("P356", "a pipeline as a step")
    COMPONENT = ("P357", "a component")
    OPTIONAL_SEGMENT = ("P358", "an optional segment of a command")

    @property
    def code(self) -> str:
        """The diagnostic code under which the loss of this feature is announced."""
        return self.value[0]

    @property
    def title(self) -> str:
        """The feature in the user's words, fit for the middle of a sentence."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of a target's table.

    Attributes:
        support: how the feature is carried.
        how: what it becomes there, or why it cannot be: one clause, shown to users.
        proof: the test that proves it, as `path/to/test_file.py::test_name`; required unless unsupported.
        hint: what to do instead where it is approximated or unsupported.
        severity: how its loss is announced.
    """

    support: Support
    how: str
    proof: str = ""
    hint: str = ""
    severity: Severity = Severity.WARNING


Capabilities = Mapping[Feature, Capability]


@dataclass(frozen=True, slots=True)
class Use:
    """A feature used somewhere in a pipeline: `path` into the spec, and the step that it belongs to."""

    feature: Feature
    path: Path
    step: str = ""


def announce(target: str, capabilities: Capabilities, graph: Graph) -> list[Diagnostic]:
    """Say of every used feature that the target loses or approximates: code, place and hint."""
    from penstock.uses import uses

    found: list[Diagnostic] = []
    used = list(dict.fromkeys(uses(graph)))
    native = capabilities[Feature.STAND_IN].support is Support.NATIVE
    replaced = {use.step for use in used if use.feature is Feature.STAND_IN} if native else set[str]()
    for use in used:
        capability = capabilities[use.feature]
        if use.feature is Feature.BUILTIN_ALGORITHM and use.step in replaced:
            continue
        if capability.support in (Support.NATIVE, Support.LAUNCHER):
            continue
        verb = "approximates" if capability.support is Support.APPROXIMATED else "does not have"
        subject = f"step '{use.step}': " if use.step else ""
        found.append(
            Diagnostic(
                use.feature.code,
                f"{subject}{target} {verb} {use.feature.title}: {capability.how}",
                At(use.path),
                capability.hint or f"`penstock explain {use.feature.code}` tells the ways out",
                capability.severity,
            )
        )
    return found
