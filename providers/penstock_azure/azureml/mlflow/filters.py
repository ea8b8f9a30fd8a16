"""What a search asks for: MLflow's filters and orders, as conditions of SQL. Values are parameters, never text of it.

metrics.accuracy > 0.9 AND params."model kind" = 'forest' AND tags.`team` LIKE 'blue%' AND run_name IN ('a', 'b')
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import field

from penstock.frozen import dataclass
from penstock_azure.azureml.mlflow.asked import Asked, Json
from penstock_azure.azureml.mlflow.faults import MlflowFault, invalid

_LONGEST = 20_000
_MOST = 200
"""Conditions, or keys to sort by, of one search: SQLite's own bound is not far."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`[^`]*`)"""
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)"
    r"|(?P<word>[A-Za-z_][\w\-/:]*(?:\.(?:[\w\-/:]+|\"[^\"]*\"|`[^`]*`))*))"
)
_KINDS = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}
_NUMERIC = ("=", "!=", "<", "<=", ">", ">=")
_TEXTUAL = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL")

# Clients add it to every search for models, to leave prompts out: what lacks the tag is none.
_PROMPT_TAG = "mlflow.prompt.is_prompt"
_NO_PROMPT = (("!=", "true"), ("=", "false"))

Value = str | float | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Space:
    """What can be searched: a table, its columns by the names that users give them, and what stands beside it.

    Attributes:
        owner: the column that metrics, parameters and tags go by.
        tags: the kind of its tags.
        measured: whether there are metrics and parameters.
        datasets: columns of the datasets of a run.
    """

    table: str
    owner: str
    texts: Mapping[str, str]
    numbers: Mapping[str, str]
    tags: str
    measured: bool = False
    datasets: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition: `kind`.`key` `sign` `value`."""

    kind: str
    key: str
    sign: str
    value: Value


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL with the parameters in it."""

    text: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of what was found is asked for."""

    start: int
    size: int

    def answer(self, name: str, found: Sequence[Json]) -> Json:
        """Give the page of what was found, one more than its size if there is more, and the way to the next."""
        shown: Json = {name: list(found[: self.size])}
        if len(found) > self.size:
            token = base64.urlsafe_b64encode(str(self.start + self.size).encode()).decode()
            shown["next_page_token"] = token
        return shown


def page(asked: Asked, usual: int, most: int) -> Page:
    """Read which page is asked for."""
    size = asked.whole("max_results", usual)
    if not 0 < size <= most:
        raise invalid(
            f"Invalid value {size} for parameter 'max_results' supplied: it must be between 1 and {most}."
        )
    token = asked.text("page_token")
    try:
        start = int(base64.urlsafe_b64decode(token.encode()).decode()) if token else 0
        if not 0 <= start < 2**40:
            raise ValueError
    except (ValueError, binascii.Error):
        raise invalid("Invalid page token") from None
    return Page(start, size)


def where(space: Space, text: str) -> tuple[str, list[object]]:
    """Write a filter as a condition. Raises MlflowFault for one that is none, or asks for what is not there."""
    pieces = [_condition(space, each) for each in parse(text)]
    parameters = [value for each in pieces for value in each.parameters]
    return " AND ".join(each.text for each in pieces) or "1", parameters


def ordered(space: Space, wanted: Sequence[str], usual: str) -> Fragment:
    """Write what to sort by; what has no value comes last, whichever way it goes."""
    pieces: list[Fragment] = []
    if len(wanted) > _MOST:
        raise invalid(f"A search is sorted by at most {_MOST} keys.")
    for each in wanted:
        found = re.fullmatch(r"\s*(.+?)(?:\s+(asc|desc))?\s*", each, re.IGNORECASE | re.DOTALL)
        tokens = _tokens(found[1]) if found else []
        if found is None or len(tokens) != 1:
            raise invalid(f"Invalid order_by clause '{each[:100]}'.")
        way = (found[2] or "ASC").upper()
        value = _value(space, *_identifier(*tokens[0]))
        pieces.append(Fragment(f"({value.text}) IS NULL", value.parameters))
        pieces.append(Fragment(f"({value.text}) {way}", value.parameters))
    parameters = tuple(value for each in pieces for value in each.parameters)
    return Fragment(", ".join([*(each.text for each in pieces), usual]), parameters)


def parse(text: str) -> list[Comparison]:
    """Read a filter. Raises MlflowFault."""
    if len(text) > _LONGEST:
        raise invalid(f"The filter exceeds the maximum length of {_LONGEST} characters.")
    tokens = _tokens(text)
    found: list[Comparison] = []
    position = 0
    while position < len(tokens):
        if found:
            if not _is(tokens, position, "AND"):
                hint = "conditions are joined with AND"
                raise _refused(text, hint)
            position += 1
        comparison, position = _comparison(text, tokens, position)
        found.append(comparison)
        if len(found) > _MOST:
            raise invalid(f"A filter has at most {_MOST} conditions.")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup is None:
            raise _refused(text, f"at {text[position : position + 20]!r}")
        found.append((token.lastgroup, token[token.lastgroup]))
        position = token.end()
    return found


def _is(tokens: Sequence[tuple[str, str]], position: int, *words: str) -> bool:
    spoken = [each[1].upper() for each in tokens[position : position + len(words)]]
    return spoken == list(words)


def _comparison(text: str, tokens: Sequence[tuple[str, str]], position: int) -> tuple[Comparison, int]:
    if position >= len(tokens):
        raise _refused(text, "it ends with AND")
    kind, key = _identifier(*tokens[position])
    position += 1
    for sign in ("IS NOT NULL", "IS NULL"):
        words = sign.split()
        if _is(tokens, position, *words):
            return Comparison(kind, key, sign, None), position + len(words)
    for sign in ("NOT IN", "IN"):
        words = sign.split()
        if _is(tokens, position, *words):
            values, position = _list(text, tokens, position + len(words))
            return Comparison(kind, key, sign, values), position
    if position + 1 >= len(tokens):
        raise _refused(text, f"there is nothing to compare '{key[:50]}' with")
    sign = {"<>": "!="}.get(tokens[position][1], tokens[position][1].upper())
    if sign not in (*_NUMERIC, "LIKE", "ILIKE"):
        raise _refused(text, f"{tokens[position][1][:50]!r} compares nothing")
    return Comparison(kind, key, sign, _literal(text, *tokens[position + 1])), position + 2


def _list(text: str, tokens: Sequence[tuple[str, str]], position: int) -> tuple[tuple[str, ...], int]:
    values: list[str] = []
    if not _is(tokens, position, "("):
        raise _refused(text, "IN takes a list in parentheses")
    position += 1
    while position + 1 < len(tokens):
        values.append(str(_literal(text, *tokens[position])))
        closing = tokens[position + 1][1]
        position += 2
        if closing == ")":
            return tuple(values), position
        if closing != ",":
            break
    raise _refused(text, "a list in parentheses does not end")


def _literal(text: str, group: str, token: str) -> str | float:
    if group == "number":
        return float(token)
    if group == "text" and token[0] != "`":
        inside = token[1:-1]
        return inside.replace("''", "'") if token[0] == "'" else inside
    raise _refused(text, f"{token[:50]!r} is no value: put texts in quotes")


def _identifier(group: str, token: str) -> tuple[str, str]:
    """Take `metrics."a b"` apart; a name alone is an attribute."""
    if group == "text" and token[0] in '`"':
        return "attribute", token[1:-1]
    if group != "word":
        raise invalid(f"Invalid filter: {token[:50]!r} is not the name of anything to search by.")
    prefix, dot, key = token.partition(".")
    if not dot:
        return "attribute", token
    kind = _KINDS.get(prefix.lower())
    if kind is None:
        raise invalid(f"Invalid entity type '{prefix[:50]}'. Valid values are {sorted(set(_KINDS.values()))}")
    return kind, key[1:-1] if key.startswith(("`", '"')) else key


def _condition(space: Space, found: Comparison) -> Fragment:
    numeric = found.kind == "metric" or (found.kind == "attribute" and found.key in space.numbers)
    if found.sign not in (_NUMERIC if numeric else _TEXTUAL):
        raise invalid(f"Invalid comparison operator '{found.sign}' for {found.kind} '{found.key[:50]}'.")
    value = _value(space, found.kind, found.key)
    if found.key == _PROMPT_TAG and (found.sign, found.value) in _NO_PROMPT:
        return Fragment(f"ifnull(({value.text}), '') <> 'true'", value.parameters)
    if found.sign in ("IS NULL", "IS NOT NULL"):
        return _beside(space, found, Fragment(f"({value.text}) {found.sign}", value.parameters))
    if isinstance(found.value, tuple):
        listed = f"({value.text}) {found.sign} ({', '.join('?' * len(found.value))})"
        return _beside(space, found, Fragment(listed, (*value.parameters, *found.value)))
    wanted: object = found.value
    if numeric:
        try:
            wanted = float(found.value or 0)
        except ValueError:
            raise invalid(f"'{found.key[:50]}' is compared with numbers only.") from None
    elif not isinstance(found.value, str):
        if found.kind != "attribute" or space.table != "version":
            raise invalid(f"Expected a quoted string value for {found.kind} '{found.key[:50]}'.")
        wanted = f"{found.value:g}"
    folded = found.sign == "ILIKE"
    text = f"lower(({value.text})) LIKE lower(?)" if folded else f"({value.text}) {found.sign} ?"
    return _beside(space, found, Fragment(text, (*value.parameters, wanted)))


def _beside(space: Space, found: Comparison, condition: Fragment) -> Fragment:
    if found.kind != "dataset":
        return condition
    return Fragment(
        f"EXISTS (SELECT 1 FROM dataset WHERE dataset.run = {space.owner} AND {condition.text})",
        condition.parameters,
    )


def _value(space: Space, kind: str, key: str) -> Fragment:
    """Give what stands for a name; nothing of the name gets into the SQL."""
    match kind:
        case "metric" if space.measured:
            return Fragment(
                f"SELECT max(value) FROM latest WHERE latest.owner = {space.owner} AND latest.key = ?", (key,)
            )
        case "param" if space.measured:
            return Fragment(
                f"SELECT value FROM param WHERE param.owner = {space.owner} AND param.key = ?", (key,)
            )
        case "tag":
            return Fragment(
                f"SELECT value FROM tag WHERE tag.kind = '{space.tags}' AND tag.owner = {space.owner}"
                " AND tag.key = ?",
                (key,),
            )
        case "dataset" if key in space.datasets:
            return Fragment(space.datasets[key])
        case "attribute" if key in space.texts:
            return Fragment(space.texts[key])
        case "attribute" if key in space.numbers:
            return Fragment(space.numbers[key])
        case _:
            known = sorted({*space.texts, *space.numbers}) if kind == "attribute" else sorted(space.datasets)
            raise invalid(f"Invalid {kind} key '{key[:50]}' specified. Valid keys are {known}")


def _refused(text: str, reason: str) -> MlflowFault:
    return invalid(f"Invalid filter '{text[:200]}': {reason}.")
