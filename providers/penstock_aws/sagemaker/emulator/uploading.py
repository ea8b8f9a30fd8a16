"""What a submit would upload, put into an execution's storage without a copy where that can be."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.bundle_folder import copy_asset
from penstock.frozen import replace
from penstock.provider import Asset
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault


def upload(storage: Storage, asset: Asset, uri: str, folder: Path | None) -> None:
    """Put one asset at its address.

    Args:
        storage: where it goes.
        asset: of a bundle; its source may be relative to the bundle's folder.
        uri: the address, with nothing left to fill in.
        folder: the bundle's.

    Raises:
        StorageFault: what belongs to it is gone, or has changed since it was compiled.
    """
    source = (folder or Path()) / asset.source
    if asset.content is None and not (asset.archive or asset.files or asset.added):
        storage.mount_path(uri, source)
        return
    with TemporaryDirectory(prefix="penstock-upload-") as draft:
        place = Path(draft) / "asset"
        try:
            if asset.content is not None:
                place.write_bytes(asset.content)
            else:
                copy_asset(replace(asset, source=str(source)), place)
        except OSError as fault:
            raise StorageFault(f"{fault.filename} cannot be read: {fault.strerror or fault}") from None
        storage.put(uri, place)
