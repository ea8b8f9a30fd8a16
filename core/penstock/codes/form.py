"""P200 to P209: the form of a spec, key by key."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P201",
        "an unknown key",
        """
        The language has no such key at this place. A key that nobody reads would be a setting that does
        nothing, so it is refused; the hint names the nearest key that exists.

            train:
              comand: python train.py      # wrong
              run: python train.py         # right

        `penstock schema` prints every key as JSON Schema, which editors can read.
        """,
    ),
    entry(
        "P202",
        "something required is missing",
        """
        A key that has to be there is not, or is empty: a pipeline without `name` or `steps`, a step that
        says nothing in `run`, a register step without its model.
        Add it. `penstock schema` says which keys each kind of step requires.
        """,
    ),
    entry(
        "P203",
        "a value of the wrong type",
        """
        The key takes another type of value. The usual causes: a version without quotes, which YAML reads
        as a number; quotes around a number; a list where names are needed; nothing behind the colon.

            version: 1.0        # wrong: a number
            version: "1.0"      # right
            compute: {cpu: "2"}     # wrong: text
            compute: {cpu: 2}       # right
        """,
    ),
    entry(
        "P204",
        "a value that is not allowed",
        """
        The key takes one of a few words, and this is none of them: a step's `kind`, a port's `type`, an
        input's `mode`, a `retry` rule's `errors`, an `approval`.
        The hint names the nearest word, or all of them.
        """,
    ),
    entry(
        "P205",
        "not a name",
        """
        Names of steps, ports, parameters, datasets, conditions and environments begin with a letter; then
        letters, digits and underscores follow, 63 characters at most. They appear in expressions, where a
        hyphen would be a subtraction. Pipelines, models and profiles may have hyphens.
        Environment variables may also begin with an underscore.

            my step!:     # wrong
            my_step:      # right, with display_name: My step!
        """,
    ),
    entry(
        "P206",
        "a value that cannot be read",
        """
        The text has not the form that this key needs.

            timeout: 2h                   # 30s, 15m, 2h, 7d
            memory: 8GiB                  # MiB, GiB, TiB, or MB, GB, TB
            target: ">= 0.95"             # a comparison and a number
            python: ">=3.11"              # a version or bounds
            packages: [pandas==2.3.3]     # NAME, NAME==VERSION, NAME>=VERSION
            pattern: '[A-Z]{2}'           # a regular expression
        """,
    ),
    entry(
        "P207",
        "a value out of bounds",
        """
        The value has the right form and lies outside of what is possible: no attempts at all, a duration
        of more than a year, more machines than any target gives, an infinite number, a file name with
        folders in it, a fixed path that is not absolute.
        The hint gives the bounds.
        """,
    ),
    entry(
        "P208",
        "keys that do not go together",
        """
        Each of the keys is allowed, and not in this company: `packages` beside `requirements`, bounds on
        a text, a file name for an output that is a folder, `mode` on an input that is a number.
        Remove the one that the message points at.
        """,
    ),
)
