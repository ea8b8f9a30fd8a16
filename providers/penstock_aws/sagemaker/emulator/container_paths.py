"""Places in a container that a job's data cannot take: its image, the kernel and the service have them already.

The service takes any absolute path (its pages name /opt/ml/processing alone). What is mounted over a folder of the
image hides the image's own files there, and the container does not start, or starts without its libraries.
"""

from __future__ import annotations

import os

_OF_THE_KERNEL = ("/proc", "/sys")
_OF_THE_IMAGE = (
    *("/", "/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/sbin"),
    *(
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/sbin",
    ),
)
_OF_THE_JOB = ("/opt/ml", "/opt/ml/config")
HINT = "name a folder of its own, such as one below /opt/ml/processing"


def why_taken(path: str) -> str:
    """Say why nothing can be laid at a path of a container; empty where something can."""
    if not path.startswith("/"):
        return "is no absolute path"
    clean = os.path.normpath(f"/{path.lstrip('/')}")
    if any(clean == root or clean.startswith(f"{root}/") for root in _OF_THE_KERNEL) or clean == "/dev":
        return "is the kernel's own, and no container starts with something over it"
    if clean in _OF_THE_IMAGE:
        return "would hide what the container's image has there, and no container starts without that"
    if clean in _OF_THE_JOB:
        return "would hide the job's own configuration, which the service writes there"
    return ""
