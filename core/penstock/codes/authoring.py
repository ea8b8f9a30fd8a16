"""P140 to P149: pipelines written in Python."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P140",
        "a Python file could not be executed",
        """
        A spec that is a Python file is executed to get at its pipeline, and this line failed: it is no
        Python, or it raised what the message quotes. The lines below the place are the way there.
        Run the file with Python itself to see the whole traceback. Its own folder is where its imports
        are looked for, and `__name__` is the name of the file, never `__main__`.

        Packages of a step's environment need not be installed where Penstock is. Import them inside the
        function, which is never called while a file is read:

            @ps.step(environment="sklearn")
            def fit(rows: ps.File, model: ps.Output[ps.Model]) -> None:
                import pandas as pd
        """,
    ),
    entry(
        "P141",
        "no pipeline in the file, or several",
        """
        A Python file stands for the one pipeline that a name of its top level holds. Here there is none,
        or there are several: then say which, after a colon.

            penstock run pipelines.py:nightly
        """,
    ),
    entry(
        "P142",
        "a name is given to two parts",
        """
        Two calls add a step, parameter, dataset, environment, condition or output under one name. In YAML
        that is a key given twice. In a loop, make the name of what varies:

            for country in countries:
                pipeline.command(f"train_{country}", run=...)
        """,
    ),
    entry(
        "P143",
        "no such output, step or field",
        """
        What was asked for under a name is not there: an output that the step does not declare, a step
        that was not added, or a field of an output that is not of type metrics.
        Outputs are those of `outputs=`, or the parameters of type ps.Output of a function, and `metrics`
        for what it returns.
        """,
    ),
    entry(
        "P144",
        "a Python object that no spec can hold",
        """
        A pipeline is plain data: text, numbers, true and false, lists and dictionaries whose keys are
        text, and what a pipeline's own methods give. This argument holds another object.
        Convert it where you pass it: list(…), str(…), float(…).
        """,
    ),
    entry(
        "P145",
        "a function that cannot be a step",
        """
        A step's process imports the function's module and calls the function with words of a command
        line. So it has to be a plain `def` of the top level of a file, and every parameter needs a name
        and an annotation: int, float, str, bool, ps.File, ps.Folder, ps.Table, ps.Model or ps.Metrics for
        an input, ps.Output[ps.Model] and the like for what it writes. It returns ps.Metrics or None.

            @ps.step
            def fit(train: ps.Folder, model: ps.Output[ps.Model], depth: int = 4) -> ps.Metrics: ...

        Lines of the top level that use Penstock are left out in the step's process. What only they make,
        a parameter of the pipeline or a step of it, has no value there: the function takes it as an
        input. Nor may they give the function's own name to something else, as `fit = pipeline.step(...)`
        would.
        """,
    ),
    entry(
        "P146",
        "inputs that do not fit a function",
        """
        The names in `inputs=` are the function's own parameters: each one without a default has to be
        bound, and no other may be. Parameters of type ps.Output are outputs, which nobody binds.
        """,
    ),
    entry(
        "P147",
        "a local module that cannot be shipped",
        """
        A function's module travels with the step, and so does every module beside it that it imports,
        directly or through another. This one cannot be read, or is no Python.
        Mend it, or import it elsewhere than in the module of the function.
        """,
    ),
    entry(
        "P148",
        "a file beside a module that does not travel with a step",
        """
        With a function travel its module and the local modules that it imports, and no other file. This one
        lies beside the module, and the module opens it: where the step runs it will not be there.
        Make it an input of the function, bound to a dataset, or write what it holds into a module.
        """,
    ),
)
