import argparse
import csv
import os
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, required=True)
rows = parser.parse_args().rows
root = pathlib.Path("/opt/ml/processing")
with open(root / "input" / "raw.csv") as file:
    found = list(csv.reader(file))[:rows]
for name, part in (("train", found[::2]), ("test", found[1::2])):
    with open(root / name / f"{name}.csv", "w", newline="") as file:
        csv.writer(file).writerows(part)
print("level", os.environ["LEVEL"])
