"""`penstock.yaml` beside the specs: named profiles, each one place that pipelines are sent to. Never a credential."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from penstock import discovery
from penstock.diagnostics import At, Diagnostic, Severity, error, has_errors
from penstock.errors import SpecError
from penstock.frozen import replace
from penstock.offline_settings import OfflineSections
from penstock.provider import Profile
from penstock.secrets import find_secrets
from penstock.source import Source, read_source
from penstock.spec.faults import diagnose
from penstock.spec.structure import PIPELINE_NAME, fault
from penstock.suggest import nearest

FILE = "penstock.yaml"


def _profile_name(value: str) -> str:
    if PIPELINE_NAME.fullmatch(value):
        return value
    raise fault("P205", f"'{value:.60}' is not a profile's name", "letters, digits, _ and -, such as aws-dev")


class ProfileModel(BaseModel):
    """One profile. Keys that are not listed are the target's own settings; the target checks them."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    target: str
    datasets: dict[str, str] = Field(default_factory=dict[str, str])
    images: dict[str, str] = Field(default_factory=dict[str, str])
    instance: str = ""


class ProfilesFile(OfflineSections):
    """The whole of penstock.yaml: the profiles, and what only offline runs read."""

    profiles: dict[Annotated[str, AfterValidator(_profile_name)], ProfileModel] = Field(
        default_factory=dict[str, ProfileModel]
    )


def find_file(folder: Path) -> Path | None:
    """Find penstock.yaml in a folder or the nearest one above it."""
    for each in (folder, *folder.parents):
        if (each / FILE).is_file():
            return each / FILE
    return None


def find_profile(folder: Path, name: str) -> Profile:
    """Find and check a profile, starting at a spec's folder. What is wrong elsewhere in the file is no matter.

    Raises:
        SpecError: there is no penstock.yaml (P130), no such profile (P130), or it has errors.
    """
    path = find_file(folder)
    if path is None:
        hint = f"write {FILE} beside the spec, with 'profiles: {{{name}: {{target: …}}}}'"
        raise SpecError([error("P130", f"there is no profile '{name}': no {FILE} was found", hint=hint)])
    source = _sound(path)
    parts = _parts(source)
    if name not in parts or not name:
        at, known = At(("profiles",), key=True), [each for each in parts if each]
        missing = error("P130", f"there is no profile '{name}'", at, nearest(name, known, "profiles"))
        # The profiles themselves may stand under a misspelt key.
        raise SpecError(source.located([*_model(parts[""])[1], missing]))
    profile, found = _profile(name, parts[name])
    if profile is None or has_errors(found):
        raise SpecError(source.located(found))
    return profile


def faults_beside(folder: Path, name: str) -> list[Diagnostic]:
    """Give, as warnings, what is wrong in the rest of the file that a profile stands in."""
    path = find_file(folder)
    source = read_source(path) if path is not None else None
    if source is None or has_errors(source.diagnostics):
        return []
    found: list[Diagnostic] = []
    for each, part in _parts(source).items():
        if each != name:
            found += _profile(each, part)[1] if each else [*_model(part)[1], *find_secrets(part)]
    return [replace(each, severity=Severity.WARNING) for each in source.located(found)]


def read_file(path: Path) -> ProfilesFile:
    """Read a penstock.yaml for what is not profiles. Raises SpecError: that has errors."""
    source = _sound(path)
    model, found = _model(_parts(source)[""])
    if model is None:
        raise SpecError(source.located(found))
    return model


def _sound(path: Path) -> Source:
    source = read_source(path)
    if has_errors(source.diagnostics):
        raise SpecError(source.diagnostics)
    return source


def _parts(source: Source) -> dict[str, dict[str, object]]:
    """Cut the file up, so that each profile is read by itself: by its name, and the rest under the empty one."""
    document: dict[str, object] = dict(source.value or {})
    profiles = document.get("profiles")
    if not isinstance(profiles, Mapping):
        return {"": document}
    named = cast("Mapping[str, object]", profiles)
    rest = {key: value for key, value in document.items() if key != "profiles"}
    return {"": rest, **{name: {"profiles": {name: each}} for name, each in named.items()}}


def _model(part: Mapping[str, object]) -> tuple[ProfilesFile | None, list[Diagnostic]]:
    try:
        return ProfilesFile.model_validate(part), []
    except ValidationError as faults:
        return None, diagnose(faults, ProfilesFile, part)


def _profile(name: str, part: Mapping[str, object]) -> tuple[Profile | None, list[Diagnostic]]:
    model, faults = _model(part)
    if model is None:
        return None, faults
    each = model.profiles[name]
    settings = cast("Mapping[str, object]", each.model_extra or {})
    found = [*find_secrets(part), *_settings(name, each, settings)]
    texts = {key: str(value) for key, value in settings.items()}
    return Profile(name, each.target, texts, each.datasets, each.images, each.instance), found


def _settings(name: str, profile: ProfileModel, settings: Mapping[str, object]) -> list[Diagnostic]:
    path = ("profiles", name)
    known = discovery.targets()
    if profile.target not in known:
        hint = nearest(profile.target, known, "targets")
        return [error("P218", f"there is no target '{profile.target}'", At((*path, "target")), hint)]
    found: list[Diagnostic] = []
    for key, value in settings.items():
        if not isinstance(value, str):
            found.append(
                error("P203", f"'{key}' takes text", At((*path, key)), f'put it in quotes: "{value}"')
            )
    texts = {key: value for key, value in settings.items() if isinstance(value, str)}
    if len(texts) == len(settings):
        for key, message, hint in known[profile.target].check_profile(texts):
            at = At((*path, key)) if key else At(path, key=True)
            found.append(error("P131", message, at, hint))
    return found
