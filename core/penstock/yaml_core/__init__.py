"""YAML as Penstock reads it: the 1.2 core schema, bounded, with a place for every node.

`penstock.source` is the face; the modules in here are its parts. No module here knows what a spec means.
"""
