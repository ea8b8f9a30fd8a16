"""The contract between core and a provider: two small protocols and the plain data that passes between them.

A provider is a cloud; a target is a service of it that pipelines are lowered to. Core finds providers through
the entry-point group `penstock.providers` and asks for nothing beyond what stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Literal, Protocol

from penstock.diagnostics import Diagnostic, Path
from penstock.frozen import dataclass
from penstock.ir import Graph

if TYPE_CHECKING:
    from penstock.bundle import Bundle
    from penstock.capabilities import Capabilities
    from penstock.runtime.hashing import StatIndex
    from penstock.runtime.offline import OfflineRun, Request
    from penstock.runtime.project import Project


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a pipeline is sent: one entry of `profiles:` in penstock.yaml.

    `settings` are the target's own keys (region, workspace, …), already checked by `Target.check_profile`.
    `datasets`, `images` and `compute` override the spec's: dataset → address, environment → image.
    """

    name: str
    target: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    datasets: Mapping[str, str] = field(default_factory=dict[str, str])
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or folder that belongs to a bundle, content-addressed: it stands at `assets/<digest[:16]>/<name>`.

    Exactly one of `content` and `source` is set. `source` is a path that the bundle writer copies: a code folder
    (`files` then lists what of it belongs, relative POSIX path → sha256) or a data file or folder (`files` empty).

    Attributes:
        name: file or folder name inside the asset's own folder.
        digest: sha256 over the content; it names the asset in documents, so equal content is stored once.
        archive: the files of `source` stand packed in one `.tar.gz` that is called `name`.
        added: texts that stand beside the files, by name.
        upload_to: the address that the document names it by, which submit uploads it to; empty where the client
            library uploads relative paths by itself.
    """

    name: str
    digest: str
    content: bytes | None = None
    source: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    upload_to: str = ""
    executable: bool = False
    archive: bool = False
    added: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def path(self) -> str:
        """Where it stands in the bundle, relative to the bundle's root."""
        return f"assets/{self.digest[:16]}/{self.name}"


@dataclass(frozen=True, slots=True)
class LauncherUse:
    """One reason why the launcher stands in front of a step's command."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a lowering gives: the documents, what they lean on, and what has to be said.

    Attributes:
        files: path in the bundle → document. The first is the main one. A value is a JSON-able tree; the target's
            `serialise` turns it into text.
        origins: (file, path in that document) → path in the spec; the longest prefix wins. Findings about the
            document are shown at the spec's line through it.
        results: for who runs or follows the documents: step → where what it offers stands afterwards, JSON-able and
            in the target's own words. It travels in the bundle's `interface.json`; empty where nobody reads it.
        uploads: those of `files` that are too large to be handed over in a call → the address that submit uploads
            each to.
    """

    files: Mapping[str, Any]
    assets: tuple[Asset, ...] = ()
    launcher: tuple[LauncherUse, ...] = ()
    origins: Mapping[tuple[str, Path], Path] = field(default_factory=dict[tuple[str, Path], Path])
    diagnostics: tuple[Diagnostic, ...] = ()
    placeholders: tuple[str, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict[str, Any])
    uploads: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Problem:
    """What a target's validation has against a document: `file` of the bundle (empty: the main one), JSON path."""

    path: Path
    code: str
    message: str
    hint: str = ""
    warning: bool = False
    file: str = ""


class Emulator(Protocol):
    """Runs a compiled bundle offline, under the contract of its target."""

    def examine(self, bundle: Bundle, request: Request, project: Project, index: StatIndex) -> Request:
        """Look at what is about to run, before anything is written down, and give the request as it will be kept.

        Of a bundle without an interface the parameters come as they were given, and are to be typed here.

        Raises:
            RunError: the bundle cannot run offline, or what was asked for does not fit it: all that is wrong.
        """
        ...

    def run(self, bundle: Bundle, run: OfflineRun) -> None:
        """Run every step that is left to do, recording each change in `run.ledger` before it is shown."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a submit does, or finds already done.

    Attributes:
        action: `upload`, `create`, `update`, `start`; or `keep` for what is there already.
        what: its kind and name, in the target's own words.
        detail: what differs, or how much there is of it.
    """

    action: Literal["upload", "create", "update", "start", "keep"]
    what: str
    detail: str = ""


