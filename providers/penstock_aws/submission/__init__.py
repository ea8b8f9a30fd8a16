"""Sending SageMaker pipelines with the user's own credentials, and following what becomes of them."""
