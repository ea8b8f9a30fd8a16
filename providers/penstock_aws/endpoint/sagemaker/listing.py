"""Lists as the service gives them: filtered, sorted, a page at a time.

A page's token says after which row the next one begins, and not how many came before: what is made or deleted between
two pages neither repeats a row nor hides one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from penstock.frozen import dataclass
from penstock_aws.endpoint.sagemaker.refusals import invalid

_PAGING = ("MaxResults", "NextToken")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list before it is shown; `show` composes its summary."""

    name: str
    created: float
    show: Callable[[], Mapping[str, Any]]
    modified: float = 0.0
    status: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class List:
    """How one operation lists.

    Attributes:
        operation: tokens of one serve no other.
        member: of the answer, that holds the rows.
        by: what is sorted by, where the caller does not say.
        descending: whether the last comes first then.
        most: rows of a page then.
    """

    operation: str
    member: str
    by: str = "CreationTime"
    descending: bool = True
    most: int = 10


def listed(how: List, rows: Iterable[Row], request: Mapping[str, Any]) -> dict[str, Any]:
    """Give the page that a request asks for. Raises ServiceFault: its token is none of ours."""
    by = str(request.get("SortBy") or how.by)
    descending = request["SortOrder"] == "Descending" if request.get("SortOrder") else how.descending
    kept = [each for each in rows if _wanted(each, request)]
    if by == "FinalObjectiveMetricValue":
        kept = [each for each in kept if each.value is not None]
    ordered = sorted(((_key(each, by), each) for each in kept), key=lambda pair: pair[0], reverse=descending)
    after = _read_token(how, request)
    if after is not None:
        ordered = [pair for pair in ordered if (pair[0] < after if descending else pair[0] > after)]
    most = int(request.get("MaxResults") or how.most)
    found: dict[str, Any] = {how.member: [dict(each.show()) for _, each in ordered[:most]]}
    if len(ordered) > most:
        found["NextToken"] = _token(how, request, ordered[most - 1][0])
    return found


def _wanted(row: Row, request: Mapping[str, Any]) -> bool:
    for prefix in ("Created", "CreationTime"):
        if not _within(row.created, request, prefix):
            return False
    return (
        _within(row.modified, request, "LastModifiedTime")
        and str(request.get("NameContains", "")).lower() in row.name.lower()
        and row.name.startswith(str(request.get("PipelineNamePrefix", "")))
        and request.get("StatusEquals") in (None, row.status)
    )


def _within(moment: float, request: Mapping[str, Any], prefix: str) -> bool:
    after, before = request.get(f"{prefix}After"), request.get(f"{prefix}Before")
    return (after is None or moment > after) and (before is None or moment < before)


def _key(row: Row, by: str) -> tuple[float | str, str]:
    match by:
        case "Name" | "PipelineExecutionArn":
            return row.name, row.name
        case "Status":
            return row.status, row.name
        case "LastModifiedTime":
            return row.modified, row.name
        case "FinalObjectiveMetricValue":
            return row.value or 0.0, row.name
        case _:
            return row.created, row.name


def _digest(how: List, request: Mapping[str, Any]) -> str:
    asked = {key: each for key, each in request.items() if key not in _PAGING}
    text = json.dumps([how.operation, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _token(how: List, request: Mapping[str, Any], key: tuple[float | str, str]) -> str:
    text = json.dumps([_digest(how, request), *key])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_token(how: List, request: Mapping[str, Any]) -> tuple[Any, str] | None:
    token = request.get("NextToken")
    if not token:
        return None
    try:
        digest, value, name = json.loads(base64.urlsafe_b64decode(str(token)))
    except ValueError:
        raise invalid("Invalid pagination token.") from None
    if digest != _digest(how, request):
        raise invalid("The pagination token was given for a request with other parameters.")
    return value, str(name)
