from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import InputRef, OwnOutputRef, RunRef
from penstock.expressions.shell import parse_argument, parse_run, script
from penstock.ir import Shell, Word

X, Y = Word(InputRef("x")), Word(InputRef("y"))
SHOW = "show() { printf '%s\\0' \"$@\"; }\n"
HOSTILE = {
    "single quote": "it's",
    "double quote": 'say "x"',
    "unbalanced quotes": "'\"'",
    "substitution": "$(touch ran)",
    "backticks": "`touch ran`",
    "end of quotes": '"; touch ran; "',
    "end of single quotes": "'; touch ran; '",
    # Under `set -u` only the index of a variable that is set is evaluated.
    "index": "BASH_VERSINFO[$(touch ran)]",
    "newline": "one\ntwo\n",
    "only newlines": "\n\n",
    "spaces": " one  two ",
    "tab": "a\tb",
    "empty": "",
    "star": "*",
    "bracket pattern": "[a-z]?",
    "leading dash": "-n",
    "two dashes": "--",
    "backslash": "\\",
    "backslash before n": "a\\nb\\",
    "dollar": "$HOME ${HOME} $1",
    "placeholder": "${{ inputs.x }} ${1}",
    "percent": "%s%d%%",
    "tilde": "~",
    "braces": "{a,b}",
    "comment": "# no",
    "operators": "a && b | c > d; e &",
    "bang": "!!",
    "unicode": "naïve 測試 😀\u2028\u00a0",
    "control": "\x01\x7f\x1b[31m\r",
}
SCRIPTS = {
    "bare": "show ${{ inputs.x }}",
    "in double quotes": 'show "${{ inputs.x }}"',
    "assignment": 'v=${{ inputs.x }}\nshow "$v"',
    "quoted assignment": 'v="${{ inputs.x }}"; show "$v"',
    "exported": 'export v=${{ inputs.x }}; show "$v"',
    "before a command": 'v=${{ inputs.x }} bash -c \'printf "%s\\0" "$v"\'',
    "for list": 'for v in ${{ inputs.x }}; do show "$v"; done',
    "pipe": "printf '%s\\0' ${{ inputs.x }} | cat",
    "after and": "true && show ${{ inputs.x }}",
    "after or": "false || show ${{ inputs.x }}",
    "multi-line": "# the first\nshow \\\n  ${{ inputs.x }}\n# the last",
    "if": "if [ -z '' ]; then show ${{ inputs.x }}; fi",
    "test": 'if [[ ${{ inputs.x }} == "${{ inputs.x }}" ]]; then show ${{ inputs.x }}; fi',
    "case": "case ${{ inputs.x }} in '') show '';; *) show ${{ inputs.x }};; esac",
    "group": "{ show ${{ inputs.x }}; }",
    "subshell": "( show ${{ inputs.x }} )",
    "array": 'v=(${{ inputs.x }}); show "${v[@]}"',
    "after a heredoc": "cat >/dev/null <<'E'\n$(it's)\nE\nshow ${{ inputs.x }}",
    "after single quotes": "show ''${{ inputs.x }}''",
    "behind code": 'bash -c \'printf "%s\\0" "$1"\' name ${{ inputs.x }}',
}

OPERANDS = ("@", '"@"', "w=@", 'w="@"', "w+=@", "a@")
FORMS = r"""echo @
printf -v @ 1
test -v @
[ 1 -eq @ ]
[ -v @ ]
[[ 1 -eq @ ]]
[[ -v @ ]]
[[ -n @ && 1 -eq @ ]]
eval @
command eval @
builtin let @
let @
read @ </dev/null
unset @
export @
declare -i @
declare -n @
declare -i w; @
declare -i w; w=1; export @
trap @ EXIT
bash -c @
bash -o errexit -c @
bash -c : name @
RANDOM=@
PS4=@; set -x; echo
v[@]=1
v=(@); echo done
v=([@]=1)
case @ in x) ;; esac
(( 1 + @ ))
echo $(( @ ))
echo >&@
f() { echo @; }; f
if [[ @ -eq 1 ]]; then :; fi
true && let @
true | read @"""
PARTS = (
    "echo ~printf %s ~v=~a ~ ~\n~;~'~\"~\\~$~`~(~)~{ ~ }~[ ~ ]~[[ ~ ]]~ -eq ~<<E\n~\nE\n~<~>~&~|~#~case ~ in ~esac~"
    "if ~then ~fi~eval ~declare -i ~let ~test -v ~bash -c ~((~))~${v~}~for v in ~do ~done~f() ~$(~unset ~read ~=~[~]~"
    "export ~1~:-"
)


def run(shell: Shell, values: Sequence[str], folder: Path) -> bytes:
    written, words = script(shell)
    assert len(words) == len(values)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SHOW + written, "penstock", *values],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert not (folder / "ran").exists()
    return done.stdout


