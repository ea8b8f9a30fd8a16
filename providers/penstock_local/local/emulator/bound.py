"""What a step gets in one run: its inputs, and the requirements of its environment."""

from __future__ import annotations

from pathlib import Path

from penstock.expressions.nodes import Scalar
from penstock.frozen import dataclass
from penstock.ir import Graph
from penstock.runtime.artifacts import Artifact, ArtifactStore
from penstock.runtime.records import OutputRecord
from penstock.runtime.requirements import Requirements


@dataclass(frozen=True, slots=True)
class Bound:
    """What an input is bound to in this run: a scalar, a file or folder in place, an artifact, or nothing.

    `name` is the file name under which a single artifact file is handed over; `digest` is what `path` held when
    the run began.
    """

    scalar: Scalar | None = None
    path: Path | None = None
    digest: str = ""
    artifact: Artifact | None = None
    name: str = ""


def artifact_of(record: OutputRecord) -> Artifact:
    """Give the stored artifact that a record speaks of."""
    return Artifact(record.digest, record.kind, record.size, record.files)


def is_sound(record: OutputRecord, store: ArtifactStore) -> bool:
    """Tell whether an artifact is in the store as it was made, by a look at each file; a damaged one leaves it."""
    if not store.has(record.digest):
        return False
    if store.check_unmodified(artifact_of(record)):
        store.discard(record.digest)
        return False
    return True


def requirements_of(graph: Graph, environment: str) -> Requirements:
    """Give what an environment of the graph asks for; nothing for a step that names none."""
    found = graph.environments.get(environment)
    return Requirements(found.python, found.packages) if found else Requirements()
