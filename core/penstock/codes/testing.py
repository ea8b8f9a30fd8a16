"""P500 to P519: tests of pipelines."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P500",
        "a tests file where a pipeline belongs",
        """
        The file says `kind: tests`: it holds cases of a pipeline, and no pipeline that could be run or
        compiled. `penstock test FILE` runs its cases, and `penstock check FILE` looks at it alone.
        """,
    ),
    entry(
        "P501",
        "a case names an unknown step",
        """
        The pipeline under test has no step of that name. Steps are named in `steps`, `given`, and below
        `expect`. The hint names the nearest step that exists.
        """,
    ),
    entry(
        "P502",
        "a case names an unknown output",
        """
        The step is there and makes no output of that name. Outputs are named STEP.OUTPUT:

            given: {train.model: fixtures/model}
            expect: {outputs: {prepare.train: {files: 1}}}
        """,
    ),
    entry(
        "P503",
        "a parameter of a case does not fit",
        """
        The pipeline has no such parameter, the value is not of its type or outside of its bounds, or the
        parameter has no default and the case sets none. A value is held to the same rules as with
        `penstock run -p`.
        """,
    ),
    entry(
        "P504",
        "a dataset of a case does not fit",
        """
        The pipeline has no such dataset, or it has one without a path of its own that the case has to
        bring: `datasets: {cells: fixtures/tiny.csv}`. Paths are relative to the tests file.
        """,
    ),
    entry(
        "P505",
        "a fixture of the wrong sort",
        """
        A file stands where a folder is needed, or a folder where a file is. Files and metrics are one
        file; tables, models and folders are folders.
        """,
    ),
    entry(
        "P506",
        "tests on an unknown target",
        """
        `targets` names where the cases run, and no installed provider has this one.
        `penstock providers` lists the targets there are.
        """,
    ),
    entry(
        "P507",
        "a case names an unknown KPI",
        """
        The pipeline's goal has no KPI of that name. Below `expect`, `kpis` says for each whether it must
        be met or missed; those of a pipeline step have its name in front: nightly__recall.
        """,
    ),
    entry(
        "P508",
        "a case lacks something that a step reads",
        """
        A step that the case runs, or the condition that guards it, reads an output of a step that the case
        does not run. Give what it reads, or run that step too:

            steps: [evaluate]
            given: {train.model: fixtures/model, prepare.test: fixtures/test}
        """,
    ),
    entry(
        "P509",
        "a step is both run and given",
        """
        What is given stands in the place of a step, so that the step is not run. Take it out of `steps`,
        or take its outputs out of `given`.
        """,
    ),
    entry(
        "P510",
        "an expectation of what does not run",
        """
        The case expects something of a step that it does not run, or of a KPI that reads one: the
        expectation would hold or fail without saying anything. Add the step to `steps`, or remove it.
        """,
    ),
    entry(
        "P511",
        "an expectation that does not suit the output",
        """
        Columns and rows are those of tables: outputs of the types file, folder and table. Fields are those
        of metrics. Texts are named by file in folders alone.
        """,
    ),
    entry(
        "P512",
        "a key or pattern of a case that cannot be read",
        """
        Outputs are written STEP.OUTPUT and metrics STEP.OUTPUT.FIELD; what is no name stands in brackets.
        Text between slashes is a regular expression.

            metrics: {"evaluate.report['macro avg'].recall": {at_least: 0.9}}
            message: /Recall is below 0\\.\\d+/
        """,
    ),
    entry(
        "P513",
        "expectations that contradict each other",
        """
        They can never hold together: a run that succeeds with a failed step, a lower bound above the upper
        one, a tolerance without a number, content of an output that must not exist.
        """,
    ),
    entry(
        "P514",
        "nothing to test",
        """
        The call names a file or folder, and no tests belong to it. Tests stand in a file of their own
        beside the pipeline, such as tests.yaml or train-tests.yaml:

            penstock: v1
            kind: tests
            spec: pipeline.yaml
            cases:
              it_runs: {expect: {run: succeeded}}
        """,
    ),
    entry(
        "P515",
        "no case is left",
        """
        `penstock test -k NAME` runs the cases whose names contain NAME, and none does.
        Without -k all of them run.
        """,
    ),
)
