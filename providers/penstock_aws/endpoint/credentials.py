"""The endpoint's own credentials: drawn once for a project, and good for nothing elsewhere.

They stay in the project's `.penstock/aws/`, readable by their owner alone, so that a client outlives a restart of
the endpoint. Temporary ones, as STS gives them, are derived from them: nothing has to be kept for those.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock_aws.endpoint.signing import Unsigned, Why

_FILE = "credentials.json"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Temporary:
    """Credentials that end by themselves; `expires` in seconds since the epoch."""

    access_key: str
    secret_key: str
    token: str
    expires: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key with its secret."""

    access_key: str
    secret_key: str

    def secret_of(self, access_key: str, token: str) -> str:
        """Look a secret up, as `signing.verify` asks for it; raises Unsigned."""
        if hmac.compare_digest(access_key.encode(), self.access_key.encode()) and not token:
            return self.secret_key
        if not access_key.startswith("ASIA"):
            raise Unsigned(Why.UNKNOWN_KEY if not token else Why.BAD_TOKEN)
        self.identity_of(access_key, token)
        return self._derived(f"secret {access_key}")

    def temporary(self, arn: str, seconds: int) -> Temporary:
        """Give out credentials for a while, in the name of an ARN."""
        access_key = _key("ASIA")
        expires = int(time.time()) + seconds
        content = json.dumps({"key": access_key, "arn": arn, "expires": expires}).encode()
        packed = base64.urlsafe_b64encode(content).decode()
        token = f"{packed}.{self._derived(f'token {packed}')}"
        return Temporary(access_key, self._derived(f"secret {access_key}"), token, expires)

    def identity_of(self, access_key: str, token: str) -> str:
        """Give the ARN that temporary credentials speak for; raises Unsigned for false or expired ones."""
        packed, _, proof = token.partition(".")
        if not hmac.compare_digest(proof.encode(), self._derived(f"token {packed}").encode()):
            raise Unsigned(Why.BAD_TOKEN if token else Why.UNKNOWN_KEY)
        content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(packed))
        if content["key"] != access_key:
            raise Unsigned(Why.BAD_TOKEN)
        if time.time() > content["expires"]:
            raise Unsigned(Why.EXPIRED_TOKEN)
        return str(content["arn"])

    def _derived(self, text: str) -> str:
        found = hmac.digest(self.secret_key.encode(), text.encode("utf-8", "surrogateescape"), "sha256")
        return base64.urlsafe_b64encode(found).decode()[:40]


def credentials_in(folder: Path) -> Credentials:
    """Read the credentials of a folder, or draw them; a file that others may read, or a damaged one, is drawn anew.

    Raises:
        OSError: the file cannot be written.
    """
    path = folder / _FILE
    try:
        if not os.stat(path).st_mode & 0o077:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Credentials(str(found["access_key"]), str(found["secret_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    drawn = Credentials(_key("AKIA"), secrets.token_urlsafe(30))
    content = json.dumps({"access_key": drawn.access_key, "secret_key": drawn.secret_key})
    draft = folder / f".{_FILE}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(content)
    draft.replace(path)
    return drawn


def _key(start: str) -> str:
    return start + "".join(secrets.choice(_LETTERS) for _ in range(16))
