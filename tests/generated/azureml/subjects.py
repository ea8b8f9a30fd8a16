"""The jobs by name, and how each of them is run."""

from __future__ import annotations

from tests.generated.azureml.commands import COMMANDS, COMPONENTS, FAILING
from tests.generated.azureml.flows import FLOWS
from tests.generated.azureml.hearing import Subject
from tests.generated.azureml.searches import ENDING, LAST, PARALLEL, STRICT, SWEEP

SUBJECTS: dict[str, Subject] = {
    "commands": Subject(COMMANDS),
    "components": Subject(COMPONENTS),
    "cached": Subject(
        COMPONENTS,
        again=True,
        only=r"job\.yml:(settings|jobs\.plain\.(inputs|environment_variables))|plain\.yml:is_deterministic",
    ),
    "failing": Subject(FAILING),
    "sweep": Subject(SWEEP),
    "ending": Subject(ENDING, only=r"job\.yml:jobs\.tune\.early_termination"),
    "parallel": Subject(PARALLEL),
    "strict": Subject(STRICT, only=r"job\.yml:jobs\.strict\.(mini_batch_error_threshold|retry_settings)"),
    "last": Subject(
        LAST, only=r"job\.yml:jobs\.(cut\.early_termination|logs\.(search_space|sampling_algorithm))"
    ),
    "flows": Subject(FLOWS),
}
