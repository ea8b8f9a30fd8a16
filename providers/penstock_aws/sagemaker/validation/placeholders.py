"""Stand-ins for what submit fills in: region, role, bucket and account of the profile."""

from __future__ import annotations

import re

MARK = re.compile("<<([a-z_]+)>>")

_SAMPLES = {
    "account": "111122223333",
    "bucket": "placeholder-bucket",
    "region": "us-east-1",
    "role": "arn:aws:iam::111122223333:role/placeholder",
}


def sample(text: str) -> str:
    """Put a plausible value in place of each placeholder, so that patterns and lengths can be checked."""
    return MARK.sub(lambda mark: _SAMPLES.get(mark[1], "placeholder"), text) if "<<" in text else text
