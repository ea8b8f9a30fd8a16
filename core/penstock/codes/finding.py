"""P1xx: finding and reading files, providers and profiles, and writing folders."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P101",
        "the file cannot be read",
        """
        Nothing stands at the path of the spec, a folder stands there, or you may not read it.
        Paths on the command line are relative to the folder that you are in. Where a file of a similar
        name lies beside it, the hint names that.
        """,
    ),
    entry(
        "P102",
        "not UTF-8 text",
        """
        A spec is UTF-8 text. This file has another encoding, such as UTF-16 or Latin-1, or holds a
        character that no command line, path or variable can carry, above all NUL.
        Save the file as UTF-8 in your editor, or remove the character that the message points at.
        """,
    ),
    entry(
        "P103",
        "not well-formed YAML",
        """
        YAML cannot be read beyond this place: a bracket or quote is never closed, a colon is missing,
        a line is indented in no column that began a mapping, or a tab indents it.
        Indent with two spaces a level, and quote texts that hold `: `, ` #`, or begin with one of
        @ ` % & * ! | > { [.
        What follows the place is checked only once it is mended.
        """,
    ),
    entry(
        "P104",
        "a key is given twice",
        """
        One mapping holds the same key twice. YAML readers commonly keep the last and drop the first in
        silence, which loses a step or a parameter; here it is an error.

            steps:
              train: {run: python a.py}
              train: {run: python b.py}     # wrong: rename it, or remove one
        """,
    ),
    entry(
        "P105",
        "a second document",
        """
        A line `---` begins a second YAML document, and a spec is one document. What follows the line
        would never be read.
        Remove the line, or move what follows into a file of its own.
        """,
    ),
    entry(
        "P106",
        "no mapping at the root",
        """
        The file holds a list or one value where a spec begins with keys:

            penstock: v1
            kind: pipeline
            name: my-pipeline

        A missing space behind a colon (`penstock:v1`) makes one value of a line.
        """,
    ),
    entry(
        "P107",
        "nothing in the file",
        """
        The file is empty, or holds comments alone.
        `penstock init` writes a small working pipeline to start from.
        """,
    ),
    entry(
        "P108",
        "a key that is no text",
        """
        Keys are names, so each of them is text. YAML reads `1:` as a number, `true:` as a boolean, and
        `{{ x }}` as a mapping in the place of a key.
        Quote the key if it is meant as text. For an expression, write the dollar sign and quotes:

            inputs: {depth: {{ parameters.depth }}}         # wrong
            inputs: {depth: "${{ parameters.depth }}"}      # right
        """,
    ),
    entry(
        "P109",
        "aliases without end",
        """
        An alias (`*name`) stands inside the value that it stands for, or aliases of aliases stand for
        more than a million values or 64 MiB of text. A few lines of this kind can fill any memory, so
        reading stops at a bound.
        Write out what is needed, or let a step read it from a file.
        """,
    ),
    entry(
        "P110",
        "nested too deep",
        """
        The file nests mappings and lists more than 100 levels deep. The language needs about ten.
        Bring the value nearer to the root, or put it into a file that a step reads.
        """,
    ),
    entry(
        "P111",
        "the file is too large",
        """
        A spec of this size holds data. Specs describe steps; data belongs into files that datasets name:

            datasets:
              cells: {type: file, path: data/cells.csv}
        """,
    ),
    entry(
        "P112",
        "a YAML tag that is not known",
        """
        Tags such as `!env` or `!!python/object` are extensions of other programs. A spec takes those of
        YAML's core schema (`!!str`, `!!int`, …), and only where the value fits them.
        Remove the tag. Quote the text where the exclamation mark belongs to it.
        """,
    ),
    entry(
        "P113",
        "a merge key",
        """
        `<<: *other` merges a mapping into another one in YAML 1.1. YAML 1.2 has no such key.
        Write the fields out, move what steps share into `defaults`, or let an alias stand for a whole
        mapping: `env: *shared`.
        """,
    ),
    entry(
        "P114",
        "quotes are missing",
        """
        YAML gives a meaning of its own to characters of this text, and so reads something else than was
        meant. Inside { } and [ ] an expression needs quotes, and everywhere a text that holds `: ` or
        ` #`, or begins with `>`.

            inputs: {depth: ${{ parameters.depth }}}        # wrong
            inputs: {depth: "${{ parameters.depth }}"}      # right
            target: >= 0.95                                 # wrong
            target: ">= 0.95"                               # right
        """,
    ),
    entry(
        "P115",
        "not a pipeline of this version",
        """
        A pipeline begins with these two lines, which say what the file is and how to read it:

            penstock: v1
            kind: pipeline

        The first is missing, the version is one that this Penstock does not read, or the kind is another.
        """,
    ),
    entry(
        "P116",
        "a component where a pipeline belongs",
        """
        The file says `kind: component`: a step for other files to use, which cannot be run or compiled by itself,
        since its inputs are bound by whoever uses it. `penstock check FILE` looks at it alone.

            steps:
              clean: {uses: components/clean.yaml, inputs: {raw: "${{ datasets.raw }}"}}
        """,
    ),
    entry(
        "P120",
        "two packages provide the same",
        """
        Two installed packages claim the same provider or target, and nothing says which is meant.
        `pip list` shows them; uninstall the one that you do not need.
        """,
    ),
    entry(
        "P121",
        "no such provider or target",
        """
        The name leads to no target among the installed providers. `penstock providers` lists them.
        A target that comes with a package of its own has to be installed in this environment.
        """,
    ),
    entry(
        "P122",
        "a provider cannot be imported",
        """
        A package announces a provider, and importing it fails: it is half installed, or of a version that
        does not fit this Penstock. The message holds Python's own reason.
        Install the package again, or uninstall it.
        """,
    ),
    entry(
        "P130",
        "no such profile",
        """
        A profile says which account, region or workspace a pipeline is sent to. Profiles stand in
        `penstock.yaml`, beside the spec or in a folder above it:

            profiles:
              dev: {target: …, region: …}

        No such file was found, or it has no profile of this name.
        """,
    ),
    entry(
        "P131",
        "a profile's setting is wrong",
        """
        The target that a profile names lacks a setting that it needs, does not know one that is there,
        or cannot read its value. The hint names what is allowed.
        Settings are text: a number of an account is quoted.
        """,
    ),
    entry(
        "P133",
        "the profile is for another target",
        """
        Each profile belongs to one target, and the command asked for another one. Its settings would
        mean nothing there.
        Name the profile's own target, or a profile of the target that is wanted.
        """,
    ),
    entry(
        "P150",
        "the folder holds something else",
        """
        A bundle is written into a new folder, an empty one, or over an earlier bundle. This folder holds
        other things, or files beside the bundle that stands there, which its manifest does not name: replacing
        the folder would delete them, and Penstock does not remove what it did not write.
        Name another folder, or move those files elsewhere.
        """,
    ),
    entry(
        "P151",
        "the folder cannot be written",
        """
        The system refuses to write the bundle or the starting pipeline there: no permission, a full disk,
        or a file in the place of a folder. The message holds its reason.
        """,
    ),
    entry(
        "P152",
        "the file is there already",
        """
        `penstock init` writes a few files, and never over one that exists.
        Name another folder: `penstock init my-pipeline`.
        """,
    ),
    entry(
        "P160",
        "no such code",
        """
        `penstock explain` knows the codes that diagnostics carry, such as P203. Without a code it lists
        all of them.
        """,
    ),
)
