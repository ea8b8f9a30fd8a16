"""Calls a function as AWS Lambda would: `lambda_script.py GIVEN ANSWER`, two JSON files.

Standard library only: it runs in a process of its own, beside the user's code.
"""

# pyright: basic
# (the function is the user's own)
from __future__ import annotations

import json
import os
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any


class Context:
    """What a function is told of its call."""

    memory_limit_in_mb = "128"
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_version = "$LATEST"
    log_group_name = "offline"
    log_stream_name = "offline"

    def __init__(self, arn: str) -> None:
        self.invoked_function_arn = arn
        self.function_name = arn.rpartition(":")[2]
        self._ends = time.monotonic() + 600

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long the function may still take."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def main(given: str, answer: str) -> None:
    """Import the function's file, call it, and write down what it gave back."""
    with open(given, encoding="utf-8") as file:
        asked: dict[str, Any] = json.load(file)
    path = asked["file"]
    sys.path.insert(0, os.path.dirname(path))
    sys.dont_write_bytecode = True
    name = os.path.splitext(os.path.basename(path))[0]
    spec = spec_from_file_location(name, path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    function = getattr(module, asked["function"], None)
    if function is None:
        sys.exit(f"penstock: {path} has no function {asked['function']}")
    found = function(asked["event"], Context(asked["arn"]))
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
