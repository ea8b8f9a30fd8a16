"""A bundle as a folder: laid out beside its place, which it then takes. All or nothing."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from penstock.bundle import INTERFACE, MANIFEST, SOURCE_MAP, Bundle
from penstock.diagnostics import error
from penstock.errors import PenstockError
from penstock.json_text import lay_out
from penstock.provider import Asset
from penstock.runtime.hashing import file_digest
from penstock.runtime.tree import printable

_MOST_NAMED = 5


def write(bundle: Bundle, destination: Path) -> Path:
    """Write a bundle, replacing an earlier bundle there; `destination` is absolute. Raises as `Bundle.write`."""
    _refuse_foreign(destination)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        staging = _folder_beside(destination)
        try:
            _lay_out(bundle, staging)
            staging.chmod(0o755)
            _swap(staging, destination)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    except OSError as fault:
        message = f"the bundle cannot be written to {destination}: {fault.strerror or fault}"
        raise PenstockError([error("P151", message, hint="name another folder with -o")]) from None
    return destination


def _lay_out(bundle: Bundle, folder: Path) -> None:
    for path, text in bundle.texts.items():
        _write(folder / path, text.encode())
    for asset in bundle.assets:
        destination = folder / asset.path
        if destination.exists():
            continue
        if asset.content is not None:
            _write(destination, asset.content)
            destination.chmod(0o755 if asset.executable else 0o644)
        else:
            copy_asset(asset, destination)
    if bundle.interface:
        _write(folder / INTERFACE, _json(bundle.interface))
    _write(folder / SOURCE_MAP, _json(bundle.source_map))
    manifest = bundle.manifest()
    for row, asset in zip(manifest["assets"], bundle.assets, strict=True):
        if _has_links(asset):
            # A copy has files in the place of links, so that it has another digest than what it was made from.
            row["files"] = dict(sorted(_digests(folder / asset.path)))
    _write(folder / MANIFEST, _json(manifest))


def _has_links(asset: Asset) -> bool:
    if asset.content is not None or asset.archive or asset.files or asset.added:
        return False
    return any(
        os.path.islink(os.path.join(here, name))
        for here, folders, files in os.walk(asset.source)
        for name in (*folders, *files)
    )


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for here, _, files in os.walk(folder):
        for name in files:
            path = Path(here, name)
            yield path.relative_to(folder).as_posix(), file_digest(path)


def copy_asset(asset: Asset, destination: Path) -> None:
    """Copy an asset's files from where they stand to `destination`."""
    source = Path(asset.source)
    destination.parent.mkdir(parents=True, exist_ok=True)
    if asset.archive:
        _pack(asset, destination)
    elif asset.files or asset.added:
        destination.mkdir()
        for relative in sorted(asset.files):
            target = destination / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / relative, target)
        for name, text in asset.added.items():
            _write(destination / name, text.encode())
    elif source.is_dir():
        shutil.copytree(source, destination, symlinks=False)
    else:
        shutil.copy(source, destination)


def _pack(asset: Asset, destination: Path) -> None:
    """Pack files so that the same content gives the same bytes: no times, no owners, sorted."""
    import gzip
    import tarfile

    with (
        destination.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for relative in sorted({*asset.files, *asset.added}):
            added = asset.added.get(relative)
            path = Path(asset.source) / relative
            content = path.read_bytes() if added is None else added.encode()
            member = tarfile.TarInfo(relative)
            member.size = len(content)
            member.mode = 0o755 if added is None and os.access(path, os.X_OK) else 0o644
            tar.addfile(member, io.BytesIO(content))


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    own = _own_paths(folder)
    if own is None:
        message = f"{folder} exists and is not a bundle"
        raise PenstockError([error("P150", message, hint="name a new folder, or remove this one yourself")])
    foreign = sorted(_foreign(folder, own))
    if foreign:
        named = ", ".join(foreign[:_MOST_NAMED])
        if len(foreign) > _MOST_NAMED:
            named += f" and {len(foreign) - _MOST_NAMED} more"
        message = f"{folder} holds what is not of the bundle that stands there: {named}"
        hint = "move it elsewhere, or name a new folder: the whole folder is replaced"
        raise PenstockError([error("P150", message, hint=hint)])


def _own_paths(folder: Path) -> set[str] | None:
    """Give what the bundle in a folder consists of, by its manifest; `None` where there is no bundle."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        documents = [*dict(manifest["documents"]), str(manifest["document"])]
        assets = [str(each["path"]) for each in manifest["assets"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return {MANIFEST, INTERFACE, SOURCE_MAP, *documents, *assets}


def _foreign(folder: Path, own: set[str]) -> Iterator[str]:
    """Find files that are none of the bundle's; what lies in the folder of an asset is the asset's."""
    for here, folders, files in os.walk(folder):
        inner = Path(here).relative_to(folder)
        links = [each for each in folders if os.path.islink(os.path.join(here, each))]
        folders[:] = [each for each in folders if (inner / each).as_posix() not in own and each not in links]
        for each in (*files, *links):
            path = (inner / each).as_posix()
            if path not in own:
                yield printable(path)


def _folder_beside(destination: Path) -> Path:
    return Path(mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))


def _swap(staging: Path, destination: Path) -> None:
    """Put a finished folder in place of an earlier one; the earlier one survives until the new one stands."""
    if not destination.exists():
        staging.rename(destination)
        return
    old = _folder_beside(destination)
    destination.rename(old / "bundle")
    staging.rename(destination)
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _json(value: object) -> bytes:
    return (lay_out(value) + "\n").encode()