def refused(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse_run(text)
    return caught.value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Files for `*` and `[a-z]?` to match, were they ever expanded.
    made = tmp_path_factory.mktemp("work")
    for name in ("a1", "b2", "-n"):
        (made / name).touch()
    return made


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_hostile_value_arrives_as_one_exact_word(text: str, folder: Path) -> None:
    shell = parse_run(text)

    for name, value in HOSTILE.items():
        assert run(shell, [value], folder) == os.fsencode(value) + b"\0", name


def test_a_value_joined_to_text_stays_one_word(folder: Path) -> None:
    shell = parse_run(
        'show --x=${{ inputs.x }} ${{ inputs.x }}${{ inputs.y }} "a ${{ inputs.y }} b" ${{ inputs.x }}.d/'
    )

    for value in HOSTILE.values():
        found = run(shell, [value, "*"], folder)

        assert found == b"".join(
            os.fsencode(each) + b"\0" for each in (f"--x={value}", f"{value}*", "a * b", f"{value}.d/")
        )


def test_a_value_names_one_file_behind_a_redirection(tmp_path: Path) -> None:
    run(parse_run("echo here > ${{ outputs.x }}"), ["$(touch ran) *"], tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == ["$(touch ran) *"]


@settings(max_examples=examples(60), deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_any_text_without_nul_arrives_exactly(folder: Path, value: str) -> None:
    shell = parse_run("printf '%s\\0' ${{ inputs.x }} \"${{ inputs.x }}\" --x=${{ inputs.x }}")

    found = run(shell, [value], folder)

    assert found == b"".join(each.encode() + b"\0" for each in (value, value, "--x=" + value))


PIECES = st.lists(st.sampled_from(["${{ inputs.x }}"] * 6 + PARTS.split("~")), min_size=2, max_size=9).map(
    "".join
)


def runs(written: str, value: str, folder: Path) -> bool:
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", written, "penstock", value],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    ran = (folder / "ran").exists()
    (folder / "ran").unlink(missing_ok=True)
    return ran


def test_the_probe_sees_a_value_that_is_run(tmp_path: Path) -> None:
    assert runs('[[ "${1}" -eq 3 ]]', "BASH_VERSINFO[$(touch ran)]", tmp_path)
    assert not runs('[ "${1}" = 3 ]', "BASH_VERSINFO[$(touch ran)]", tmp_path)


@pytest.mark.parametrize("form", FORMS.splitlines())
def test_no_command_of_bash_runs_a_value_that_is_taken(tmp_path: Path, form: str) -> None:
    for operand in OPERANDS:
        text = form.replace("@", operand.replace("@", "${{ inputs.x }}"))
        try:
            written, _ = script(parse_run(text))
        except ExpressionError:
            continue
        assert not runs(written, "BASH_VERSINFO[$(touch ran)]", tmp_path), written


@settings(
    max_examples=examples(300),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(PIECES)
def test_whatever_script_is_taken_a_value_is_never_run(tmp_path: Path, text: str) -> None:
    try:
        written, words = script(parse_run(text))
    except ExpressionError as fault:
        assert fault.message
        assert 0 <= fault.offset <= len(text)
        return
    if not words:
        return
    for value in ("BASH_VERSINFO[$(touch ran)]", "$(touch ran)", "x;touch ran"):
        assert not runs(written, value, tmp_path), (written, value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo '${{ inputs.x }}'", "single quotes"),
        ("echo 'a\nb ${{ inputs.x }}'", "single quotes"),
        ("echo $'${{ inputs.x }}'", "$'…'"),
        ('echo $"${{ inputs.x }}"', '$"…"'),
        ("cat <<E\n${{ inputs.x }}\nE\n", "heredoc"),
        ("cat <<'E'\n${{ inputs.x }}\nE\n", "heredoc"),
        ("cat <<-E\n\t${{ inputs.x }}\n\tE\n", "heredoc"),
        ("cat <<${{ inputs.x }}\n", "heredoc"),
        ("echo $(cat ${{ inputs.x }})", "$(…)"),
        ('echo "$(cat "${{ inputs.x }}")"', "$(…)"),
        ("echo `cat ${{ inputs.x }}`", "backticks"),
        ("echo ${v:-${{ inputs.x }}}", "${…}"),
        ('echo "${v:-${{ inputs.x }}}"', "${…}"),
        ("diff <(cat ${{ inputs.x }}) y", "<(…)"),
        ("echo $((1 + ${{ inputs.x }}))", "arithmetic"),
        ("(( ${{ inputs.x }} > 1 ))", "arithmetic"),
        ("true # ${{ inputs.x }}", "comment"),
        ("# ${{ inputs.x }}\ntrue", "comment"),
        ("echo \\${{ inputs.x }}", "backslash"),
        ("[[ ${{ inputs.x }} -eq 3 ]]", "-eq"),
        ("v[${{ inputs.x }}]=3", "array index"),
        ("f() { echo ${{ inputs.x }}; }; f", "shell function"),
        ("eval ${{ inputs.x }}", "run the value"),
        ("read ${{ inputs.x }}", "name of a variable"),
        ("command eval ${{ inputs.x }}", "run the value"),
        ("declare -i v=${{ inputs.x }}", "run the value"),
        ("RANDOM=${{ inputs.x }}", "run the value"),
        ("printf -v ${{ inputs.x }} y", "name of a variable"),
        ("[ -v ${{ inputs.x }} ]", "name of a variable"),
        ("echo >&${{ inputs.x }}", ">&"),
        ("bash -c ${{ inputs.x }}", "code"),
        ('bash -eu -c "echo ${{ inputs.x }}"', "code"),
        ("python3 -c ${{ inputs.x }}", "code"),
        ("perl -e ${{ inputs.x }}", "code"),
    ],
)
def test_a_place_where_a_value_would_not_arrive_is_refused_there(text: str, message: str) -> None:
    fault = refused(text)

    assert message in fault.message
    assert (fault.needle, fault.offset) == ("${{ inputs.x }}", text.index("${{"))


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("echo $1 ${{ inputs.x }}", "$1"),
        ('show ${{ inputs.x }} "$@"', "$@"),
        ("shift; echo ${{ inputs.x }}", "shift"),
        ("set -- a; echo ${{ inputs.x }}", "set"),
    ],
)
def test_the_arguments_of_the_script_are_taken(text: str, needle: str) -> None:
    fault = refused(text)

    assert "is taken" in fault.message
    assert (fault.needle, fault.offset) == (needle, text.index(needle))


@pytest.mark.parametrize(
    "text", ['echo "${{ inputs.x }}', "echo ${{ inputs.x }} 'a", "echo ${{ inputs.x }} $(a"]
)
def test_a_quote_that_is_never_closed_is_named(text: str) -> None:
    assert "never closed" in refused(text).message


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("parameters.a", 'inputs: {a: "${{ parameters.a }}"}, then ${{ inputs.a }}'),
        ("datasets.d", "${{ inputs.d }}"),
        ("steps.s.outputs.o", "${{ inputs.o }}"),
        ("steps.s.outputs.m.auc", 'bind the file: inputs: {m: "${{ steps.s.outputs.m }}"}'),
        ("conditions.c", "when: ${{ conditions.c }}"),
        ("4", "write 4"),
        ("inputs.x + 1", "compute the value"),
    ],
)
def test_only_the_step_s_own_values_stand_in_a_command(expression: str, hint: str) -> None:
    for read in (parse_run, parse_argument):
        with pytest.raises(ExpressionError) as caught:
            read(f"echo ${{{{ {expression} }}}}")

        assert hint in caught.value.hint
        assert (caught.value.needle, caught.value.offset) == (f"${{{{ {expression} }}}}", 5)


