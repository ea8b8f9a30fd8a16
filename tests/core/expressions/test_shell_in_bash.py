"""Values go through a real bash: each must reach a program's arguments exactly, and nothing in it may run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import InputRef
from penstock.expressions.shell import parse_run, script

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")

V = object()
"""Stands for the value among expected arguments."""
X = "${{ inputs.x }}"

VALUES = [
    "",
    " ",
    "'",
    '"',
    "\\",
    "`touch ran`",
    "$(touch ran)",
    "a[$(touch ran)]",
    "; touch ran",
    "&& touch ran",
    "\n touch ran\n",
    "two words",
    "a\nb\n",
    "\t",
    "*",
    "[a-z]*",
    "{a,b}",
    "~",
    "-n",
    "--",
    "#",
    "!",
    "$1",
    "${HOME}",
    "$$",
    "}",
    "\\$(touch ran)",
    "'\"; touch ran; \"'",
    "%s",
    "x=1",
    "größe \U0001f30a",
    "\x01\x7f\r",
    "a" * 5000,
]

# script: arguments that `show` receives, one list a call
SCRIPTS: dict[str, list[list[object]]] = {
    f"show {X}": [[V]],
    f"show a {X} b": [["a", V, "b"]],
    f'show "{X}"': [[V]],
    f'show a "{X}" {X}': [["a", V, V]],
    f'V={X}; show "$V"': [[V]],
    f"V={X} show {X}": [[V]],
    f'V="{X}"\nshow "$V"': [[V]],
    f'for v in {X} b {X}; do show "$v"; done': [[V], ["b"], [V]],
    f"true | show {X}": [[V]],
    f"true && show {X}": [[V]],
    f"false || show {X}": [[V]],
    f"show a \\\n  {X} \\\n  b": [["a", V, "b"]],
    f"show a\nshow {X}\n\nshow b\n": [["a"], [V], ["b"]],
    f"if true; then show {X}; else show b; fi": [[V]],
    f"case {X} in {X}) show same;; *) show other;; esac": [["same"]],
    f"[[ {X} == {X} ]] && show same": [["same"]],
    f'[[ "{X}" == {X} ]] && show same': [["same"]],
    f"[ {X} -eq 3 ] 2> errors || show done": [["done"]],
    f"( show {X} ); {{ show {X}; }}": [[V], [V]],
    f'f() {{ show "$1"; }}; f {X}': [[V]],
    f'list=({X} b {X}); show "${{list[@]}}"': [[V, "b", V]],
    f'export V={X}; bash -c \'show "$V" "$1"\' _ {X}': [[V, V]],
    f"cat <<EOF > body\nit's \"\nEOF\nshow {X}": [[V]],
    f"# it's \"\nshow {X} # `": [[V]],
    f'read -r line < <(echo hi); show "$line" {X}': [["hi", V]],
    f'show "$(echo ")" \')\')" {X}': [[") )", V]],
    f"printf '%s\\0' {X} >> \"$OUT\"; echo -n '|' >> \"$OUT\"": [[V]],
    f"show '$${{{{ x }}}}' {X}": [["${{ x }}", V]],
}

EMBEDDED = {
    f"show --x={X}": "--x={}",
    f"show {X}/file": "{}/file",
    f'show "a {X} b"': "a {} b",
    f"show 'a '{X}\" b\"": "a {} b",
    f"show {X}{X}": "{0}{0}",
    f"show \"'{X}'\"": "'{}'",
    f'show \\"{X}\\"': '"{}"',
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `bin/show` records its arguments: each ends with NUL, each call with `|`."""
    folder = tmp_path_factory.mktemp("bash")
    show = folder / "bin" / "show"
    show.parent.mkdir()
    show.write_text(
        '#!/bin/bash\nfor each in "$@"; do printf "%s\\0" "$each"; done >> "$OUT"\nprintf "|" >> "$OUT"\n'
    )
    show.chmod(0o755)
    return folder


