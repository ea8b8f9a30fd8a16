"""Choose the best of several models by their reports; a model in use has to be beaten."""

import argparse
import json
import shutil
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path, action="append", required=True)
parser.add_argument("--report", type=Path, action="append", required=True, help="one for each --model")
parser.add_argument("--champion", type=Path, help="the report of the model in use")
parser.add_argument("--chosen", type=Path, required=True, help="a folder")
parser.add_argument("--outcome", type=Path, required=True)
options = parser.parse_args()
if len(options.model) != len(options.report):
    raise SystemExit("error: each --model needs a --report")

reports = [json.loads(path.read_text()) for path in options.report]
best = max(range(len(reports)), key=lambda each: reports[each]["accuracy"])
champion = json.loads(options.champion.read_text()) if options.champion else None
beaten = champion is None or reports[best]["accuracy"] >= champion["accuracy"]
shutil.copytree(options.model[best], options.chosen, dirs_exist_ok=True)
outcome = {
    **reports[best],
    "candidates": len(reports),
    "champion_accuracy": champion["accuracy"] if champion else 0.0,
    "beats_champion": beaten,
}
options.outcome.write_text(json.dumps(outcome, indent=1))
print(f"chose {outcome['family']}, right in {outcome['accuracy']:.3f} of {outcome['n']} cases")
