from __future__ import annotations

import pytest

from penstock.codec import decode, encode
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import InputRef, ItemRef, OwnOutputRef, RunRef
from penstock.expressions.shell import parse_argument, parse_run, script
from penstock.ir import Shell, Word

X = "${{ inputs.x }}"

# what stands in `run`: the script that it becomes
WRITTEN = {
    "python a.py --x ${{ inputs.x }} --y=${{ outputs.y }}": 'python a.py --x "${1}" --y="${2}"',
    "${{ inputs.x }} ${{ outputs.x }} ${{ inputs.x }} ${{ run.id }}": '"${1}" "${2}" "${1}" "${3}"',
    f"{X} --help": '"${1}" --help',
    f"cd {X}/sub": 'cd "${1}"/sub',
    f"V={X} W='a b' show": "V=\"${1}\" W='a b' show",
    f'show "a {X} b" {X}': 'show "a ${1} b" "${1}"',
    f"show 'a'{X}'b'": "show 'a'\"${1}\"'b'",
    f"show 'it''s' \"it's\" {X}": "show 'it''s' \"it's\" \"${1}\"",
    f"show \\' {X}": 'show \\\' "${1}"',
    f'show \\" {X}': 'show \\" "${1}"',
    f"show a#b {X} # it's": 'show a#b "${1}" # it\'s',
    f"# don't\nshow {X}": '# don\'t\nshow "${1}"',
    f"cat <<< {X}": 'cat <<< "${1}"',
    f"cat <<EOF\nit's \"\nEOF\nshow {X}": 'cat <<EOF\nit\'s "\nEOF\nshow "${1}"',
    f"cat <<-'E F'\n\tit's\n\tE F\nshow {X}": "cat <<-'E F'\n\tit's\n\tE F\nshow \"${1}\"",
    f"cat <<A <<\"B\"\n'\nA\n'\nB\nshow {X}": 'cat <<A <<"B"\n\'\nA\n\'\nB\nshow "${1}"',
    f"n=$((1 << (2))) ; show {X}": 'n=$((1 << (2))) ; show "${1}"',
    f"(( n > 1 )) && show {X}": '(( n > 1 )) && show "${1}"',
    f"[[ {X} == a* && -n {X} ]] || show": '[[ "${1}" == a* && -n "${1}" ]] || show',
    f"[ {X} -eq 3 ] || show": '[ "${1}" -eq 3 ] || show',
    f"show $(echo ')' # )'\n) {X}": "show $(echo ')' # )'\n) \"${1}\"",
    f"show $(case a in a) echo 1;; esac) {X}": 'show $(case a in a) echo 1;; esac) "${1}"',
    f'show "$(echo "(\'" `echo ")"`)" {X}': 'show "$(echo "(\'" `echo ")"`)" "${1}"',
    f"show ${{v:-'}}'}} {X}": "show ${v:-'}'} \"${1}\"",
    f"case {X} in a|b) show {X};; {X}) ;; esac; show {X}": (
        'case "${1}" in a|b) show "${1}";; "${1}") ;; esac; show "${1}"'
    ),
    f"list=({X} b); show {X}": 'list=("${1}" b); show "${1}"',
    f"( cd {X} && {{ show; }} )": '( cd "${1}" && { show; } )',
    f'f() {{ show "$1" "$@"; shift; set -- a; }}; f {X}': 'f() { show "$1" "$@"; shift; set -- a; }; f "${1}"',
    f'function g {{\n show "$1"\n}}\ng {X}': 'function g {\n show "$1"\n}\ng "${1}"',
    f"set -o pipefail; set -eu +x; show {X}": 'set -o pipefail; set -eu +x; show "${1}"',
    f"export V={X}; declare W={X}": 'export V="${1}"; declare W="${1}"',
    f"bash -c 'show \"$1\"' _ {X}": 'bash -c \'show "$1"\' _ "${1}"',
    f"python train.py -c {X}": 'python train.py -c "${1}"',
    f"show 2>{X} >> {X} &": 'show 2>"${1}" >> "${1}" &',
    "show '$${{ x }}'": "show '${{ x }}'",
    "awk '{print $1}' in": "awk '{print $1}' in",
    "set -- a; show $1": "set -- a; show $1",
}

