"""Hold answers against the batches that they answer, and list the alarms."""

import argparse
import csv
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--batches", type=Path, required=True)
parser.add_argument(
    "--answers", type=Path, required=True, help="a folder with NAME.csv.out for each batch NAME.csv"
)
parser.add_argument("--threshold", type=float, required=True)
parser.add_argument("--summary", type=Path, required=True)
parser.add_argument("--alarms", type=Path, required=True)
options = parser.parse_args()

rows = answered = 0
alarms = []
batches = sorted(options.batches.glob("*.csv"))
for batch in batches:
    with batch.open(newline="") as file:
        count = sum(1 for _ in csv.DictReader(file))
    answer = options.answers / f"{batch.name}.out"
    given = json.loads(answer.read_text()) if answer.exists() else []
    rows += count
    answered += min(len(given), count)
    alarms += [(batch.stem, line + 1, each) for line, each in enumerate(given) if each >= options.threshold]

with options.alarms.open("w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("batch", "row", "probability"))
    writer.writerows(sorted(alarms, key=lambda alarm: -alarm[2]))
summary = {
    "batches": len(batches),
    "rows": rows,
    "unanswered": rows - answered,
    "alarms": len(alarms),
    "share": len(alarms) / rows if rows else 0.0,
}
options.summary.write_text(json.dumps(summary, indent=1))
print(json.dumps(summary))
