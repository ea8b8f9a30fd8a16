"""An API in a process of its own that can be killed: it goes on with what is there, says so, and waits.

Each line that it reads is a call, as JSON: `[operation, request]`; the answer is a line, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.providers.aws.endpoint.sagemaker.api_for_tests import Api

if __name__ == "__main__":
    api = Api(Path(sys.argv[1]))
    api.api.resume()
    print("ready", flush=True)
    for line in sys.stdin:
        operation, request = json.loads(line)
        print(json.dumps(api(operation, **request)), flush=True)
