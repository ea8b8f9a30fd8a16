"""What answers the queue: the message is on standard input, the outputs go to a file."""

import json
import os
import sys
from pathlib import Path

message = json.load(sys.stdin)
print("message", message["stepName"], sorted(message["arguments"].items()))
Path(os.environ["PENSTOCK_ANSWER"]).write_text(json.dumps({"who": "Ada", "count": 2}), encoding="utf-8")
