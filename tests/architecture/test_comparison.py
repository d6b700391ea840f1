"""Every line of docs/deploy.md that compares opsctl with other tools is shown by tests."""

import ast
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs/deploy.md"
FOLDER = TOP / "tests/scenarios/deploy"

# The first cell of each line, and the tests that fail if its last cell is no longer true.
SHOWN_BY = {
    "input": ("test_up::test_values_with_dollars_and_secrets_arrive_as_with_plain_compose",),
    "dry run": ("test_up::test_the_plan_that_is_shown_is_the_plan_that_runs",),
    "crash loop without a health check": (
        "test_failures::test_an_unhealthy_service_is_rolled_back",
    ),
    "one-shot that completed": (
        "test_up::test_a_failing_one_shot_fails_the_deploy_and_a_good_one_does_not",
    ),
    "after a failure": (
        "test_failures::test_an_unhealthy_service_is_rolled_back",
        "test_interrupts::test_an_interrupted_deploy_leaves_the_previous_release_running",
    ),
    "rollback": (
        "test_prune::test_after_a_clean_up_the_previous_release_is_restored_without_a_network",
        "test_prune::test_a_rollback_by_name_and_by_commit",
    ),
    "clean-up": (
        "test_prune::test_a_production_deploy_cleans_up_and_never_touches_a_volume",
        "test_prune::test_a_missing_image_that_must_be_kept_stops_the_clean_up",
    ),
    "lock": (
        "test_locks::test_the_second_deploy_reports_who_holds_the_lock_and_since_when",
        "test_locks::test_a_kill_releases_the_lock_at_once",
    ),
    "lock by hand": (
        "test_manual_lock::test_a_locked_environment_is_not_changed_until_it_is_unlocked",
        "test_manual_lock::test_a_lock_is_seen_by_every_user_and_over_ssh",
    ),
    "commands before and after": (
        "test_hooks::test_hooks_run_around_the_swap_and_not_when_nothing_changes",
        "test_hooks::test_a_hook_that_fails_fails_its_step",
    ),
    "restart": ("test_services::test_a_restart_repairs_services_and_verifies_them",),
    "a command in a service": ("test_services::test_a_command_runs_in_a_service_and_is_audited",),
    "replace an unchanged service": (
        "test_force_recreate::test_a_paused_service_is_replaced_when_asked_for_and_data_is_guarded",
    ),
    "services that keep data": (
        "test_preflight::test_a_database_is_recreated_only_when_allowed",
        "test_preflight::test_a_database_that_left_the_file_is_not_removed",
    ),
    "take down without the file": (
        "test_down::test_down_removes_everything_without_the_compose_file_and_keeps_volumes",
    ),
    "dev and prod of one folder": (
        "test_prune::test_development_and_production_of_one_folder_do_not_affect_each_other",
    ),
    "branch policy, dirty tree": (
        "test_preflight::test_an_experiment_never_reaches_production",
        "test_preflight::test_uncommitted_changes_reach_production_only_when_allowed",
    ),
    "disk, ports, exposed databases": (
        "test_preflight::test_too_little_disk_space_is_refused_before_anything_is_fetched",
        "test_preflight::test_a_port_that_another_program_uses_is_refused_before_anything_starts",
        "test_preflight::test_no_database_port_of_production_is_public",
    ),
    "checks that data arrives": (
        "test_data_checks::test_a_channel_without_a_subscriber_fails_the_deploy",
        "test_data_checks::test_a_table_without_fresh_rows_fails_the_deploy",
    ),
    "drift": ("test_up::test_status_shows_health_figures_release_and_drift",),
    "no downtime for one service": ("test_up::test_only_the_changed_service_is_recreated",),
}


def _read_lines() -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").partition("## Compared with other tools\n")[2]
    table = section.partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return rows[2:]


def test_every_line_of_the_comparison_has_its_tests_and_nothing_else_has() -> None:
    assert [row[0] for row in _read_lines()] == list(SHOWN_BY)


def test_every_line_of_the_comparison_is_filled_in() -> None:
    assert [row for row in _read_lines() if len(row) != 4 or not all(row)] == []


@pytest.mark.parametrize("test", sorted({name for names in SHOWN_BY.values() for name in names}))
def test_a_test_of_the_comparison_exists(test: str) -> None:
    module, _, name = test.partition("::")
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
