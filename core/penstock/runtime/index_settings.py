"""Where packages come from: pip's settings, for uv, which does not read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

# pip's option, the variables of uv that mean the same (the first is set), and what parts several values
# there.
_TWINS = (
    ("index-url", ("UV_DEFAULT_INDEX", "UV_INDEX_URL"), " "),
    ("extra-index-url", ("UV_INDEX", "UV_EXTRA_INDEX_URL"), " "),
    ("find-links", ("UV_FIND_LINKS",), ","),
    ("trusted-host", ("UV_INSECURE_HOST",), " "),
    ("cert", ("SSL_CERT_FILE",), " "),
)
_PATHS = ("find-links", "cert")
_PASSWORD = re.compile(r"://[^/\s@:]*:([^/\s@]+)@")


def uv_settings(
    environ: Mapping[str, str], home: Path, machine_wide: Path = Path("/etc/pip.conf")
) -> dict[str, str]:
    """Give the variables that make uv look where pip is told to look.

    Read are PIP_* variables, and where these are unset the `[global]` section of `~/.config/pip/pip.conf`,
    `~/.pip/pip.conf` and `machine_wide`, in this order. What uv has a setting of its own for is left to that.
    """
    files = [machine_wide, home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"]
    configured = {option: value for each in files for option, value in _read(each)}
    found: dict[str, str] = {}
    for option, twins, separator in _TWINS:
        value = environ.get("PIP_" + option.upper().replace("-", "_")) or configured.get(option, "")
        if not value.split() or any(environ.get(twin) for twin in twins):
            continue
        values = [value.strip()] if option == "cert" else value.split()
        if option in _PATHS:
            values = [_absolute(each) for each in values]
        found[twins[0]] = separator.join(values)
    if "UV_INDEX" in found and not environ.get("UV_INDEX_STRATEGY"):
        # pip takes the best version that any index has; uv would stop at the first index that knows the name.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def passwords(values: Mapping[str, str]) -> Iterator[str]:
    """Give the passwords that stand in URLs among some values, to be masked."""
    for value in values.values():
        yield from _PASSWORD.findall(value)


def _read(file: Path) -> Iterator[tuple[str, str]]:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (Error, UnicodeDecodeError, OSError):
        # pip itself will tell of a broken file; a build does not have to fail for it.
        return
    if parser.has_section("global"):
        for option, value in parser.items("global"):
            yield option.replace("_", "-"), value


def _absolute(location: str) -> str:
    # uv runs in a folder of its own.
    return location if "://" in location else os.path.abspath(os.path.expanduser(location))
