import json
import pathlib
import shlex

root = pathlib.Path("/opt/ml")
config = root / "input" / "config"
given = {
    name: json.loads((config / f"{name}.json").read_text()) for name in ("hyperparameters", "resourceconfig")
}
channels = json.loads((config / "inputdataconfig.json").read_text())
source = json.loads((root / "input" / "data" / "sm_drivers" / "sourcecode.json").read_text())
found = {
    "SM_MODEL_DIR": root / "model",
    "SM_OUTPUT_DATA_DIR": root / "output" / "data",
    "SM_ENTRY_SCRIPT": source["entry_script"],
    "SM_CURRENT_HOST": given["resourceconfig"]["current_host"],
    "SM_HPS": json.dumps(given["hyperparameters"]),
}
found |= {f"SM_CHANNEL_{name.upper()}": root / "input" / "data" / name for name in channels}
found |= {f"SM_HP_{name.upper()}": each for name, each in given["hyperparameters"].items()}
lines = [f"{name}={shlex.quote(str(each))}\n" for name, each in found.items()]
(root / "input" / "sm_training.env").write_text("".join(lines))
