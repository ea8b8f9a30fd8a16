from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.shapes import fitted

NAMES = st.text("abcXYZ-09", min_size=1, max_size=6)
MOMENTS = st.floats(0, 4)
HOW = List("ListThings", "Things")


def rows_of(pairs: dict[str, float]) -> list[Row]:
    return [
        Row(name, moment, partial(dict[str, Any], {"Name": name}), modified=moment)
        for name, moment in pairs.items()
    ]


@settings(deadline=None)
@given(
    st.dictionaries(NAMES, MOMENTS, max_size=20),
    st.integers(1, 5),
    st.sampled_from(["Name", "CreationTime", ""]),
    st.sampled_from(["Ascending", "Descending", ""]),
    st.sets(NAMES),
    st.dictionaries(NAMES, MOMENTS, max_size=5),
)
def test_pages_together_give_every_row_once_whatever_comes_and_goes_between_them(
    pairs: dict[str, float], most: int, by: str, order: str, gone: set[str], new: dict[str, float]
) -> None:
    asked: dict[str, Any] = {"MaxResults": most, "SortBy": by, "SortOrder": order}
    whole = [each["Name"] for each in listed(HOW, rows_of(pairs), {**asked, "MaxResults": 100})["Things"]]
    first = listed(HOW, rows_of(pairs), asked)
    later = {**{name: each for name, each in pairs.items() if name not in gone}, **new}
    seen = [each["Name"] for each in first["Things"]]

    page = first
    while "NextToken" in page:
        page = listed(HOW, rows_of(later), {**asked, "NextToken": page["NextToken"]})
        assert len(page["Things"]) <= most
        seen += [each["Name"] for each in page["Things"]]

    kept = [name for name in seen if name in pairs and name not in new]
    assert kept == [name for name in whole if name in kept]
    if "NextToken" in first:
        assert {name for name in whole if name not in gone and name not in new} <= set(seen)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["b-2", "a-1", "c-0"]),
        ({"NameContains": "A-"}, ["a-1"]),
        ({"CreationTimeAfter": 1.0}, ["b-2"]),
        ({"CreationTimeBefore": 2.0, "SortOrder": "Ascending"}, ["c-0", "a-1"]),
        ({"LastModifiedTimeAfter": 0.5, "SortBy": "Name", "SortOrder": "Ascending"}, ["a-1", "b-2"]),
    ],
    ids=["all", "by name", "after", "before", "modified"],
)
def test_rows_are_filtered_and_sorted_as_asked(asked: dict[str, Any], names: list[str]) -> None:
    found = listed(HOW, rows_of({"a-1": 1.0, "b-2": 2.0, "c-0": 0.0}), asked)

    assert [each["Name"] for each in found["Things"]] == names


@given(st.text(max_size=30))
def test_no_text_but_our_own_passes_for_a_token(token: str) -> None:
    if not token:
        return

    with pytest.raises(ServiceFault, match="ValidationException"):
        listed(HOW, [], {"NextToken": token})


def test_an_answer_is_cut_to_the_shape_that_the_service_gives_it() -> None:
    found = fitted(
        "DescribeProcessingJob",
        {"ProcessingJobName": "a", "FailureReason": "x" * 2000, "Tags": [], "ExitMessage": None},
    )

    assert found == {"ProcessingJobName": "a", "FailureReason": "x" * 1024}
