"""Jobs of nodes that are many processes: sweeps, and parallel nodes."""

from __future__ import annotations

from typing import Any

from tests.generated.azureml.commands import COMPUTE, PLAIN, TAGS, job, settings

TRIAL: dict[str, Any] = {
    "type": "command",
    "name": "trial",
    "version": "1",
    "display_name": "Trial",
    "description": "prose",
    "code": "./src",
    "environment": PLAIN,
    "inputs": {
        "x": {"type": "number"},
        "k": {"type": "integer"},
        "word": {"type": "string", "default": "none"},
    },
    "outputs": {"model": {"type": "uri_folder"}},
    "command": "python report.py acc 0 ${{inputs.x}} | sort; echo ${{inputs.word}} ${{inputs.k}}"
    "; echo ${{inputs.x}} > ${{outputs.model}}/m",
}
SWEEP: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "tune": settings(
                type="sweep",
                comment="prose",
                trial="./trial.yml",
                inputs={"word": "${{parent.inputs.word}}"},
                outputs={"model": {"type": "uri_folder", "mode": "upload"}},
                search_space={
                    "x": {"type": "uniform", "min_value": 0.5, "max_value": 1.5},
                    "k": {"type": "choice", "values": [1, 2]},
                },
                sampling_algorithm={"type": "random", "rule": "random", "seed": 7},
                objective={"goal": "maximize", "primary_metric": "acc"},
                limits={
                    "max_total_trials": 2,
                    "max_concurrent_trials": 1,
                    "timeout": 3600,
                    "trial_timeout": 600,
                },
                identity={"type": "user_identity"},
                resources={"instance_count": 1},
                queue_settings={"job_tier": "standard"},
            ),
        },
        inputs={"word": "hello"},
    ),
    "trial.yml": TRIAL,
}
ENDING: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "tune": {
                "type": "sweep",
                "compute": COMPUTE,
                "trial": {
                    "command": "python report.py acc $(( (${{inputs.x}} < 9) )) "
                    "0.${{inputs.x}} 0.${{inputs.x}}1 0.${{inputs.x}}2",
                    "code": "./src",
                    "environment": PLAIN,
                    "inputs": {"x": {"type": "integer"}},
                },
                "search_space": {"x": {"type": "choice", "values": [9, 5]}},
                "sampling_algorithm": "grid",
                "objective": {"goal": "maximize", "primary_metric": "acc"},
                "limits": {"max_total_trials": 2, "max_concurrent_trials": 1},
                "early_termination": {
                    "type": "bandit",
                    "slack_factor": 0.1,
                    "evaluation_interval": 1,
                    "delay_evaluation": 1,
                },
            },
        }
    ),
}
TRIAL_OF_LOGS: dict[str, Any] = {
    "command": "python report.py acc 0 ${{inputs.x}}",
    "code": "./src",
    "environment": PLAIN,
    "inputs": {"x": {"type": "number"}},
}
TASK: dict[str, Any] = {
    "type": "run_function",
    "code": "./src",
    "entry_script": "batch.py",
    "program_arguments": "--word hello --out ${{outputs.out}}",
    "environment": PLAIN,
    "append_row_to": "${{outputs.rows}}",
}
PARALLEL: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "inline": settings(
                type="parallel",
                comment="prose",
                inputs={"data": {"path": "${{parent.inputs.rows}}", "mode": "ro_mount"}},
                outputs={"out": {"type": "uri_folder", "mode": "rw_mount"}, "rows": {"type": "uri_file"}},
                input_data="${{inputs.data}}",
                mini_batch_size="1",
                mini_batch_error_threshold=1,
                error_threshold=1,
                max_concurrency_per_instance=1,
                logging_level="INFO",
                retry_settings={"max_retries": 1, "timeout": 30},
                environment_variables={"WORD": "hello"},
                resources={"instance_count": 1, "instance_type": "Standard_DS3_v2"},
                task=TASK,
            ),
            "made": {
                "type": "parallel",
                "component": "./batch.yml",
                "compute": COMPUTE,
                "inputs": {"data": "${{parent.inputs.rows}}"},
                "mini_batch_size": "2",
            },
        },
        inputs={"rows": {"type": "uri_folder", "path": "./rows"}},
    ),
    "batch.yml": {
        "type": "parallel",
        "name": "batch",
        "version": "1",
        "display_name": "Batch",
        "description": "prose",
        "tags": TAGS,
        "is_deterministic": True,
        "inputs": {"data": {"type": "uri_folder"}},
        "outputs": {"out": {"type": "uri_folder"}, "rows": {"type": "uri_file"}},
        "input_data": "${{inputs.data}}",
        "mini_batch_size": "1",
        "mini_batch_error_threshold": 0,
        "error_threshold": -1,
        "max_concurrency_per_instance": 1,
        "logging_level": "INFO",
        "retry_settings": {"max_retries": 2, "timeout": 30},
        "resources": {"instance_count": 1},
        "task": TASK,
    },
}

STRICT: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "strict": {
                "type": "parallel",
                "compute": COMPUTE,
                "inputs": {"data": "${{parent.inputs.rows}}"},
                "outputs": {"out": {"type": "uri_folder"}, "rows": {"type": "uri_file"}},
                "input_data": "${{inputs.data}}",
                "mini_batch_size": "1",
                "mini_batch_error_threshold": 1,
                "error_threshold": -1,
                "max_concurrency_per_instance": 1,
                "retry_settings": {"max_retries": 0, "timeout": 30},
                "task": TASK,
            },
        },
        inputs={"rows": {"type": "uri_folder", "path": "./rows"}},
    ),
}

LAST: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "cut": {
                "type": "sweep",
                "compute": COMPUTE,
                "trial": ENDING["job.yml"]["jobs"]["tune"]["trial"],
                "search_space": {"x": {"type": "choice", "values": [9, 5]}},
                "sampling_algorithm": "grid",
                "objective": {"goal": "maximize", "primary_metric": "acc"},
                "limits": {"max_total_trials": 2, "max_concurrent_trials": 1},
                "early_termination": {"type": "bandit", "slack_amount": 0.1, "evaluation_interval": 1},
            },
            "logs": {
                "type": "sweep",
                "compute": COMPUTE,
                "trial": TRIAL_OF_LOGS,
                "search_space": {"x": {"type": "loguniform", "min_value": -3, "max_value": -1}},
                "sampling_algorithm": {"type": "random", "rule": "sobol", "seed": 7, "logbase": 10},
                "objective": {"goal": "maximize", "primary_metric": "acc"},
                "limits": {"max_total_trials": 1},
            },
        }
    ),
}
