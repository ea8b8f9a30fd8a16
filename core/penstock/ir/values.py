"""What steps are made of: ports, environments, compute, commands, conditions."""

from __future__ import annotations

from dataclasses import field
from typing import Any
from typing import Literal as OneOf

from penstock.diagnostics import Path
from penstock.expressions.nodes import (
    Expression,
    InputRef,
    ItemRef,
    OwnOutputRef,
    ParameterRef,
    RunRef,
    Scalar,
)
from penstock.frozen import dataclass

ScalarType = OneOf["string", "integer", "number", "boolean"]
ArtifactType = OneOf["file", "folder", "table", "model", "metrics"]
PortType = ScalarType | ArtifactType

SCALARS: tuple[ScalarType, ...] = ("string", "integer", "number", "boolean")
ARTIFACTS: tuple[ArtifactType, ...] = ("file", "folder", "table", "model", "metrics")
SINGLE_FILES: tuple[ArtifactType, ...] = ("file", "metrics")
"""Artifacts that are one file; the others are folders."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A scalar that the caller may set at start. `default` is `None` when the caller must."""

    name: str
    type: ScalarType
    default: Scalar | None = None
    enum: tuple[Scalar, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    description: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data from outside the pipeline.

    Attributes:
        path: relative to the folder of the spec, or absolute; empty for a slot that the caller fills.
        uri: target name → address there; the key "" serves every target.
        digest: content digest of `path`, set by the snapshot stage; empty until then, and for a slot.
        optional: may stay unfilled; only optional inputs bind it.
    """

    name: str
    type: ArtifactType
    path: str = ""
    uri: dict[str, str] = field(default_factory=dict[str, str])
    version: str = ""
    description: str = ""
    optional: bool = False
    digest: str = ""
    display_name: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Environment:
    """What a step's interpreter must have.

    Attributes:
        python: a version specifier such as `>=3.11`, or a plain version; empty for any.
        packages: requirement strings in the order written; the snapshot stage adds those of `requirements` and
            the pip part of `conda`.
        requirements: path of a requirements file, relative to the spec; empty for none.
        conda: the parsed conda file, for targets that take one natively; before the snapshot stage `{file: path}`.
        image: target name → image; the key "" serves every target.
    """

    name: str
    python: str = ""
    packages: tuple[str, ...] = ()
    requirements: str = ""
    conda: dict[str, Any] = field(default_factory=dict[str, Any])
    image: dict[str, str] = field(default_factory=dict[str, str])
    description: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """Interruptible machines. `max_wait` in seconds, waiting included; `None` is twice the timeout."""

    max_wait: int | None = None


@dataclass(frozen=True, slots=True)
class Compute:
    """What a step needs. `memory` in MiB; 0 means not stated. `instance`: target name → its own size name."""

    cpu: float = 0
    memory: int = 0
    gpu: int = 0
    count: int | ParameterRef = 1
    spot: Spot | None = None
    instance: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` counts the first; `delay` in seconds before the second; `errors`: which failures qualify."""

    attempts: int = 1
    delay: float = 0
    backoff: float = 1
    errors: OneOf["platform", "any"] = "platform"


@dataclass(frozen=True, slots=True)
class Cache:
    """Whether an unchanged step may reuse an earlier result; `expires` in seconds, `None` for never."""

    enabled: bool = True
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A bound input: where its value comes from, and how the step wants it.

    Attributes:
        type: the step's view; widening (`model→folder`, `table→folder`, `metrics→file`) is already checked.
        source_type: the type of what is bound; differs from `type` only by widening.
        value: a `DatasetRef` or `OutputRef` for artifacts, else a scalar expression (literals, parameters,
            arithmetic and templates over them).
        at: a fixed absolute path that the step wants to find it under; empty for none.
        packed: hand over the archive itself instead of its content.
    """

    name: str
    type: PortType
    source_type: PortType
    value: Expression
    at: str = ""
    mode: OneOf["", "mount", "download", "direct", "stream"] = ""
    content_type: str = ""
    shard: bool = False
    packed: bool = False
    optional: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An artifact that the step writes. `file` is the file's name where `type` is one file, else empty."""

    name: str
    type: ArtifactType
    file: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """One substituted value in a command: exactly one word, whatever it holds.

    `quoted` tells that it stands inside double quotes of the script: `"${1}"` needs no quotes of its own there.
    """

    value: InputRef | OwnOutputRef | RunRef | ItemRef
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a command that is left out while any of `inputs` is unset: `$[[ --x ${{ inputs.x }} ]]`.

    `first` and `last` are a half-open range of positions in `Shell.parts` or `Argv.arguments`.
    """

    first: int
    last: int
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    """A command for `bash -euo pipefail`: literal script text and words, in order.

    No literal text reaches across the border of a segment, and the script holds with and without each.
    """

    parts: tuple[str | Word, ...]
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Argv:
    """A command without a shell: each argument is literal text and values, joined."""

    arguments: tuple[tuple[str | Word, ...], ...]
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """The folder that becomes the working directory.

    `path` is absolute or relative to the spec's folder; `digest` and `files` (relative POSIX path → sha256) come
    from the snapshot stage and are empty before it. `added` holds generated files beside them, name → text; the
    digest covers these too. `path` is empty where all files are generated.
    """

    path: str
    digest: str = ""
    files: dict[str, str] = field(default_factory=dict[str, str])
    added: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Guard:
    """One condition on the way to a step: the step runs where the condition's outcome equals `outcome`."""

    condition: str
    outcome: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A named boolean, evaluated once in a run.

    Attributes:
        name: as written, or `when_<step>` for an expression that stands in `when` itself.
        expression: over parameters, metrics and literals; other conditions are already substituted.
        needs: the steps whose metrics it reads, in graph order.
        guards: conditions under which those steps run, outermost first; where one is closed this one is too.
        path: where it stands in the spec: under `conditions`, or a step's `when`.
    """

    name: str
    expression: Expression
    needs: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    path: Path = ()

    @property
    def written(self) -> bool:
        """Whether the user named it, rather than writing it into a `when`."""
        return self.path[:1] == ("conditions",)
