"""P430 to P449: running a cloud's own documents offline."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P430",
        "the job filled its disk",
        """
        A job wrote more than the volume that its document asks for, or the disk that holds the project ran full.
        It was ended before nothing was left for the ledger and for other jobs.
        Ask for a larger volume, or free some room; `penstock resume` goes on with what is left.
        """,
    ),
    entry(
        "P431",
        "a step of this type does not run offline",
        """
        The document holds a step that only the service itself can carry out, and nothing here does what it would.
        It is refused before anything runs, so that nothing is done in vain.
        In a spec, a native step may have a stand-in for offline runs (`local: {run: …}`), and runs on local. In a
        document that no spec was compiled to, work on a copy: take the step out, or put one in its place that runs
        here, such as a processing job or a function, and leaves what the others need of it.
        """,
    ),
    entry(
        "P432",
        "nothing stands for this image",
        """
        Images are not pulled. A framework's image is an environment with that framework, and a command that the
        document names runs in it. An image of your own, or an algorithm of the service's, has an entrypoint that
        is not known here.
        Name the command in the document, or say in penstock.yaml what stands for the image:
        `images: {"NAME:TAG": {python: "3.11", packages: [numpy]}}`.
        """,
    ),
    entry(
        "P433",
        "there is no data at this address",
        """
        A step reads from an address at which nothing stands: no step of the run has written there, the bundle
        ships nothing for it, and no data of this machine stands for it.
        `--replace ADDRESS=PATH` lets a file or folder of this machine stand for what is stored there, and `replace:` in
        penstock.yaml for good: `replace: {"ADDRESS": data/rows.csv}`.
        """,
    ),
    entry(
        "P434",
        "this was not asked for in a way that fits the document",
        """
        `--fault`, `--select`, `--from` and `--replace` name steps, faults and addresses of the document that runs.
        `--fault STEP=CODE:N` lets the first N attempts of a step meet a fault of the service, to see its retry
        policies at work; `--select STEP` runs that step with the others as an earlier run left them.
        What fits and does nothing is told while it runs: data for an address that nothing in the document reads, a
        fault that no attempt met, since its step was cached or skipped.
        """,
    ),
    entry(
        "P435",
        "nothing answers here for a function or a queue",
        """
        The document calls a function, or waits for an answer from a queue. Neither is reached from here; what runs
        in its place is named in penstock.yaml beside the spec, and nothing else ever is:
        `lambdas: {"ARN": {handler: "FILE.py:NAME"}}`, `callbacks: {"QUEUE": {run: COMMAND}}`.
        """,
    ),
    entry(
        "P436",
        "the function or the answer failed",
        """
        The function that stands for one of the cloud's raised an error, gave back what is no mapping, or lacks an
        output that the step declares; or the command that answers for a queue failed.
        Its log has the traceback: `penstock runs logs RUN STEP`.
        """,
    ),
    entry(
        "P437",
        "a path of the container stays as it is here",
        """
        This machine gives no private file system, so that the container's paths are rewritten in arguments,
        variables, configuration files and start scripts. A file of the code names such a path by itself, and that
        is not rewritten: where the code uses it, it finds another folder, or none.
        Take paths from arguments or variables, or run where user namespaces are to be had (Linux).
        A run says at its start that it has no sandbox, and why. PENSTOCK_SANDBOX chooses: `bubblewrap` or
        `namespaces` for one of the two ways, `none` for rewritten paths; unset, the first that works is taken.
        """,
    ),
    entry(
        "P438",
        "a document that cannot be opened",
        """
        The file or folder is neither a spec, nor a bundle as `penstock compile` writes it, nor a document of a
        service that runs offline; or it is a bundle of which a part is missing. A bundle is known by its
        `manifest.json`, and consists of that, the documents and the assets that it names: move the folder as a whole.
        """,
    ),
    entry(
        "P439",
        "the run belongs to an endpoint",
        """
        The run is an execution that a client started at an endpoint, and what it reads and writes stands in that
        endpoint's buckets. By itself it would find nothing there.
        Start the endpoint again with `penstock emulate`: it goes on with every execution that it was ended in. The
        client's own calls stop and retry the others.
        """,
    ),
    entry(
        "P440",
        "a package that the endpoint needs is missing",
        """
        A loopback endpoint needs packages that nothing else does, so that they are an extra of their own.
        Install it with the command that the hint names, in the environment that `penstock` runs in.
        """,
    ),
    entry(
        "P441",
        "the port cannot be had",
        """
        Another program listens at the port, or the system keeps it for itself (those below 1024 mostly).
        Name another with `--port`, or leave the option out: then a free one is taken, and shown.
        """,
    ),
    entry(
        "P442",
        "the project has an endpoint already",
        """
        A project has one endpoint at a time: two would take up the same executions. The process that is named
        serves it. Its clients can use that one; it ends with Ctrl-C, or with the command that it was started for.
        """,
    ),
    entry(
        "P443",
        "the endpoint cannot keep its state",
        """
        What an endpoint serves stands in the project's `.penstock` folder, which cannot be written, or holds a file
        that is damaged. Look at who owns the folder, and at the room on its disk.
        """,
    ),
    entry(
        "P444",
        "there is no endpoint for this provider",
        """
        `penstock emulate PROVIDER` serves the clients of a cloud, and this provider has none that could be served.
        `penstock providers` lists those that are installed.
        """,
    ),
    entry(
        "P445",
        "the command cannot be started",
        """
        `penstock emulate PROVIDER -- COMMAND` starts the command once the endpoint answers, and the system could not:
        there is no such program, or it may not be executed. Nothing was run.
        """,
    ),
    entry(
        "P446",
        "a bundle is not as it was compiled",
        """
        A file of the bundle's folder was edited, or added, since `penstock compile` wrote it: its content does not fit
        the digest in `manifest.json`. What runs is what stands there now, which is no longer what the spec says; a
        submit would send it too, to an address that is made of the digest of what stood there before.
        Compile the spec again, with the change made there.
        """,
    ),
    entry(
        "P448",
        "this machine could not set up a job's sandbox",
        """
        The job's own view of the file system could not be made, so that nothing of the job has run: it is no fault of
        its code. A folder of the run went away meanwhile, the system is out of memory, mounts or processes, or it
        lets us make no namespaces any more. The message holds the system's reason.
        `penstock resume` tries again; `PENSTOCK_SANDBOX=namespaces`, or `bubblewrap`, takes the other way, and `none`
        runs jobs without a sandbox, with the container's paths rewritten.
        """,
    ),
    entry(
        "P449",
        "a place in the container that data cannot take",
        """
        An input, an output or a checkpoint stands at a path of the container that is taken: a folder of the image
        with its programs and libraries (/bin, /etc, /usr, …), one of the kernel's (/proc, /sys, /dev), or the one with
        the job's own configuration. What is laid over such a folder hides it, and the container does not start, or
        starts without what it needs.
        Give the data a folder of its own, such as /opt/ml/processing/input/rows.
        """,
    ),
)