def _arguments(place: Path, text: str, value: str) -> list[list[str]]:
    """Run a command as a local step would, in an empty folder, and give what `show` got."""
    body, words = script(parse_run(text))
    work, out = place / "work", place / "out"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    out.unlink(missing_ok=True)
    environment = {"PATH": f"{place / 'bin'}:{os.defpath}:/usr/bin:/bin", "OUT": str(out), "HOME": str(work)}
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", body, "bash", *(value for _ in words)],
        cwd=work,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert not (work / "ran").exists()
    return [call.split("\0")[:-1] for call in out.read_bytes().decode().split("|")[:-1]]


@pytest.mark.sampled(5, rest="exhaustive")
@pytest.mark.parametrize("text", SCRIPTS)
def test_a_value_arrives_as_one_argument_and_nothing_runs(place: Path, text: str) -> None:
    for value in VALUES:
        expected = [[value if each is V else each for each in call] for call in SCRIPTS[text]]

        assert _arguments(place, text, value) == expected, value


@pytest.mark.parametrize("text", EMBEDDED)
def test_a_value_joins_the_text_around_it(place: Path, text: str) -> None:
    for value in VALUES:
        assert _arguments(place, text, value) == [[EMBEDDED[text].format(value)]], value


bash_text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0|"), max_size=40)


@settings(max_examples=examples(60), deadline=None)
@example("$(touch ran)\"'`touch ran`\n")
@given(value=bash_text)
def test_any_text_arrives_exactly(place: Path, value: str) -> None:
    text = f'show {X} "{X}" --x={X}; V={X}; show "$V"; for v in {X}; do show "$v"; done'

    assert _arguments(place, text, value) == [[value, value, f"--x={value}"], [value], [value]]


FRAGMENTS = [
    *[X] * 8,
    *("show ", " show", "show --a=", " ", "\n", " && ", "; ", " | ", "'", '"', "$(", "`", ")", "${v:-", "}"),
    *("$((", "))", "((", "[[ ", " ]]", " == ", " -eq ", "$'", "\\", " # ", "<<EOF\n", "\nEOF\n", "<<<", "{ "),
    *(
        "; }",
        "f() { ",
        "; f ",
        "( ",
        " )",
        "case a in a) ",
        ";; esac",
        " in ",
        "for i in ",
        "; do ",
        "; done",
    ),
    *("x=", "x=(", "a[", "]", "eval ", "declare z=", "bash -c ", "[ ", " -v ", "> ", ">&", "$v", "*", "\\\n"),
]
HOSTILE = "M a[$(touch ran)] `touch ran` \"'; touch ran; * \\ M"


@settings(max_examples=examples(150), deadline=None)
@example([">&", X])
@example(["[[ ", X, " -eq ", "1", " ]]"])
@given(parts=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12))
def test_in_no_accepted_script_does_a_value_run_or_fall_apart(place: Path, parts: list[str]) -> None:
    try:
        body, words = script(parse_run("".join(parts)))
    except ExpressionError:
        return
    work, out = place / "work", place / "out"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    out.unlink(missing_ok=True)

    subprocess.run(
        ["bash", "-uo", "pipefail", "-c", body, "bash", *(HOSTILE for _ in words)],
        cwd=work,
        env={"PATH": f"{place / 'bin'}:/usr/bin:/bin", "OUT": str(out)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )

    assert not (work / "ran").exists()
    received = out.read_bytes().decode().split("\0") if out.exists() else []
    assert all(each.count("M") == 2 * each.count(HOSTILE) for each in received)


def test_a_word_quoted_in_the_script_needs_no_quotes_of_its_own(place: Path) -> None:
    shell = parse_run(f'show "{X}" {X}')

    assert [each.quoted for each in shell.parts if not isinstance(each, str)] == [True, False]
    assert all(each.value == InputRef("x") for each in shell.parts if not isinstance(each, str))
    assert _arguments(place, f'show "{X}" {X}', "a  b") == [["a  b", "a  b"]]
