"""How much property tests try: a part of it by default, all of it in the session `thorough` of tests/noxfile.py."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("PENSTOCK_TESTS") == "thorough"
_FEWEST = 20


def examples(number: int) -> int:
    """Give how many examples a property test draws, of `number` in the session `thorough`."""
    return number if THOROUGH else min(number, max(_FEWEST, number // 8))
