"""Run benches and print their readings as a Markdown table: `python tests/bench/run.py [NAME ...] [--quick]`.

Every reading stands beside a reference taken in turn with it, in this very run: quote ratios. Nothing fails here
where a number is not held; the table says so.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

# Run as a script: the repository's root is where `tests` is found.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.report import Row, table

BENCHES = {
    "start_up": "penstock --help",
    "steps": "chain and fan-out against GNU make",
    "cached": "second runs",
    "compiling": "check and compile",
    "memory": "peak memory",
    "sandbox": "the start of a sandboxed command",
    "emulator": "steps on sagemaker and azureml",
    "endpoint": "calls to the loopback endpoint",
    "clients": "compile beside the clouds' own SDKs",
}
_LOADED = ("penstock", "penstock_local", "penstock_aws", "penstock_azure", "click", "pydantic", "yaml")


def main() -> None:
    """Measure what is asked for."""
    listed = "\n".join(f"  {name:<10} {says}" for name, says in BENCHES.items())
    parser = argparse.ArgumentParser(
        description="Benches:\n" + listed, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benches; all of them by default")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench '{unknown[0]}'; there are {', '.join(BENCHES)}")
    _write_bytecode()
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}", end="")
    print(f" {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        for name in asked.names or BENCHES:
            place = Path(folder) / name
            place.mkdir()
            rows: Callable[[Path, bool], Iterator[Row]] = importlib.import_module(f"tests.bench.{name}").rows
            for row in rows(place, asked.quick):
                print(f"{name}: {row.what}", file=sys.stderr, flush=True)
                found.append(row)
    print(table(found))


def _write_bytecode() -> None:
    for name in _LOADED:
        found = find_spec(name)
        for folder in (found.submodule_search_locations or ()) if found else ():
            compileall.compile_dir(folder, quiet=1)


if __name__ == "__main__":
    main()
