"""Commands with their expressions filled in: text for text, as the service does it, with no quoting of any kind."""

from __future__ import annotations

import re
from collections.abc import Mapping

from penstock_azure.azureml.validation.expressions import parse

_EXPRESSION = re.compile(r"\$\{\{\s*(\S*?)\s*\}\}")
_SEGMENT = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)


def substitute(
    text: str, inputs: Mapping[str, str | None], outputs: Mapping[str, str], names: Mapping[str, str]
) -> str:
    """Fill a command in.

    Args:
        text: with `${{inputs.x}}`, `${{outputs.x}}`, and optional segments `$[[ … ]]`.
        inputs: name → the text that stands for it; `None` for one that is unset.
        outputs: name → path.
        names: the service's own words, such as `name`.
    """

    def segment(found: re.Match[str]) -> str:
        inside = found[1]
        named = [parse(each[1]) for each in _EXPRESSION.finditer(inside)]
        unset = any(
            each.head in ("inputs", "search_space") and _of(each.name, inputs) is None for each in named
        )
        return "" if unset else inside

    def value(found: re.Match[str]) -> str:
        each = parse(found[1])
        match each.head:
            case "inputs" | "search_space":
                return _of(each.name, inputs) or ""
            case "outputs":
                return outputs.get(each.name, outputs.get(each.name.removesuffix(".path"), found[0]))
            case "server":
                return names.get(each.name, found[0])
            case _:
                return found[0]

    return _EXPRESSION.sub(value, _SEGMENT.sub(segment, text))


def _of(name: str, inputs: Mapping[str, str | None]) -> str | None:
    # `.path` of an input is its path again.
    return inputs[name] if name in inputs else inputs.get(name.removesuffix(".path"))
