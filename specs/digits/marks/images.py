"""Tables of handwritten digits: 64 cells from 0 to 16, and what was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LABEL = "digit"
CELLS = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]


def read_digits(path: Path) -> pd.DataFrame:
    """Read a CSV file of digits.

    Raises:
        ValueError: naming the first column that is missing, or the value that no cell can have.
    """
    # Only the steps' environment has pandas: where the pipeline is put together, it need not be there.
    import pandas as pd

    digits = pd.read_csv(path)
    missing = [name for name in [*CELLS, LABEL] if name not in digits]
    if missing:
        raise ValueError(f"{path.name}: missing column {missing[0]}")
    darkest = digits[CELLS].to_numpy().max(initial=0)
    if darkest > 16:
        raise ValueError(f"{path.name}: a cell of {darkest} is darker than 16")
    return digits
