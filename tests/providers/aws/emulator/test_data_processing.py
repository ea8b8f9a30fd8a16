"""Filters and join over records: the service's own examples, and what no example tells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.transform.data_paths import parse
from penstock_aws.sagemaker.emulator.transform.data_processing import (
    CSV,
    JSON,
    JSON_LINES,
    DataProcessing,
    ProcessingFault,
    fields,
)


def processing(
    content_type: str = CSV,
    input_filter: str = "$",
    join: bool = False,
    output_filter: str = "$",
    *,
    accept: str = "",
    cut: bool = True,
) -> DataProcessing:
    return DataProcessing(
        parse(input_filter), parse(output_filter), join, content_type, accept or content_type, cut
    )


@pytest.mark.parametrize(
    ("content_type", "path", "record", "sent"),
    [
        (CSV, "$[1:]", b"7,1,2\n", b"1,2\n"),
        (CSV, "$[1:]", b"7,1,2\r\n", b"1,2\r\n"),
        (CSV, "$[0]", b"7,1,2", b"7"),
        (CSV, "$[2,0]", b"7,1,2", b"2,7"),
        (CSV, "$[:-1]", b'7,"a,""b""",2\n', b'7,"a,""b"""\n'),
        (CSV, "$[1]", b"a,\xff\xfe,b\n", b"\xff\xfe\n"),
        (CSV, "$", b'7,"not closed\n', b'7,"not closed\n'),
        (JSON, "$.features", b'{"id": 1, "features": [1.5, "\xc3\xbc"]}\n', b'[1.5,"\xc3\xbc"]\n'),
        (JSON, "$['b','a']", b'{"a": 1, "b": null, "c": 2}', b'{"b":null,"a":1}'),
        (JSON, "$[0]", b'["\\ud800"]', b'"\\ud800"'),
        (JSON_LINES, "$.x", b'{"x": 123456789012345678901234567890}\n', b"123456789012345678901234567890\n"),
    ],
)
def test_the_model_sees_what_the_input_filter_names(
    content_type: str, path: str, record: bytes, sent: bytes
) -> None:
    assert processing(content_type, path).narrowed(record) == sent


@pytest.mark.parametrize(
    ("content_type", "output", "records", "answer", "kept"),
    [
        (CSV, "$", [b"1,2,3\n"], b"1", [b"1,2,3,1"]),
        (CSV, "$[0,-1]", [b"7,1,2\n", b"8,3,4\n"], b"0.1\n0.2\n", [b"7,0.1", b"8,0.2"]),
        (CSV, "$", [b'"a,b"\r\n', b"c"], b"1,2\r\n3,4\r\n", [b'"a,b",1,2', b"c,3,4"]),
        (JSON, "$", [b'{"key": 1}'], b'{"label":1}', [b'{"key":1,"SageMakerOutput":{"label":1}}']),
        (JSON, "$", [b'{"key": 1}\n'], b'{\n "label": 1\n}', [b'{"key":1,"SageMakerOutput":{"label":1}}']),
        (JSON, "$", [b"[1, 2]"], b"0.5", [b'{"SageMakerInput":[1,2],"SageMakerOutput":0.5}']),
        (JSON, "$", [b'{"SageMakerOutput": 1}'], b"2", [b'{"SageMakerOutput":2}']),
        (
            JSON,
            "$['id','SageMakerOutput']",
            [b'{"id":3,"f":[]}'],
            b"[1]",
            [b'{"id":3,"SageMakerOutput":[1]}'],
        ),
        (JSON, "$.SageMakerOutput", [b'{"id":3}\n', b'{"id":4}\n'], b"1\n2\n", [b"1", b"2"]),
        (JSON_LINES, "$.SageMakerOutput", [b'{"id":3}\n', b'{"id":4}'], b"1\n2", [b"1\n", b"2\n"]),
    ],
)
def test_answers_are_joined_to_their_records(
    content_type: str, output: str, records: list[bytes], answer: bytes, kept: list[bytes]
) -> None:
    assert processing(content_type, "$", True, output).kept(records, answer) == kept


