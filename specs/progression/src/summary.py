"""Gather the reports of all folds into one."""

import argparse
import json
from pathlib import Path
from statistics import mean, pstdev

parser = argparse.ArgumentParser()
parser.add_argument("--reports", type=Path, required=True, help="a folder with one subfolder a fold")
parser.add_argument("--summary", type=Path, required=True)
options = parser.parse_args()

reports = {
    path.parent.name: json.loads(path.read_text()) for path in sorted(options.reports.glob("*/report.json"))
}
if not reports:
    raise SystemExit("error: there is no report to gather")
scores = [report["r2"] for report in reports.values()]
summary = {
    "r2_mean": mean(scores),
    "r2_min": min(scores),
    "r2_spread": pstdev(scores),
    "mae_mean": mean(report["mae"] for report in reports.values()),
    "folds": len(reports),
    "n": sum(report["n"] for report in reports.values()),
}
options.summary.write_text(json.dumps(summary, indent=1))
print(json.dumps(summary))
