"""Codes that no file in specs/invalid can show, whatever it says: why, and the test that proves each instead."""

from __future__ import annotations

from dataclasses import dataclass

_INVALID = "tests/core/test_invalid_specs.py"
_ELSEWHERE = "tests/core/test_codes_elsewhere.py"
_RUNNING = "tests/core/test_codes_when_running.py"
_DATABASE = "tests/core/runtime/test_database.py"
_TESTING = "tests/core/cli/test_test.py"
_EMULATE = "tests/providers/aws/endpoint/test_emulate.py"
_REFUSALS = "tests/providers/aws/emulator/test_refusals.py"
_ANSWERS = "tests/providers/aws/emulator/test_functions_and_queues.py"
_SUBMITTING = "tests/core/test_submitting.py"
_CLIENT = "tests/providers/aws/submission/test_client.py"


@dataclass(frozen=True)
class Group:
    """Codes that have no file for one reason, each with the test that proves it."""

    reason: str
    proofs: dict[str, str]


GROUPS = (
    Group(
        "There is no file to show, or it would be too large to keep.",
        {
            "P101": f"{_INVALID}::test_a_file_that_is_not_there",
            "P111": f"{_INVALID}::test_a_file_that_is_too_large",
        },
    ),
    Group(
        "The call is wrong and not the spec: `check` takes a component, or tests, for what they are.",
        {
            "P116": "tests/core/test_components.py::test_a_component_is_no_pipeline",
            "P160": "tests/core/test_codes.py::test_an_unknown_code_names_those_near_it",
            "P500": f"{_TESTING}::test_a_tests_file_is_no_pipeline",
            "P514": f"{_TESTING}::test_a_call_that_names_no_tests",
            "P515": f"{_TESTING}::test_a_name_that_no_case_has",
        },
    ),
    Group(
        "What is installed is wrong.",
        {
            "P120": f"{_ELSEWHERE}::test_two_packages_may_not_provide_the_same",
            "P122": f"{_ELSEWHERE}::test_a_provider_that_cannot_be_imported_is_named",
        },
    ),
    Group(
        "The folder that a verb writes to is wrong.",
        {
            "P150": f"{_ELSEWHERE}::test_a_bundle_replaces_nothing_but_a_bundle",
            "P151": f"{_ELSEWHERE}::test_a_bundle_that_cannot_be_written_is_told",
            "P152": f"{_ELSEWHERE}::test_starting_overwrites_nothing",
        },
    ),
    Group(
        "A module beside a Python file has to be broken, and every tool of this repository would trip over it.",
        {
            "P147": "tests/core/authoring/test_functions.py::test_a_local_module_that_is_no_python",
        },
    ),
    Group(
        "Something goes wrong while a pipeline runs, or with what earlier runs left; `check` runs nothing.",
        {
            "P401": f"{_RUNNING}::test_a_command_that_fails",
            "P402": f"{_RUNNING}::test_a_step_that_runs_out_of_time",
            "P403": f"{_RUNNING}::test_a_step_that_runs_out_of_memory",
            "P404": "tests/core/runtime/test_environments.py::test_a_python_that_the_machine_lacks_is_a_fault",
            "P405": f"{_RUNNING}::test_an_environment_that_cannot_be_built",
            "P406": f"{_RUNNING}::test_an_environment_that_cannot_be_read",
            "P407": f"{_RUNNING}::test_values_that_do_not_fit_are_all_told_at_once",
            "P408": f"{_RUNNING}::test_paths_that_do_not_fit_are_all_told_at_once",
            "P409": f"{_RUNNING}::test_a_dataset_that_was_not_given",
            "P410": f"{_RUNNING}::test_a_condition_without_a_value",
            "P411": f"{_RUNNING}::test_an_output_that_was_not_written",
            "P412": f"{_RUNNING}::test_metrics_that_are_no_json",
            "P413": f"{_RUNNING}::test_a_step_that_changes_its_input",
            "P414": f"{_RUNNING}::test_a_fixed_path_that_is_taken",
            "P415": f"{_RUNNING}::test_data_that_changed_before_resuming",
            "P416": f"{_RUNNING}::test_a_target_that_does_not_run_offline",
            "P417": f"{_RUNNING}::test_a_variable_of_the_caller_that_is_not_set",
            "P418": f"{_RUNNING}::test_a_step_to_rerun_that_is_not_there",
            "P419": f"{_RUNNING}::test_a_run_whose_own_copy_is_gone",
            "P420": f"{_RUNNING}::test_isolation_that_is_not_to_be_had",
            "P421": f"{_RUNNING}::test_an_output_that_is_gone_from_the_store",
            "P422": "tests/core/runtime/test_sampling.py::test_bayesian_without_optuna_says_what_to_install",
            "P423": f"{_RUNNING}::test_a_trial_that_gives_no_objective",
            "P430": "tests/providers/aws/emulator/test_hostile_disks.py::"
            "test_a_job_that_fills_the_disk_leaves_a_run_that_goes_on_once_there_is_room",
            "P431": f"{_REFUSALS}::test_what_cannot_run_is_refused_where_it_stands",
            "P432": f"{_REFUSALS}::test_what_cannot_run_is_refused_where_it_stands",
            "P433": f"{_REFUSALS}::test_what_cannot_run_is_refused_where_it_stands",
            "P434": f"{_ANSWERS}::test_what_documents_alone_have_is_refused_on_local",
            "P435": f"{_REFUSALS}::test_what_cannot_run_is_refused_where_it_stands",
            "P436": f"{_ANSWERS}::test_a_function_that_does_not_do_its_part_fails_the_step",
            "P437": "tests/providers/aws/emulator/test_ways_into_a_sandbox.py::"
            "test_code_that_names_paths_of_the_container_is_told_where",
            "P438": "tests/core/test_documents.py::test_a_damaged_bundle_is_refused",
            "P440": f"{_EMULATE}::test_a_missing_extra_is_told_with_the_command_that_installs_it",
            "P441": f"{_EMULATE}::test_a_port_that_is_taken_is_said_to_be",
            "P442": f"{_EMULATE}::test_a_project_has_one_endpoint_which_ends_with_a_signal",
            "P443": f"{_EMULATE}::test_a_folder_that_cannot_be_written_is_said_to_be",
            "P444": f"{_EMULATE}::test_a_wrong_call_says_what_is_wrong",
            "P445": f"{_EMULATE}::test_a_wrong_call_says_what_is_wrong",
            "P446": "tests/core/test_bundle_changes.py::test_what_was_edited_in_a_bundle_is_told_when_it_runs",
            "P449": f"{_REFUSALS}::test_what_cannot_run_is_refused_where_it_stands",
            "P448": "tests/providers/aws/emulator/test_ways_into_a_sandbox.py::"
            "test_a_sandbox_that_cannot_be_set_up_is_no_fault_of_the_algorithm",
            "P439": "tests/providers/aws/endpoint/sagemaker/test_killed.py::"
            "test_the_run_of_an_execution_is_seen_beside_others_and_resumed_by_its_endpoint_alone",
            "P480": f"{_RUNNING}::test_a_file_in_the_place_of_the_project_folder",
            "P481": f"{_RUNNING}::test_looking_at_runs_before_the_first",
            "P482": f"{_RUNNING}::test_a_ledger_that_is_none",
            "P483": f"{_DATABASE}::test_the_ledger_of_a_newer_version_is_refused_and_left_alone",
            "P484": f"{_RUNNING}::test_a_run_that_is_not_there",
            "P485": f"{_RUNNING}::test_resuming_what_has_succeeded",
            "P486": f"{_RUNNING}::test_a_model_that_is_not_there",
        },
    ),
    Group(
        "Something goes wrong while a bundle is sent, or while an execution elsewhere is followed.",
        {
            "P450": f"{_SUBMITTING}::test_what_takes_no_submissions_is_told",
            "P451": f"{_SUBMITTING}::test_a_client_library_that_is_missing_is_told_with_its_command",
            "P452": f"{_CLIENT}::test_what_the_client_cannot_do_has_a_code_of_ours",
            "P453": f"{_CLIENT}::test_what_the_service_refuses_has_a_code_of_ours",
            "P454": f"{_CLIENT}::test_what_the_service_refuses_has_a_code_of_ours",
            "P455": f"{_CLIENT}::test_what_the_service_refuses_has_a_code_of_ours",
            "P456": f"{_CLIENT}::test_what_the_service_refuses_has_a_code_of_ours",
            "P457": f"{_CLIENT}::test_what_the_client_cannot_do_has_a_code_of_ours",
            "P458": f"{_CLIENT}::test_what_the_service_refuses_has_a_code_of_ours",
            "P459": "tests/providers/aws/submission/test_contents.py::"
            "test_code_that_changed_since_it_was_compiled_is_not_sent",
        },
    ),
)
