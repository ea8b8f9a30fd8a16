"""Random specs with every model of the language, for the round trip through YAML.

Only their form is drawn: names lead nowhere, which the loader does not look at.
"""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

words = st.builds(
    str.__add__,
    st.sampled_from(string.ascii_letters),
    st.text(string.ascii_letters + string.digits + "_", max_size=6),
)
names = st.one_of(words, st.sampled_from(["y", "no", "null", "true", "on", "e5"]))
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=12),
    st.text("-?:,[]{}#&*!|>'\"%@` \nab$\\~0.", max_size=14),
    st.sampled_from(
        [
            "",
            "null",
            "~",
            "NO",
            "0x1f",
            "1e3",
            "010",
            "-5",
            ".5",
            "true",
            "a: b",
            "a #b",
            "- a",
            "? a",
            "=",
            "<<",
        ]
    ),
    st.sampled_from(
        ["---", "--- a", "...", "a\nb", "a\n\nb\n", " a\nb", "a \nb", "\n", "a\n\n", "# a\nb", "a\tb"]
    ),
    st.sampled_from(["${{ parameters.a }}", "x: ${{ a.b }}", "a ${{ inputs.b }} --c ${{ 'x: y' }}", "$${{"]),
)
filled = texts.filter(bool)
numbers = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(texts, numbers, st.booleans())
finite = st.floats(-1e6, 1e6)
durations = st.sampled_from(["30s", "2h", "1.5m"])
memories = st.sampled_from(["512MiB", "8 GiB"])


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """Any of these keys; those that end in `_` have to be there."""
    needed = {key[:-1]: each for key, each in keys.items() if key.endswith("_")}
    return st.fixed_dictionaries(
        needed, optional={key: each for key, each in keys.items() if not key.endswith("_")}
    )


def of(value: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names, value, min_size=least, max_size=3)


