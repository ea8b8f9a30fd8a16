"""Tags of whatever has an ARN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sqlite3 import Connection
from typing import Any

from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.endpoint.sagemaker.state import State

_MOST = 50


def keep_tags(connection: Connection, arn: str, tags: Iterable[Mapping[str, str]] | None) -> None:
    """Set tags, as part of a transaction. Raises ServiceFault: there would be too many."""
    connection.executemany(
        "INSERT OR REPLACE INTO tag VALUES (?, ?, ?)",
        [(arn.lower(), each["Key"], each["Value"]) for each in tags or ()],
    )
    (count,) = connection.execute("SELECT count(*) FROM tag WHERE arn = ?", (arn.lower(),)).fetchone()
    if count > _MOST:
        raise invalid(f"The number of tags of {arn} exceeds the limit of {_MOST}.")


def tags_of(state: State, arn: str) -> list[dict[str, str]]:
    """Give what something is tagged with, sorted by key."""
    rows = state.tables.read("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", (arn.lower(),))
    return [{"Key": key, "Value": value} for key, value in rows]


def forget_tags(connection: Connection, arn: str) -> None:
    """Remove all tags of something that is gone, as part of a transaction."""
    connection.execute("DELETE FROM tag WHERE arn = ?", (arn.lower(),))


def _add(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    arn = str(request["ResourceArn"])
    with context.state.tables.write() as connection:
        keep_tags(connection, arn, request["Tags"])
    return {"Tags": tags_of(context.state, arn)}


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    found = tags_of(context.state, str(request["ResourceArn"]))
    rows = [Row(each["Key"], 0.0, each.copy) for each in found]
    return listed(List("ListTags", "Tags", "Name", False, _MOST), rows, request)


def _delete(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    with context.state.tables.write() as connection:
        connection.executemany(
            "DELETE FROM tag WHERE arn = ? AND key = ?",
            [(str(request["ResourceArn"]).lower(), key) for key in request["TagKeys"]],
        )
    return {}


OPERATIONS: Mapping[str, Handler] = {"AddTags": _add, "DeleteTags": _delete, "ListTags": _list}
