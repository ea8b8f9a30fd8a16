"""What the words behind `pip install` ask for."""

from __future__ import annotations

import os

_WITH_VALUE = (
    *("-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host"),
    *(
        "--proxy",
        "--cert",
        "--client-cert",
        "--cache-dir",
        "--log",
        "--timeout",
        "--retries",
        "--exists-action",
    ),
    *("--src", "--platform", "--python-version", "--implementation", "--abi", "-C", "--config-settings"),
    *(
        "--global-option",
        "--no-binary",
        "--only-binary",
        "--upgrade-strategy",
        "--progress-bar",
        "--use-feature",
    ),
    *("--root-user-action", "--use-deprecated", "--build-constraint", "--python", "--keyring-provider"),
)
_MORE = (
    *("-t", "--target", "--prefix", "--root", "--force-reinstall", "-I", "--ignore-installed", "--dry-run"),
    *("-e", "--editable", "--group", "-h", "--help", "--report"),
)
"""Options that having the packages does not answer."""


def read(words: list[str]) -> tuple[list[str], bool]:
    """Give the requirements, and whether there is more to do than to have them: another place, a folder's code.

    Raises:
        OSError: a requirements file cannot be read.
    """
    asked: list[str] = []
    more = False
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in ("-r", "--requirement"):
            asked += _from_file(value if equals else next(rest, ""))
        elif word.startswith("-r") and not word.startswith("--"):
            asked += _from_file(word[2:])
        elif option in _MORE:
            more = True
        elif option in _WITH_VALUE and not equals:
            next(rest, "")
        elif not word.startswith("-"):
            asked.append(word)
    return asked, more


def _from_file(path: str) -> list[str]:
    found: list[str] = []
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        lines = file.read().replace("\\\n", " ").splitlines()
    for line in lines:
        text = line.split(" #")[0].split("\t#")[0].strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("-"):
            words = text.replace("=", " ", 1).split() if text.startswith("--") else text.split()
            if words[0] in ("-r", "--requirement") and len(words) > 1:
                found += _from_file(os.path.join(os.path.dirname(path), words[1]))
            elif words[0] in ("-e", "--editable"):
                found.append(words[-1])
            continue
        found.append(text.split(" --")[0].strip())
    return found
