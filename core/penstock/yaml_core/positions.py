"""Where every node of a text stands. Made only when a place is asked for, which most files never need."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from yaml import YAMLError
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    MappingStartEvent,
    ScalarEvent,
)

from penstock.diagnostics import Path
from penstock.yaml_core.aliases import DEEPEST
from penstock.yaml_core.parser import NextEvent, events, span

Span = tuple[int, int]
"""Indices into the text: a first character, and the one behind the last."""


@dataclass(slots=True)
class Node:
    """One node's extent, and its children where it is a collection.

    Attributes:
        start: index of the first character, tag and anchor included.
        end: index behind the last one.
        fields: a mapping's entries by key, the first of each: the key's extent and the value's node.
        items: a list's entries.
        target: what an alias stands for.
    """

    start: int
    end: int
    fields: dict[str, tuple[Span, Node]] | None = None
    items: list[Node] | None = None
    target: Node | None = None

    @property
    def is_collection(self) -> bool:
        """Whether this is a mapping or a list, written out in this place."""
        return self.fields is not None or self.items is not None


@dataclass(frozen=True, slots=True)
class Found:
    """How far a path led.

    Attributes:
        node: the node, or its nearest ancestor.
        key: the extent of the node's key, where it is a mapping's value.
        whole: whether the whole path exists.
        is_root: whether not even the path's first part exists, or the path is empty.
    """

    node: Node
    key: Span | None
    whole: bool
    is_root: bool


def read_positions(text: str) -> Node:
    """Read where the nodes of the first document stand; of a broken text, those before the break."""
    root = Node(0, 0, items=[])
    # A finding about bad syntax has been made already; a partial tree still places what came before.
    with suppress(YAMLError, UnicodeError):
        _read(events(text), root)
    return root.items[0] if root.items else Node(0, 0)


def find(root: Node, path: Path) -> Found:
    """Follow a path as far as it goes, through aliases too."""
    node, key = root, None
    for depth, part in enumerate(path):
        inner = node.target or node
        if isinstance(part, str) and inner.fields is not None and part in inner.fields:
            key, node = inner.fields[part]
        elif isinstance(part, int) and inner.items is not None and 0 <= part < len(inner.items):
            key, node = None, inner.items[part]
        else:
            return Found(node, key, whole=False, is_root=depth == 0)
    return Found(node, key, whole=True, is_root=not path)


_Key = tuple[str | None, Span]
"""A mapping's key that waits for its value; without text where that value gets no place."""

_NOWHERE: _Key = (None, (0, 0))


def _read(next_event: NextEvent, root: Node) -> None:
    anchors: dict[str, tuple[Node, str | None]] = {}
    parents: list[tuple[Node, _Key | None]] = []
    node = root
    key: _Key | None = None
    while True:
        event = next_event()
        text: str | None = None
        if type(event) is ScalarEvent:
            start, end = span(event)
            child, text = Node(start, end), event.value
            if event.anchor is not None:
                anchors[event.anchor] = (child, text)
        elif isinstance(event, CollectionEndEvent):
            child = node
            node, key = parents.pop()
            # A block collection's end event stands at the next token: its last child says where it ended.
            start, end = span(event)
            if end > start:
                child.end = end
            node.end = child.end
            if node.fields is not None:
                key = _NOWHERE if key is None else None
            continue
        elif isinstance(event, CollectionStartEvent):
            start, end = span(event)
            child = Node(start, end)
            if isinstance(event, MappingStartEvent):
                child.fields = {}
            else:
                child.items = []
            if event.anchor is not None:
                anchors[event.anchor] = (child, None)
        elif isinstance(event, AliasEvent):
            start, end = span(event)
            target, text = anchors.get(str(event.anchor), (None, None))
            child = Node(start, end, target=target)
        elif event is None or isinstance(event, DocumentEndEvent):
            return
        else:
            continue
        node.end = end
        is_key = False
        if node.items is not None:
            node.items.append(child)
        elif node.fields is not None:
            is_key = key is None
            if key is not None and key[0] is not None:
                node.fields.setdefault(key[0], (key[1], child))
        if child.is_collection:
            if len(parents) == DEEPEST:
                return
            parents.append((node, key))
            node, key = child, None
        else:
            key = (text, (start, end)) if is_key else None
