"""P390 to P399: faults of compiled documents, found against the service's own model."""

from __future__ import annotations

from penstock.codes.code import Code, entry

CODES: tuple[Code, ...] = (
    entry(
        "P390",
        "the document does not fit the service's model",
        """
        A key, value or length in the compiled document is none that the service takes. It comes from a name or
        value of the spec that only this target refuses, from `options`, which are merged into the document, or
        from a profile. The message names the place in the document, and the line of the spec behind it.
        """,
    ),
    entry(
        "P391",
        "a reference in the document leads nowhere",
        """
        Something in the compiled document names a step, input or parameter that the document does not have.
        References that Penstock writes hold; one in `options` is yours to mend.
        """,
    ),
    entry(
        "P392",
        "the document does not hold together",
        """
        The steps of the compiled document do not make a pipeline: two of one name, a circle, ends that do not fit
        each other. What `options` add is the usual cause.
        """,
    ),
    entry(
        "P393",
        "a limit of the service",
        """
        The compiled document is larger, longer or deeper than the service takes: too many steps, a text that is
        too long, too many tags.
        Divide the pipeline, shorten the text, or hand long values over in a file.
        """,
    ),
    entry(
        "P394",
        "an image that is not to be had, or does not fit",
        """
        The environment names a first-party image, version or region that the shipped list does not have, or asks
        for another Python than the image holds. Name one that is listed, or give an image's own address:

            environments: {trees: {image: {TARGET: "registry.example/trees:1"}}}
        """,
    ),
    entry(
        "P395",
        "no machine that is large enough",
        """
        No machine of the shipped list has the cores, memory and accelerators that a step asks for. Ask for less,
        or name one that the service has since got:

            compute: {instance: {TARGET: NAME}}
        """,
    ),
)
