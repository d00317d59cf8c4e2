"""Where each of the contract's edge cases (calendar.md, section 14) is proved, by its number."""

import ast
from pathlib import Path

HERE = Path(__file__).parent
CASES: dict[int, tuple[str, ...]] = {
    1: ("test_two_equal_holds_at_once_exactly_one_is_made",),
    2: (
        "test_many_holds_of_rising_priority_at_once_leave_the_highest",
        "test_of_many_holds_of_rising_priority_at_once_every_loser_is_told_before_its_conqueror",
    ),
    3: (
        "test_confirm_release_bump_and_expiry_racing_on_one_hold_end_it_once",
        "test_confirm_release_and_bump_racing_on_one_hold_end_it_once",
        "test_concurrent_calls_on_holds_are_told_and_answered_as_one_after_the_other",
    ),
    4: ("test_case_4_a_millisecond_decides_whether_a_hold_can_still_be_confirmed",),
    5: (
        "test_a_read_after_the_expiry_shows_it_though_no_timer_ran",
        "test_an_expiry_is_told_once_however_many_look",
        "test_a_hold_blocks_until_its_clock_ran_out",
    ),
    6: ("test_a_read_after_the_expiry_shows_it_though_no_timer_ran",),
    7: ("test_an_expired_hold_nobody_noted_causes_no_conflict_and_ends_first",),
    8: (
        "test_what_fell_due_while_no_process_ran_is_told_at_the_next_start",
        "test_a_process_that_is_killed_in_the_middle_of_it_loses_and_doubles_nothing",
    ),
    9: (
        "test_a_bump_over_several_of_which_one_is_stronger_changes_nothing",
        "test_a_bump_that_a_stronger_hold_refuses_and_a_hold_that_is_refused_tell_nothing",
    ),
    10: (
        "test_case_10_a_refused_hold_leaves_nothing",
        "test_a_bump_that_a_stronger_hold_refuses_and_a_hold_that_is_refused_tell_nothing",
    ),
    11: ("test_a_retried_create_returns_the_first_hold",),
    12: (
        "test_case_12_the_least_time_of_a_hold_is_by_the_engines_clock",
        "test_a_hold_is_of_thirty_seconds_to_fifteen_minutes",
    ),
    13: ("test_back_to_back_holds_do_not_meet", "test_case_13_a_hold_of_days_meets_all_that_lie_in_it"),
    14: ("test_a_priority_is_an_integer",),
    15: ("test_what_is_of_holds_is_refused_elsewhere",),
    16: ("test_a_patch_of_a_hold_is_an_invalid_transition_whatever_it_says",),
    17: (
        "test_a_confirmed_hold_keeps_its_id_and_its_history",
        "test_a_confirmed_hold_is_told_by_its_id_and_of_what_is_past_nothing",
    ),
    18: (
        "test_a_confirmed_hold_is_told_only_what_is_still_ahead",
        "test_a_confirmed_hold_is_told_by_its_id_and_of_what_is_past_nothing",
    ),
    19: (
        "test_case_19_holds_of_a_deleted_calendar_are_told_nothing_more_of",
        "test_of_a_calendar_that_is_deleted_no_hold_expires",
    ),
    20: ("test_null_inherits_and_an_empty_list_ends_the_search",),
    21: ("test_case_21_null_gives_reminders_back_and_an_absent_member_keeps_them",),
    22: (
        "test_a_start_that_moves_has_its_reminders_again",
        "test_a_start_that_moves_into_the_past_is_not_told_and_the_end_is",
    ),
    23: (
        "test_case_23_a_reminder_four_weeks_ahead_comes_and_one_that_is_past_does_not",
        "test_two_in_one_second_and_an_event_of_one_second",
    ),
    24: ("test_new_defaults_count_for_what_is_not_due_yet", "test_new_defaults_bring_back_nothing_that_was_past"),
    25: ("test_cancelled_and_confirmed_again_before_it_is_due_tells_once",),
    26: (
        "test_what_is_due_is_told_before_a_change_though_no_timer_ran",
        "test_tentative_events_are_told_nothing_of_and_deleted_ones_neither",
    ),
    27: (
        "test_case_27_an_event_of_the_past_is_told_nothing_of_and_one_under_way_its_end",
        "test_a_start_that_moves_into_the_past_is_not_told_and_the_end_is",
    ),
    28: (
        "test_nothing_is_told_again_when_a_clock_steps_back",
        "test_two_in_one_second_and_an_event_of_one_second",
    ),
    29: ("test_a_day_is_twenty_four_hours_also_when_clocks_change",),
    30: ("test_case_30_events_ahead_are_no_tasks",),
    31: ("test_two_processes_tell_of_each_moment_once",),
    32: ("test_case_32_metadata_counts_the_characters_of_its_compact_json",),
    33: ("test_case_33_metadata_is_replaced_whole_cleared_by_an_empty_one_and_never_null",),
    34: ("test_case_34_a_title_is_as_long_as_its_characters_and_may_be_blank",),
    35: ("test_case_35_the_order_of_times_is_checked_on_the_changed_event",),
    36: ("test_these_are_times", "test_these_are_none"),
    37: (
        "test_case_37_all_day_changes_no_time_and_no_reminder",
        "test_an_all_day_event_is_the_dates_it_touches_in_the_zone_of_its_calendar_with_an_exclusive_end",
    ),
    38: ("test_case_38_strange_json_is_refused_or_kept_as_it_is_and_never_a_defect",),
    39: ("test_updated_at_strictly_grows",),
    40: ("test_lists_are_filtered_by_all_and_totals_are_exact", "test_totals_are_exact_while_others_write"),
    41: ("test_what_is_not_there_is_not_found_by_every_path",),
    42: ("test_events_of_a_feed_are_read_only",),
    43: ("test_case_43_a_hold_of_another_organisation_cannot_be_ended",),
    44: ("test_a_deleted_calendar_takes_its_events_and_timers_along",),
    45: ("test_a_bad_query_is_refused",),
    46: (
        "test_an_attempt_is_signed_anew_over_the_same_body_under_the_same_id",
        "test_the_signature_is_over_the_seconds_and_the_very_body_under_the_whole_secret",
    ),
    47: (
        "test_hold_expired_reaches_a_failing_receiver_before_the_hold_created_of_its_conqueror",
        "test_a_receiver_that_fails_at_random_gets_each_event_in_order_and_every_bump_before_its_conqueror",
    ),
    48: (
        "test_what_happened_before_a_webhook_was_made_is_not_told",
        "test_while_inactive_nothing_is_sent_and_activation_starts_at_the_tail",
    ),
    49: ("test_a_payload_is_what_was_when_it_happened",),
    # Of names that resolve elsewhere a moment later: tests/broker/test_webclient.py.
    50: (
        "test_a_url_that_is_not_public_is_refused_on_making_and_on_changing",
        "test_a_name_that_leads_to_a_private_address_is_not_called",
        "test_a_large_answer_is_not_read_and_a_redirect_not_followed",
        "test_who_is_too_slow_has_failed_and_delays_no_other_webhook",
    ),
    51: ("test_who_is_killed_between_the_commit_and_the_delivery_leaves_all_of_it_in_order_to_another",),
}


def test_every_edge_case_of_the_contract_names_tests_that_are_there() -> None:
    trees = [ast.parse(path.read_text()) for path in HERE.rglob("test_*.py")]
    tests = {
        node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert set(CASES) == set(range(1, 52))
    assert {name for names in CASES.values() for name in names} - tests == set()
