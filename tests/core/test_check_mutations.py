from __future__ import annotations

import copy
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock import discovery
from penstock.compiler import check
from penstock.diagnostics import Diagnostic, Severity, render
from penstock.diagnostics import Path as SpecPath

ROOT = Path(__file__).parents[2]
SPECS = {
    "tumour": ROOT / "specs" / "tumour" / "pipeline.yaml",
    "starter": ROOT / "core" / "penstock" / "starter" / "files" / "pipeline.yaml",
}
WHOLE = ROOT / "tests" / "generated" / "whole" / "pipeline.yaml"
"""Every kind of step, components, and a pipeline inside."""
USED = ("components/fit.yaml", "components/fold.yaml", "components/split.yaml", "nested.yaml")
FILES = {**SPECS, "whole": WHOLE, **{each: WHOLE.parent / each for each in USED}}
LONGEST = 10.0
"""Seconds for one check: a hundred times what it takes on an idle machine, for those that are not."""

HOSTILE = [
    "",
    " ",
    "\n",
    "a\nb: c",
    "\x1b[31mred",
    "\u202eback",
    "\u0000",
    "\ud800",
    "💣" * 50,
    "x" * 5000,
    "../" * 400 + "etc/passwd",
    "/",
    ".",
    "~",
    "$(touch /tmp/penstock-was-here)",
    "`id`",
    "'; DROP TABLE runs; --",
    "${{",
    "}}",
    "${{ }}",
    "${{ ${{ 1 }} }}",
    "${{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "${{ " + " and ".join(["true"] * 500) + " }}",
    "${{ " + "not " * 500 + "true }}",
    "${{ 9" + "9" * 400 + " > 1 }}",
    "${{ 1e999 > 0 }}",
    "${{ 1 / 0 > 0 }}",
    "${{ steps.train.outputs.model }}",
    "${{ steps.nowhere.outputs.nothing.at.all }}",
    "${{ parameters.nowhere }}",
    "${{ conditions.good_enough }}",
    "${{ run.id }}",
    "${{ inputs.data }}",
    "${{ datasets.points }}/x",
    "steps.train.outputs.model",
    "$[[ --x ${{ inputs.x }} ]]",
    "{{ jinja }}",
    "%s %(name)s {name} {0}",
    "NaN",
    "1e400",
    "9" * 400 + "GiB",
    "9" * 400 + "d",
    ">= " + "9" * 400,
    "9" * 400,
    "(a+)+$",
    "[",
    "(?P<n>",
    "pandas==",
    "-r requirements.txt",
    "git+https://example.com/x.git",
    "AKIAIOSFODNN7EXAMPLE",
    "__class__",
    "default",
    "stdin",
    "CON",
    "train",
    "train ",
    "tràin",
]
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    10**400,
    0.5,
    -0.0,
    1e308,
    float("inf"),
    float("nan"),
    [],
    {},
    [None],
    [[[[]]]],
    {"": None},
    {"a": {"b": {"c": [1, {"d": "e"}]}}},
    {"value": "x", "optional": True, "at": "/x", "packed": True, "shard": True, "mode": "mount"},
    {"from_env": "PATH"},
    {"expires": "1d"},
    {"kind": "fail", "message": "x"},
]


@cache
def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILES[name].read_text(encoding="utf-8"))
    return found


def nodes(value: object, path: SpecPath = ()) -> Iterator[SpecPath]:
    """Give the path of every node below the root."""
    children: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        children += cast("dict[Any, object]", value).items()
    elif isinstance(value, list):
        children += enumerate(cast("list[object]", value))
    for key, child in children:
        yield (*path, key)
        yield from nodes(child, (*path, key))


def parent_of(root: Any, path: SpecPath) -> Any:
    for part in path[:-1]:
        root = root[part]
    return root


def get(root: Any, path: SpecPath) -> Any:
    return parent_of(root, path)[path[-1]]


def put(parent: Any, key: Any, value: object) -> None:
    """Add to a mapping, or to a list, whatever the key."""
    try:
        parent[key] = value
    except (TypeError, IndexError):
        parent.append(value)


