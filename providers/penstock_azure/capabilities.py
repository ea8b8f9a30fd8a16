"""What Azure ML pipelines keep, and what they do not."""

from __future__ import annotations

from penstock.capabilities import Capabilities, Capability, Feature, Support
from penstock.diagnostics import Severity

_TESTS = "tests/providers/azure/test_lowering.py"


def _native(how: str, test: str) -> Capability:
    return Capability(Support.NATIVE, how, f"{_TESTS}::{test}")


def _launcher(how: str, test: str) -> Capability:
    return Capability(Support.LAUNCHER, how, f"{_TESTS}::{test}")


def _proved(support: Support, how: str, about: str, test: str) -> Capability:
    return Capability(support, how, f"tests/providers/azure/test_lowering_{about}.py::{test}")


def _near(how: str, test: str, hint: str = "", severity: Severity = Severity.NOTE) -> Capability:
    return Capability(Support.APPROXIMATED, how, f"{_TESTS}::{test}", hint, severity)


def _never(how: str, hint: str, severity: Severity = Severity.ERROR) -> Capability:
    return Capability(Support.UNSUPPORTED, how, hint=hint, severity=severity)


CAPABILITIES: Capabilities = {
    Feature.COMMAND: _native("a command component", "test_a_command_step_is_a_command_component"),
    Feature.TRAIN: _native("a command component", "test_a_train_step_is_a_command_component_with_a_model"),
    Feature.REGISTER: _native("a named output", "test_registering_without_a_condition_names_the_output"),
    Feature.REGISTER_UNDER_CONDITION: _launcher(
        "a command that registers through MLflow", "test_registering_under_a_condition_is_a_command"
    ),
    Feature.FAIL: _native("a command that exits with 1", "test_a_fail_step_says_its_message"),
    Feature.CONDITION: _launcher("a gate node", "test_a_condition_is_a_gate"),
    Feature.METRIC_ARITHMETIC: _launcher("the gate calculates", "test_a_gate_calculates"),
    Feature.PARAMETER_ARITHMETIC: _never(
        "inputs cannot be calculated with", "pass the parameters as they are and calculate in the script"
    ),
    Feature.INTERPOLATION: _native("composed by the shell", "test_text_is_composed_by_the_shell"),
    Feature.ORDER_WITHOUT_DATA: _near(
        "an empty marker file is written and bound", "test_after_binds_a_marker"
    ),
    Feature.RETRY_PLATFORM: _near(
        "nodes have no retries; the launcher tries again when a signal ended the script",
        "test_retries_are_a_loop_in_the_launcher",
        "a machine that is lost is not tried again; submit again, and finished steps are reused",
    ),
    Feature.RETRY_ANY: _launcher("a loop inside the node", "test_retries_are_a_loop_in_the_launcher"),
    Feature.TIMEOUT: _native("limits.timeout", "test_a_timeout_is_a_limit"),
    Feature.CACHE: _native("is_deterministic", "test_the_cache_is_determinism"),
    Feature.CACHE_EXPIRY: _near(
        "results are reused for as long as the service keeps them",
        "test_the_cache_is_determinism",
        "use cache: false where an old result must not serve",
        Severity.WARNING,
    ),
    Feature.SPOT: _native("queue_settings.job_tier", "test_spot_is_a_job_tier"),
    Feature.CHECKPOINT: _never(
        "nothing is put back before a restart",
        "write checkpoints to a datastore of your own",
        Severity.WARNING,
    ),
    Feature.SEVERAL_MACHINES: _native("resources.instance_count", "test_the_number_of_machines"),
    Feature.MACHINES_FROM_PARAMETER: _native("resources.instance_count", "test_the_number_of_machines"),
    Feature.GPU: _native("a VM size with accelerators", "test_an_accelerator_picks_a_size_that_has_one"),
    Feature.FIXED_INPUT_PATH: _native("a link", "test_an_input_at_a_fixed_path_is_a_link"),
    Feature.PACKED_INPUT: _never("models are folders there", "let the script take the folder"),
    Feature.SHARDED_INPUT: _never("every machine sees all files", "divide them in the script by its rank"),
    Feature.INPUT_MODE: _near("ro_mount, download or direct; a stream is mounted", "test_modes_of_inputs"),
    Feature.CONTENT_TYPE: _never("inputs have no content type", "scripts know what they read", Severity.NOTE),
    Feature.ENV: _native("environment_variables of the node", "test_variables_stand_on_the_node"),
    Feature.ENV_FROM_CALLER: _never(
        "a node has no caller's environment",
        "pass the secret's name, and read it in code by the job's identity",
    ),
    Feature.PARAMETER_BOUNDS: _near(
        "components hold min and max; patterns are checked by Penstock when it submits",
        "test_bounds_and_enums_stand_on_components",
    ),
    Feature.PARAMETER_ENUM: _native("enum, for strings", "test_bounds_and_enums_stand_on_components"),
    Feature.REQUIRED_PARAMETER: _native(
        "a pipeline component", "test_a_parameter_without_default_makes_a_component"
    ),
    Feature.DATASET_SLOT: _native("a pipeline component", "test_a_dataset_slot_makes_a_component"),
    Feature.OPTIONAL_DATASET: _proved(
        Support.NATIVE,
        "an optional input",
        "nested",
        "test_data_that_stays_unset_is_bound_nowhere",
    ),
    Feature.RUN_CONTEXT: _near(
        "run.id is AZUREML_ROOT_RUN_ID; the start is not known to nodes", "test_the_run_id_is_the_root_run"
    ),
    Feature.APPROVAL_EXPRESSION: _never(
        "the registry has no approval",
        "register twice: approved under the condition, manual under its negation",
    ),
    Feature.BUILTIN_ALGORITHM: _never(
        "built-in algorithms are another cloud's", "give the step a 'run' of its own"
    ),
    Feature.TRAIN_METRICS: _launcher("the gate reads the file", "test_a_gate_reads_metrics_of_a_train_step"),
    Feature.METRIC_IN_MESSAGE: _near(
        "the message names the field instead of its value",
        "test_a_field_in_a_message_is_named_and_announced",
        "print the value in the step that measures it",
        Severity.WARNING,
    ),
    Feature.KPIS: _near(
        "a job has no goals there; Penstock reads the metrics after the run", "test_goals_leave_no_trace"
    ),
    Feature.CONDA: _native("the conda file", "test_a_conda_file_is_taken_as_it_is"),
    Feature.PIPELINE_OUTPUTS: _native(
        "outputs of the job", "test_outputs_of_the_pipeline_are_outputs_of_the_job"
    ),
    Feature.TAGS: _native("tags", "test_tags_stand_on_job_and_components"),
    Feature.OPTIONS: _native("merged into the node or job", "test_options_are_merged_and_validated"),
    Feature.TUNE: _proved(Support.NATIVE, "a sweep node", "sweeps", "test_a_search_is_a_sweep"),
    Feature.GRID_SEARCH: _proved(
        Support.NATIVE, "sampling_algorithm: grid", "sweeps", "test_a_grid_is_choices"
    ),
    Feature.BAYESIAN_SEARCH: _proved(
        Support.NATIVE, "sampling_algorithm: bayesian", "sweeps", "test_a_search_is_a_sweep"
    ),
    Feature.EARLY_STOPPING: Capability(
        Support.APPROXIMATED,
        "early_termination; a metrics file tells the objective once, when a trial ends",
        "tests/providers/azure/test_lowering_sweeps.py::test_early_stopping_is_a_policy",
        "let the script log the objective to MLflow as it learns, and write source: mlflow",
        Severity.NOTE,
    ),
    Feature.TRIAL_TIMEOUT: _proved(
        Support.NATIVE, "limits.trial_timeout", "sweeps", "test_a_trial_has_its_time_limit"
    ),
    Feature.OBJECTIVE_FROM_LOG: _never(
        "a sweep reads what MLflow was told, never the log", "write the number into a metrics output"
    ),
    Feature.OBJECTIVE_FROM_MLFLOW: _proved(
        Support.NATIVE, "primary_metric", "sweeps", "test_an_objective_of_mlflow_is_the_primary_metric"
    ),
    Feature.MAP: _proved(
        Support.NATIVE, "one node an item, or one node for many", "maps", "test_few_items_are_one_node_each"
    ),
    Feature.MAP_FILES: _proved(Support.NATIVE, "a parallel node", "maps", "test_files_are_a_parallel_node"),
    Feature.MAP_TABLE: _proved(
        Support.LAUNCHER, "a command node that goes over the groups", "maps", "test_a_table_is_one_node"
    ),
    Feature.TOLERATED_FAILURES: _proved(
        Support.LAUNCHER, "counted by the node's script", "maps", "test_tolerated_failures_are_counted"
    ),
    Feature.PREDICT: _proved(
        Support.NATIVE, "a parallel node", "maps", "test_batch_inference_is_a_parallel_node"
    ),
    Feature.NATIVE: _proved(
        Support.NATIVE, "the body, with references filled in", "native", "test_a_body_goes_in_as_it_is"
    ),
    Feature.STAND_IN: Capability(
        Support.APPROXIMATED,
        "what it stands for is there, or refused; the stand-in is left out",
        "tests/providers/azure/test_lowering_native.py::test_a_stand_in_is_left_out",
        "nothing needs to be done",
        Severity.NOTE,
    ),
    Feature.NESTED: _proved(
        Support.NATIVE, "a pipeline component", "nested", "test_a_nested_pipeline_is_a_component"
    ),
    Feature.COMPONENT: _proved(
        Support.NATIVE, "a component of its name and version", "nested", "test_a_component_keeps_its_name"
    ),
    Feature.OPTIONAL_SEGMENT: _proved(
        Support.NATIVE, "$[[ ]]", "nested", "test_a_segment_is_the_services_own"
    ),
}
