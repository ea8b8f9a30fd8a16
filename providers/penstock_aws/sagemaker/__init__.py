"""The SageMaker Pipelines target: the definition document, how it is made and how it is checked."""
