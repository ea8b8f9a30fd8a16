"""A small execution to ask values of: parameters, variables, records of steps, and files."""

import json
from typing import Any

from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.expressions.values import Values

PARAMETERS: dict[str, Any] = {"count": 4, "rate": 0.1, "fast": True, "mode": "full"}
EXECUTION = {"PipelineName": "p", "PipelineExecutionId": "abcdefghijkl"}
RECORDS: dict[str, Any] = {
    "prepare": {
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
                {"OutputName": "a.b", "S3Output": {"S3Uri": "s3://b/dotted"}},
            ]
        },
        "ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://b/code"}}],
    },
    "fit": {
        "TrainingJobName": "fit-1",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        "FinalMetricDataList": [
            {"MetricName": "recall", "Value": 0.75},
            {"MetricName": "f1:x", "Value": 0.5},
        ],
        "HyperParameters": {"depth": "4"},
        "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
    },
    "search": {
        "TrainingJobSummaries": [
            {"TrainingJobDefinitionName": "d", "TrainingJobName": "best"},
            {"TrainingJobDefinitionName": "d", "TrainingJobName": "second"},
        ]
    },
    "ask": {"OutputParameters": {"total": 3, "odd key": "x"}},
    "decide": {"Outcome": "True"},
    "plain": {"Names": ["a", "b"]},
}
REPORT: dict[str, Any] = {
    "a": {"b": [{"c": 0.5, "k.x": {"y": "deep"}}]},
    "macro avg": {"recall": 0.9},
    "text": "words",
    "nothing": None,
    "not a number": float("nan"),
}
FILES = {
    "s3://b/report.json": json.dumps({"x": {"y": 7}}).encode(),
    "s3://b/broken.json": b"{",
    "s3://b/nan.json": b'{"x": NaN}',
    "s3://b/huge.json": b"9" * 5000,
    "s3://b/deep.json": b"[" * 100_000,
    "s3://b/latin.json": b'{"x": "\xe9"}',
}


def property_file(step: str, name: str) -> Any:
    if (step, name) != ("judge", "report"):
        raise FileNotFoundError(f"{step} wrote no {name}")
    return REPORT


def read(uri: str) -> bytes:
    if uri not in FILES:
        raise FileNotFoundError("there is no such object")
    return FILES[uri]


def values(**parameters: Any) -> Values:
    """Give the execution's values, with more parameters."""
    return Values({**PARAMETERS, **parameters}, EXECUTION, RECORDS, property_file, read)


def get(path: str) -> dict[str, Any]:
    return {"Get": path}


def join(on: str, *parts: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(parts)}}


def json_get(path: Any, **source: Any) -> dict[str, Any]:
    """Give a Std:JsonGet: of the report, unless told another source."""
    source = source or {"PropertyFile": get("Steps.judge.PropertyFiles.report")}
    return {"Std:JsonGet": {**source, "Path": path}}


_PATHS = st.sampled_from(
    [
        "Parameters.count",
        "Parameters.",
        "Execution.X",
        "Steps.fit",
        "Steps.fit.HyperParameters['depth'].x",
        "S",
    ]
)
_SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(5000).map(lambda digits: 10**digits)
    | st.floats()
    | st.text(max_size=20)
    | st.text("abc.[]'\"0", max_size=12)
    | _PATHS
)
_KEYS = st.sampled_from(
    ["Get", "Std:Join", "Std:JsonGet", "Std:X", "On", "Values", "Path", "PropertyFile", "S3Uri"]
)
TREES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=3)
        | st.dictionaries(_KEYS, inner, min_size=1, max_size=1)
        | st.fixed_dictionaries({"Std:Join": st.fixed_dictionaries({"Values": st.lists(inner, max_size=3)})})
        | st.fixed_dictionaries({"Std:JsonGet": st.fixed_dictionaries({"Path": inner, "S3Uri": inner})})
    ),
    max_leaves=20,
)
"""Any JSON, and more than JSON can hold, with expressions and their parts among it."""
