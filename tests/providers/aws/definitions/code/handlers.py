from typing import Any


def announce(event: "dict[str, Any]", context: Any) -> "dict[str, Any]":
    return {"statusCode": 200, "said": f"mse {event['mse']}", "rows": event["rows"] + 1}
