"""SageMaker's own API: pipelines that run here, their jobs, and the resources beside them."""
