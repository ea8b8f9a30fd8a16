"""P342 to P389: what a target cannot keep of searches, maps, batch inference, native steps and used files."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P342",
        "searches for the best values",
        """
        The target has no step that tries values and keeps the best, or runs the trials in another way than the
        spec says.
        Try values with `kind: map` over a list of them, and choose in the step behind it.
        """,
    ),
    entry(
        "P343",
        "a grid search",
        """
        The target chooses trials by chance or by a model of earlier ones, and does not go through every point.
        Write `sampling: random` with as many trials as the grid has points, or a map over them.
        """,
    ),
    entry(
        "P344",
        "a Bayesian search",
        """
        The target chooses each trial without regard to those before it. The search finds good values all the
        same, later.
        Write `sampling: random`, and allow more trials.
        """,
    ),
    entry(
        "P345",
        "ending trials that fall behind",
        """
        The target has another rule for ending trials early, or sees no numbers of a trial before its end. The
        search costs more; its outcome is a trial that ran to its end either way.
        Bound the cost by `limits`: fewer trials, or a `trial_timeout`.
        """,
    ),
    entry(
        "P346",
        "a time limit of one trial",
        """
        The target bounds the search as a whole, and not a single trial.
        Write `timeout` at the step, or let the script end by itself.
        """,
    ),
    entry(
        "P347",
        "an objective read from the log",
        """
        The target does not search the log of a trial for a number.
        Let the trial write the number to a metrics output: `objective: {metric: recall, goal: maximize}`.
        """,
    ),
    entry(
        "P348",
        "an objective read from MLflow",
        """
        The target does not read what a trial logs by MLflow; where no tracking server runs, the number would be
        lost.
        Let the trial write the number to a metrics output as well.
        """,
    ),
    entry(
        "P349",
        "a map over items",
        """
        The target cannot run a command once for each item of a list, or bounds the number of items.
        Write the steps out, go over files instead, or let one command go through the items itself.
        """,
    ),
    entry(
        "P350",
        "a map over files",
        """
        The target cannot run a command for each file of a folder, since the files are not known before the run,
        or divides them in another way than `batch` says.
        Let one command go through the folder itself, or name the items in the spec.
        """,
    ),
    entry(
        "P351",
        "a map over the groups of a table",
        """
        The target cannot divide a table by the values of its columns, since they are not known before the run.
        Let a step before it write one file a group, and go over the files.
        """,
    ),
    entry(
        "P352",
        "items that may fail",
        """
        The target ends the whole step with its first failed item, or counts failures in another way, so that
        `tolerate` has no effect there.
        Let the script catch what may go wrong and write an empty result.
        """,
    ),
    entry(
        "P353",
        "batch inference",
        """
        The target has no step in which a model answers a folder of files.
        Write a command step that loads the model and goes through the files.
        """,
    ),
    entry(
        "P354",
        "native steps",
        """
        The step is written in the words of another target, and this one has neither a body of its own nor a
        stand-in to run.

            notify:
              kind: native
              local: {run: "python ask.py --out ${{ outputs.answer }}"}    # what runs offline in its place
        """,
    ),
    entry(
        "P355",
        "stand-ins",
        """
        `local` says what runs offline in the place of a native step or a built-in algorithm. The target runs
        neither the stand-in nor anything else in its place.
        Give the step a body for this target.
        """,
    ),
    entry(
        "P356",
        "a pipeline as a step",
        """
        The target has no pipelines inside pipelines, or shows them in another form: their steps stand among those
        of the outer pipeline, named `outer__inner`.
        Where that is too many steps for one pipeline, run the inner one on its own.
        """,
    ),
    entry(
        "P357",
        "components",
        """
        The target has no components with a name and a version of their own: the step is written out in the
        document, and nothing there tells where it came from.
        The run is the same. The manifest of the bundle names the file.
        """,
    ),
    entry(
        "P358",
        "optional segments of a command",
        """
        The target needs a fixed command, and cannot leave out the words around an input that is not bound when
        the run starts.
        Let the script take an empty argument, or bind the input always.
        """,
    ),
    entry(
        "P359",
        "the name of an output's file",
        """
        The target names an output's file itself, after the port; the name that the step asks for is kept inside of
        folders alone. A script is given the whole path, and writes and reads the same content.
        Where the name or its ending matters, make the output a folder, and write the file into it.
        """,
    ),
)
