"""A pipeline whose steps are functions: one trains, and another tells what came of it where that is good."""

import json

from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.parameters import ParameterFloat
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline

ROLE = "arn:aws:iam::123456789012:role/ml"
IMAGE = "885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:2.0-cpu"
WHERE = {"image_uri": IMAGE, "role": ROLE, "instance_type": "ml.m5.large"}


@step(name="fit", **WHERE)
def fit(c):
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import recall_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500))
    model.fit(features[::2], labels[::2])
    return {"recall": float(recall_score(labels[1::2], model.predict(features[1::2]))), "rows": len(labels)}


@step(name="tell", **WHERE)
def tell(found):
    print("told of", found["rows"], "rows")
    return f"recall {found['recall']:.4f}"


strength = ParameterFloat("strength", 1.0)
fitted = fit(strength)
good = ConditionStep(
    "good",
    conditions=[ConditionGreaterThanOrEqualTo(fitted["recall"], 0.9)],
    if_steps=[tell(fitted)],
    else_steps=[FailStep("bad", error_message="too few are found")],
)
pipeline = Pipeline("functions", parameters=[strength], steps=[good])
pipeline.upsert(ROLE)
execution = pipeline.start(parameters={"strength": 0.5})
execution.wait(delay=1, max_attempts=600)

states = {each["StepName"]: each["StepStatus"] for each in execution.list_steps()}
print(json.dumps({"fit": execution.result("fit"), "tell": execution.result("tell"), "states": states}))
