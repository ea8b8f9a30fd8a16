"""A pip for inside a job, whose Python is read-only and has its packages already; shipped, standard library only.

The folder stands first in a job's PYTHONPATH, its `bin` first in the PATH: `python -m pip` and `pip` both find the
stand-in then.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""What has to be visible inside the job, read-only."""


def variables(provided: str, target: str, uv: str = "") -> dict[str, str]:
    """Give what tells the stand-in about a job.

    Args:
        provided: path, as the job sees it, of a JSON list: the requirements that its environment was built for, as
            they were asked for.
        target: a writable folder, as the job sees it, for what is installed in spite of that; it has to be on the
            job's PYTHONPATH, behind the stand-in.
        uv: uv's program, for interpreters without a pip of their own; empty for none.
    """
    found = {"PENSTOCK_PIP_PROVIDED": provided, "PENSTOCK_PIP_TARGET": target}
    return {**found, "PENSTOCK_UV": uv} if uv else found
