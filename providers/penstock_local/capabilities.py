"""What `local` keeps: everything that one machine can; the rest is announced."""

from __future__ import annotations

from penstock.capabilities import Capabilities, Capability, Feature, Support
from penstock.diagnostics import Severity

_RUN = "tests/providers/local/test_run.py"
_PLACES = "tests/providers/local/test_places.py"
_CACHE = "tests/providers/local/test_cache.py"
_STOP = "tests/providers/local/test_failures.py"
_KINDS = "tests/providers/local/test_kinds.py"
_MAPS = "tests/providers/local/test_maps.py"
_NESTED = "tests/providers/local/test_nested.py"
_COMPONENTS = "tests/providers/local/test_components.py"
_TUNE = "tests/providers/local/test_tune.py"
_ASKED = "tests/providers/local/test_asked.py"


def _native(how: str, proof: str) -> Capability:
    return Capability(Support.NATIVE, how, proof)


def _lost(how: str, hint: str = "") -> Capability:
    return Capability(Support.UNSUPPORTED, how, hint=hint, severity=Severity.NOTE)


CAPABILITIES: Capabilities = {
    Feature.COMMAND: _native("a process", f"{_RUN}::test_a_step_reads_its_inputs_and_writes_its_outputs"),
    Feature.TRAIN: _native("a process", f"{_RUN}::test_a_model_travels_as_a_folder"),
    Feature.REGISTER: _native(
        "a version in the project's registry", f"{_RUN}::test_registering_twice_gives_one_version"
    ),
    Feature.REGISTER_UNDER_CONDITION: _native(
        "a version in the project's registry", f"{_RUN}::test_a_closed_condition_skips_and_an_open_one_runs"
    ),
    Feature.FAIL: _native(
        "the run fails with the message", f"{_RUN}::test_a_fail_step_ends_the_run_with_its_message"
    ),
    Feature.CONDITION: _native(
        "evaluated once", f"{_RUN}::test_a_closed_condition_skips_and_an_open_one_runs"
    ),
    Feature.METRIC_ARITHMETIC: _native("evaluated", f"{_RUN}::test_conditions_may_calculate"),
    Feature.PARAMETER_ARITHMETIC: _native("evaluated", f"{_RUN}::test_inputs_may_calculate_and_compose"),
    Feature.INTERPOLATION: _native("evaluated", f"{_RUN}::test_inputs_may_calculate_and_compose"),
    Feature.ORDER_WITHOUT_DATA: _native("an edge", f"{_RUN}::test_after_orders_without_data"),
    Feature.RETRY_PLATFORM: _native(
        "again after a signal or want of memory",
        f"{_STOP}::test_a_platform_fault_is_tried_again_and_an_exit_code_is_not",
    ),
    Feature.RETRY_ANY: _native(
        "again after any failure", f"{_STOP}::test_any_error_is_tried_again_where_asked"
    ),
    Feature.TIMEOUT: _native("the process group is ended", f"{_STOP}::test_a_step_over_its_timeout_fails"),
    Feature.CACHE: _native("content-addressed", f"{_CACHE}::test_an_unchanged_step_is_a_hit"),
    Feature.CACHE_EXPIRY: _native(
        "by the age of the result", f"{_CACHE}::test_an_expired_result_is_made_again"
    ),
    Feature.SPOT: _lost("there is nothing to interrupt here"),
    Feature.CHECKPOINT: _lost("a retried step begins with an empty folder"),
    Feature.SEVERAL_MACHINES: _lost("the step runs as one process on this machine"),
    Feature.MACHINES_FROM_PARAMETER: _lost("the step runs as one process on this machine"),
    Feature.GPU: _lost("the step gets what this machine has"),
    Feature.FIXED_INPUT_PATH: _native(
        "a link as long as the step runs", f"{_PLACES}::test_an_input_at_a_fixed_path"
    ),
    Feature.PACKED_INPUT: _native("a model.tar.gz", f"{_PLACES}::test_a_packed_input_is_an_archive"),
    Feature.SHARDED_INPUT: _lost("one machine gets all files"),
    Feature.INPUT_MODE: _lost("every input is a path on this machine"),
    Feature.CONTENT_TYPE: _lost("files have no announced type here"),
    Feature.ENV: _native(
        "variables of the process", f"{_RUN}::test_a_step_gets_its_own_variables_and_none_of_the_callers"
    ),
    Feature.ENV_FROM_CALLER: _native(
        "let in and masked", f"{_RUN}::test_variables_of_the_caller_come_in_by_name_and_are_masked"
    ),
    Feature.PARAMETER_BOUNDS: _native(
        "checked at start", f"{_ASKED}::test_values_are_held_to_type_bounds_enum_and_pattern"
    ),
    Feature.PARAMETER_ENUM: _native(
        "checked at start", f"{_ASKED}::test_values_are_held_to_type_bounds_enum_and_pattern"
    ),
    Feature.REQUIRED_PARAMETER: _native(
        "`-p NAME=VALUE`", f"{_ASKED}::test_a_parameter_without_default_must_be_given"
    ),
    Feature.DATASET_SLOT: _native("`-d NAME=PATH`", f"{_ASKED}::test_a_dataset_slot_must_be_filled"),
    Feature.OPTIONAL_DATASET: _native(
        "an unset input", f"{_ASKED}::test_an_optional_dataset_may_stay_unfilled"
    ),
    Feature.RUN_CONTEXT: _native(
        "values of the run", f"{_CACHE}::test_a_step_that_uses_the_run_is_never_a_hit"
    ),
    Feature.APPROVAL_EXPRESSION: _native("evaluated", f"{_RUN}::test_approval_may_be_an_expression"),
    Feature.BUILTIN_ALGORITHM: Capability(
        Support.UNSUPPORTED,
        "a cloud's built-in algorithm does not exist here",
        hint="give the step a 'run' of its own",
        severity=Severity.ERROR,
    ),
    Feature.TRAIN_METRICS: _native("read from the file", f"{_RUN}::test_metrics_of_a_train_step_decide"),
    Feature.METRIC_IN_MESSAGE: _native(
        "evaluated", f"{_RUN}::test_a_fail_step_ends_the_run_with_its_message"
    ),
    Feature.KPIS: _native("checked when the run ends", f"{_RUN}::test_kpis_are_judged_at_the_end"),
    Feature.CONDA: Capability(
        Support.APPROXIMATED,
        "python and the pip packages of the file are kept, conda's own packages are not",
        proof=f"{_RUN}::test_a_conda_file_gives_its_pip_packages",
        hint="list what the step needs under pip",
        severity=Severity.WARNING,
    ),
    Feature.PIPELINE_OUTPUTS: _native(
        "paths of the run", f"{_RUN}::test_pipeline_outputs_are_paths_of_the_run"
    ),
    Feature.TAGS: _lost("a local process has no tags"),
    Feature.OPTIONS: _lost("options belong to the target that they name"),
    Feature.TUNE: _native(
        "trials drawn by Penstock's sampler", f"{_TUNE}::test_the_best_trial_gives_the_outputs"
    ),
    Feature.GRID_SEARCH: _native("every point, in order", f"{_TUNE}::test_a_grid_tries_every_point"),
    Feature.BAYESIAN_SEARCH: _native("optuna, in rounds", f"{_TUNE}::test_a_bayesian_search_is_repeatable"),
    Feature.EARLY_STOPPING: _lost(
        "a trial here reports its objective once, at its end", "bound the trials by trial_timeout"
    ),
    Feature.TRIAL_TIMEOUT: _native(
        "the trial's processes are ended", f"{_TUNE}::test_a_trial_over_its_time_fails"
    ),
    Feature.OBJECTIVE_FROM_LOG: _native(
        "the last match in the trial's log", f"{_TUNE}::test_an_objective_may_come_from_the_log"
    ),
    Feature.OBJECTIVE_FROM_MLFLOW: Capability(
        Support.UNSUPPORTED,
        "no tracking server listens here yet",
        hint="write the number into a metrics output, and leave 'source' out",
        severity=Severity.ERROR,
    ),
    Feature.MAP: _native("processes", f"{_MAPS}::test_a_map_runs_every_item_and_gathers"),
    Feature.MAP_FILES: _native("processes", f"{_MAPS}::test_a_map_goes_over_files_in_batches"),
    Feature.MAP_TABLE: _native("processes", f"{_MAPS}::test_a_map_goes_over_the_groups_of_a_table"),
    Feature.TOLERATED_FAILURES: _native("counted", f"{_MAPS}::test_failed_items_leave_no_subfolder"),
    Feature.PREDICT: _native(
        "the serving functions, in a process", f"{_KINDS}::test_predict_answers_every_file"
    ),
    Feature.NATIVE: _native("its stand-in", f"{_KINDS}::test_a_native_step_runs_its_stand_in"),
    Feature.STAND_IN: _native("a process", f"{_KINDS}::test_a_native_step_runs_its_stand_in"),
    Feature.NESTED: _native("its steps, under its name", f"{_NESTED}::test_a_nested_pipeline_runs_its_steps"),
    Feature.COMPONENT: _native("its command", f"{_COMPONENTS}::test_a_component_is_bound_and_runs"),
    Feature.OPTIONAL_SEGMENT: _native(
        "kept or left out when the step starts", f"{_KINDS}::test_a_segment_goes_with_its_unset_input"
    ),
}
