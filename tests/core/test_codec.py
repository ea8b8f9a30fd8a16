"""The graph as JSON: it reads back equal, and whatever else is read is a CodecError and nothing worse."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.codec import CodecError, decode_graph, encode
from penstock.compiler import plan
from penstock.expressions.parser import parse_value
from penstock.ir import (
    Argv,
    Cache,
    Code,
    Command,
    Compute,
    Condition,
    Dataset,
    Environment,
    Fail,
    Goal,
    Graph,
    Guard,
    Hypothesis,
    Input,
    Kpi,
    Output,
    Parameter,
    Register,
    Retry,
    Serving,
    Shell,
    Spot,
    Train,
    Word,
)

ROOT = Path(__file__).parents[2]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def expression(text: str) -> Any:
    return parse_value(text)


FULL = Graph(
    name="full",
    version="1.0",
    display_name="Full",
    owner="team",
    tags={"a": "b"},
    goal=Goal(
        "Be good",
        (Kpi("k", expression("${{ steps.t.outputs.m.x }}"), ">=", 0.9),),
        (Hypothesis("H1", "c", "k"),),
    ),
    parameters={
        "n": Parameter("n", "integer", 3, (1, 3), 0, 9),
        "s": Parameter("s", "string", None, (), None, None, "a+"),
        "b": Parameter("b", "boolean", False),
        "f": Parameter("f", "number", 1.0),
    },
    datasets={"d": Dataset("d", "file", "/data", {"": "s3://x"}, "3", digest="0" * 64)},
    environments={
        "e": Environment("e", ">=3.11", ("a==1",), conda={"dependencies": [{"pip": ["a"]}]}, image={"": "i"})
    },
    conditions={
        "good": Condition(
            "good",
            expression("${{ steps.t.outputs.m['a b'][0] > parameters.f }}"),
            ("t",),
            (),
            ("conditions", "good"),
        )
    },
    steps=(
        Command(
            "c",
            ("steps", "c"),
            run=Shell(
                (
                    "a ",
                    Word(expression("${{ inputs.i }}")),
                    ' "',
                    Word(expression("${{ run.id }}"), True),
                    '"',
                )
            ),
            code=Code("/code", "1" * 64, {"a.py": "2" * 64}),
            inputs=(
                Input("i", "string", "string", expression("x ${{ parameters.n + 1 }} $${{ y")),
                Input(
                    "d",
                    "file",
                    "file",
                    expression("${{ datasets.d }}"),
                    "/a",
                    "mount",
                    "text/csv",
                    True,
                    True,
                    True,
                ),
                Input("one", "number", "integer", expression("${{ 1 }}")),
            ),
            outputs=(Output("o", "folder"), Output("f", "file", "name.txt", "what")),
            environment="e",
            compute=Compute(0.5, 1024, 1, 2, Spot(60), {"local": "big"}),
            env={"A": expression("${{ parameters.f }}"), "B": expression("true")},
            env_from={"T": "TOKEN"},
            retry=Retry(3, 1.5, 2.0, "any"),
            timeout=60,
            cache=Cache(True, 3600),
            checkpoint="o",
            options={"local": {"x": [1, None, {"y": 2.5}]}},
        ),
        Train(
            "t",
            run=Argv((("a", Word(expression("${{ outputs.m }}"))), ())),
            outputs=(Output("m", "metrics", "m.json"), Output("model", "model")),
            compute=Compute(count=expression("${{ parameters.n }}")),
            after=("c",),
            needs=("c",),
        ),
        Register(
            "r",
            model=expression("${{ steps.t.outputs.model }}"),
            model_name="m",
            approval=expression("${{ steps.t.outputs.m.x > 1 }}"),
            guards=(Guard("good"),),
            serving=Serving("e", Code("/code"), "i.py", ("text/csv",)),
        ),
        Fail("f", message=expression("it is ${{ steps.t.outputs.m.x }}"), guards=(Guard("good", False),)),
    ),
    outputs={"model": expression("${{ steps.t.outputs.model }}")},
    options={"local": {}},
)


def test_a_graph_with_everything_reads_back_equal() -> None:
    assert decode_graph(json.loads(json.dumps(encode(FULL)))) == FULL


@pytest.mark.parametrize(
    "spec", sorted((ROOT / "specs").glob("*/pipeline.yaml")), ids=lambda path: path.parent.name
)
def test_every_shipped_pipeline_reads_back_equal(spec: Path) -> None:
    graph = plan(spec).usable

    assert decode_graph(json.loads(json.dumps(encode(graph)))) == graph


def test_numbers_keep_their_kind() -> None:
    found = decode_graph(json.loads(json.dumps(encode(FULL))))

    assert type(found.parameters["n"].default) is int
    assert type(found.parameters["f"].default) is float
    assert type(found.parameters["b"].default) is bool


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from places(each, (*path, key))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for position, each in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from places(each, (*path, position))


ENCODED = encode(FULL)
PLACES = list(places(ENCODED))


@settings(max_examples=examples(300), deadline=None)
@given(path=st.sampled_from(PLACES), value=JSON, remove=st.booleans())
def test_a_changed_document_is_refused_with_a_path_or_read_as_it_stands(
    path: tuple[str | int, ...], value: Any, remove: bool
) -> None:
    changed: Any = {"root": copy.deepcopy(ENCODED)}
    at: Any = changed
    *above, last = ("root", *path)
    for each in above:
        at = at[each]
    if remove:
        del at[last]
    else:
        at[last] = value

    try:
        found = decode_graph(changed.get("root"))
    except CodecError as fault:
        shared = min(len(fault.path), len(path)) - 1
        assert fault.path[: max(0, shared)] == path[: max(0, shared)]
        assert str(fault)
    else:
        # What was taken is itself a graph that is written and read alike.
        assert decode_graph(json.loads(json.dumps(encode(found)))) == found


@settings(max_examples=examples(100), deadline=None)
@given(value=JSON)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(CodecError):
        decode_graph(value)