def listed(value: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(value, min_size=least, max_size=3)


artifacts = st.sampled_from(["file", "folder", "table", "model", "metrics"])
kinds = st.sampled_from(["string", "integer", "number", "boolean"])
tags = st.dictionaries(filled, texts, max_size=2)
files = st.sampled_from(["a.json", "b c.csv"])
json_values = st.recursive(
    st.one_of(st.none(), scalars), lambda below: st.one_of(listed(below), of(below)), max_leaves=4
)
options = of(of(json_values))
env = of(st.one_of(scalars, some(from_env_=names)))
compute = some(
    cpu=st.floats(0.5, 64),
    memory=memories,
    gpu=st.integers(0, 8),
    count=st.one_of(st.integers(1, 9), texts),
    spot=st.one_of(st.booleans(), some(max_wait=durations)),
    instance=of(texts),
)
retry = some(
    attempts_=st.integers(1, 5),
    delay=durations,
    backoff=st.floats(1, 10),
    errors=st.sampled_from(["platform", "any"]),
)
cache = st.one_of(st.booleans(), some(expires_=durations))
execution: dict[str, st.SearchStrategy[Any]] = {
    "environment": names,
    "compute": compute,
    "env": env,
    "retry": retry,
    "timeout": durations,
    "cache": cache,
}
head: dict[str, st.SearchStrategy[Any]] = {
    "display_name": texts,
    "description": texts,
    "tags": tags,
    "when": texts,
    "after": listed(names),
    "options": options,
}
inputs = of(
    st.one_of(
        scalars,
        some(
            value_=scalars,
            type=st.one_of(artifacts, kinds),
            at=st.just("/opt/x"),
            mode=st.sampled_from(["mount", "download"]),
            content_type=texts,
            shard=st.booleans(),
            packed=st.booleans(),
            optional=st.booleans(),
        ),
    )
)
outputs = of(st.one_of(artifacts, some(type_=artifacts, file=files, description=texts)))
run = st.one_of(texts, listed(st.one_of(texts, listed(texts, 1)), 1))
body = {**head, **execution, "inputs": inputs}
job = {**body, "outputs": outputs, "code": filled, "checkpoint": some(path_=texts)}
stand_in = some(run_=run, code=filled, environment=names, env=env)
serving = some(
    environment=names, code=texts, entry=texts, content_types=listed(texts), response_types=listed(texts)
)
bounds = some(type=kinds, minimum_=finite, maximum_=finite, scale=st.sampled_from(["linear", "log"]))
dimensions = st.one_of(bounds, some(enum_=listed(scalars, 1), type=kinds), listed(scalars, 1))
search = {
    "search_space_": of(dimensions, 1),
    "sampling": st.sampled_from(["grid", "random", "bayesian"]),
    "seed": st.integers(0, 9),
    "objective_": some(
        metric_=filled,
        goal_=st.sampled_from(["maximize", "minimize"]),
        output=names,
        source=st.sampled_from(["metrics", "log"]),
        regex=texts,
    ),
    "limits_": some(trials_=st.integers(1, 9), parallel=st.integers(1, 3), trial_timeout=durations),
    "early_stopping": st.one_of(
        some(policy_=st.just("bandit"), slack_=st.floats(0.1, 1), interval=st.integers(1, 3)),
        some(policy_=st.just("median"), delay=st.integers(0, 3)),
    ),
}
ranges = st.one_of(
    st.integers(0, 9), some(start=st.integers(0, 3), stop_=st.integers(0, 9), step=st.integers(1, 3))
)
over = st.one_of(
    some(items_=listed(scalars)),
    some(items_=listed(of(scalars), 1)),
    some(range_=ranges),
    some(files_=texts, batch=st.integers(1, 9)),
    some(table_=texts, by_=st.lists(texts, min_size=1, max_size=3, unique=True)),
)
rest = {"parallel": st.integers(1, 9), "tolerate": st.integers(0, 2)}
native = some(type_=artifacts, file=files, description=texts, **{"from": texts})


def kind(word: str, **keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return some(kind_=st.just(word), **keys)


steps = st.one_of(
    some(run_=run, **job),
    kind("command", run_=run, **job),
    kind("train", run=run, local=stand_in, **job),
    some(uses_=filled, kind=st.sampled_from(["command", "train"]), **body),
    kind("tune", run_=run, **search, **job),
    kind("tune", uses_=filled, **search, **body),
    kind("map", over_=over, run_=run, **rest, **job),
    kind("map", over_=over, uses_=filled, **rest, **body),
    kind(
        "predict",
        model_=texts,
        data_=texts,
        serving_=serving,
        outputs=st.dictionaries(names, artifacts, min_size=1, max_size=1),
        parallel=st.integers(1, 9),
        **head,
        **execution,
    ),
    kind("register", model_=texts, name_=words, metrics=texts, approval=texts, serving=serving, **head),
    kind("fail", message_=texts, **head),
    kind("pipeline", uses_=filled, inputs=inputs, **head),
    kind(
        "native",
        inputs=inputs,
        outputs=of(st.one_of(artifacts, native)),
        local=stand_in,
        cloud=of(json_values),
        **head,
    ),
)
parameters = some(
    type_=kinds,
    default=scalars,
    enum=listed(scalars, 1),
    minimum=finite,
    maximum=finite,
    pattern=texts,
    description=texts,
)
datasets = some(
    type_=artifacts,
    path=filled,
    uri=st.one_of(texts, of(texts)),
    version=texts,
    optional=st.booleans(),
    tags=tags,
)
environments = st.one_of(
    some(python=texts, packages=listed(texts), image=st.one_of(texts, of(texts)), description=texts),
    some(requirements=texts),
    some(conda=texts),
)
goals = some(
    statement_=texts,
    kpis=listed(
        some(name_=names, value_=texts, target_=st.sampled_from([">= 0.9", "< 3"]), description=texts)
    ),
    hypotheses=listed(some(id_=texts, claim_=texts, kpi=texts, status=st.sampled_from(["open", "refuted"]))),
)
pipelines = some(
    penstock_=st.just("v1"),
    kind=st.just("pipeline"),
    name_=words,
    version=texts,
    display_name=texts,
    description=texts,
    owner=texts,
    tags=tags,
    goal=goals,
    parameters=of(parameters),
    datasets=of(datasets),
    environments=of(environments),
    defaults=some(**execution),
    conditions=of(texts),
    steps_=of(steps, 1),
    outputs=of(texts),
    options=options,
)
