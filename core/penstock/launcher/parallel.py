"""Penstock's map as the entry module of a parallel job: a service hands out the files, and calls this for each few.

The job's arguments hold, among those of the service itself:

    --penstock_plan FILE --penstock_files DIR [--penstock_batch N] [--penstock_output NAME=DIR[=FILE]] ...
    [--penstock_value NAME=TEXT] ...

with the meaning that `mapping.py` gives to `--plan` and so on. The prefix keeps them apart from the service's own, one
of which is `--output`, and the plan is a file because the service splits and expands its arguments as a shell does.
Without a batch each file is an item; with one, whatever its size, the files of a call are one item together. The
service's thresholds say how much may fail. Standard library only, Python 3.7 and later; `mapping.py` and its other
scripts stand beside it.
"""

# pyright: basic
# (the other scripts stand beside this one by file, not by package)
from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.launcher import items as of_items
    from penstock.launcher import mapping
    from penstock.launcher import plan as of_plan
    from penstock.launcher import running as of_running
else:
    # By its place: a step's code may have a module of that name.
    sys.dont_write_bytecode = True
    FOLDER, NAME = os.path.split(os.path.abspath(__file__))
    SPEC = spec_from_file_location(
        "penstock_mapping", os.path.join(FOLDER, NAME.replace("parallel", "mapping"))
    )
    mapping = module_from_spec(SPEC)
    SPEC.loader.exec_module(mapping)
    of_items, of_plan, of_running = mapping.of_items, mapping.of_plan, mapping.of_running

JOB: dict[str, Any] = {}


def init() -> None:
    """Read the job's arguments and give every file its key, the same in each of the service's processes."""
    options, _ = of_plan.known(sys.argv[1:], "--penstock_")
    if not options.files:
        raise ValueError("penstock: --penstock_files is missing")
    JOB["options"] = options
    JOB["plan"] = of_plan.Plan(options, [], __file__)
    JOB["keys"] = of_items.file_keys(options.files)
    JOB["work"] = tempfile.mkdtemp(prefix="penstock-map-")


def run(mini_batch: list[str]) -> list[str]:
    """Run the command for files, and give those that succeeded.

    Raises:
        RuntimeError: every item failed, so that the service counts the call itself as failed (and may repeat it).
    """
    options, plan = JOB["options"], JOB["plan"]
    paths = sorted(of_items.relative(each, options.files) for each in mini_batch)
    # Files that a map leaves out count as done: the service compares rows with the files that it handed out.
    idle = [path for path in paths if of_items.left_out(path)]
    keys = {path: JOB["keys"][path] for path in paths if path not in idle}
    items = of_items.file_items(options.files, keys, len(keys) if options.batch else 0, JOB["work"])
    # All are tried: what a step tolerates is counted by the service, over all its processes.
    failed, _ = of_running.run_items(items, plan, 1, len(items))
    mapping.summary(items, failed, len(items), len(items))
    if len(failed) == len(items) > 0:
        raise RuntimeError("penstock: " + "; ".join(f"{key}: {fault}" for key, fault in failed.items()))
    return [path for path in paths if path in idle or options.batch or keys[path] not in failed]


def shutdown() -> None:
    """Take away what was written on the way."""
    shutil.rmtree(JOB.pop("work", ""), ignore_errors=True)
