from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import decode, encode
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import InputRef, ItemRef, OwnOutputRef, RunRef
from penstock.expressions.segments import bare_inputs, nested_segment, optional_words, settle
from penstock.expressions.shell import parse_argument, parse_run, script
from penstock.ir import Argv, Segment, Shell, Word

X, Y = "${{ inputs.x }}", "${{ inputs.y }}"
x, y = Word(InputRef("x")), Word(InputRef("y"))

# what stands in `run`: the script with the segments of `x`, and without
LEFT_OUT = {
    f"show $[[ --x {X} ]]": ('show  --x "${1}" ', "show "),
    f"show $[[--x {X}]]": ('show --x "${1}"', "show "),
    f"show $[[ --x={X} ]] b": ('show  --x="${1}"  b', "show  b"),
    f'show $[[ "--x={X}" ]] b': ('show  "--x=${1}"  b', "show  b"),
    f"show $[[ {X} ]]; show b": ('show  "${1}" ; show b', "show ; show b"),
    f"show $[[ {X} 2]]>f": ('show  "${1}" 2 >f', "show >f"),
    f"show $[[ {X} ]]\\\n $[[ {X} ]] \\\n b": ('show  "${1}"  \\\n  "${1}"  \\\n b', "show \\\n  \\\n b"),
    f"show $[[ --a \\\n {X} ]]\nshow b": ('show  --a \\\n "${1}" \nshow b', "show \nshow b"),
    f"show $[[ '$' \"]]\" \\]\\] {X} ]]": ('show  \'$\' "]]" \\]\\] "${1}" ', "show "),
    f"show $[[ $(echo ]]) {X} ]]": ('show  $(echo ]]) "${1}" ', "show "),
    f"show $[[ {Y} {X} {Y} ]] {Y}": ('show  "${1}" "${2}" "${1}"  "${1}"', 'show  "${1}"'),
    f"show $[[ --y {Y} ]] $[[ --x {X} ]]": ('show  --y "${1}"   --x "${2}" ', 'show  --y "${1}"  '),
    f"for each in $[[ {X} ]]; do show; done": (
        'for each in  "${1}" ; do show; done',
        "for each in ; do show; done",
    ),
    f"( cd a && show $[[ {X} ]] )": ('( cd a && show  "${1}"  )', "( cd a && show  )"),
    f'a=(\n$[[ {X}\n b ]]\n) ; show "${{a[@]}}"': (
        'a=(\n "${1}"\n b \n) ; show "${a[@]}"',
        'a=(\n\n) ; show "${a[@]}"',
    ),
    f"python a.py $[[ -c {X} ]]": ('python a.py  -c "${1}" ', "python a.py "),
    f"bash -c 'show \"$1\"' _ $[[ {X} ]]": ('bash -c \'show "$1"\' _  "${1}" ', "bash -c 'show \"$1\"' _ "),
    f"export $[[ V={X} ]] W=a": ('export  V="${1}"  W=a', "export  W=a"),
    f"time python a.py $[[ {X} ]]": ('time python a.py  "${1}" ', "time python a.py "),
    f"a=(set b); show $[[ {X} ]]": ('a=(set b); show  "${1}" ', "a=(set b); show "),
    f"set -e $[[ -o {X} ]]": ('set -e  -o "${1}" ', "set -e "),
    f"show $[[ {X} ${{{{ item.key }}}} ]]": ('show  "${1}" "${2}" ', "show "),
}

