"""The pipeline of specs/tumour, written in Python."""

from __future__ import annotations

import penstock as ps

pipeline = ps.Pipeline(
    "tumour-classifier",
    display_name="Tumour classifier",
    version="1.0.0",
    description="Tell malignant from benign tumours by cell-nucleus measurements.",
    owner="imaging-team",
    tags={"domain": "health"},
    defaults=ps.Defaults(environment="sklearn", compute=ps.Compute(cpu=2, memory="8GiB")),
)

depth = pipeline.parameter(
    "max_depth", "integer", default=4, minimum=1, maximum=16, description="Depth of each tree."
)
floor = pipeline.parameter(
    "recall_floor",
    "number",
    default=0.95,
    minimum=0,
    maximum=1,
    description="Share of malignant tumours that a model must find to be registered.",
)
cells = pipeline.dataset(
    "cells",
    "file",
    path="data/cells.csv",
    version="3",
    description="Measurements and diagnosis, one tumour a row.",
)
pipeline.environment("sklearn", python=">=3.11", packages=["scikit-learn==1.8.0", "pandas==2.3.3"])

prepare = pipeline.command(
    "prepare",
    display_name="Split",
    description="Split the measurements into a training and a test set.",
    run="python prepare.py --cells ${{ inputs.cells }} --train ${{ outputs.train }} --test ${{ outputs.test }}",
    code="src",
    inputs={"cells": cells},
    outputs={"train": "folder", "test": "folder"},
)
train = pipeline.train(
    "train",
    display_name="Train",
    description="Fit boosted trees, and choose the threshold by cross-validation.",
    run="python train.py --data ${{ inputs.train }} --depth ${{ inputs.depth }} --model ${{ outputs.model }}",
    code="src",
    inputs={"train": prepare.outputs.train, "depth": depth},
    outputs={"model": "model"},
    compute={"cpu": 4, "memory": "16GiB"},
    retry=ps.Retry(attempts=2),
)
evaluate = pipeline.command(
    "evaluate",
    display_name="Evaluate",
    description="Judge the model and a linear baseline on tumours that neither has seen.",
    run="python evaluate.py --model ${{ inputs.model }} --test ${{ inputs.test }} --report ${{ outputs.report }}",
    code="src",
    inputs={"model": train.outputs.model, "test": prepare.outputs.test},
    outputs={"report": ps.OutputPort(type="metrics", file="evaluation.json")},
)
report = evaluate.outputs.report

good = pipeline.condition("good_enough", report["recall"] >= floor)
pipeline.register(
    "register",
    display_name="Register",
    description="Offer the model for approval by a person.",
    when=good,
    model=train.outputs.model,
    name="tumour-classifier",
    metrics=report,
    approval="manual",
    serving=ps.Serving(
        environment="sklearn",
        code="src",
        entry="inference.py",
        content_types=["text/csv", "application/json"],
    ),
)
pipeline.fail("stop", display_name="Stop", when=~good, message=f"Recall is below {floor}")
pipeline.output("model", train.outputs.model)

pipeline.goal(
    "Find malignant tumours before biopsy.",
    kpis=[
        ps.Kpi(name="recall", value=report["recall"], target=">= 0.95"),
        ps.Kpi(name="recall_low", value=report["confidence"]["recall_low"], target=">= 0.90"),
        ps.Kpi(name="specificity", value=report["specificity"], target=">= 0.85"),
    ],
    hypotheses=[
        ps.Hypothesis(
            id="H1", claim="Boosted trees beat a linear model on recall", kpi="recall", status="open"
        )
    ],
)
