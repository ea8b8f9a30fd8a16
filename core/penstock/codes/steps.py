"""P280 to P299: components, nested pipelines, searches, maps, native steps: what belongs to one kind alone."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P280",
        "a used file of another kind",
        """
        `uses` names a file that is there and is not what the step takes. A step of `kind: pipeline` takes a
        pipeline, any other step takes a component; a tests file can be used by neither.

            clean: {uses: components/clean.yaml}               # kind: component
            nightly: {kind: pipeline, uses: train.yaml}        # kind: pipeline
        """,
    ),
    entry(
        "P281",
        "pipelines that use each other",
        """
        A pipeline has a step that runs the pipeline itself, or one that comes back to it over other files: such
        a run would never end. The message names the circle, file by file; pipelines nested more than 20 deep, or
        more than 1,000 of them within one, are taken for one.
        Take one of the steps out. What both pipelines need becomes a component, or a third pipeline.
        """,
    ),
    entry(
        "P282",
        "no such input of what is used",
        """
        The step binds, or a search varies, an input that the component does not declare, or that is neither a
        parameter nor a dataset of the nested pipeline. The hint names the nearest one of that file.

            inputs: {data: folder, depth: {type: integer, default: 4}}     # in the component
            inputs: {data: "${{ datasets.cells }}", depth: 6}              # in the step that uses it
        """,
    ),
    entry(
        "P283",
        "an input that is not bound",
        """
        The component or pipeline that the step uses needs a value which the step does not bind: an input
        without `default` that is not `optional`, a parameter without default, or a dataset without `path`.

            clean:
              uses: components/clean.yaml
              inputs: {raw: "${{ datasets.raw }}"}
        """,
    ),
    entry(
        "P284",
        "a kind that is not the component's",
        """
        The step says `kind: train`, and its component is a command step, or the other way round. The component
        knows what it is; a step that uses it may leave `kind` out.
        """,
    ),
    entry(
        "P285",
        "an optional input outside of a segment",
        """
        The input may stay unset, and the command names it where something has to stand. Inside `$[[ … ]]` the
        words around it go with it; in the list form of `run` that is a list inside the list.

            run: python train.py $[[ --start ${{ inputs.start }} ]]
            run: [python, train.py, [--start, "${{ inputs.start }}"]]

        Or take `optional` away, and the input is always there.
        """,
    ),
    entry(
        "P286",
        "no such field of a map's items",
        """
        The items of the map do not have the field that `item.FIELD` names, or are mappings where `item` alone
        stands. Items that are single values are `item`, and have `item.key`; files have `item.name` and
        `item.key`; groups of a table have a field for each column of `by`.

            over: {items: [{key: NO, depth: 4}, {key: NL, depth: 6}]}
            run: python train.py --country ${{ item.key }} --depth ${{ item.depth }}
        """,
    ),
    entry(
        "P287",
        "values that a search cannot draw",
        """
        A dimension of `search_space` contradicts itself or its input: values of another type or written twice,
        bounds that are exchanged or no whole numbers, a log scale that reaches 0, or bounds of real numbers in
        a grid, which would have no end.

            rate: {minimum: 0.001, maximum: 0.3, scale: log}
            depth: {type: integer, minimum: 2, maximum: 12}
            loss: {enum: [log, exp]}
        """,
    ),
    entry(
        "P288",
        "an objective that cannot be read",
        """
        A search compares its trials by one number: a field of the trial's metrics output. The trial has no such
        output, has more than one, or the text is no field; an objective from the log needs a `regex` whose first
        group is the number.

            outputs: {model: model, report: metrics}
            objective: {metric: recall, goal: maximize}
        """,
    ),
    entry(
        "P289",
        "items that cannot be told apart",
        """
        Each item of a map has a key, which names its folder in the outputs: the value itself, or the field `key`.
        Keys are letters, digits, `_`, `.` and `-`, and no two are equal. Items are all single values, or all
        mappings with the same fields.

            over: {items: ["NO", "NL"]}
            over: {items: [{key: NO, depth: 4}, {key: NL, depth: 6}]}
        """,
    ),
    entry(
        "P290",
        "a native step without a body",
        """
        A native step is written in a target's own words, under the target's name, and has one body at least. An
        output says by `from` which property of the target's step holds it.

            kind: native
            outputs: {data: {type: folder, from: "OutputParameters['data']"}}
            TARGET: {Type: Callback, Arguments: {report: "${{ inputs.report }}"}}
        """,
    ),
    entry(
        "P292",
        "options of a nested pipeline",
        """
        The `options` at the top of a pipeline are merged into the document of the whole pipeline. Where that
        pipeline is a step of another one, there is no document of its own to merge them into.
        Write them at the top of the outer pipeline, or at the steps that they are meant for.
        """,
    ),
    entry(
        "P294",
        "a number that has no effect",
        """
        A grid has fewer points than the search allows trials, and ends when all are tried; or a map tolerates as
        many failures as it has items, so that it would succeed with nothing done.
        This is a warning: write the number that is meant.
        """,
    ),
)
