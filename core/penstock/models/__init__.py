"""The local model registry: which versions of a model there are, and which of them may serve."""
