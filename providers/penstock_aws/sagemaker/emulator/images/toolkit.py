"""Script mode: what the training toolkit of AWS's framework images makes of a job's hyperparameters.

The toolkit runs inside an image, as `train`. Here the emulator does its work from outside: it unpacks the code
(`sagemaker_submit_directory`) into the working folder, gives commands the right to run, and starts what is told here
with the variables told here. Nothing in this file reads or writes anything.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from penstock.frozen import dataclass

PROGRAM = "sagemaker_program"
_PREFIX = "sagemaker_"
_OWN = frozenset(
    {
        PROGRAM,
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_s3_output",
        "default_user_module_name",
        "_tuning_objective_metric",
    }
)
"""What the toolkit keeps for itself; further `sagemaker_` ones are the framework's, the rest are the script's."""
_FRAMEWORKS = {
    "sklearn": "sklearn",
    "xgboost": "xgboost",
    "pytorch": "pytorch",
    "tensorflow": "tensorflow",
    "huggingface": "pytorch",
}
_DISTRIBUTIONS = {
    "sagemaker_mpi_enabled": "MPI",
    "sagemaker_parameter_server_enabled": "parameter servers",
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's data parallel library",
    "sagemaker_pytorch_ddp_enabled": "torch's DistributedDataParallel",
    "sagemaker_torch_distributed_enabled": "torchrun",
    "sagemaker_pytorch_xla_multi_worker_enabled": "torch XLA",
    "sagemaker_multi_worker_mirrored_strategy_enabled": "TensorFlow's mirrored workers",
}
_INFO = 20
_GROUP = "homogeneousCluster"
_ERROR_NAME = re.compile(r"\b\w*(?:Error|Exception|Interrupt)\b|Invalid requirement")
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Script:
    """A script to run: its words, the variables beside the service's own, and its folder.

    The folder belongs at the front of PYTHONPATH too, where the caller may have put something of its own.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str


