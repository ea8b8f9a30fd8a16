"""A loopback endpoint for the official SDKs: object storage and SageMaker of our own, other services through moto."""
