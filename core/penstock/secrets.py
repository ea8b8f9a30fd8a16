"""Finding literal secrets in a document before they reach a log, a ledger or a cloud.

Two signs count: the value has the form of a known credential, or the key is called like one and the value looks
generated. Words such as `password: change-me` under a harmless key are left alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import cast

from penstock.diagnostics import At, Diagnostic, Path, error

_FORMS = {
    "a cloud access key": re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "an API key": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a storage account key": re.compile(r"AccountKey=[A-Za-z0-9+/=]{40,}"),
    "a shared access signature": re.compile(r"[?&]sig=[A-Za-z0-9%+/=]{20,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@$]+:[^/\s:@$]{3,}@"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
}
_SIGNS = ("AKIA", "ASIA", "-----BEGIN", "gh", "xox", "hf_", "sk-", "AccountKey=", "sig=", "://", "eyJ")
_SECRET_KEY = re.compile(
    r"(?:^|[_\-.])(?:password|passwd|pwd|secret|token|credential|api_?key|access_?key|account_?key|private_?key|sas)"
    r"(?:$|[_\-.])",
    re.IGNORECASE,
)
_SPOKEN_ABOUT = re.compile(
    r"(?:^|[_\-.])(?:name|id|path|file|uri|url|arn|env|count|limit|length)$", re.IGNORECASE
)


def find_secrets(document: object) -> list[Diagnostic]:
    """Go through every text of a document."""
    return list(_walk(document, ()))


def _walk(node: object, path: Path) -> Iterator[Diagnostic]:
    if isinstance(node, str):
        yield from _text(node, path)
    elif isinstance(node, Mapping):
        for key, value in cast("Mapping[object, object]", node).items():
            yield from _walk(value, (*path, str(key)))
    elif isinstance(node, list):
        for position, value in enumerate(cast("list[object]", node)):
            yield from _walk(value, (*path, position))


def _text(text: str, path: Path) -> Iterator[Diagnostic]:
    # A variable that is called PASSWORD holds one, however weak it is.
    variable = len(path) > 1 and path[-2] == "env"
    if len(text) < (4 if variable else 8):
        return
    hint = "keep it out of the spec: {from_env: NAME} offline; on a cloud pass the secret's name and read it in code"
    if any(sign in text for sign in _SIGNS):
        for what, form in _FORMS.items():
            found = form.search(text)
            if found:
                yield error("P260", f"this looks like {what}", At(path, needle=found[0][:12]), hint)
                return
    key = path[-1] if path and isinstance(path[-1], str) else ""
    if key in ("default", "value") and len(path) > 1:
        key = str(path[-2])
    named = _SECRET_KEY.search(key) and not _SPOKEN_ABOUT.search(key) and "${{" not in text
    if named and (variable or _generated(text)):
        yield error("P260", f"'{key}' looks like a literal secret", At(path), hint)


def _generated(text: str) -> bool:
    """Tell random characters from words: no spaces, and many different characters evenly used."""
    if len(text) < 12 or any(each.isspace() for each in text):
        return False
    counts = Counter(text)
    entropy = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    return entropy >= 3.2 and any(each.isdigit() for each in text)
