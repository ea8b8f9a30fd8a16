"""The function that stands for one of the cloud's."""

from typing import Any


def judge(event: dict[str, Any], context: Any) -> dict[str, Any]:
    print("event", sorted(event.items()), context.function_name)
    return {"verdict": f"{event.get('rows')} rows", "score": 3, "share": 0.5, "good": True}