REFUSED = {
    f"show $[[ --x {X}": ("never closed", "end it with ]]"),
    f"show $[[ --x {X} ]": ("never closed", "end it with ]]"),
    f"show $[[ a '{X.replace('$', '$$')}' {X}": ("never closed", "end it with ]]"),
    f"show $[[ a $[[ {X} ]] ]]": ("nested", "close the first"),
    f"show $[[ a $(b $[[ {X} ]]) ]]": ("nested", "close the first"),
    "show $[[ --verbose ]]": ("names no input", "${{ inputs.NAME }}"),
    f"show {X} $[[ ${{{{ outputs.y }}}} ]]": ("names no input", "${{ inputs.NAME }}"),
    "show $[[ ${{ item.key }} ]]": ("names no input", "${{ inputs.NAME }}"),
    "show '$${{' $[[ a ]]": ("names no input", "${{ inputs.NAME }}"),
    f'show "$[[ {X} ]]"': ("in quotes", "outside"),
    'show "a $[[ b ]]"': ("in quotes", "outside"),
    f"show $(show $[[ {X} ]])": ("in $(…)", "step's code"),
    f"show <(show $[[ {X} ]])": ("in $(…)", "step's code"),
    f"show a$[[ {X} ]]": ("whole words", "in front of $[["),
    f"show --x=$[[ {X} ]]": ("whole words", "in front of $[["),
    f"show ''$[[ {X} ]]": ("whole words", "in front of $[["),
    f"show $[[ {X} ]]a": ("whole words", "behind ]]"),
    f"show $[[ {X} ]]{Y}": ("whole words", "behind ]]"),
    f"show $[[ {X} ]]$[[ {Y} ]]": ("whole words", "behind ]]"),
    f"show $[[ {X}\n ]]": ("one command", "backslash"),
    f"show $[[ {X}; show ]]": ("one command", "close it"),
    f"show $[[ | show {X} ]]": ("one command", "close it"),
    f"show $[[ > {X} ]]": ("one command", "close it"),
    f"( show $[[ {X} )": ("one command", "close it"),
    f"show $[[ {X} # ]]": ("whole words", "comment"),
    f"show > $[[ {X} ]]": ("redirection", "outside"),
    f"$[[ show {X} ]]": ("behind the name", "python train.py"),
    f"V=a $[[ show {X} ]]": ("behind the name", "python train.py"),
    f"true && $[[ show {X} ]]": ("behind the name", "python train.py"),
    f"if $[[ {X} ]]; then show; fi": ("behind the name", "python train.py"),
    f"for $[[ i in {X} ]]; do show; done": ("behind the name", "python train.py"),
    f"for i $[[ in {X} ]]; do show; done": ("behind the name", "python train.py"),
    f"[[ a $[[ == {X} ]] ]]": ("[[ ]] or case", "a command"),
    f"coproc V $[[ {X} ]]": ("behind the name", "python train.py"),
    f"time -p $[[ {X} ]] b": ("behind the name", "python train.py"),
    f"case $[[ {X} ]] in a) ;; esac": ("[[ ]] or case", "a command"),
    f"show @($[[ {X} ]])": ("whole words", "name of a command"),
    f"bash $[[ -O{X} -c ]] b": ("code, or not", "segment last"),
    f"sudo $[[ {X} bash ]] b": ("code, or not", "segment last"),
    f"printf $[[ {X} -v ]] b": ("code, or not", "segment last"),
}

# refused at the value, since without a segment it would be code or name a variable
HAZARDOUS = {
    f"bash $[[ -x {X} ]] -c {Y}": Y,
    f"bash $[[ a {X} ]] $[[ -c {Y} ]]": Y,
    f"command $[[ show {X} ]] eval {Y}": Y,
    f"printf -v $[[ a {X} ]] {Y}": Y,
    f"show $[[ '{X}' ]]": X,
    f"show $[[ $(a {X}) ]]": X,
    f"cat <<E\n$[[ {X} ]]\nE\n": X,
    f"show # $[[ {X} ]]": X,
    f"show ${{v:-$[[ {X} ]]}}": X,
}


