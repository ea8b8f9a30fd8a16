"""Pipelines written in Python: a builder of the documents that YAML holds, and plain functions as steps.

    values.py        what stands for a parameter, a dataset, an output: operators build expressions
    shapes.py        the language's long forms as typed dictionaries
    pipeline.py      `Pipeline`, a method a section; steps.py, a method a step kind
    draft.py         the document in the making, and for each part of it the call that made it
    callsites.py     where in the user's file that call stands; refusal.py, wording.py: findings about it
    functions.py     `@penstock.step`; annotations.py, signatures.py: the types of its ports
    shipping.py      the code folder of a function: its module, local imports, and driver.py, which calls it;
                     module_names.py, left_behind.py: what of its module a step does not have
    compact.py, yaml_text.py, moving.py   a spec as readable YAML, in any folder
    script.py        reading a Python file as a spec

What a builder makes is the same plain data that a YAML file holds; the loader reads both alike.
"""
