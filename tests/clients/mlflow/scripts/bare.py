"""The shortest of scripts: no run is started, so that the first call takes the job's own."""

import mlflow

mlflow.log_metric("score", 0.9)
mlflow.log_param("kind", "bare")
mlflow.set_tag("note", "x")