values = st.one_of(
    st.sampled_from(HOSTILE),
    # Copies, since a value that lands in a document may itself be mutated.
    st.sampled_from(ODD).map(copy.deepcopy),
    st.text(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
)


@st.composite
def mutated(draw: st.DrawFn, names: Sequence[str] = tuple(sorted(SPECS))) -> tuple[str, dict[str, Any]]:
    """Give a file's name, and its document with one to four nodes deleted, renamed, retyped, moved or doubled."""
    name = draw(st.sampled_from(names))
    root = copy.deepcopy(document(name))
    for _ in range(draw(st.integers(1, 4))):
        paths = list(nodes(root))
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        parent, key = parent_of(root, path), path[-1]
        match draw(st.sampled_from(["delete", "rename", "retype", "insert", "double", "swap", "move"])):
            case "delete":
                del parent[key]
            case "rename":
                new = draw(st.sampled_from([*HOSTILE, *map(str, (part for each in paths for part in each))]))
                put(parent, new, parent.pop(key))
            case "retype":
                parent[key] = draw(values)
            case "insert":
                put(parent, draw(st.sampled_from(HOSTILE)), draw(values))
            case "double":
                put(parent, f"{key}_again", copy.deepcopy(parent[key]))
            case "swap":
                other = draw(st.sampled_from(paths))
                if other[: len(path)] != path and path[: len(other)] != other:
                    there = parent_of(root, other)
                    parent[key], there[other[-1]] = there[other[-1]], parent[key]
            case _:
                moved = parent.pop(key)
                targets: list[Any] = [root, *(get(root, each) for each in nodes(root))]
                collections = [
                    position for position, each in enumerate(targets) if isinstance(each, dict | list)
                ]
                put(targets[draw(st.sampled_from(collections))], key, moved)
    return name, root


def beside(name: str, folder: Path) -> Path:
    """Make a folder with the code and data of a spec, and give the path of the spec in it."""
    home = folder / name
    if not home.exists():
        home.mkdir()
        for each in ("src", "data"):
            (home / each).symlink_to(FILES[name].parent / each)
        for each in (*USED, "requirements.txt") if name == "whole" else ():
            (home / each).parent.mkdir(exist_ok=True)
            shutil.copy(WHOLE.parent / each, home / each)
    return home / "pipeline.yaml"


def written(root: object) -> bytes:
    text = yaml.dump(root, allow_unicode=True, sort_keys=False, width=200)
    return text.encode("utf-8", "surrogatepass")


def held(path: Path, **more: str) -> list[Diagnostic]:
    """Check a file, and hold every finding to what is promised of it."""
    started = time.monotonic()
    found = check(path, **more)
    took = time.monotonic() - started

    assert took < LONGEST
    for each in found:
        assert re.fullmatch(r"P\d{3}", each.code)
        assert each.message and each.hint
        shown = render(each)
        assert max(map(len, shown.split("\n"))) <= 1000
        assert all(character == "\n" or character.isprintable() for character in shown)
        assert each.place is not None
        file = Path(each.place.file)
        assert file == path or str(file.relative_to(path.parent)) in (*USED, "requirements.txt")
        lines = (
            file.read_bytes()
            .decode("utf-8", "replace")
            .removeprefix("\ufeff")
            .replace("\r\n", "\n")
            .split("\n")
        )
        assert 1 <= each.place.line <= len(lines) + 1
        assert 1 <= each.place.column <= len(each.place.excerpt) + 1
        assert each.place.length >= 1
        each.to_json()
    assert len(set(found)) == len(found)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations")


@given(mutation=mutated())
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_document_gives_findings_and_nothing_else(
    folder: Path, mutation: tuple[str, dict[str, Any]]
) -> None:
    name, root = mutation
    path = beside(name, folder)
    text = yaml.dump(root, allow_unicode=True, sort_keys=False, width=200)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    held(path)


@given(mutation=mutated(("whole",)))
@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_document_of_every_kind_gives_findings_and_nothing_else(
    folder: Path, mutation: tuple[str, dict[str, Any]]
) -> None:
    path = beside("whole", folder)
    path.write_bytes(written(mutation[1]))

    held(path)


@given(mutation=mutated(USED))
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_file_that_a_spec_uses_gives_findings_and_nothing_else(
    folder: Path, mutation: tuple[str, dict[str, Any]]
) -> None:
    name, root = mutation
    path = beside("whole", folder)
    shutil.copy(WHOLE, path)
    used = path.parent / name
    used.write_bytes(written(root))
    try:
        held(path)
        if name != "nested.yaml":
            held(used)
    finally:
        shutil.copy(FILES[name], used)


NEW_KEYS = re.compile(
    r"steps\.(\w+)\.(uses|search_space.*|sampling|seed|objective.*|limits.*|early_stopping.*|over.*|parallel"
    r"|tolerate|model|data|serving.*|sagemaker|azureml|local|inputs.*|outputs.*)"
)


@pytest.mark.sampled(2, rest="exhaustive")
@pytest.mark.parametrize(
    "value",
    [None, "", " ", "x" * 3000, "💣", "${{ item.nothing }}", 0, -1, 10**40, True, [], [[]], {}, {"odd": 1}],
    ids=lambda value: ascii(value)[:20],
)
def test_every_key_of_the_kinds_with_a_value_of_another_type(folder: Path, value: object) -> None:
    path = beside("whole", folder)
    root = copy.deepcopy(document("whole"))
    places = [each for each in nodes(root) if NEW_KEYS.fullmatch(".".join(map(str, each)))]
    assert len(places) > 150
    for each in places[len(repr(value)) % 13 :: 13]:
        changed = copy.deepcopy(root)
        parent_of(changed, each)[each[-1]] = value
        path.write_bytes(written(changed))

        held(path)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, bytes]:
    """Give a spec's name, and its text after a few slips of the hand."""
    name = draw(st.sampled_from(sorted(SPECS)))
    text = SPECS[name].read_bytes()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        to = min(len(text), at + draw(st.integers(0, 60)))
        slip = draw(st.sampled_from(["delete", "insert", "double", "junk", "bytes"]))
        if slip == "delete":
            text = text[:at] + text[to:]
        elif slip == "insert":
            text = text[:at] + draw(st.sampled_from(HOSTILE)).encode("utf-8", "surrogatepass") + text[at:]
        elif slip == "double":
            text = text[:to] + text[at:]
        elif slip == "junk":
            text = (
                text[:at]
                + draw(
                    st.sampled_from([b"\t", b"{", b"]", b"'", b'"', b": ", b" #", b"- ", b"*a", b"&a ", b"|"])
                )
                + text[at:]
            )
        else:
            text = text[:at] + draw(st.binary(max_size=4)) + text[at:]
    return name, text


