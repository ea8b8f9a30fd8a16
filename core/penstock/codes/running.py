"""P4xx: starting, running and resuming, the ledger and the registry."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P401",
        "the command failed",
        """
        The step's command ended with an exit code other than 0, a signal ended it, or it could not be
        started. `penstock runs logs RUN STEP` prints what it said.
        Bash stops at the first command that fails (`-e`), at a variable that is not set (`-u`), and counts
        a pipe as failed where any part of it fails (`pipefail`).
        Mend the script; `penstock resume` goes on with what is left.
        """,
    ),
    entry(
        "P402",
        "the step ran out of time",
        """
        The step ran longer than its `timeout`. Its whole process group was asked to stop, and was killed
        5 seconds later where it had not.
        Give it more time (`timeout: 2h`), or less to do.
        """,
    ),
    entry(
        "P403",
        "the step ran out of memory",
        """
        The system killed the step for want of memory. This counts as a fault of the machine, so that a
        `retry` rule tries it again.
        Let fewer steps run at once (`--jobs 1`), give the machine more memory, or read data in parts.
        """,
    ),
    entry(
        "P404",
        "this machine lacks that Python",
        """
        The step's environment asks for a Python version that is not installed here, or the one found does
        not run. Penstock installs packages, and no interpreters.
        Change `python` in the environment, or install one: `uv python install 3.12`.
        """,
    ),
    entry(
        "P405",
        "an environment cannot be built",
        """
        The packages of the environment could not be installed into a virtual environment of its own: a
        package or version does not exist, two of them contradict each other, the network is not to be had,
        or the folder for environments cannot be written. The lines above the hint are uv's own words.
        Environments are shared between runs, in the user's cache folder; PENSTOCK_CACHE names another.
        """,
    ),
    entry(
        "P406",
        "an environment that cannot be read",
        """
        `python` or a package is not written in a form that means something.

            environments:
              sklearn: {python: ">=3.11", packages: [scikit-learn==1.8.0]}
        """,
    ),
    entry(
        "P407",
        "a parameter's value does not fit",
        """
        A value given at start has no parameter of that name, is not of the parameter's type, or lies
        outside of its bounds, values or pattern; or a parameter without a default was not given.

            penstock run pipeline.yaml -p max_depth=6
        """,
    ),
    entry(
        "P408",
        "a dataset's path does not fit",
        """
        A path given at start names no dataset of the pipeline, is empty, does not exist, or is a folder where the
        dataset is a file; or an address given to `penstock submit` is none that the service can read.

            penstock run pipeline.yaml -d cells=data/cells.csv

        Paths on the command line are relative to the folder that you are in.
        """,
    ),
    entry(
        "P409",
        "a dataset was not given",
        """
        The dataset has no `path`, so that the caller has to bring it, or it stands on a cloud alone, where an
        offline run does not reach.

            penstock run pipeline.yaml -d cells=data/cells.csv

        A dataset with `optional: true` may stay unfilled.
        """,
    ),
    entry(
        "P410",
        "an expression without a value",
        """
        A condition, a message, an approval or an input could not be computed from what the steps wrote:
        the metrics file has no such field, the field is a text where a number is needed, or a division by
        zero came about.
        Look at the metrics with `penstock runs show`, and write the field in every case.
        """,
    ),
    entry(
        "P411",
        "an output is missing or of the wrong kind",
        """
        The command ended well and left nothing at the path of an output, a folder where a file was declared,
        or the other way round.
        A script writes to the path that it is given: `--model ${{ outputs.model }}`. An output of type `file`
        or `metrics` is a file, every other one a folder, which is there already when the script starts.
        """,
    ),
    entry(
        "P412",
        "metrics that cannot be read",
        """
        A metrics output is a file of one JSON object, of 16 MiB at most, since conditions and KPIs read
        their values from it. The step wrote something else.

            json.dump({"recall": 0.97}, open(path, "w"))
        """,
    ),
    entry(
        "P413",
        "a step's input changed",
        """
        A step wrote into a file or folder that it was given to read, or its data changed beside it. Other steps
        read the same data, and caching relies on it, so the step counts as failed.
        A dataset of moderate size reaches each step as a copy of its own, and what a step does to it is its own
        affair. A larger one is read where it stands: there the message names the file, and who else read it at
        that time, since any of them, or somebody outside of the run, may have written to it.
        Copy what has to change to an output, or to the working directory. Put changed data back before you
        resume the run, or start a new one.
        """,
    ),
    entry(
        "P414",
        "a fixed path is taken",
        """
        An input asks for a fixed path (`at`), and something stands there on this machine, or the place cannot
        be written. Penstock puts a link there as long as the step runs, and replaces nothing.
        Move aside what stands there, or hand the path over in the command: `${{ inputs.NAME }}`.
        """,
    ),
    entry(
        "P415",
        "data changed since the run began",
        """
        `penstock resume` goes on with what a stopped run has not done yet, on the same data. A file that the
        run reads is not what it was, so that its earlier steps and its later ones would not belong together.
        Put the data back, or start a new run; steps whose inputs did not change are taken from the cache.
        """,
    ),
    entry(
        "P416",
        "the target does not run offline",
        """
        `--on` names a target whose documents this version cannot run on a laptop. The hint lists those that
        it can. `penstock compile` and `penstock check --target` serve for every target.
        """,
    ),
    entry(
        "P417",
        "a variable of the caller is not set",
        """
        A step takes a variable from the shell that starts the run, and the shell does not have it:

            env: {TOKEN: {from_env: MY_TOKEN}}

            MY_TOKEN=… penstock run pipeline.yaml
        """,
    ),
    entry(
        "P418",
        "no such step in the run",
        """
        `--rerun`, or a command that looks at one step of a run, names a step that is not there. The hint names
        the nearest.
        """,
    ),
    entry(
        "P419",
        "a run's own files are not usable",
        """
        Each run keeps its copy of the compiled pipeline and the folders of its steps under `.penstock/runs`.
        They cannot be read or made: removed by hand, a full disk, or no permission.
        Start a new run; what the old one made is in the cache.
        """,
    ),
    entry(
        "P420",
        "no isolation on this machine",
        """
        `--isolate` cuts steps off from the network through a namespace of their own. This system gives none:
        it is not Linux, or its kernel does not let users make them. A run that only claims to be isolated
        would be worse than none, so it does not start.
        Run without `--isolate`, or in a container or machine that has namespaces.
        """,
    ),
    entry(
        "P421",
        "an output cannot be given",
        """
        Artifacts are kept by their content under `.penstock`, and an output of a run is a copy or link of one.
        The artifact is gone from there or was changed by hand, or the folder that it should appear in cannot be
        written. The message holds the system's reason.
        Run the pipeline again: the step whose result is lost is done anew, and the others are cache hits.
        """,
    ),
    entry(
        "P422",
        "no package for Bayesian search",
        """
        `sampling: bayesian` learns from the trials that are done by means of optuna, which Penstock does not
        bring along. `random` and `grid` need nothing.

            pip install 'penstock[tune]'
        """,
    ),
    entry(
        "P423",
        "a trial gave no objective",
        """
        A search compares its trials by one number: a field of the metrics output that `objective` names, or what
        its `regex` finds in the log. The trial ended well, and there is no such field, it holds no finite number,
        or nothing in the log matches. Such a trial counts as failed; the others go on.
        Write the number in every trial, and look at the trial's log: `penstock runs logs RUN 'STEP[NUMBER]'`.
        """,
    ),
    entry(
        "P480",
        "the project folder is not usable",
        """
        Runs, artifacts and registered models live in `.penstock`, in the folder of the project. It cannot be
        made, a file stands in its place, or PENSTOCK_PROJECT names no folder.
        Make the folder writable, or name another one: `PENSTOCK_PROJECT=/path penstock run …`.
        """,
    ),
    entry(
        "P481",
        "the ledger cannot be read or written",
        """
        The ledger is the SQLite file that every run is written to. It is not there yet, may not be written,
        the disk is full, or another process has held it for too long.
        What was written before is kept in every case.
        """,
    ),
    entry(
        "P482",
        "the ledger is damaged",
        """
        The file in the ledger's place is no ledger of Penstock's, or its content does not hold together.
        Move it aside; the next run makes a new one. Artifacts stay, and so do the files of each run.
        """,
    ),
    entry(
        "P483",
        "a newer Penstock wrote the ledger",
        """
        The ledger has a form that this version does not know, since a newer one has used it. Older versions
        do not write to it, so that nothing is lost.
        Upgrade Penstock, or name another project folder with PENSTOCK_PROJECT.
        """,
    ),
    entry(
        "P484",
        "no such run",
        """
        No run has this id, or several begin with it. `penstock runs list` names them; `last` is the newest,
        and the beginning or the end of an id will do where only one run has it.
        """,
    ),
    entry(
        "P485",
        "the run cannot be taken up",
        """
        A run that succeeded has nothing left to do, and one that is under way belongs to its own process,
        on this machine or another.
        Wait for it, stop that process, or start a new run.
        """,
    ),
    entry(
        "P486",
        "no such model or version",
        """
        The registry has no model of this name, or no such version of it. `penstock models list` names them;
        `latest` and `approved` stand for the newest version and the newest that was approved.
        """,
    ),
)
