"""A script that logs and then breaks."""

import mlflow

with mlflow.start_run():
    mlflow.log_metric("before", 1)
    raise SystemExit(3)
