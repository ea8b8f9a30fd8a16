"""Nodes that steer others: if_else, parallel_for, do_while (azureml reference §2.4)."""