@pytest.mark.parametrize("text", LEFT_OUT)
def test_a_segment_is_kept_or_left_out_as_a_whole(text: str) -> None:
    shell = parse_run(text)

    assert (script(settle(shell, ()))[0], script(settle(shell, {"x"}))[0]) == LEFT_OUT[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_segment_is_refused_where_it_begins(text: str) -> None:
    message, hint = REFUSED[text]

    with pytest.raises(ExpressionError) as caught:
        parse_run(text)

    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.needle == "$[["
    assert caught.value.offset == (text.rindex("$[[") if message == "nested" else text.index("$[["))


@pytest.mark.parametrize("text", HAZARDOUS)
def test_a_value_that_would_run_without_the_segment_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_run(text)

    assert caught.value.needle == HAZARDOUS[text]
    assert caught.value.offset == text.index(HAZARDOUS[text])


@pytest.mark.parametrize(
    "text",
    [
        "show $[1+2] $[ [1] ]",
        "show $(( a[[1]] ))",
        "show '$[[ a ]]' $'$[[ a ]]'",
        "show \\$[[ a ]]",
        "show # $[[ a ]]",
        "cat <<'E'\n$[[ a ]]\nE\n",
        "show $$[[ a ]]",
        "[[ a == b ]]",
    ],
)
def test_what_only_looks_like_a_segment_stays_as_it_is(text: str) -> None:
    assert parse_run(text) == Shell((text,))
    behind = f"{text}\nshow {X}"
    assert parse_run(behind) == Shell((f"{text}\nshow ", x))


def test_an_escaped_expression_in_a_segment_is_no_input() -> None:
    shell = parse_run(f"show $[[ '$${{{{ a }}}}' {X} ]]")

    assert shell == Shell(("show ", " '${{ a }}' ", x, " "), (Segment(1, 4, ("x",)),))


def test_the_inputs_of_a_segment_are_named_once_each_in_order() -> None:
    shell = parse_run(f"show $[[ {Y} ${{{{ outputs.o }}}} {X} {Y} ]]")

    assert [each.inputs for each in shell.segments] == [("y", "x")]


def test_literal_text_never_reaches_across_the_border_of_a_segment() -> None:
    shell = parse_run(f"a $[[ b {X} c ]] d $[[ {Y} ]]")

    assert shell == Shell(
        ("a ", " b ", x, " c ", " d ", " ", y, " "), (Segment(1, 4, ("x",)), Segment(5, 8, ("y",)))
    )


def test_a_settled_command_is_what_it_would_be_had_it_been_written_so() -> None:
    shell = parse_run(f"show a $[[ --x {X} b ]] c $[[ {Y} ]] d")

    assert settle(shell, {"y"}) == parse_run(f"show a  --x {X} b  c  d")
    assert settle(shell, {"x", "y"}) == Shell(("show a  c  d",))


def test_a_command_without_segments_is_settled() -> None:
    shell, argv = parse_run(f"show {X}"), Argv((("show",), (x,)))

    assert settle(shell, {"x"}) is shell
    assert settle(argv, {"x"}) is argv


def test_a_script_is_written_from_a_settled_command_alone() -> None:
    with pytest.raises(ValueError, match="settled"):
        script(parse_run(f"show $[[ {X} ]]"))


def test_arguments_of_a_nested_list_are_left_out_together() -> None:
    argv = Argv((("show",), ("--x",), ("=", x), ("a",)), (Segment(1, 3, ("x",)),))

    assert settle(argv, ()) == Argv((("show",), ("--x",), ("=", x), ("a",)))
    assert settle(argv, {"x"}) == Argv((("show",), ("a",)))


def test_a_nested_list_becomes_a_segment() -> None:
    assert nested_segment(2, [("--x",), (x, y), (x,)]) == Segment(2, 5, ("x", "y"))


@pytest.mark.parametrize(
    ("first", "arguments", "message"),
    [
        (0, [(x,)], "the program itself"),
        (1, [], "names no input"),
        (1, [("--x",), (Word(OwnOutputRef("o")),)], "names no input"),
    ],
)
def test_a_nested_list_that_is_no_segment_is_refused(
    first: int, arguments: list[tuple[str | Word, ...]], message: str
) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        nested_segment(first, arguments)

    assert caught.value.hint


def test_a_segment_inside_an_argument_is_told_to_be_a_list() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_argument(f"a $[[ --x {X} ]]")

    assert (caught.value.needle, caught.value.offset) == ("$[[", 2)
    assert '["--x", "${{ inputs.x }}"]' in caught.value.hint


def test_inputs_inside_and_outside_of_segments_are_told_apart() -> None:
    shell = parse_run(f"show {Y} ${{{{ run.id }}}} $[[ {X} {Y} ]] $[[ {X} ]]")
    argv = Argv((("show",), (y,), (x,)), (Segment(2, 3, ("x",)),))

    assert list(optional_words(shell)) == [x, y, x]
    assert bare_inputs(shell) == {"y"}
    assert list(optional_words(argv)) == [x]
    assert bare_inputs(argv) == {"y"}
    assert bare_inputs(parse_run(f"show {X}")) == {"x"}


words = st.builds(
    Word,
    st.one_of(
        st.builds(InputRef, st.sampled_from("xyz")),
        st.just(OwnOutputRef("o")),
        st.just(RunRef("id")),
        st.builds(ItemRef, st.sampled_from(["", "key", "any key"])),
    ),
    st.booleans(),
)
parts = st.lists(st.one_of(st.sampled_from(["a", " ", "${{", "--x "]), words), max_size=8).map(tuple)


@st.composite
def commands(draw: st.DrawFn) -> Shell | Argv:
    if draw(st.booleans()):
        made = draw(parts)
        return Shell(made, draw(segments(len(made))))
    arguments = draw(st.lists(parts, max_size=6).map(tuple))
    return Argv(arguments, draw(segments(len(arguments))))


@st.composite
def segments(draw: st.DrawFn, length: int) -> tuple[Segment, ...]:
    borders = sorted(draw(st.sets(st.integers(0, length), max_size=6)))
    names = st.lists(st.sampled_from("xyz"), min_size=1, unique=True).map(tuple)
    return tuple(
        Segment(first, last, draw(names)) for first, last in zip(borders[::2], borders[1::2], strict=False)
    )


@given(commands())
def test_a_command_with_segments_goes_through_the_codec(command: Shell | Argv) -> None:
    assert decode(type(command), encode(command)) == command


@given(commands(), st.sets(st.sampled_from("xyz")))
def test_settling_keeps_every_word_but_those_of_unset_segments(
    command: Shell | Argv, unset: set[str]
) -> None:
    settled = settle(command, unset)
    units = command.parts if isinstance(command, Shell) else command.arguments
    gone = {
        position
        for each in command.segments
        if unset & set(each.inputs)
        for position in range(each.first, each.last)
    }
    left = [unit for position, unit in enumerate(units) if position not in gone]

    assert not settled.segments
    if isinstance(settled, Shell):
        assert _plain(settled.parts) == _plain(left)
    else:
        assert list(settled.arguments) == left


def _plain(parts: Iterable[object]) -> str:
    """Write parts so that only the borders between literal texts are lost."""
    return "".join(each if isinstance(each, str) else f"\0{each}\0" for each in parts)


ARGUMENTS = tuple(map(parse_argument, ("show", "--x", X, "--y", Y, "b")))


@pytest.mark.parametrize(
    "command",
    [
        parse_run(f"show a $[[ --x {X} ]] $[[ --y {Y} ]] b"),
        Argv(ARGUMENTS, (nested_segment(1, ARGUMENTS[1:3]), nested_segment(3, ARGUMENTS[3:5]))),
    ],
)
def test_a_segment_that_is_undecided_stays_one(command: Shell | Argv) -> None:
    once = settle(command, {"x"}, {"y"})

    assert [each.inputs for each in once.segments] == [("y",)]
    assert settle(once, ()) == settle(command, {"x"})
    assert settle(once, {"y"}) == settle(command, {"x", "y"})
    assert settle(command, (), {"x", "y"}) == command
