"""Read handwritten digits: a pipeline in Python alone. `penstock run specs/digits/pipeline.py` runs it.

The functions are plain ones and can be called in tests; as steps, each runs in a process of its own.
"""

import json

from marks.images import CELLS, LABEL, read_digits

import penstock as ps

pipeline = ps.Pipeline(
    "digits",
    version="1.0.0",
    description="Read handwritten digits, and say which are taken for each other.",
    owner="post-room",
    defaults=ps.Defaults(environment="sklearn", compute=ps.Compute(cpu=2, memory="4GiB")),
)
pipeline.environment("sklearn", python=">=3.11", packages=["scikit-learn==1.8.0", "pandas==2.3.3"])
digits = pipeline.dataset("digits", "file", path="data/digits.csv", version="1")
smoothing = pipeline.parameter(
    "smoothing", "number", default=0.001, minimum=0, description="Kernel width: larger fits more closely."
)
floor = pipeline.parameter("floor", "number", default=0.95, minimum=0, maximum=1)


@ps.step
def divide(digits: ps.File, train: ps.Output[ps.File], test: ps.Output[ps.File], share: float = 0.3) -> None:
    """Divide the digits in two, each digit in the same share."""
    from sklearn.model_selection import train_test_split

    rows = read_digits(digits)
    first, second = train_test_split(rows, test_size=share, random_state=2, stratify=rows[LABEL])
    first.to_csv(train, index=False)
    second.to_csv(test, index=False)


@ps.step(kind="train")
def fit(train: ps.File, model: ps.Output[ps.Model], smoothing: float) -> None:
    """Train a support vector machine."""
    import joblib
    from sklearn.svm import SVC

    rows = read_digits(train)
    trained = SVC(gamma=smoothing).fit(rows[CELLS].to_numpy(), rows[LABEL])
    joblib.dump(trained, model / "model.joblib")
    (model / "model.json").write_text(json.dumps({"gamma": smoothing, "n": len(rows)}))


@ps.step(returns="report")
def judge(model: ps.Folder, test: ps.File) -> ps.Metrics:
    """Count what is read right, and find the two digits that are confused most."""
    import joblib

    rows = read_digits(test)
    read = joblib.load(model / "model.joblib").predict(rows[CELLS].to_numpy())
    wrong = [(int(was), int(seen)) for was, seen in zip(rows[LABEL], read, strict=True) if was != seen]
    worst = max(set(wrong), key=lambda pair: (wrong.count(pair), pair), default=None)
    return {
        "accuracy": 1 - len(wrong) / len(rows),
        "wrong": len(wrong),
        "n": len(rows),
        "confused": f"{worst[0]} for {worst[1]}" if worst else "none",
    }


divided = pipeline.step("divide", divide, inputs={"digits": digits})
fitted = pipeline.step("fit", fit, inputs={"train": divided.outputs.train, "smoothing": smoothing})
judged = pipeline.step("judge", judge, inputs={"model": fitted.outputs.model, "test": divided.outputs.test})

readable = pipeline.condition("readable", judged.outputs.report["accuracy"] >= floor)
pipeline.register(
    "register", when=readable, model=fitted.outputs.model, name="digits", metrics=judged.outputs.report
)
pipeline.fail("stop", when=~readable, message="The post room reads too little with this model")

pipeline.goal(
    "Read what people write well enough to sort letters.",
    kpis=[ps.Kpi(name="accuracy", value=judged.outputs.report["accuracy"], target=">= 0.97")],
)
pipeline.output("model", fitted.outputs.model)
