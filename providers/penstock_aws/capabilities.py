"""What SageMaker Pipelines keeps, and what it does not."""

from __future__ import annotations

from penstock.capabilities import Capabilities, Capability, Feature, Support
from penstock.diagnostics import Severity

_TESTS = "tests/providers/aws/test_lowering"


def _proof(test: str) -> str:
    """Give the full name of a test; `conditions::test_x` stands in the file about conditions."""
    about, _, name = test.rpartition("::")
    return f"{_TESTS}_{about}.py::{name}" if about else f"{_TESTS}.py::{name}"


def _native(how: str, test: str) -> Capability:
    return Capability(Support.NATIVE, how, _proof(test))


def _launcher(how: str, test: str) -> Capability:
    return Capability(Support.LAUNCHER, how, _proof(test))


def _near(how: str, test: str, hint: str = "", severity: Severity = Severity.WARNING) -> Capability:
    return Capability(Support.APPROXIMATED, how, _proof(test), hint, severity)


def _never(how: str, hint: str, severity: Severity = Severity.ERROR) -> Capability:
    return Capability(Support.UNSUPPORTED, how, hint=hint, severity=severity)


CAPABILITIES: Capabilities = {
    Feature.COMMAND: _native("a Processing step", "test_a_command_step_is_a_processing_job"),
    Feature.TRAIN: _native("a Training step", "test_a_train_step_is_a_training_job"),
    Feature.REGISTER: _native("a RegisterModel step", "test_a_register_step_is_a_model_package"),
    Feature.REGISTER_UNDER_CONDITION: _native(
        "a RegisterModel step inside the condition",
        "conditions::test_guarded_steps_stand_inside_their_condition",
    ),
    Feature.FAIL: _native("a Fail step", "test_a_fail_step_says_its_message"),
    Feature.CONDITION: _native("a Condition step", "conditions::test_conditions_take_the_services_own_form"),
    Feature.METRIC_ARITHMETIC: _never(
        "conditions compare and do not calculate", "compute the number in the step that writes the metrics"
    ),
    Feature.PARAMETER_ARITHMETIC: _never(
        "parameters cannot be calculated with", "pass the parameters as they are and calculate in the script"
    ),
    Feature.INTERPOLATION: _native("Std:Join", "test_text_is_joined_from_parameters"),
    Feature.ORDER_WITHOUT_DATA: _native("DependsOn", "test_after_becomes_depends_on"),
    Feature.RETRY_PLATFORM: _native("RetryPolicies", "test_platform_faults_are_retried_by_the_service"),
    Feature.RETRY_ANY: Capability(
        Support.LAUNCHER, "a loop inside the job", _proof("test_any_error_is_retried_by_the_launcher")
    ),
    Feature.TIMEOUT: _native("StoppingCondition", "test_a_timeout_is_a_stopping_condition"),
    Feature.CACHE: _native("CacheConfig, 30 days", "test_the_cache_has_an_expiry"),
    Feature.CACHE_EXPIRY: _native("CacheConfig", "test_the_cache_has_an_expiry"),
    Feature.SPOT: _near(
        "training jobs use managed spot, processing jobs do not",
        "test_spot_is_managed_spot_training",
        "only train steps have spot machines there",
        Severity.NOTE,
    ),
    Feature.CHECKPOINT: _near(
        "training jobs have CheckpointConfig, processing jobs do not",
        "test_a_checkpoint_is_a_checkpoint_config",
        "only train steps have checkpoints there",
        Severity.NOTE,
    ),
    Feature.SEVERAL_MACHINES: _native("InstanceCount", "test_the_number_of_machines_may_be_a_parameter"),
    Feature.MACHINES_FROM_PARAMETER: _native(
        "InstanceCount", "test_the_number_of_machines_may_be_a_parameter"
    ),
    Feature.GPU: _native(
        "an instance type with accelerators", "test_an_accelerator_picks_an_instance_that_has_one"
    ),
    Feature.FIXED_INPUT_PATH: _native(
        "LocalPath, or a link in a training job", "inputs::test_an_input_at_a_fixed_path"
    ),
    Feature.PACKED_INPUT: _native("the archive as it is", "inputs::test_a_packed_model_is_not_unpacked"),
    Feature.SHARDED_INPUT: _native("ShardedByS3Key", "test_an_input_may_be_sharded"),
    Feature.INPUT_MODE: _near(
        "training channels have File, FastFile and Pipe; processing inputs are files or pipes",
        "test_modes_of_inputs",
        "processing jobs download what they would mount",
        Severity.NOTE,
    ),
    Feature.CONTENT_TYPE: _near(
        "training channels announce it, processing inputs do not",
        "test_a_channel_announces_its_content_type",
        "only train steps have it there",
        Severity.NOTE,
    ),
    Feature.ENV: _native("Environment", "test_variables_become_the_jobs_environment"),
    Feature.ENV_FROM_CALLER: _never(
        "a job has no caller's environment", "pass the secret's name, and read it in code by the job's role"
    ),
    Feature.PARAMETER_BOUNDS: _near(
        "parameters have no bounds there; Penstock checks them when it submits",
        "test_parameters_keep_type_default_and_enum",
        "",
        Severity.NOTE,
    ),
    Feature.PARAMETER_ENUM: _native("EnumValues, for strings", "test_parameters_keep_type_default_and_enum"),
    Feature.REQUIRED_PARAMETER: _native(
        "a parameter without DefaultValue", "test_parameters_keep_type_default_and_enum"
    ),
    Feature.DATASET_SLOT: _native("a parameter without DefaultValue", "test_every_dataset_is_a_parameter"),
    Feature.OPTIONAL_DATASET: _near(
        "every input of a job has an address: an input without one is left out when the pipeline is compiled",
        "nested::test_an_unfilled_dataset_leaves_no_input",
        "give the dataset an address in the profile, and compile again once there is something at it",
        Severity.NOTE,
    ),
    Feature.RUN_CONTEXT: _native("Execution variables", "test_the_run_is_an_execution_variable"),
    Feature.APPROVAL_EXPRESSION: _never(
        "a model package's status is fixed when it is registered",
        "register twice: approved under the condition, manual under its negation",
    ),
    Feature.BUILTIN_ALGORITHM: _native("a first-party image", "test_a_builtin_algorithm_needs_no_command"),
    Feature.TRAIN_METRICS: Capability(
        Support.LAUNCHER,
        "printed, and read from FinalMetricDataList",
        _proof("conditions::test_metrics_of_a_training_job_are_printed"),
    ),
    Feature.METRIC_IN_MESSAGE: _native(
        "Std:JsonGet in the message", "conditions::test_a_message_may_hold_metrics"
    ),
    Feature.KPIS: _near(
        "a pipeline has no goals there; Penstock reads the metrics after the run",
        "test_goals_leave_no_trace",
        "",
        Severity.NOTE,
    ),
    Feature.CONDA: _near(
        "the pip packages of the file are installed, conda's own are not",
        "test_packages_are_installed_at_start",
        "list what the step needs under pip",
    ),
    Feature.PIPELINE_OUTPUTS: _near(
        "a pipeline has no outputs of its own there; Penstock resolves them after the run",
        "test_goals_leave_no_trace",
        "",
        Severity.NOTE,
    ),
    Feature.TAGS: _native("Tags of the jobs", "test_tags_reach_the_jobs"),
    Feature.OPTIONS: _native("merged into the definition", "test_options_are_merged_and_validated"),
    Feature.TUNE: _native("a Tuning step", "tuning::test_a_search_is_a_tuning_job"),
    Feature.GRID_SEARCH: _native("Strategy: Grid", "tuning::test_a_grid_has_categorical_ranges"),
    Feature.BAYESIAN_SEARCH: _native("Strategy: Bayesian", "tuning::test_a_search_is_a_tuning_job"),
    Feature.EARLY_STOPPING: _near(
        "the service's own rule (TrainingJobEarlyStoppingType: Auto) decides, like its median rule",
        "tuning::test_early_stopping_is_the_services_own",
        "take policy: median, which is nearest to it",
        Severity.NOTE,
    ),
    Feature.TRIAL_TIMEOUT: _native(
        "StoppingCondition of the trials", "tuning::test_a_trial_has_its_time_limit"
    ),
    Feature.OBJECTIVE_FROM_LOG: _native(
        "MetricDefinitions", "tuning::test_an_objective_from_the_log_keeps_its_regex"
    ),
    Feature.OBJECTIVE_FROM_MLFLOW: _never(
        "tuning reads the log of a job alone",
        "write the number into a metrics output, and leave 'source' out",
    ),
    Feature.MAP: _native(
        "one step an item, or one Processing step for many", "maps::test_few_items_are_one_step_each"
    ),
    Feature.MAP_FILES: _launcher(
        "one Processing step that goes over the files", "maps::test_files_are_one_job"
    ),
    Feature.MAP_TABLE: _launcher(
        "one Processing step that goes over the groups", "maps::test_a_table_is_one_job"
    ),
    Feature.TOLERATED_FAILURES: _launcher(
        "counted by the script of one job", "maps::test_tolerated_failures_make_one_job"
    ),
    Feature.PREDICT: _near(
        "a Model step and a Transform step: a file is one request of an hour, and 100 MB hold all that run at once",
        "predict::test_batch_inference_is_a_model_and_a_transform",
        "divide larger files in the step that writes them",
        Severity.NOTE,
    ),
    Feature.NATIVE: _native("the body, with references filled in", "native::test_a_body_goes_in_as_it_is"),
    Feature.STAND_IN: _near(
        "what it stands for is there; the stand-in is left out",
        "native::test_a_stand_in_is_left_out",
        "nothing needs to be done",
        Severity.NOTE,
    ),
    Feature.NESTED: _near(
        "its steps stand in the pipeline itself, named outer__inner",
        "nested::test_a_nested_pipeline_is_laid_flat",
        "nothing needs to be done",
        Severity.NOTE,
    ),
    Feature.COMPONENT: _native(
        "the job that it describes", "nested::test_a_component_is_the_job_it_describes"
    ),
    Feature.OPTIONAL_SEGMENT: _near(
        "kept or left out when the pipeline is compiled",
        "nested::test_a_segment_is_settled_at_compile",
        "compile again once there is something to bind",
        Severity.NOTE,
    ),
}
