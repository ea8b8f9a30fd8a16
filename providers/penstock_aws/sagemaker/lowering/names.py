"""Names and tags in the characters that the service takes."""

from __future__ import annotations

import re

from penstock.diagnostics import At, Path, error, note
from penstock.ir import Register, Step
from penstock_aws.sagemaker.lowering.draft import Draft

# Tags take letters, digits, white space and _.:/=+-@ (patterns of TagKey and TagValue in the service model);
# keys that begin with aws: are AWS's own.
_FOREIGN = re.compile(r"[^\w\s.:/=+\-@]")
_RESERVED = re.compile(r"aws:", re.IGNORECASE)
COMPONENT = "penstock.component"
"""The tag that says which component a job runs: its name and version."""
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


def hyphenated(name: str) -> str:
    """Write a name of the spec as a resource's: letters, digits and hyphens, no hyphen at the end."""
    return re.sub(r"[^A-Za-z0-9-]", "-", name).strip("-")


def group_name(step: Register, draft: Draft) -> str:
    """Name the group of a registered model. Two models that become one are an error."""
    name = hyphenated(step.model_name)
    for other in draft.graph.steps:
        if not isinstance(other, Register) or other.model_name == step.model_name or other.path > step.path:
            continue
        if hyphenated(other.model_name) == name:
            message = f"models '{other.model_name}' and '{step.model_name}' are both '{name}' on sagemaker"
            hint = "rename one of them: letters, digits and hyphens tell them apart"
            draft.found.append(error("P235", message, At((*step.path, "name")), hint))
    return name


def tags(step: Step | None, draft: Draft) -> list[dict[str, str]]:
    """Give the pipeline's tags and a step's own; without a step, the pipeline's alone, with owner and version."""
    given: list[tuple[Path, dict[str, str]]] = [((), draft.graph.tags)]
    if step is None:
        # The service has no place of its own for either.
        about = {"owner": draft.graph.owner, "version": draft.graph.version}
        given.insert(0, ((), {key: value for key, value in about.items() if value}))
    else:
        if step.component is not None:
            named = (step.component.name, step.component.version)
            given.append((step.path, {COMPONENT: ":".join(filter(None, named))}))
        given.append((step.path, step.tags))
    kept = dict(_taken(key, value, path, draft) for path, listed in given for key, value in listed.items())
    return [{"Key": key, "Value": value} for key, value in kept.items()]


def _taken(key: str, value: str, path: Path, draft: Draft) -> tuple[str, str]:
    taken = _FOREIGN.sub("_", _RESERVED.sub("aws_", key))[:_LONGEST_KEY]
    kept = _FOREIGN.sub("_", value)[:_LONGEST_VALUE]
    if (taken, kept) != (key, value):
        message = (
            f"tag '{key}: {value:.60}' is written as '{taken}: {kept:.60}': sagemaker takes fewer characters"
        )
        hint = "letters, digits, white space and _ . : / = + - @ stay as they are"
        draft.found.append(note("P340", message, At((*path, "tags", key)), hint))
    return taken, kept
