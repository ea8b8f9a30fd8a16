"""Stands in for pip where there is no network: a pinned package has to be there, in that version, already."""

import sys
from importlib.metadata import version

for word in sys.argv[1:]:
    name, pinned, wanted = word.partition("==")
    if pinned and version(name) != wanted:
        sys.exit(f"{name} is {version(name)} here, not {wanted}")
