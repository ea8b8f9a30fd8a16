"""Random expression trees in their canonical shape, for property tests."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from penstock.expressions.constructors import logical, template
from penstock.expressions.nodes import (
    Arithmetic,
    Calculate,
    Compare,
    Comparison,
    ConditionRef,
    Contains,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    Literal,
    MetricRef,
    Negative,
    Not,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    Reference,
    RunRef,
    Scalar,
)

COMPARISONS: tuple[Comparison, ...] = ("==", "!=", "<", "<=", ">", ">=")
ARITHMETIC: tuple[Arithmetic, ...] = ("+", "-", "*", "/", "%")
AWKWARD = "${}'\"\\ \n\t()[]#é\U0001f30a"

names = st.one_of(
    st.sampled_from(["x", "in", "not", "true", "outputs", "steps"]),
    st.builds(
        str.__add__,
        st.sampled_from(string.ascii_letters),
        st.text(string.ascii_letters + string.digits + "_", max_size=9),
    ),
)
texts = st.one_of(
    st.text(max_size=12),
    st.text(AWKWARD, max_size=12),
    st.lists(st.sampled_from(["${{", "}}", "$", "'", '"', "\\", "a", " "]), max_size=6).map("".join),
)
numbers = st.one_of(st.integers(-(10**40), 10**40), st.floats(allow_nan=False, allow_infinity=False))
scalars: st.SearchStrategy[Scalar] = st.one_of(texts, numbers, st.booleans())
paths = st.lists(st.one_of(names, texts, st.integers(0, 10**8)), min_size=1, max_size=3).map(tuple)


def references() -> st.SearchStrategy[Reference]:
    """Every kind of reference."""
    return st.one_of(
        st.builds(ParameterRef, names),
        st.builds(DatasetRef, names),
        st.builds(ConditionRef, names),
        st.builds(OutputRef, names, names),
        st.builds(MetricRef, names, names, paths),
        st.builds(InputRef, names),
        st.builds(OwnOutputRef, names),
        st.sampled_from([RunRef("id"), RunRef("started_at")]),
        st.builds(ItemRef, st.one_of(st.just(""), names, texts)),
    )


def _above(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(below, min_size=2, max_size=3)
    parts: st.SearchStrategy[list[str | Expression]] = st.lists(
        st.one_of(texts, below), min_size=1, max_size=4
    )
    return st.one_of(
        st.builds(Not, below),
        st.builds(Negative, below),
        st.builds(Compare, st.sampled_from(COMPARISONS), below, below),
        st.builds(Calculate, st.sampled_from(ARITHMETIC), below, below),
        st.builds(Contains, below, st.lists(below, max_size=3).map(tuple)),
        st.builds(logical, st.sampled_from(["and", "or"]), several),
        st.builds(template, parts),
    )


trees: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(references(), st.builds(Literal, scalars)), _above, max_leaves=12
)