REFUSED = {
    f"show 'a {X}'": ("single quotes", "'…'${{ inputs.x }}'…'", X),
    f"show $'a {X}'": ("$'…'", "end the quotes", X),
    f'show $"a {X}"': ('$"…"', "without the dollar", X),
    f"show $(basename {X})": ("$(…)", 'x=${{ inputs.x }}, then "$x"', X),
    f'show "$(basename {X})"': ("$(…)", "bind it", X),
    f"show `basename {X}`": ("backticks", "bind it", X),
    f"diff <(sort {X}) a": ("<(…)", "bind it", X),
    f"show ${{v:-{X}}}": ("${…}", "bind it", X),
    f"show $(( {X} + 1 ))": ("arithmetic", "step's code", X),
    f"(( {X} > 1 ))": ("arithmetic", "step's code", X),
    f"for ((i=0; i<{X}; i++)); do :; done": ("arithmetic", "step's code", X),
    f"show $[ {X} + 1 ]": ("arithmetic", "step's code", X),
    f"cat <<EOF\n{X}\nEOF\n": ("heredoc", "${x}", X),
    f"cat <<-'EOF'\n\t{X}\n\tEOF\n": ("heredoc", "${x}", X),
    f"cat <<{X}": ("heredoc", "bind it", X),
    f"show # {X}": ("comment", "$${{ inputs.x }}", X),
    f"show \\{X}": ("backslash", "leave it out", X),
    f'show "\\{X}"': ("backslash", "leave it out", X),
    f"f() {{ show {X}; }}; f": ("shell function", "name ${{ inputs.x }}", X),
    f"f() (\n show {X}\n)": ("shell function", '"$1" inside', X),
    f"a[{X}]=1": ("array index", "bind it", X),
    f'a["{X}"]=1': ("array index", "bind it", X),
    f"[[ {X} -eq 3 ]]": ("runs what they hold", "[ … ]", X),
    f"[[ -n a && 3 -lt {X} ]]": ("runs what they hold", "[ … ]", X),
    f"[[ -v {X} ]]": ("runs what they hold", "[ … ]", X),
    f"show >&{X}": (">&", "> ${{ inputs.x }} 2>&1", X),
    f"bash -c -v {X}": ("code to the program", "behind the code", X),
    f"bash -o pipefail -ec -- {X}": ("code to the program", "behind the code", X),
    f"eval show {X}": ("would run the value", "bind it", X),
    f"'ev'al {X}": ("would run the value", "bind it", X),
    f"ev\\\nal {X}": ("would run the value", "bind it", X),
    f"command eval {X}": ("would run the value", "bind it", X),
    f"read {X} < a": ("name of a variable", "bind it", X),
    f"declare {X}": ("name of a variable", "bind it", X),
    f"declare -i n; n={X}": ("would run the value", "bind it", X),
    f"RANDOM={X}": ("would run the value", "bind it", X),
    f"printf -v {X} a": ("name of a variable", "bind it", X),
    f"[ -v {X} ]": ("name of a variable", "bind it", X),
    f'bash -c "show {X}"': ("code to the program", "behind the code", X),
    f"bash -o pipefail -ec {X}": ("code to the program", "behind the code", X),
    f'python3 -c "print({X})"': ("code to the program", "behind the code", X),
    f"show {X} $1": ("'$1' is taken", "bind a value", "$1"),
    f'show {X} "${{@}}"': ("'${@' is taken", "bind a value", "${@"),
    f"show {X}; shift": ("'shift' is taken", "bind a value", "shift"),
    f"set -- a b; show {X}": ("'set' is taken", "bind a value", "set"),
    f"show {X} 'a": ("quote is never closed", "end it with '", "'"),
    f'show {X} "a': ("quote is never closed", 'end it with "', '"'),
    f"show {X} $(a": ("'$(' is never closed", "end it with )", "$("),
    f"f() {{ a; show b; # {X.replace('$', '$$')}\n {X}": ("shell function", "name", X),
    "show ${{ parameters.depth }}": (
        "parameters.depth cannot stand in a command",
        'inputs: {depth: "${{ parameters.depth }}"}, then ${{ inputs.depth }}',
        "${{ parameters.depth }}",
    ),
    "show ${{ datasets.cells }}": (
        "datasets.cells cannot",
        'inputs: {cells: "${{ datasets.cells',
        "${{ datasets.cells }}",
    ),
    "show ${{ steps.a.outputs.b }}": (
        "cannot stand",
        'inputs: {b: "${{ steps.a.',
        "${{ steps.a.outputs.b }}",
    ),
    "show ${{ steps.a.outputs.r.f }}": (
        "cannot stand",
        'inputs: {r: "${{ steps.a.outputs.r }}"}',
        "${{ steps.a.outputs.r.f }}",
    ),
    "show ${{ conditions.c }}": ("cannot stand", "when: ${{ conditions.c }}", "${{ conditions.c }}"),
    "show ${{ inputs.x + 1 }}": ("without operators", "where the input is bound", "${{ inputs.x + 1 }}"),
    "show ${{ 'a' }}": ("needs no expression", "write a", "${{ 'a' }}"),
    "show ${{ inputs.x": ("never closed", "end it with }}", "${{ inputs.x"),
    f"a\0 {X}": ("NUL", "take it out", ""),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_command_becomes_a_script_with_numbered_words(text: str) -> None:
    assert script(parse_run(text))[0] == WRITTEN[text]


@pytest.mark.parametrize("text", REFUSED)
def test_where_a_value_cannot_be_one_word_it_is_refused_with_the_way_out(text: str) -> None:
    message, hint, needle = REFUSED[text]

    with pytest.raises(ExpressionError) as caught:
        parse_run(text)

    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.needle == needle
    assert text[caught.value.offset :].startswith(needle)


def test_a_fault_behind_an_escape_is_placed_in_the_text_as_written() -> None:
    text = "show $${{ a }} '${{ inputs.x }}'"

    with pytest.raises(ExpressionError) as caught:
        parse_run(text)

    assert text[caught.value.offset :].startswith("${{ inputs.x }}'")


def test_words_count_in_order_of_first_use_and_equal_values_share_a_number() -> None:
    shell = parse_run('show ${{ inputs.b }} "${{ inputs.a }}" ${{ inputs.b }} ${{ run.started_at }}')

    text, words = script(shell)

    assert text == 'show "${1}" "${2}" "${1}" "${3}"'
    assert words == (Word(InputRef("b")), Word(InputRef("a")), Word(RunRef("started_at")))


def test_numbers_may_be_given() -> None:
    shell = Shell(("show ", Word(InputRef("a")), " ", Word(OwnOutputRef("b"), quoted=True)))

    text, words = script(shell, lambda word: 7 if word.value == InputRef("a") else 12)

    assert text == 'show "${7}" ${12}'
    assert words == (Word(InputRef("a")), Word(OwnOutputRef("b")))


def test_an_argument_is_text_and_words_joined() -> None:
    assert parse_argument("--x=${{ inputs.x }}/a 'b' $(c) ${{ outputs.y }}") == (
        "--x=",
        Word(InputRef("x")),
        "/a 'b' $(c) ",
        Word(OwnOutputRef("y")),
    )
    assert parse_argument("^a$[[:digit:]] $${{ b }}") == ("^a$[[:digit:]] ${{ b }}",)


@pytest.mark.parametrize(
    "text", ["$[[ --x ${{ inputs.x }} ]]", "${{ parameters.x }}", "a\0b", "${{ inputs.x > 1 }}"]
)
def test_an_argument_refuses_what_a_command_refuses(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_argument(text)


def test_the_item_of_a_map_is_a_word_of_its_own() -> None:
    text = "show ${{ item }} --k ${{ item.key }} \"${{ item['any key'] }}\" ${{ item.key }}"
    item, key = Word(ItemRef()), Word(ItemRef("key"))

    shell = parse_run(text)

    assert script(shell)[0] == 'show "${1}" --k "${2}" "${3}" "${2}"'
    assert script(shell)[1] == (item, key, Word(ItemRef("any key")))
    assert parse_argument("--k=${{ item.key }}") == ("--k=", key)
    assert decode(Shell, encode(shell)) == shell
