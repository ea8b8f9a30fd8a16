"""Places in a bash script where a substituted value would not arrive as one word, or would be run.

Each was tried in bash 5.2: `[[ "$1" -eq 3 ]]`, `x["$1"]=3`, `RANDOM="$1"`, `read "$1"`, `declare "$1"`,
`[ -v "$1" ]` and `echo >&"$1"` run the command in a value such as `a[$(touch x)]`, quoted or not;
`[ "$1" -eq 3 ]`, `printf %d "$1"` and `export x="$1"` do not.
"""

from __future__ import annotations

import re

HOLE = "\0"
"""Stands for one `${{ … }}` in a script; bash scripts hold no NUL. In hints, for its text as written."""

_BIND = 'bind it to a shell variable first: x=\0, then "$x"'

REFUSALS: dict[str, tuple[str, str]] = {
    "'": (
        "an expression in single quotes is not replaced",
        "end them before it: '…'\0'…', or use double quotes",
    ),
    "$'": ("an expression in $'…' is not replaced", "end the quotes before it: $'…'\0$'…'"),
    '$"': ('an expression cannot stand in $"…"', 'write "…" without the dollar sign'),
    "$(": ("an expression cannot stand in $(…)", _BIND),
    "`": ("an expression cannot stand in backticks", _BIND),
    "<(": ("an expression cannot stand in <(…) or >(…)", _BIND),
    "${": ("an expression cannot stand in ${…}", _BIND),
    "((": (
        "an expression cannot stand in shell arithmetic, which runs what it reads",
        "compute it in the step's code",
    ),
    "<<": ("an expression cannot stand in a heredoc", "bind it to a shell variable first: x=\0, then ${x}"),
    "#": ("an expression stands in a comment", "take it out, or write $\0 for the text itself"),
    "\\": ("a backslash stands before the expression", "leave it out, or write $\0 for the text itself"),
    "function": (
        "an expression cannot stand in a shell function, which has arguments of its own",
        'pass it to the function: name \0, and "$1" inside',
    ),
    "[": ("an expression cannot stand in an array index or a bracket pattern", _BIND),
    "[[": (
        "bash evaluates both sides of -eq, -lt and their like in [[ ]], and runs what they hold",
        "write [ … ] in place of [[ … ]]",
    ),
    ">&": ("bash runs what the target of >& holds, even in quotes", "write > \0 2>&1"),
    "code": (
        "the text here is code to the program that is called",
        "pass the value as an argument behind the code",
    ),
    "eval": ("the command would run the value, or use it as the name of a variable", _BIND),
}

RESERVED = frozenset(
    {
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "do",
        "done",
        "while",
        "until",
        "!",
        "time",
        "coproc",
        "esac",
        "{",
        "}",
    }
)
"""Words after which, at the start of a command, another command may start."""

ARITHMETIC_TESTS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v", "-R"})
"""Operators of `[[ ]]` that evaluate their operands."""

_EVALUATING = frozenset(
    {
        "eval",
        "let",
        "trap",
        "alias",
        "unset",
        "read",
        "mapfile",
        "readarray",
        "getopts",
        "compgen",
        "complete",
    }
)
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
_TESTING = frozenset({"printf", "test", "["})
_NAMING = frozenset({"-v", "-R"})
"""Options of these whose value is the name of a variable."""
_EVALUATED = frozenset(
    {"BASH_ENV", "ENV", "HISTCMD", "LINENO", "OPTIND", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4"}
    | {"RANDOM", "SECONDS", "SRANDOM"}
)
"""Variables whose value bash evaluates, as arithmetic or as a prompt."""

_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
_INTERPRETER = re.compile(r"(?:.*/)?(?:(?:ba|da|z|k|a)?sh|su|python[0-9.]*|perl|ruby|node)", re.DOTALL)
_OPTION_WITH_VALUE = re.compile(r"[-+][A-Za-z]*[oWX]")
_CODE_OPTION = re.compile(r"-[A-Za-z]*[ce]")
_MOST_OPTIONS = 50
"""How far back `-c` is looked for; keeps the scan linear."""
_SUSPECT = re.compile(
    rf"(?<![^\s])(?:{'|'.join(sorted(_EVALUATING | _DECLARING))}|command|builtin|function|case|set|shift"
    r"|\S*(?:sh|su|python[0-9.]*|perl|ruby|node)\s(?:.*\s)?-[A-Za-z]*[ce]|printf|test)(?![^\s])"
    rf"|(?<![^\s])(?:{'|'.join(sorted(_EVALUATED))})\+?=",
    re.DOTALL,
)


def suspect(script: str) -> bool:
    """Tell whether a script without shell syntax may still hold a command that needs a closer look."""
    return _SUSPECT.search(script.replace("\\\n", "")) is not None


def hazard(words: list[str], word: str, evaluated: set[str]) -> str:
    """Name the refusal for a value in `word`, begun so far, behind `words` of a command; empty if it is safe.

    `evaluated` are the variables that the script itself has declared as integers or references.
    """
    assigned = _ASSIGNED.match(word)
    if assigned is not None and (assigned[1] in _EVALUATED or assigned[1] in evaluated):
        return "eval"
    names = _called(words)
    if not names:
        return ""
    if names[0] in _EVALUATING:
        return "eval"
    if names[0] in _DECLARING:
        return "eval" if "=" not in word or _evaluates(names[1:]) else ""
    if names[-1] in _NAMING and names[0] in _TESTING:
        return "eval"
    return "code" if _takes_code(names) else ""


def trails(words: list[str]) -> bool:
    """Tell whether a value behind these words of a command would be code, or name a variable."""
    names = _called(words)
    if not names:
        return False
    return _takes_code(names) or (names[-1] in _NAMING and names[0] in _TESTING)


def _called(words: list[str]) -> list[str]:
    """Give the words from the name of the command that really runs."""
    while words and words[0] in ("command", "builtin"):
        words = words[1:]
    return words


def _takes_code(names: list[str]) -> bool:
    """Tell whether the next word is code: behind a shell stand only options up to here, `-c` among them."""
    position, code = len(names) - 1, False
    farthest = position - _MOST_OPTIONS
    while position > max(farthest, 0) and (
        names[position][:1] in ("-", "+") or _OPTION_WITH_VALUE.fullmatch(names[position - 1])
    ):
        code = code or _CODE_OPTION.fullmatch(names[position]) is not None
        position -= 1
    return code and _INTERPRETER.fullmatch(names[position]) is not None


def evaluated_names(words: list[str]) -> set[str]:
    """Give the variables that a command declares as integers or as references to others."""
    if not words or words[0] not in _DECLARING or not _evaluates(words[1:]):
        return set()
    return {each.split("=", 1)[0] for each in words[1:] if not each.startswith(("-", "+"))}


def _evaluates(arguments: list[str]) -> bool:
    options = "".join(each for each in arguments if each.startswith("-"))
    return "i" in options or "n" in options


def resets_arguments(words: list[str]) -> bool:
    """Tell whether a command replaces the script's arguments: `shift`, `set --`, `set a b`."""
    if not words or words[0] not in ("shift", "set"):
        return False
    if words[0] == "shift":
        return True
    option_value = False
    for each in words[1:]:
        if option_value:
            option_value = False
        elif each in ("-", "--") or not each.startswith(("-", "+")):
            return True
        else:
            option_value = each.endswith("o")
    return False
