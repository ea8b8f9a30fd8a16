"""Kinds that a target has no form for, as kinds that it has.

Nested pipelines laid flat, maps and batch inference as commands, maps as one step an item: pure functions from
graph to graph, for lowerings to choose from.
"""