@given(edit=edited())
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_edited_text_gives_findings_and_nothing_else(folder: Path, edit: tuple[str, bytes]) -> None:
    name, text = edit
    path = beside(name, folder)
    path.write_bytes(text)

    held(path)


@pytest.mark.sampled(8, rest="exhaustive")
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_hostile_text_in_the_place_of_every_text(folder: Path, name: str, text: str) -> None:
    path = beside(name, folder)
    root = copy.deepcopy(document(name))
    places = [each for each in nodes(root) if isinstance(get(root, each), str)]
    for each in places[::7] if len(text) > 100 else places[::2]:
        changed = copy.deepcopy(root)
        parent_of(changed, each)[each[-1]] = text
        path.write_bytes(
            yaml.dump(changed, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
        )

        held(path)


FREE = re.compile(
    r"display_name|version|description|owner|tags\.\w+|goal\.statement|goal\.hypotheses\.\d+\.(id|claim)"
    r"|(parameters|datasets)\.\w+\.(description|version)|steps\.\w+\.(display_name|description|message)"
    r"|steps\.register\.serving\.content_types\.\d+"
)
"""Places that take any text."""


@pytest.mark.sampled(1)
@pytest.mark.parametrize("target", sorted(discovery.targets()))
def test_a_hostile_text_is_taken_or_refused_by_every_target(folder: Path, target: str) -> None:
    path = beside("tumour", folder)
    root = document("tumour")
    places = [each for each in nodes(root) if FREE.fullmatch(".".join(map(str, each)))]
    assert len(places) > 15
    for text in HOSTILE:
        changed = copy.deepcopy(root)
        for each in places:
            parent_of(changed, each)[each[-1]] = text
        path.write_bytes(
            yaml.dump(changed, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
        )

        held(path, target=target)


@given(mutation=mutated(), target=st.sampled_from(sorted(discovery.targets())))
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_document_gives_findings_for_every_target(
    folder: Path, mutation: tuple[str, dict[str, Any]], target: str
) -> None:
    name, root = mutation
    path = beside(name, folder)
    text = yaml.dump(root, allow_unicode=True, sort_keys=False, width=200)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    held(path, target=target)


OPTIONAL = re.compile(
    r"kind|display_name|version|description|owner|tags(\.\w+)?|goal|goal\.(kpis|hypotheses)(\.\d+)?"
    r"|goal\.hypotheses\.\d+\.(kpi|status)|parameters\.\w+\.(minimum|maximum|description|default)"
    r"|datasets\.\w+\.(path|version|description)|environments\.\w+\.(python|packages)(\.\d+)?"
    r"|defaults|defaults\.(environment|compute)(\.\w+)?"
    r"|steps\.\w+\.(display_name|description|code|compute|retry|when|kind|metrics|approval|serving)"
    r"|steps\.\w+\.compute\.\w+|steps\.(register|stop)|steps\.\w+\.outputs\.\w+\.file"
    r"|steps\.register\.serving\.\w+(\.\d+)?|outputs(\.\w+)?"
)
"""What a pipeline can do without: everything else is required, or something else refers to it."""

STILL_REFERRED = re.compile(r"steps\.(stop|register)\.kind|steps\.register\.serving\.code")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", sorted(SPECS))
def test_taking_away_what_is_needed_is_an_error(folder: Path, name: str) -> None:
    path = beside(name, folder)
    accepted: list[str] = []
    refused: list[str] = []
    for each in nodes(document(name)):
        root = copy.deepcopy(document(name))
        del parent_of(root, each)[each[-1]]
        path.write_text(yaml.dump(root, allow_unicode=True, sort_keys=False), encoding="utf-8")

        found = held(path)

        is_error = any(found.severity is Severity.ERROR for found in found)
        (refused if is_error else accepted).append(".".join(map(str, each)))

    assert [each for each in accepted if not OPTIONAL.fullmatch(each) or STILL_REFERRED.fullmatch(each)] == []
    needed = {"penstock", "name", "steps", "steps.train", "steps.train.run", "steps.train.outputs.model"}
    assert needed <= set(refused)


HEAD = "penstock: v1\nkind: pipeline\nname: large\n"
TRUTH = "parameters: {p: {type: boolean, default: true}}\n"
COUNT = "parameters: {p: {type: integer, default: 1}}\n"
LARGE = {
    "conditions inside each other": TRUTH
    + "conditions:\n  c0: ${{ parameters.p }}\n"
    + "".join(f"  c{each}: ${{{{ not conditions.c{each - 1} or parameters.p }}}}\n" for each in range(1, 600))
    + "steps: {s: {run: echo}}\n",
    "conditions inside each other, from the last": TRUTH
    + "conditions:\n"
    + "".join(
        f"  c{each}: ${{{{ not conditions.c{each - 1} or parameters.p }}}}\n" for each in range(599, 0, -1)
    )
    + "  c0: ${{ parameters.p }}\nsteps: {s: {run: echo}}\n",
    "conditions that double": COUNT
    + "conditions:\n  c0: ${{ parameters.p > 3 }}\n"
    + "".join(
        f"  c{each}: ${{{{ conditions.c{each - 1} and conditions.c{each - 1} }}}}\n" for each in range(1, 40)
    )
    + "steps: {s: {run: echo}}\n",
    "a circle of a thousand steps": "steps:\n"
    + "".join(f"  s{each}: {{run: echo, after: [s{(each + 1) % 1000}]}}\n" for each in range(1000)),
    "a circle of a thousand conditions": "conditions:\n"
    + "".join(f"  c{each}: ${{{{ conditions.c{(each + 1) % 1000} }}}}\n" for each in range(1000))
    + "steps: {s: {run: echo}}\n",
    "a thousand typos": "parameters:\n"
    + "".join(f"  param_{each}: {{type: integer, default: 1}}\n" for each in range(1000))
    + "steps:\n"
    + "".join(
        f'  s{each}: {{run: "echo ${{{{ inputs.x }}}}", inputs: {{x: "${{{{ parameters.parm_{each} }}}}"}}}}\n'
        for each in range(1000)
    ),
    "a thousand unknown keys": "steps:\n" + "".join(f"  s{each}: {{comand: echo}}\n" for each in range(1000)),
    "hundreds of conditions on one way": "conditions:\n"
    + "".join(f"  c{each}: ${{{{ steps.m.outputs.r.v{each} > 1 }}}}\n" for each in range(300))
    + "steps:\n  m: {run: 'echo ${{ outputs.r }}', outputs: {r: metrics}}\n  s0: {run: echo}\n"
    + "".join(
        f'  s{each}: {{run: echo, when: "${{{{ conditions.c{each} }}}}", after: [s{each - 1}]}}\n'
        for each in range(1, 300)
    ),
}


@pytest.mark.sampled(2, rest="exhaustive")
@pytest.mark.parametrize("text", LARGE.values(), ids=[each.replace(" ", "-") for each in LARGE])
def test_large_mistakes_are_told_in_bounded_time(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(HEAD + text)

    held(path)
