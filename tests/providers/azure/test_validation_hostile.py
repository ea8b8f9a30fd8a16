from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock_azure.azureml.validation import validate

HERE = Path(__file__).parent
Documents = dict[str, dict[str, Any]]


def documents(folder: str) -> Documents:
    root = HERE / folder
    found = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*.yml"))}
    return {name: yaml.safe_load(path.read_text("utf-8")) for name, path in found.items()}


SOUND = {folder: documents(folder) for folder in ("churn", "nested")}


def nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def entries(value: Any) -> dict[Any, Any]:
    pairs: Any = enumerate(value) if not hasattr(value, "items") else value.items()
    return dict(pairs)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "${{parent.jobs.train.outputs.model}}",
            "${{parent.inputs.depth}}",
            "${{",
            "$[[",
            "<<x>>",
            "azureml:",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "path", "mode", "inputs", "jobs", "default", "a.b"]) | st.integers(),
            inner,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_mutation_makes_it_raise(data: st.DataObject) -> None:
    folder = data.draw(st.sampled_from(sorted(SOUND)))
    found = copy.deepcopy(SOUND[folder])
    for _ in range(data.draw(st.integers(1, 3))):
        spot: Any = found[data.draw(st.sampled_from(sorted(found)))]
        while inside := entries(spot):
            place: Any = data.draw(st.sampled_from(list(inside)))
            inner = inside[place]
            if nested(inner) and inner and data.draw(st.booleans()):
                spot = inner
                continue
            if data.draw(st.booleans()):
                spot[place] = data.draw(ANYTHING)
            else:
                del spot[place]
            break

    files = {name: each for name, each in found.items() if name != "pipeline.yml"}
    for problem in validate(found["pipeline.yml"], files):
        assert problem.code in {"P390", "P391", "P392", "P393"}
        assert problem.message and problem.file in {"", *found}


@settings(max_examples=examples(100), deadline=None)
@given(document=ANYTHING, file=ANYTHING)
def test_no_document_makes_it_raise(document: Any, file: Any) -> None:
    job = {"type": "pipeline", "jobs": {"a": {"component": "./a.yml"}, "b": document}}

    assert isinstance(validate(document, {"a.yml": file}), list)
    assert isinstance(validate(job, {"a.yml": file}), list)