def test_a_script_without_expressions_is_not_examined() -> None:
    text = "echo 'open $1 $(a\n$[[ -z ]]"

    assert parse_run(text) == Shell((text,))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a ${{ inputs.x }} b", ("a ", X, " b")),
        ('a "${{ inputs.x }}"', ('a "', Word(InputRef("x"), quoted=True), '"')),
        ("${{ inputs.x }}${{ outputs.y }}", (X, Word(OwnOutputRef("y")))),
        ("a ${{run.id}}", ("a ", Word(RunRef("id")))),
        ("echo '$${{ a }}' ${{ inputs.x }}", ("echo '${{ a }}' ", X)),
        ("$${{ a }}", ("${{ a }}",)),
        ("", ()),
    ],
)
def test_a_command_is_text_and_words(text: str, parts: tuple[str | Word, ...]) -> None:
    assert parse_run(text) == Shell(parts)


def test_equal_values_share_a_number_in_order_of_first_use() -> None:
    shell = parse_run('a ${{ inputs.y }} "${{ inputs.x }}" ${{ inputs.y }}')

    assert script(shell) == ('a "${1}" "${2}" "${1}"', (Y, X))


def test_numbers_may_be_given() -> None:
    assert script(parse_run("a ${{ inputs.x }}"), lambda _: 12) == ('a "${12}"', (X,))


def test_more_than_nine_values_arrive_in_order(folder: Path) -> None:
    names = [f"v{each}" for each in range(12)]

    shell = parse_run("show " + " ".join(f"${{{{ inputs.{each} }}}}" for each in names))

    assert run(shell, names, folder).decode().split("\0")[:-1] == names


def test_an_argument_joins_text_and_words_without_any_shell() -> None:
    assert parse_argument("--x='${{ inputs.x }}$(a)${{ inputs.y }}") == ("--x='", X, "$(a)", Y)
    assert parse_argument("$${{ a }} b") == ("${{ a }} b",)
    assert parse_argument("") == ()


def test_nul_is_refused() -> None:
    for read in (parse_run, parse_argument):
        with pytest.raises(ExpressionError) as caught:
            read("a\0b")

        assert caught.value.offset == 1


@settings(max_examples=examples(200), deadline=None, derandomize=True, database=None)
@given(st.text(max_size=40) | PIECES, st.text(max_size=20))
def test_no_command_fails_otherwise_than_by_a_fault_that_points_into_it(before: str, after: str) -> None:
    text = before + "${{ inputs.x }}" + after

    for read in (parse_run, parse_argument):
        try:
            read(text)
        except ExpressionError as fault:
            assert fault.message
            assert text.startswith(fault.needle, fault.offset)
