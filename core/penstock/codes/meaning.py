"""P210 to P279: what a spec means: references, types, order, conditions, files, secrets."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P210",
        "an expression that cannot be read",
        """
        The text between `${{` and `}}` is no expression, stands where it cannot be replaced, or is missing
        where one is needed. Operators are words: `and`, `or`, `not`, `in`; comparisons `==`, `<=` and so on.
        In `run` an expression is `inputs.NAME`, `outputs.NAME` or `run.id`, outside of single quotes; each
        becomes exactly one word. Where a value would be run as code, as behind `eval`, it is refused.

            when: ${{ conditions.good && parameters.strict }}     # wrong
            when: ${{ conditions.good and parameters.strict }}    # right
            run: echo '${{ inputs.name }}'                        # wrong
            run: echo "${{ inputs.name }}"                        # right
        """,
    ),
    entry(
        "P211",
        "no such step",
        """
        An expression or `after` names a step that the pipeline does not have. The hint names the nearest.
        Steps are found by their key under `steps`, not by `display_name`.
        """,
    ),
    entry(
        "P212",
        "no such output",
        """
        The step exists and has no output of that name. Outputs are declared by the step that makes them:

            prepare:
              run: python prepare.py ${{ outputs.train }}
              outputs: {train: folder}

        Steps that register or fail run no command, and have none.
        """,
    ),
    entry(
        "P213",
        "no such parameter",
        """
        An expression names a parameter that is not declared under `parameters`. The hint names the nearest,
        or says that a dataset has that name: `datasets.NAME` is another thing than `parameters.NAME`.
        """,
    ),
    entry(
        "P214",
        "no such dataset",
        """
        An expression names a dataset that is not declared under `datasets`. The hint names the nearest, or
        says that a parameter has that name.
        """,
    ),
    entry(
        "P215",
        "no such condition",
        """
        `when` or another condition names a condition that is not declared under `conditions`:

            conditions:
              good: ${{ steps.evaluate.outputs.report.recall >= 0.9 }}
            steps:
              register:
                when: ${{ conditions.good }}
        """,
    ),
    entry(
        "P216",
        "no such input or output of this step",
        """
        The command names an input or output that the step itself does not have. `inputs.x` and `outputs.x`
        in `run` speak of the step's own ports; what other steps make has to be bound to an input first.

            run: python train.py ${{ inputs.data }}
            inputs: {data: "${{ steps.prepare.outputs.train }}"}
        """,
    ),
    entry(
        "P217",
        "no such environment",
        """
        A step, its serving code or `defaults` names an environment that is not declared under
        `environments`. The hint names the nearest.
        """,
    ),
    entry(
        "P218",
        "no such target or KPI",
        """
        `options`, `image`, `uri` and `instance` are keyed by target, and none of the installed providers has
        a target of this name; `penstock providers` lists them. Or a hypothesis names a KPI that the goal
        does not have. The hint names the nearest.
        """,
    ),
    entry(
        "P219",
        "a reference in the wrong place",
        """
        What is referred to may exist, and cannot stand here. Conditions and messages hold parameters and
        fields of metrics; inputs are bound to datasets, parameters and whole outputs; `model` takes an
        output of a step; variables hold single values, not paths.
        The hint says how to bring the value to where it is needed, commonly through an input:

            publish:
              run: python publish.py ${{ inputs.report }}
              inputs: {report: "${{ steps.evaluate.outputs.report }}"}
        """,
    ),
    entry(
        "P220",
        "types that do not fit",
        """
        An input asks for one type of artifact or value and is bound to another. These fit each other beside
        equal types: a model or a table where a folder is asked for, metrics where a file is, an integer
        where a number is. A file or folder cannot become part of a text or a sum.
        Change the type that is declared, or bind another output.
        """,
    ),
    entry(
        "P221",
        "a type mistake in an expression",
        """
        The expression can be read, and its parts do not fit: a text is compared with a number, a number stands
        where true or false is needed, or a KPI is not a number. A field of metrics is a number unless it is
        compared with a text or a boolean.

            when: ${{ parameters.depth }}              # wrong: a number
            when: ${{ parameters.depth > 4 }}          # right
            good: ${{ parameters.floor == '0.9' }}     # wrong: a number and a text
        """,
    ),
    entry(
        "P222",
        "a parameter contradicts itself",
        """
        A default or an allowed value breaks what the parameter itself declares: its type, bounds, pattern or
        list of values; or the minimum is above the maximum.

            depth: {type: integer, default: 40, maximum: 16}     # wrong
            depth: {type: integer, default: 4, maximum: 16}      # right
        """,
    ),
    entry(
        "P223",
        "fields of what has none",
        """
        Only an output of type `metrics` has fields, since only its file is JSON that Penstock reads.

            outputs: {report: folder}                                         # wrong, for report.recall
            outputs: {report: {type: metrics, file: evaluation.json}}         # right
        """,
    ),
    entry(
        "P224",
        "a text that reads like a reference",
        """
        The input is bound to a text such as `steps.prepare.outputs.train`. Without `${{ }}` it is handed to
        the step as it stands, and no edge between the steps comes about.

            inputs: {data: steps.prepare.outputs.train}                   # a text
            inputs: {data: "${{ steps.prepare.outputs.train }}"}          # a reference

        This is a warning: where the text is meant, nothing has to be done.
        """,
    ),
    entry(
        "P225",
        "an optional segment that cannot go",
        """
        A list inside the list form of `run` is left out where an input in it is unset. It cannot hold the program
        itself, and one without an input would never be left out.

            run: [python, train.py, [--start, "${{ inputs.start }}"]]
        """,
    ),
    entry(
        "P230",
        "a circle",
        """
        Steps need each other in a circle, or conditions name each other in one, so that none of them could
        ever begin. The circle is drawn whole: each line names a step, the one that it waits for, and the
        reference that makes it wait.
        Take one of these references out. A step that improves its own result loops inside its script.
        """,
    ),
    entry(
        "P232",
        "a step that can never run",
        """
        The step takes data from, or waits for, steps of which one runs where a condition is true and the
        other where it is false. At most one of them runs, so this step never would. Or the conditions on the
        way to it exclude each other, such as `recall >= 0.9` and then `recall < 0.5`.
        Give each branch a step of its own, or take the condition into the script.
        """,
    ),
    entry(
        "P233",
        "a condition without a choice",
        """
        No run can change the outcome: the limits exclude each other, or the parameter's bounds and values
        decide already. What hangs on a condition that is never true never runs, which is an error; one that
        is always true is a warning.

            depth: {type: integer, maximum: 16}
            when: ${{ parameters.depth > 20 }}     # never true
        """,
    ),
    entry(
        "P234",
        "a name or path is taken",
        """
        Two things that are told apart by name have the same one: an input and an output of a step, a
        parameter and a dataset, two KPIs, two hypotheses; or two inputs ask for the same fixed path.
        Rename one of them.
        """,
    ),
    entry(
        "P235",
        "names that become one",
        """
        A target has stricter names than the language, such as lower case alone, and two names of the pipeline
        become one there: `Train` and `train`. Or a step, condition or dataset inside a nested pipeline, which
        runs as `outer__inner`, gets the name of something else: of a step that is called `outer__inner`.
        Rename one of them.
        """,
    ),
    entry(
        "P236",
        "a reserved name",
        """
        An output cannot be called `default`: a target keeps that name for itself, and a pipeline that runs
        on one target shall run on all.
        Call it after what it holds, such as `model` or `report`.
        """,
    ),
    entry(
        "P240",
        "a parameter that nothing uses",
        """
        The parameter is declared, and no expression reads it: setting it would change nothing.
        A parameter reaches a command through an input:

            inputs: {depth: "${{ parameters.max_depth }}"}
            run: python train.py --depth ${{ inputs.depth }}

        Bind it, or remove it.
        """,
    ),
    entry(
        "P241",
        "an output that nothing uses",
        """
        A step writes the output, and no step, condition or KPI reads it. It is kept with the run all the
        same. To say that it is a result, name it among the pipeline's outputs:

            outputs: {model: "${{ steps.train.outputs.model }}"}
        """,
    ),
    entry(
        "P242",
        "an input that does not reach the command",
        """
        The input is bound, and neither the command nor a variable names it, so that the script cannot know
        where it stands. Data that a script finds by a path of its own is not there on a cloud.

            run: python train.py --data ${{ inputs.data }}

        An input with a fixed path (`at`) is found there, and is not warned of.
        """,
    ),
    entry(
        "P243",
        "something declared that nothing uses",
        """
        A dataset, an environment or a condition is declared, and nothing names it. Remove it, or use it as
        the hint shows.
        """,
    ),
    entry(
        "P244",
        "an output that does not reach the command",
        """
        The output is declared, and the command does not name it, so that the script cannot know where to
        write it; the step would end without its output, which is a failure.

            run: python train.py --model ${{ outputs.model }}
        """,
    ),
    entry(
        "P250",
        "no such file or folder",
        """
        The spec names a file or folder that is not there: code, data, a requirements file, the entry of
        serving code. Paths are relative to the folder of the spec, not to the one that you are in.
        The hint names the nearest entry of the first folder on the way that exists.
        """,
    ),
    entry(
        "P251",
        "a file that cannot be taken",
        """
        The path leads to something that cannot be read or copied: no permission, a file that is not UTF-8
        where text is needed, a link that leaves the code folder, leads nowhere or runs in a circle, a pipe
        or a device; or code that changed while the run began.
        Mend it, or list it in `.penstockignore` so that it stays out.
        """,
    ),
    entry(
        "P252",
        "a file in the place of a folder",
        """
        `code` names a folder, which becomes the step's working directory. A dataset of type `file` or
        `metrics` names a file; one of type `folder`, `table` or `model` names a folder.
        Name the other one, or change the type.
        """,
    ),
    entry(
        "P253",
        "a script that is not in the code folder",
        """
        The command starts a script that the step's `code` folder does not hold, or begins with one though the
        step names no `code`. The folder's content is what the step sees; nothing beside it comes along, the
        spec's own folder neither, and what `.penstockignore` or `.gitignore` lists stays behind.
        This is a warning, since the command may make the script itself.
        """,
    ),
    entry(
        "P254",
        "a list of packages that cannot be used",
        """
        A requirements file or conda file holds a line that is no package: an option such as `--index-url`, a
        path, a hash, or YAML that is no conda environment. Targets take packages by name and version;
        options of pip mean nothing to some of them.
        List packages alone, one a line: `pandas==2.3.3`.
        """,
    ),
    entry(
        "P260",
        "a literal secret",
        """
        The text has the form of a credential, or its key is called like one and the value looks generated.
        A spec is committed, logged and sent to clouds, so no secret may stand in it.
        Offline, take it from your shell: `env: {TOKEN: {from_env: MY_TOKEN}}`; it is masked in logs. On a
        cloud, pass the secret's name, and let the code read it by the job's own identity.
        """,
    ),
    entry(
        "P270",
        "a required input of an optional dataset",
        """
        The dataset may stay unfilled, and the input that it is bound to may not. Say that the step can do
        without:

            inputs: {champion: {value: "${{ datasets.champion }}", optional: true}}

        Where it is unfilled, the segment `$[[ … ]]` of the command that names it is left out.
        """,
    ),
    entry(
        "P274",
        "a checkpoint that is no output folder",
        """
        A checkpoint is one of the step's own outputs, of type `folder`: it is put back before the step
        starts again.

            outputs: {state: folder, model: model}
            checkpoint: {path: "${{ outputs.state }}"}
        """,
    ),
)
