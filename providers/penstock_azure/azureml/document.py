"""What the files of a bundle are called, and how they are laid out as YAML."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, cast

DOCUMENT = "pipeline.yml"
COMPONENTS = "components"
JOB_SCHEMA = "https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json"
PIPELINE_SCHEMA = "https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json"
COMMAND_SCHEMA = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json"
PARALLEL_SCHEMA = "https://azuremlschemas.azureedge.net/latest/parallelComponent.schema.json"

# Words that one of YAML 1.1 and 1.2 reads as something else than text: the writer knows 1.1 alone.
_READ_DIFFERENTLY = re.compile(
    r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|nan)", re.I
)


# Text that every version of YAML reads as itself: words and sentences, paths, references to ports.
_PLAIN = re.compile(
    r"(?:\.{0,2}/|\$\{\{|https://|\$?[A-Za-z])[A-Za-z0-9_./${}=-]{0,200}"
    r"|[A-Za-z][A-Za-z0-9_.,()-]{0,40}(?: [A-Za-z0-9_.,()-]{1,40}){1,20}"
)
_SPECIAL = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_LINES = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?\n)+")


def to_yaml(document: Any) -> str:
    """Write a document: keys in the order given, long commands as blocks, the same bytes for equal documents."""
    # The library takes 300 ms for a thousand components; plain lines need none of what it looks at.
    written: list[str] = []
    if (
        isinstance(document, dict)
        and document
        and _mapping(cast("dict[object, object]", document), "", written)
    ):
        return "".join(written)
    return _dump(document)


def _mapping(mapping: dict[object, object], indent: str, written: list[str]) -> bool:
    """Write a mapping, line by line as the library does; false where a key is not plain."""
    for key, value in mapping.items():
        if not isinstance(key, str) or not _is_plain(key):
            return False
        written.append(f"{indent}{key}:")
        if not _value(value, indent, written):
            return False
    return True


def _value(value: object, indent: str, written: list[str]) -> bool:
    if isinstance(value, dict) and value:
        written.append("\n")
        return _mapping(cast("dict[object, object]", value), f"{indent}  ", written)
    if isinstance(value, list) and value:
        items = cast("list[object]", value)
        if all(type(item) in (int, float) for item in items):
            # Numbers to choose from: one line, as people write them.
            written.append(f" [{', '.join(_rare(repr(item), item).strip() for item in items)}]\n")
            return True
        written.append("\n")
        return _items(items, indent, written)
    if isinstance(value, str):
        if _is_plain(value):
            written.append(f" {value}\n")
            return True
        if _LINES.fullmatch(value):
            lines = value[:-1].replace("\n", f"\n{indent}  ")
            written.append(f" |\n{indent}  {lines}\n")
            return True
    if isinstance(value, dict | list):
        written.append(f" {'{}' if isinstance(value, dict) else '[]'}\n")
    else:
        written.append(_rare(repr(value), value).replace("\n", f"\n{indent}").removesuffix(indent))
    return True


def _items(items: list[object], indent: str, written: list[str]) -> bool:
    for item in items:
        whole: object = item
        if isinstance(item, list) and item:
            return False
        start = len(written)
        if isinstance(item, dict) and item:
            if not _mapping(cast("dict[object, object]", item), f"{indent}  ", written):
                return False
            written[start] = f"{indent}- {written[start][len(indent) + 2 :]}"
        else:
            written.append(f"{indent}-")
            _value(whole, indent, written)
    return True


@lru_cache(maxsize=8192)
def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _SPECIAL


@lru_cache(maxsize=1024)
def _rare(written: str, value: object) -> str:
    """Let the library write a value, as it stands behind a key; `written` tells 1 from True and 1.0."""
    del written
    # Behind text that ends in blank lines the library closes the document.
    return _dump({"k": value})[2:].removesuffix("...\n")


def _dump(document: Any) -> str:
    import yaml

    text: str = yaml.dump(document, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=1000)
    return text


def _never_alias(writer: object, value: object) -> bool:
    del writer, value
    return True


@cache
def _dumper() -> Any:
    import yaml

    parent: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumper: Any = type("Dumper", (parent,), {"ignore_aliases": _never_alias})

    def text(writer: Any, value: str) -> Any:
        style = None
        if "\n" in value:
            style = "|"
        elif _READ_DIFFERENTLY.fullmatch(value):
            style = "'"
        return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    dumper.add_representer(str, text)
    return dumper
