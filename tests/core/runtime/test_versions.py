from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as Judge

from penstock.runtime.versions import parse_version, satisfies

VERSIONS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "1!", "v"]),
        st.lists(st.integers(0, 2), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts))),
        st.sampled_from(["", "", "a1", "b", "rc1", ".alpha.0", "-c2", "_pre1", "PREVIEW3"]),
        st.sampled_from(["", "", ".post1", "-2", ".r0", "post"]),
        st.sampled_from(["", "", ".dev1", "dev"]),
        st.sampled_from(["", "", "+cpu", "+1.2", "+A-1"]),
    ),
)
SPECIFIERS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["==", "!=", "~=", ">=", "<=", ">", "<"]), VERSIONS, st.sampled_from(["", "", ".*"])
    ),
)


@given(one=VERSIONS, other=VERSIONS)
def test_versions_are_ordered_as_pep_440_says(one: str, other: str) -> None:
    assert (parse_version(one) < parse_version(other)) == (Judge(one) < Judge(other))
    assert (parse_version(one) == parse_version(other)) == (Judge(one) == Judge(other))


@given(version=VERSIONS, specifiers=st.lists(SPECIFIERS, max_size=2).map(",".join))
def test_specifiers_mean_what_pep_440_says(version: str, specifiers: str) -> None:
    try:
        expected = SpecifierSet(specifiers).contains(version, prereleases=True)
    except InvalidSpecifier:
        with pytest.raises(ValueError, match="version"):
            satisfies(version, specifiers)
    else:
        assert satisfies(version, specifiers) is expected


@given(text=st.one_of(st.text(max_size=12), st.text("0123456789.!+-_abcrdevpost*v ", max_size=12)))
def test_what_is_no_version_is_refused(text: str) -> None:
    try:
        Judge(text)
    except InvalidVersion:
        with pytest.raises(ValueError, match="is not a version"):
            parse_version(text)
    else:
        parse_version(text)


def test_arbitrary_equality_compares_text() -> None:
    assert satisfies("1.0+Ubuntu", "===1.0+ubuntu")
    assert not satisfies("1.0", "===1.0.0")
