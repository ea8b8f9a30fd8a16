"""The built-in XGBoost algorithm, without a script: `python xgboost_start.py` in the place of its image's `train`.

Standard library and the job's xgboost, Python 3.7 and later.
"""

# pyright: basic
# (the job's packages are not known here)
from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any


def beside(name: str) -> Any:
    """Load a script that is shipped with this one."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = spec_from_file_location("penstock_" + name, path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(beside("xgboost_training").main())
