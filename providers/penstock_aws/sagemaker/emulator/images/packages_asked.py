"""The packages that a job asks for by itself: in a requirements.txt, or by `pip install` in a shell script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from penstock.runtime.requirements import parse_package

_PIP = re.compile(r"(?:.*/)?pip\d*(?:\.\d+)?")
_ENDS_COMMAND = frozenset(";&|()<>\n")
_TAKES_VALUE = frozenset(
    {
        *(
            "-c",
            "--constraint",
            "-r",
            "--requirement",
            "-e",
            "--editable",
            "-t",
            "--target",
            "--prefix",
            "--root",
        ),
        *(
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "--trusted-host",
            "--proxy",
            "--cert",
        ),
        *(
            "--client-cert",
            "--cache-dir",
            "--log",
            "--timeout",
            "--retries",
            "--exists-action",
            "--src",
            "--report",
        ),
        *(
            "--platform",
            "--python-version",
            "--implementation",
            "--abi",
            "--python",
            "-C",
            "--config-settings",
        ),
        *("--global-option", "--no-binary", "--only-binary", "--upgrade-strategy", "--progress-bar", "-p"),
        *("--root-user-action", "--use-feature", "--use-deprecated", "--build-constraint", "--group"),
    }
)
"""Options of pip, and of uv's pip, whose value is a word of its own."""


def requirements_in(text: str) -> list[str]:
    """Give the requirements of a requirements.txt, as pip takes them on its command line."""
    return read_requirements(text)[0]


def read_requirements(text: str) -> tuple[list[str], list[str]]:
    """Read a requirements.txt: its requirements, and a note for each line that asks for something else.

    Files that it names, indexes and paths are such lines; hashes are dropped in silence, since what is compared
    with them is downloaded elsewhere.
    """
    found: list[str] = []
    notes: list[str] = []
    for line in _joined(text.removeprefix("\ufeff")):
        asked = re.sub(r"(^|\s)#.*", "", line).strip()
        asked = re.split(r"\s--(?:hash|config-settings|global-option)\b", asked)[0].strip()
        if not asked:
            continue
        if _is_requirement(asked):
            found.append(asked)
        else:
            notes.append(f"'{asked}' in requirements.txt is no package requirement and is left out")
    return found, notes


def pip_installs(script: str) -> list[str]:
    """Give the requirements that the `pip install` lines of a shell script name, in their order.

    Words that the shell would fill in, paths and addresses are not among them, nor what `-r` files hold.
    """
    found: list[str] = []
    for line in _joined(script):
        if "pip" not in line or line.lstrip().startswith("#"):
            continue
        for command in _commands(line):
            found += [each for each in _installed(command) if _is_requirement(each)]
    return list(dict.fromkeys(found))


def _joined(text: str) -> Iterator[str]:
    """Give the lines, those that end in a backslash together with the next."""
    pending = ""
    for line in text.splitlines():
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        yield pending + line
        pending = ""
    if pending:
        yield pending


def _commands(line: str) -> Iterator[list[str]]:
    words = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
    words.whitespace_split = True
    # A shell's comment starts a word; the reader here would end one at any `#`.
    words.commenters = ""
    command: list[str] = []
    try:
        for word in words:
            if word.startswith("#"):
                break
            if _ENDS_COMMAND.issuperset(word):
                yield command
                command = []
            else:
                command.append(word)
    except ValueError:
        # A quote that another line closes: no install line that anyone writes.
        return
    yield command


def _installed(command: list[str]) -> Iterator[str]:
    """Give what follows `pip install`, without options and their values."""
    start = next((place for place in range(len(command)) if _is_pip(command, place)), -1)
    if start < 0 or "install" not in command[start + 1 :]:
        return
    words = iter(command[command.index("install", start + 1) + 1 :])
    for word in words:
        if word in _TAKES_VALUE:
            next(words, None)
        elif word[:1] not in ("-", "$", "."):
            yield word


def _is_pip(command: list[str], place: int) -> bool:
    """Tell whether a word starts pip: by its own name, or by `-m pip` of some Python."""
    if not _PIP.fullmatch(command[place]):
        return False
    before = command[:place]
    if before[-1:] == ["-m"]:
        return True
    # `echo pip install x` and `apt-get install pip` start no pip; variables and `sudo` may stand before one.
    return all("=" in each or each in ("sudo", "exec", "env", "uv", "time", "-E", "-H") for each in before)


def _is_requirement(text: str) -> bool:
    try:
        parse_package(text)
    except ValueError:
        return False
    return True
