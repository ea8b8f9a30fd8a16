"""Jobs of command nodes: inline, of components, of pipelines inside; and one whose nodes fail."""

from __future__ import annotations

from typing import Any

COMPUTE = "azureml:cpu"
PLAIN = {"image": "python:3.11"}
TAGS = {"team": "probe"}


def job(nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a pipeline job with all that one may say of itself."""
    return {
        "$schema": "https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json",
        "type": "pipeline",
        "name": "probe-1",
        "display_name": "Probe",
        "description": "Tells what it is given",
        "experiment_name": "probe",
        "tags": TAGS,
        "properties": {"owner": "probe"},
        "identity": {"type": "user_identity"},
        "compute": COMPUTE,
        "settings": {
            "default_compute": COMPUTE,
            "default_datastore": "azureml:workspaceblobstore",
            "continue_on_step_failure": False,
            "force_rerun": False,
        },
        **more,
        "jobs": nodes,
    }


def settings(**more: Any) -> dict[str, Any]:
    """Give what every kind of node may say beside what it runs."""
    return {"compute": COMPUTE, "properties": {"a": "b"}, **more}


INPUTS: dict[str, Any] = {
    "word": "hello",
    "count": 3,
    "share": 0.5,
    "flag": True,
    "rows": {"type": "uri_folder", "path": "./rows", "mode": "ro_mount"},
    "one": {"type": "uri_file", "path": "./rows/a.csv", "datastore": "azureml:blob"},
}

COMMANDS: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "inline": settings(
                type="command",
                command="bash tell.sh ${{inputs.word}} ${{inputs.share}} ${{name}} | sed s/${{name}}/NAME/"
                "; cp ${{inputs.rows}}/a.csv ${{outputs.left}}/; echo ${{inputs.word}} > outputs/word",
                code="./src",
                environment={
                    "name": "made",
                    "version": "1",
                    "image": "python:3.11",
                    "conda_file": {"name": "made", "channels": ["defaults"], "dependencies": ["python=3.11"]},
                    "os_type": "linux",
                    "description": "prose",
                    "tags": TAGS,
                },
                environment_variables={"WORD": "${{parent.inputs.word}}", "FIXED": "yes"},
                inputs={
                    "word": "${{parent.inputs.word}}",
                    "count": "${{parent.inputs.count}}",
                    "share": "${{parent.inputs.share}}",
                    "flag": "${{parent.inputs.flag}}",
                    "own": 7,
                    "rows": {"path": "${{parent.inputs.rows}}", "type": "uri_folder", "mode": "download"},
                    "one": {"path": "${{parent.inputs.one}}", "type": "uri_file"},
                },
                outputs={
                    "left": {
                        "type": "uri_folder",
                        "mode": "rw_mount",
                        "name": "left",
                        "version": "3",
                        "path": "azureml://datastores/${{default_datastore}}/paths/left/",
                    },
                },
                display_name="Inline",
                description="prose",
                name="inline",
                experiment_name="probe",
                tags=TAGS,
                identity={"type": "user_identity"},
                resources={
                    "instance_count": 2,
                    "instance_type": "Standard_DS3_v2",
                    "shm_size": "2g",
                    "docker_args": "--ipc=host",
                    "properties": {"a": "b"},
                    "locations": ["westeurope"],
                    "max_instance_count": 2,
                },
                limits={"timeout": 3600},
                services={"look": {"type": "jupyter_lab"}},
                queue_settings={"job_tier": "standard", "priority": "medium"},
            ),
            "ranks": {
                "type": "command",
                "command": "env | grep -E '^(RANK|WORLD_SIZE|LOCAL_RANK|OMPI_COMM_WORLD_RANK)' | sort; true",
                "environment": PLAIN,
                "resources": {"instance_count": 2},
                "distribution": {"type": "pytorch", "process_count_per_instance": 2},
            },
            "mpi": {
                "type": "command",
                "command": "env | grep -E '^(OMPI_|RANK)' | sort; true",
                "environment": PLAIN,
                "distribution": {"type": "mpi", "process_count_per_instance": 2},
            },
            "tensors": {
                "type": "command",
                "command": "env | grep -E '^(TF_CONFIG|AZUREML_NODE_COUNT)' | sort; true",
                "environment": PLAIN,
                "resources": {"instance_count": 2},
                "distribution": {"type": "tensorflow", "worker_count": 2, "parameter_server_count": 1},
            },
        },
        inputs=INPUTS,
    ),
}

PLAIN_COMPONENT: dict[str, Any] = {
    "$schema": "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json",
    "type": "command",
    "name": "plain",
    "version": "1",
    "display_name": "Plain",
    "description": "prose",
    "tags": TAGS,
    "is_deterministic": True,
    "code": "./src",
    "additional_includes": ["extra.txt"],
    "environment": PLAIN,
    "inputs": {
        "word": {"type": "string", "description": "prose"},
        "times": {"type": "integer", "default": 2, "min": 1, "max": 9},
        "rate": {"type": "number", "default": 0.25},
        "on": {"type": "boolean", "default": True},
        "kind": {"type": "string", "default": "b", "enum": ["a", "b"]},
        "maybe": {"type": "string", "optional": True},
        "rows": {"type": "uri_folder", "mode": "ro_mount", "description": "prose"},
        "unbound": {"type": "uri_file", "optional": True},
    },
    "outputs": {"out": {"type": "uri_folder", "mode": "rw_mount", "description": "prose"}},
    "command": "bash tell.sh ${{inputs.word}} ${{inputs.times}} ${{inputs.rate}} ${{inputs.on}} ${{inputs.kind}}"
    " $[[--maybe ${{inputs.maybe}}]] $[[--file ${{inputs.unbound}}]]; echo ${{inputs.word}} > ${{outputs.out}}/w",
    "resources": {"instance_count": 1, "shm_size": "1g"},
    "distribution": {"type": "pytorch", "process_count_per_instance": 2},
}

INNER: dict[str, Any] = {
    "type": "pipeline",
    "name": "inner",
    "version": "1",
    "display_name": "Inner",
    "description": "prose",
    "tags": TAGS,
    "inputs": {
        "word": {"type": "string", "default": "inner"},
        "maybe": {"type": "string", "optional": True},
        "rows": {"type": "uri_folder"},
    },
    "outputs": {"out": {"type": "uri_folder", "mode": "rw_mount"}},
    "jobs": {
        "first": {
            "type": "command",
            "component": "./plain.yml",
            "inputs": {
                "word": "${{parent.inputs.word}}",
                "maybe": "${{parent.inputs.maybe}}",
                "rows": {"path": "${{parent.inputs.rows}}", "mode": "download"},
            },
            "outputs": {"out": "${{parent.outputs.out}}"},
        },
    },
}

COMPONENTS: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "plain": settings(
                type="command",
                comment="prose",
                component="./plain.yml",
                inputs={"word": "${{parent.inputs.word}}", "times": 3, "rows": "${{parent.inputs.rows}}"},
                outputs={"out": {"type": "uri_folder", "mode": "upload"}},
                environment_variables={"WORD": "hello"},
                distribution={"type": "pytorch", "process_count_per_instance": 1},
                resources={"instance_count": 1},
                limits={"timeout": 3600},
            ),
            "inner": {
                "type": "pipeline",
                "component": "./inner.yml",
                "inputs": {"word": "deep", "maybe": "given", "rows": "${{parent.inputs.rows}}"},
                "outputs": {"out": "${{parent.outputs.final}}"},
            },
            "bare": {
                "type": "pipeline",
                "comment": "prose",
                "component": "./inner.yml",
                "inputs": {"rows": "${{parent.jobs.inner.outputs.out}}"},
            },
        },
        inputs={"word": "hello", "rows": INPUTS["rows"]},
        outputs={
            "final": {
                "type": "uri_folder",
                "mode": "upload",
                "name": "final",
                "version": "4",
                "path": "azureml://datastores/workspaceblobstore/paths/final/",
            }
        },
    ),
    "plain.yml": PLAIN_COMPONENT,
    "inner.yml": INNER,
}

FAILING: dict[str, dict[str, Any]] = {
    "job.yml": {
        "type": "pipeline",
        "settings": {"default_compute": COMPUTE, "continue_on_step_failure": True},
        "jobs": {
            "bad": {"type": "command", "command": "exit 3", "environment": PLAIN},
            "long": {
                "type": "command",
                "command": "sleep 2",
                "environment": PLAIN,
                "limits": {"timeout": 1},
            },
            "aside": {
                "type": "command",
                "command": "sleep 0.5; echo aside",
                "environment": PLAIN,
                "outputs": {"o": {"type": "uri_folder"}},
            },
            "late": {
                "type": "command",
                "command": "ls ${{inputs.d}}",
                "inputs": {"d": "${{parent.jobs.aside.outputs.o}}"},
                "environment": PLAIN,
            },
        },
    },
}
