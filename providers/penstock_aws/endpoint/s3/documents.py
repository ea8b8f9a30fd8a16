"""The XML that S3's clients send and get: small trees without attributes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from penstock_aws.endpoint.calls import Answer
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.protocols import xml_text

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DEEPEST = 20

Tree = Mapping[str, Any]
"""Element name → text, number, truth value, another tree, or a list of those for an element that repeats."""


def written(name: str, tree: Tree, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    """Write a tree as the answer to a call; members that are None are left out."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{_NAMESPACE}">{_inside(tree)}</{name}>'
    content = text.encode("utf-8", "replace")
    return Answer(status, content, {"content-type": "application/xml", **(headers or {})})


def parsed(content: bytes, root: str) -> Element:
    """Read a client's XML; names lose their namespaces. An empty `root` stands for any.

    Raises:
        ServiceFault: it is no XML, has another root, or declares a document type, which could
            make a few bytes many.
    """
    builder = TreeBuilder()
    depth = 0

    def start(name: str, _: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise malformed()
        builder.start(name.rpartition(" ")[2], {})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition(" ")[2])

    def refuse(*_: object) -> None:
        raise malformed()

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
        found = builder.close()
    except (expat.ExpatError, AssertionError, LookupError, ValueError):
        raise malformed() from None
    if root and found.tag != root:
        raise malformed()
    return found


def text_of(element: Element, name: str) -> str:
    """Give the text of a child; empty where there is none."""
    return element.findtext(name) or ""


def moment(seconds: float) -> str:
    """Write a time as the service does."""
    return (
        datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{int(seconds % 1 * 1000):03d}Z"
    )


def malformed() -> ServiceFault:
    """Say that a client's XML will not do."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return ServiceFault("MalformedXML", message, 400)


def _inside(tree: Tree) -> str:
    return "".join(_element(name, value) for name, value in tree.items())


def _element(name: str, value: Any) -> str:
    whole = value
    match value:
        case None:
            return ""
        case Mapping():
            return f"<{name}>{_inside(cast(Tree, value))}</{name}>"
        case str():
            return f"<{name}>{xml_text(value)}</{name}>"
        case bool():
            return f"<{name}>{'true' if value else 'false'}</{name}>"
        case list():
            return "".join(_element(name, each) for each in whole)
        case _:
            return f"<{name}>{value}</{name}>"