@pytest.mark.parametrize(
    ("accept", "output", "asked", "answer", "kept"),
    [
        (CSV, "$[0]", 2, b"a,1\nb,2\n", [b"a", b"b"]),
        (CSV, "$[0]", 1, b"a,1\nb,2\n", [b"a", b"b"]),
        (JSON, "$.label", 1, b'{\n"label": 1}', [b"1"]),
        (JSON, "$.label", 2, b'{"label": 1}\n{"label": 2}\n', [b"1", b"2"]),
        (JSON_LINES, "$.label", 1, b'{"label": 1}\n{"label": 2}\n', [b"1\n", b"2\n"]),
        (CSV, "$", 9, b"as it is", [b"as it is"]),
    ],
)
def test_an_output_filter_works_without_a_join(
    accept: str, output: str, asked: int, answer: bytes, kept: list[bytes]
) -> None:
    assert processing(accept, "$", False, output).kept([b""] * asked, answer) == kept


def test_json_lines_are_records_even_where_objects_are_not_split() -> None:
    whole = [b'{"a": 1}\n{"a": 2}\n']

    assert processing(JSON_LINES, cut=False).records(whole) == [b'{"a": 1}\n', b'{"a": 2}\n']
    assert processing(JSON, cut=False).records(whole) == whole


@pytest.mark.parametrize(
    ("content_type", "records", "answer", "told"),
    [
        (CSV, [b"1", b"2"], b"[1, 2]", "mismatched line count .*: 2 records were asked about, and 1 lines"),
        (CSV, [b"1"], b"1\n2\n", "1 records were asked about, and 2 lines"),
        (CSV, [b"1"], b"", "and 0 lines came back"),
        (CSV, [b'1,"2'], b"1", "no CSV: a quote is not closed"),
        (CSV, [b'"1"2,3'], b"1", "or text follows it"),
        (JSON, [b"{}"], b"no json", "failed to parse the output as JSON: .*: no json"),
        (JSON, [b"{"], b"1", "failed to parse the input as JSON"),
        (JSON, [b"{}"], b"NaN", "NaN is no number that JSON can hold"),
        (JSON, [b"{}"], b"1e999", "1e999 is no number"),
        (JSON, [b"[" * 100_000], b"1", "failed to parse the input"),
        (JSON, [b"\xff"], b"1", "failed to parse the input"),
    ],
)
def test_what_cannot_be_joined_is_told(
    content_type: str, records: list[bytes], answer: bytes, told: str
) -> None:
    with pytest.raises(ProcessingFault, match=told):
        processing(content_type, "$", True).kept(records, answer)


@pytest.mark.parametrize(
    ("content_type", "path", "told"),
    [(CSV, "$.id", "asks an array for 'id'"), (CSV, "$[9]", "no index 9"), (JSON, "$[0]", "for positions")],
)
def test_a_filter_in_the_wrong_syntax_is_told(content_type: str, path: str, told: str) -> None:
    with pytest.raises(ProcessingFault, match=told):
        processing(content_type, path).narrowed(b'{"a": 1}')


CELLS = st.text("ab \t'ü0;", max_size=4) | st.text('a,"', max_size=4).map(
    lambda text: '"' + text.replace('"', '""') + '"'
)


@given(st.lists(CELLS, min_size=1, max_size=6))
def test_the_fields_of_a_row_are_what_was_written(cells: list[str]) -> None:
    assert fields(",".join(cells)) == cells


@given(st.text('a,"', max_size=12))
def test_fields_laid_between_commas_are_the_row(row: str) -> None:
    try:
        found = fields(row)
    except ProcessingFault:
        return
    assert ",".join(found) == row


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_a_joined_value_holds_both_sides(given_: Any, made: Any) -> None:
    kept = processing(JSON, "$", True).kept([json.dumps(given_).encode()], json.dumps(made).encode())
    joined = json.loads(kept[0])

    assert joined.pop("SageMakerOutput") == made
    if isinstance(given_, dict):
        assert joined == {name: value for name, value in given_.items() if name != "SageMakerOutput"}  # pyright: ignore[reportUnknownVariableType]
    else:
        assert joined == {"SageMakerInput": given_}
