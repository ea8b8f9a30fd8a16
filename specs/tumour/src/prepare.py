"""Split the measurements into a training and a test set, with the same share of malignant rows in both."""

import argparse
from pathlib import Path

from cells import LABEL, MALIGNANT, BadInputError, number, read_cells, run
from sklearn.model_selection import train_test_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True, help="CSV file of measurements and diagnosis")
    parser.add_argument("--train", type=Path, required=True, help="folder to write train.csv to")
    parser.add_argument("--test", type=Path, required=True, help="folder to write test.csv to")
    parser.add_argument("--test-share", type=number(0.05, 0.5), default=0.25, help="share of rows held out")
    parser.add_argument("--seed", type=int, default=0, help="decides which rows are held out")
    arguments = parser.parse_args()

    cells = read_cells(arguments.cells, at_least=2)
    unique = cells.drop_duplicates()  # a row in both sets would make the test too easy
    repeated = len(cells) - len(unique)
    malignant = int((unique[LABEL] == MALIGNANT).sum())
    print(f"read {len(cells)} rows, {malignant} malignant; dropped {repeated} repeated", flush=True)

    try:
        train, test = train_test_split(
            unique, test_size=arguments.test_share, stratify=unique[LABEL], random_state=arguments.seed
        )
    except ValueError as error:  # too few rows for one of each diagnosis on both sides
        raise BadInputError(f"{arguments.cells}: cannot be split ({error})") from None
    for folder, name, part in ((arguments.train, "train.csv", train), (arguments.test, "test.csv", test)):
        folder.mkdir(parents=True, exist_ok=True)
        part.sort_index().to_csv(folder / name, index=False, lineterminator="\n")
        malignant = int((part[LABEL] == MALIGNANT).sum())
        print(f"wrote {name}: {len(part)} rows, {malignant} malignant", flush=True)


if __name__ == "__main__":
    run(main)