class Submitter(Protocol):
    """Sends bundles to the service with the user's own credentials, and follows what becomes of them.

    Every method raises RunError for what stands in the way, credentials and network included, and never anything of
    the client library's.
    """

    def plan(self, bundle: Bundle, profile: Profile, request: Request, index: StatIndex) -> Sequence[Change]:
        """Tell what a submit would change; nothing is sent but questions."""
        ...

    def send(self, bundle: Bundle, profile: Profile, run: OfflineRun) -> None:
        """Upload what is missing, put the pipeline in its place, and start it.

        `run.describe` keeps in `details.remote` what it is called there, with `started` true; a stopped run is left
        without. Whatever an earlier attempt of the same run has done is not done again.
        """
        ...

    def follow(self, bundle: Bundle, profile: Profile, run: OfflineRun, stops: Callable[[], bool]) -> None:
        """Show and record what becomes of it, fetch results, and end the run, or detach it once `run.stop` is set.

        Args:
            bundle: as it was sent.
            profile: where it was sent to.
            run: under way, or taken up again. One that is known to have failed is tried again at the service.
            stops: asked once `run.stop` is set: whether what runs at the service is to be stopped too.
        """
        ...


class SdkBridge(Protocol):
    """Exchanges pipelines with the service's own Python SDK, which is imported only here."""

    def to_sdk(self, bundle: Bundle, session: Any = None) -> Any:
        """Give the SDK's object for a bundle, in a session of the SDK's. Raises RunError where the SDK is missing."""
        ...

    def from_sdk(self, pipeline: object) -> Bundle | None:
        """Read a pipeline that was made with the SDK; `None` for any other object. Raises SpecError."""
        ...


class Target(Protocol):
    """A service that pipelines are lowered to."""

    name: str
    provider: str
    title: str
    document: str
    """File name of the main document in a bundle."""

    @property
    def capabilities(self) -> Capabilities:
        """The target's table: one row for every feature of the language."""
        ...

    def check_profile(self, settings: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
        """Find faults in a profile's own settings: (key, message, hint), key empty for a missing one."""
        ...

    def lower(self, graph: Graph, profile: Profile | None) -> Lowered:
        """Turn a graph into documents. Pure: no SDK, clock, randomness, environment or file."""
        ...

    def serialise(self, path: str, document: Any) -> str:
        """Lay a document out as the target's users expect it, byte-identical for equal documents."""
        ...

    def validate(self, files: Mapping[str, Any]) -> Sequence[Problem]:
        """Check documents against the service's own model, without an SDK."""
        ...

    def native(self, path: FilePath) -> Bundle | None:
        """Read a document of the service's own that Penstock did not write; `None` where the file is no such document.

        Raises:
            SpecError: it is one, and has errors; each with its place.
        """
        ...

    def emulator(self) -> Emulator | None:
        """Give the emulator, importing it only now; `None` where this target cannot run offline."""
        ...

    def submitter(self) -> Submitter | None:
        """Give what sends bundles; `None` where there is nothing to send them to."""
        ...

    def bridge(self) -> SdkBridge | None:
        """Give the exchange with the service's SDK; `None` where there is none."""
        ...


class Endpoint(Protocol):
    """A server of this machine that a cloud's own clients talk to; it answers until it is closed."""

    @property
    def url(self) -> str:
        """Its address, of the loopback interface."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables that point the cloud's clients at it, with credentials that are good here alone."""
        ...

    def close(self) -> None:
        """Stop, in a way that lets a later endpoint of the project go on with what was running."""
        ...


class OpenEndpoint(Protocol):
    """Opens a provider's endpoint."""

    def __call__(self, project: Project, *, port: int = 0, region: str = "") -> Endpoint:
        """Serve a project, at a port that is free where none is named.

        Raises:
            RunError: a package is missing (P440), the port is taken (P441), the project has an endpoint already (P442),
                or its folder cannot be written (P443).
        """
        ...


class Provider(Protocol):
    """A cloud, or the laptop: its name and its targets."""

    name: str
    title: str
    variables: Sequence[str]
    """How the names of environment variables begin that its clients read; nothing emulated is to see them."""

    def targets(self) -> Mapping[str, Target]:
        """Give the targets by name. Cheap: nothing heavy is imported until a target's methods are called."""
        ...

    def endpoint(self) -> OpenEndpoint | None:
        """Give what opens its endpoint; `None` where it has none."""
        ...