def is_script_mode(hyperparameters: Mapping[str, str], environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether a job names a script; `environment` is that of the job."""
    return PROGRAM in hyperparameters or bool((environment or {}).get(PROGRAM.upper()))


def distribution(hyperparameters: Mapping[str, str]) -> str:
    """Name what is to spread a script over processes or hosts; empty for nothing.

    `script_mode` starts one plain process on each host whatever this says.
    """
    decoded = {name: _decoded(value) for name, value in hyperparameters.items() if name in _DISTRIBUTIONS}
    return next((_DISTRIBUTIONS[name] for name, value in decoded.items() if value), "")


def script_mode(
    hyperparameters: Mapping[str, str],
    *,
    resources: Mapping[str, Any],
    input_config: Mapping[str, Any],
    job_name: str,
    region: str,
    framework: str,
    environment: Mapping[str, str] | None = None,
    package: bool = False,
    cpus: int = 1,
    python: str = "python",
    root: str = "/opt/ml",
) -> Script:
    """Give the script that a job runs on one host.

    Args:
        hyperparameters: as the request has them: texts, each of them JSON or else itself.
        resources: the content of resourceconfig.json.
        input_config: the content of inputdataconfig.json.
        job_name: the training job's.
        region: where the job is said to run.
        framework: of the image, as in `OfflineImage`; empty for a custom one.
        environment: the job's own variables, of which some tell the toolkit what hyperparameters else do.
        package: the code's folder has a setup.py, which is installed and whose module is run.
        cpus: how many the job sees.
        python: the word that starts the job's Python.
        root: where the job finds `/opt/ml`.
    """
    values = {name: _decoded(value) for name, value in hyperparameters.items()}
    given = environment or {}
    program = given.get(PROGRAM.upper()) or str(values.get(PROGRAM, ""))
    for_script = {
        name: value for name, value in values.items() if name not in _OWN and not name.startswith(_PREFIX)
    }
    for_framework = {
        name: value for name, value in values.items() if name.startswith(_PREFIX) and name not in _OWN
    }
    arguments = list(_arguments(for_script))
    places = _places(root, input_config)
    hosts = _hosts(resources, for_framework)
    module = _FRAMEWORKS.get(framework, "")
    facts: dict[str, Any] = {
        **places,
        **hosts,
        "additional_framework_parameters": for_framework,
        "framework_module": f"sagemaker_{module}_container.training:main" if module else None,
        "hyperparameters": for_script,
        "input_data_config": dict(input_config),
        "is_modelparallel_enabled": None,
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": job_name,
        "log_level": values.get("sagemaker_container_log_level", _INFO),
        "module_dir": str(values.get("sagemaker_submit_directory", f"{root}/code")),
        "module_name": program.removesuffix(".py"),
        "num_cpus": cpus,
        "num_gpus": 0,
        "num_neurons": 0,
        "resource_config": dict(resources),
        "topology": resources.get("topology", []),
        "user_entry_point": program,
    }
    variables = {f"SM_{name.upper()}": encoded(value) for name, value in _shown(facts, arguments)}
    variables |= {
        "CURRENT_HOST": str(facts["current_host"]),
        "SAGEMAKER_JOB_NAME": str(values.get("sagemaker_job_name", "")),
        "SAGEMAKER_REGION": str(values.get("sagemaker_region", region)),
    }
    return Script(_argv(program, arguments, package, python), variables, f"{root}/code")


def encoded(value: object) -> str:
    """Write a value as SM_ variables have it: a text as it is, nothing for None, else compact sorted JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def toolkit_failure(exit_code: int, stderr_tail: str, argv: Sequence[str]) -> str:
    """Give what the toolkit writes into /opt/ml/output/failure; the job itself then ends with 1.

    Of the script's errors it keeps what follows the first line that names one, each line once.
    """
    lines = [each.strip(" :\r\n") for each in stderr_tail.splitlines()]
    first = next((at for at, line in enumerate(lines) if _ERROR_NAME.search(line)), len(lines))
    said = "\n ".join(dict.fromkeys(lines[first:])).strip()
    extra = 'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"\n' if exit_code == _KILLED else ""
    command = " ".join(argv)
    return f'ExecuteUserScriptError:\nExitCode {exit_code}\nErrorMessage "{said}"\n{extra}Command "{command}"'


def training_variables(job_name: str, job_arn: str, region: str) -> dict[str, str]:
    """Give what the service sets for every training job, beside the job's own Environment."""
    return {"TRAINING_JOB_NAME": job_name, "TRAINING_JOB_ARN": job_arn, "AWS_REGION": region}


def processing_variables(job_name: str, job_arn: str, region: str) -> dict[str, str]:
    """Give what the service sets for every processing job, beside the job's own Environment."""
    return {"PROCESSING_JOB_NAME": job_name, "PROCESSING_JOB_ARN": job_arn, "AWS_REGION": region}


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _arguments(for_script: Mapping[str, Any]) -> Iterator[str]:
    """Write hyperparameters as a command line: by name, `-k` for one letter, a mapping as a=1,b=2."""
    for name in sorted(for_script):
        value = for_script[name]
        yield ("--" if len(name) > 1 else "-") + name
        if isinstance(value, dict):
            items = sorted(cast("dict[str, object]", value).items())
            yield ",".join(f"{key}={each}" for key, each in items)
        else:
            yield "" if value is None else str(value)


def _argv(program: str, arguments: Sequence[str], package: bool, python: str) -> tuple[str, ...]:
    if not program.endswith(".sh"):
        if package:
            return (python, "-m", program.removesuffix(".py").replace("/", "."), *arguments)
        if program.endswith(".py"):
            return (python, program, *arguments)
    return ("/bin/sh", "-c", shlex.join([f"./{program}", *arguments]))


def _places(root: str, input_config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "channel_input_dirs": {name: f"{root}/input/data/{name}" for name in input_config},
        "input_config_dir": f"{root}/input/config",
        "input_dir": f"{root}/input",
        "model_dir": f"{root}/model",
        "output_data_dir": f"{root}/output/data",
        "output_dir": f"{root}/output",
        "output_intermediate_dir": f"{root}/output/intermediate",
    }


def _hosts(resources: Mapping[str, Any], for_framework: Mapping[str, Any]) -> dict[str, Any]:
    hosts = list(resources.get("hosts", ()))
    current = resources.get("current_host", hosts[0] if hosts else "")
    group = resources.get("current_group_name", _GROUP)
    groups = {each["instance_group_name"]: each for each in resources.get("instance_groups", ())}
    spread = [group] if any(for_framework.get(name) for name in _DISTRIBUTIONS) else []
    spread = list(for_framework.get("sagemaker_distribution_instance_groups", spread))
    over = [host for name, each in groups.items() if name in spread for host in each["hosts"]]
    over = over if groups else hosts
    master = (over or hosts or [""])[0]
    return {
        "current_host": current,
        "current_instance_group": group,
        "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
        "current_instance_type": resources.get("current_instance_type", "local"),
        "distribution_hosts": over,
        "distribution_instance_groups": spread,
        "hosts": hosts,
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "is_master": current == master,
        "master_hostname": master,
        "network_interface_name": resources.get("network_interface_name", "eth0"),
    }


_RENAMED = {"additional_framework_parameters": "framework_params", "hyperparameters": "hps"}
_UNSHOWN = frozenset(
    {
        "channel_input_dirs",
        "distribution_hosts",
        "is_master",
        "is_modelparallel_enabled",
        "is_smddpmprun_installed",
        "is_smddprun_installed",
        "job_name",
        "master_hostname",
    }
)
"""What stands in SM_TRAINING_ENV alone."""


def _shown(facts: Mapping[str, Any], arguments: list[str]) -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if name not in _UNSHOWN and not (name == "topology" and not value):
            yield _RENAMED.get(name, name), value
    yield "channels", sorted(facts["channel_input_dirs"])
    yield "training_env", facts
    yield "user_args", arguments
    for name, path in facts["channel_input_dirs"].items():
        yield f"channel_{name}", path
    for name, value in facts["hyperparameters"].items():
        yield f"hp_{name}", value
