"""Parallel nodes: mini-batches, the processes that an entry module runs in, and how much of them may fail."""
