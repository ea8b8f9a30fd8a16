"""The command line of Penstock's pip.

PENSTOCK_PIP_PROVIDED  path of a JSON list: the requirements that the environment was built for
PENSTOCK_PIP_TARGET    a writable folder on PYTHONPATH, for what is installed in spite of that
PENSTOCK_UV            uv, for an interpreter that has no pip of its own
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
"""As in `typing`, whose import would take longer than all the rest."""
if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip import HERE, real_folder
    from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip.asked import read
    from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip.provided import is_met, split
else:
    from pip import HERE, real_folder
    from pip.asked import read
    from pip.provided import is_met, split

_GLOBAL_WITH_VALUE = (
    "--log",
    "--proxy",
    "--retries",
    "--timeout",
    "--exists-action",
    "--trusted-host",
    "--cert",
)
_LISTING = ("list", "freeze", "show")


def main(words: list[str]) -> int:
    """Do what the words say and give the exit code."""
    at = _verb(words)
    verb = words[at] if at < len(words) else ""
    if verb != "install":
        return _other(words, at)
    try:
        asked, more = read(words[at + 1 :])
    except (OSError, ValueError) as fault:
        print(f"ERROR: Could not open requirements file: {fault}", file=sys.stderr)
        return 1
    provided = _provided()
    missing = [each for each in asked if not is_met(each, provided)]
    if asked and not missing and not more:
        if not any(each in ("-q", "--quiet", "-qq", "-qqq") for each in words):
            print("".join(f"Requirement already satisfied: {each}\n" for each in asked), end="")
        return 0
    return _install(words, at, asked, missing, more)


def _verb(words: list[str]) -> int:
    """Find the verb behind the options that stand before it."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _GLOBAL_WITH_VALUE else 1
    return at


def _provided() -> list[str]:
    path = os.environ.get("PENSTOCK_PIP_PROVIDED", "")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return []
    if "\\" not in text:
        # A list of plain texts: reading it so takes a tenth of what importing json does.
        return text.split('"')[1::2]
    import json

    try:
        found: list[str] = json.loads(text)
    except ValueError:
        return []
    return found


def _install(words: list[str], at: int, asked: list[str], missing: list[str], more: bool) -> int:
    """Have the real pip, or uv, install into the job's own folder."""
    target = os.environ.get("PENSTOCK_PIP_TARGET", "")
    given = list(words)
    if target and not _names_place(words):
        os.makedirs(target, exist_ok=True)
        # The folder comes before the environment's own, so what it holds must not be another release of that.
        given[at + 1 : at + 1] = ["--target", target, "--upgrade", "--constraint", _held(target, asked)]
    if real_folder():
        return _run([sys.executable, "-m", "pip", *given])
    uv = os.environ.get("PENSTOCK_UV", "")
    if uv and os.access(uv, os.X_OK):
        code = _run([uv, "pip", "install", "--python", sys.executable, *_for_uv(given[at + 1 :])])
        if code:
            wanted = ", ".join(missing) or ", ".join(asked)
            print(f"ERROR: Could not install {wanted}: uv's reason stands above", file=sys.stderr)
        return 1 if code else 0
    if not asked and not more:
        print("ERROR: You must give at least one requirement to install", file=sys.stderr)
    for each in missing:
        print(f"ERROR: No matching distribution found for {each}", file=sys.stderr)
    hint = "this Python has no pip; name the packages in the step's environment or in penstock.yaml `images:`"
    print(f"ERROR: {hint}", file=sys.stderr)
    return 1


def _names_place(words: list[str]) -> bool:
    """Tell whether the words name a place of their own."""
    places = ("-t", "--target", "--prefix", "--root")
    return any(each.split("=")[0] in places for each in words)


def _held(target: str, asked: list[str]) -> str:
    """Write what is installed as constraints, but for what is asked for, and give the file's path."""
    if TYPE_CHECKING:
        from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip import listing
    else:
        from pip import listing

    names = {split(each)[0] for each in asked}
    path = os.path.join(target, ".penstock-constraints.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(
            f"{name}=={version}\n" for name, version in listing.installed().items() if name not in names
        )
    return path


def _for_uv(words: list[str]) -> list[str]:
    """Leave out what uv does not know, and tell it of the folder of wheels that pip is told of by a variable."""
    unknown = (
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--no-input",
        "--user",
        "--no-warn-script-location",
    )
    kept = [each for each in words if each not in unknown and not each.startswith("--root-user-action")]
    for name, option in (("PIP_INDEX_URL", "--index-url"), ("PIP_FIND_LINKS", "--find-links")):
        if os.environ.get(name):
            kept += [option, os.environ[name]]
    return kept


def _other(words: list[str], at: int) -> int:
    if real_folder():
        return _run([sys.executable, "-m", "pip", *words])
    if at < len(words) and words[at] in _LISTING:
        if TYPE_CHECKING:
            from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip import listing
        else:
            from pip import listing

        return listing.show(words[at:])
    if at < len(words) and words[at] == "uninstall":
        if TYPE_CHECKING:
            from penstock_aws.sagemaker.emulator.images.pip_stand_in.pip import removing
        else:
            from pip import removing

        return removing.remove(words[at + 1 :])
    if "--version" in words or "-V" in words:
        print(f"pip 0 from {HERE} (python {sys.version_info[0]}.{sys.version_info[1]})")
        return 0
    verb = words[at] if at < len(words) else "--help"
    print(f"ERROR: this Python has no pip of its own for 'pip {verb}'", file=sys.stderr)
    return 1


def _run(command: list[str]) -> int:
    """Run the real thing, without this folder on its way."""
    import subprocess

    environ = dict(os.environ)
    here = os.path.dirname(HERE)
    places = environ.get("PYTHONPATH", "").split(os.pathsep)
    environ["PYTHONPATH"] = os.pathsep.join(each for each in places if each and os.path.abspath(each) != here)
    # Without a network, a second try finds none either.
    environ.setdefault("PIP_RETRIES", "1")
    environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    sys.stdout.flush()
    return subprocess.call(command, env=environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
