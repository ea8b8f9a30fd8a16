"""Tells everything that a job is given: words, variables, files, network. Leaves some where jobs leave things."""

import json
import os
import socket
import sys
from pathlib import Path

# The whole request stands in the first: with it every field would be heard.
NOT_TOLD = ("processingjobconfig.json", "tell.py")
OURS = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "PYTHON",
    "PENSTOCK",
    "UV_",
    "PIP_",
)


def show(path: Path) -> None:
    if path.is_fifo():
        print("pipe", path, path.read_bytes() if path.name.endswith("_0") else "")
    elif path.is_dir():
        print("folder", path)
    elif path.name not in NOT_TOLD:
        print("file", path, os.access(path, os.W_OK), path.read_bytes())


def leave(path: str, content: object) -> None:
    """Write where the job has such a folder, or always below /opt/ml/model and the like."""
    file = Path(path)
    if file.parent.is_dir():
        file.write_text(json.dumps(content), encoding="utf-8")


print("words", *sys.argv[1:])
print("working folder", os.getcwd())
print("networks", len(socket.if_nameindex()) > 1)
for name, value in sorted(os.environ.items()):
    if not name.startswith(OURS):
        print("variable", name, value)
for root in ("/opt/ml", "/data"):
    for each in sorted(Path(root).rglob("*")):
        if "code" not in each.parts:
            show(each)
host = os.environ.get("HOSTNAME", "")
word = os.environ.get("SM_HP_WORD") or os.environ.get("WORD", "")
rate = float(os.environ.get("SM_HP_RATE", "0.5"))
print(f"loss: {rate}; gain={1 - rate:.4f}")
leave("/opt/ml/processing/out/rows.csv", [word])
leave(f"/opt/ml/processing/out/{host}.csv", sys.argv[1:])
leave("/opt/ml/processing/report/report.json", {"rows": 4, "word": word, "scores": [0.25, 0.75]})
leave("/data/far/far.json", {"host": host})
leave("/opt/ml/model/model.json", {"add": rate, "word": word})
leave("/opt/ml/output/data/notes.json", {"word": word})
leave("/opt/ml/checkpoints/epoch.json", {"epoch": 1})
leave("/data/checkpoints/epoch.json", {"epoch": 1})
leave("/opt/ml/output/message", f"told by {host}")
