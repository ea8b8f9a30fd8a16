"""P300 to P341: what a target cannot keep, one code a feature of the language.

`penstock providers TARGET` shows which of them a target keeps, and how.
"""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P300",
        "command steps",
        """
        The target has no step that runs a command in an environment of its own choosing, so that nothing of
        the pipeline could run there. Choose another target.
        """,
    ),
    entry(
        "P301",
        "train steps",
        """
        The target has no training job, or runs a train step as an ordinary command: it trains all the same,
        and is not listed among the target's training jobs.
        Where that does not matter, nothing has to be done; `kind: command` says the same everywhere.
        """,
    ),
    entry(
        "P302",
        "registering a model",
        """
        The target has no model registry of its own, registers in another way than as a step of the pipeline, or
        keeps less with a version: no metrics, no serving code. The message says what becomes of it.
        Without a registry, name the model among the pipeline's outputs, and register it after the run.
        """,
    ),
    entry(
        "P303",
        "registering a model under a condition",
        """
        The target registers models, and cannot let a condition decide within the pipeline, or decides by
        a step that registers through a client.
        Register always with `approval: manual` and let a person decide, or put the decision into `approval`.
        """,
    ),
    entry(
        "P304",
        "ending a run with a message",
        """
        The target has no step that fails on purpose. A command that prints the message and ends with an exit
        code stands in for it, or the step is left out.
        The message is then found in that step's log, and not at the head of the run.
        """,
    ),
    entry(
        "P305",
        "conditions",
        """
        The target cannot leave out steps by what others measured. With a gate, the steps behind a condition
        still start, read that it is closed, and end at once; they count as skipped.
        Where a target has not even that, take the condition into the script, or choose another target.
        """,
    ),
    entry(
        "P306",
        "arithmetic over metrics",
        """
        The target compares metrics, and does not calculate with them.

            when: ${{ steps.evaluate.outputs.report.tp / 40 >= 0.9 }}     # arithmetic
            when: ${{ steps.evaluate.outputs.report.recall >= 0.9 }}      # a comparison

        Calculate in the step that writes the metrics, and compare the result.
        """,
    ),
    entry(
        "P307",
        "arithmetic over parameters",
        """
        The target hands parameters over, and neither calculates with them nor compares them where a value is
        needed: `${{ parameters.depth * 2 }}` and `${{ parameters.depth > 4 }}` have no form there as an input.
        Declare a parameter for the result, or hand both values to the script and calculate there.
        """,
    ),
    entry(
        "P308",
        "text composed from parameters",
        """
        The target cannot join texts and parameters into one value, or only in places where it takes one.
        Hand the parts to the script one by one, and join them there.
        """,
    ),
    entry(
        "P309",
        "order without data",
        """
        `after` makes a step wait without taking data. The target orders steps by their data alone, so that a
        marker output of the earlier step, which the later one reads, stands in for it.
        Where the later step really needs what the earlier one makes, bind that as an input instead.
        """,
    ),
    entry(
        "P310",
        "retries after a platform fault",
        """
        The target does not start a step again after a fault of the machine, or only does so by rules of its
        own. The step then fails, and the run with it.
        Submit the run again: steps that succeeded are taken from the target's cache where it has one.
        """,
    ),
    entry(
        "P311",
        "retries after any error",
        """
        The target tries again after faults of the machine, and not after an exit code of the script. A loop
        in the launcher stands in for it: the attempts share one machine and one log.
        `errors: platform` asks for what targets commonly have.
        """,
    ),
    entry(
        "P312",
        "time limits",
        """
        The target has no limit for one step, or only coarser ones. The step runs until it ends, or until the
        limit of the whole run.
        Where it matters, let the script look at the clock.
        """,
    ),
    entry(
        "P313",
        "reuse of earlier results",
        """
        The target does not recognise an unchanged step, so that every run does all the work, or recognises
        it by rules of its own, such as the name of the data instead of its content.
        Nothing is wrong with the results; they take longer.
        """,
    ),
    entry(
        "P314",
        "expiry of cached results",
        """
        The target reuses results and cannot be told for how long. A result that should have expired may be
        reused.
        Where freshness matters, use `cache: false`.
        """,
    ),
    entry(
        "P315",
        "spot machines",
        """
        The target has no interruptible machines, or chooses them by the pool that the step runs in. The step
        runs on ordinary ones: safer, and dearer.
        Where the target has such pools, name one by `instance` or in the profile.
        """,
    ),
    entry(
        "P316",
        "checkpoints",
        """
        The target does not keep the checkpoint folder over a restart, so that a step which is started again
        begins anew.
        Write checkpoints to storage that the script reaches itself, or do without spot machines.
        """,
    ),
    entry(
        "P317",
        "several machines for one step",
        """
        The target runs a step on one machine. The step gets all of the data, and the script sees one machine.
        Ask for a larger machine, or divide the work into several steps.
        """,
    ),
    entry(
        "P318",
        "a number of machines from a parameter",
        """
        The target needs the number of machines when the pipeline is compiled, and a parameter's value is known
        when it starts. The default is compiled in where there is one.
        Write the number: `compute: {count: 4}`.
        """,
    ),
    entry(
        "P319",
        "accelerators",
        """
        The target has no accelerators to choose, or the step gets what the machine happens to have.
        Let the script look for one and do without where there is none, or name a machine by `instance`.
        """,
    ),
    entry(
        "P320",
        "an input at a fixed path",
        """
        The target decides itself where inputs are put. A link at the fixed path stands in for it where the step
        may make one.
        A script that takes the path as an argument runs everywhere: `${{ inputs.NAME }}`.
        """,
    ),
    entry(
        "P321",
        "a packed input",
        """
        The target hands over the content of a model, and not the archive itself, or packs it again first.
        A script that opens `model.tar.gz` can open a folder instead: leave out `packed`.
        """,
    ),
    entry(
        "P322",
        "an input divided over machines",
        """
        The target gives every machine all of the files. Each of them would do the whole work.
        Let the script take its share by the number of its machine, or divide the work into several steps.
        """,
    ),
    entry(
        "P323",
        "the way an input is delivered",
        """
        `mode` says whether files are mounted, downloaded, streamed or handed over by address. The target has
        one way, or not this one, and uses that; the script finds the same files at the path that it is given.
        A script that lists a mounted folder of many files may take longer.
        """,
    ),
    entry(
        "P324",
        "the content type of an input",
        """
        The target does not announce a media type along with an input. Built-in algorithms read it; scripts
        rarely do.
        Let the script know the format by itself, or hand it over as another input.
        """,
    ),
    entry(
        "P325",
        "environment variables",
        """
        The target sets no environment variables for a step, or bounds their length and characters.
        Hand values to the command as inputs; long ones as a file.
        """,
    ),
    entry(
        "P326",
        "variables taken from the caller",
        """
        `{from_env: NAME}` reads the shell that starts the run, and a cloud's machine has no such shell. The step
        starts without the variable there.
        Pass the name of a secret instead, and read it in the code by the job's own identity.
        """,
    ),
    entry(
        "P327",
        "bounds of parameters",
        """
        The target does not hold a parameter to its `minimum`, `maximum` or `pattern`. Penstock checks the values
        that it submits; a run started in the target's own console is not checked.
        Where it matters, check the value in the first step.
        """,
    ),
    entry(
        "P328",
        "a list of allowed values",
        """
        The target does not hold a parameter to its `enum`. Penstock checks the values that it submits; a run
        started in the target's own console is not checked.
        Where it matters, check the value in the first step.
        """,
    ),
    entry(
        "P329",
        "a parameter without a default",
        """
        The target needs a value for every parameter in the document itself. Penstock writes it in when the run
        is submitted, so that the compiled document alone is not complete.
        Give the parameter a default, and set it at start all the same.
        """,
    ),
    entry(
        "P330",
        "a dataset that the caller fills",
        """
        The target needs an address for every dataset in the document itself. Penstock writes it in when the run
        is submitted.
        Name an address: `uri: {TARGET: …}`, in the spec or in a profile of `penstock.yaml`.
        """,
    ),
    entry(
        "P331",
        "a dataset that may stay unfilled",
        """
        The target has no inputs that may be missing. An empty placeholder is handed over instead, and the step
        sees an empty word.
        Let the script take an empty argument for a missing one, as it does offline.
        """,
    ),
    entry(
        "P332",
        "the run's id and start",
        """
        The target does not tell a step the id of its run or the time when it began, or only by variables of its
        own.
        Let the caller give such a value as a parameter.
        """,
    ),
    entry(
        "P333",
        "approval of a registered model",
        """
        The target takes a fixed state of approval, or its registry knows none. An expression over metrics would
        need a condition with two registering steps.
        Write `approval: manual`, or register twice: one step `when` the condition holds, one when not. Where the
        registry has no approval, decide by a tag, or by who may deploy.
        """,
    ),
    entry(
        "P334",
        "built-in algorithms",
        """
        A train step without `run` names an algorithm that one cloud brings along. The target does not have it,
        and there is no script that it could run instead.
        Give the step a `run` of its own.
        """,
    ),
    entry(
        "P335",
        "metrics of a train step in a condition",
        """
        The target reads metrics of a training job from what it prints, so that only numbers arrive, and rounded.
        Let a command step read the model and write the metrics.
        """,
    ),
    entry(
        "P336",
        "metrics in a message",
        """
        The target's messages hold fixed text and parameters. The message appears without the measured value, or
        with its name in the place of it.
        The value itself stands in the metrics of the step that wrote it.
        """,
    ),
    entry(
        "P337",
        "verdicts on KPIs",
        """
        The target knows no goals: no verdict is drawn there when the run ends.
        The metrics that the KPIs read are written as ever, and can be compared by whoever looks at the run.
        """,
    ),
    entry(
        "P338",
        "packages from a conda file",
        """
        The target installs packages by pip. Python's version and the packages under `pip:` are taken from the
        conda file; conda's own packages are not, and neither are its channels.
        List what the step needs under `pip:`, or choose an image that holds the rest.
        """,
    ),
    entry(
        "P339",
        "outputs of the pipeline",
        """
        The target has no outputs of a whole pipeline. Each artifact is found at the step that made it, under
        the name that the step gives it.
        """,
    ),
    entry(
        "P340",
        "tags",
        """
        The target keeps no tags at this place, or bounds their number and length. Nothing but the search for
        them suffers.
        """,
    ),
    entry(
        "P341",
        "target options",
        """
        `options` are merged into the document of the target that they name, and mean nothing to another one.
        Where this target needs something of the kind, name it too:

            options: {TARGET: {…}}
        """,
    ),
)
