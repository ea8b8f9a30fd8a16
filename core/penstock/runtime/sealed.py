"""Small JSON files that are believed only as they were written: their first line is the digest of the rest.

This tells damage and edits by hand; it is no protection against somebody who writes a digest of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def write_sealed(path: Path, value: Any) -> None:
    """Write JSON, all or nothing; the folder is made where it is missing. Raises OSError."""
    body = json.dumps(value).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        draft.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def read_sealed(path: Path) -> Any:
    """Read what `write_sealed` wrote.

    Raises:
        OSError: the file is not there or cannot be read.
        ValueError: it is not as it was written.
    """
    digest, _, body = path.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("it was damaged or changed since it was written")
    return json.loads(body)
