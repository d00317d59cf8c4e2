"""The promises of storage hold on a cluster as on one server: the same tests, on three primaries.

Left out are those that reach into one server by a unix socket, by its statistics or by a walk over its keys, and the
slowest.
"""

from tests.storage import (
    test_api_keys,
    test_append,
    test_channel_list,
    test_channel_records,
    test_commit,
    test_commit_model,
    test_deliveries,
    test_document_changes,
    test_endpoints,
    test_glances,
    test_one_event,
    test_rates,
    test_read,
    test_retention,
    test_state,
    test_timers,
)

LEFT_OUT = {
    "test_publishes_of_one_turn_share_one_script_call",
    "test_batches_that_wait_together_are_stored_in_calls_of_bounded_size",
    "test_an_engine_that_lost_its_scripts_is_given_them_again",
    "test_what_is_there_all_along_is_listed_once_whatever_happens_between_the_pages",
    "test_what_is_there_all_along_is_listed_once_while_others_come_and_go",
    "test_pages_put_together_are_the_log",
    "test_a_long_way_is_trimmed_in_bounded_steps_over_several_sweeps",
    "test_one_request_looks_at_so_many_channels_and_no_more",
    "test_a_cursor_tells_nothing_of_a_channel_out_of_reach",
    "test_nothing_stays_of_a_limit_that_is_not_used",
    "test_the_cache_keeps_what_is_used",
}

for module in (
    test_api_keys,
    test_append,
    test_channel_list,
    test_channel_records,
    test_commit,
    test_commit_model,
    test_deliveries,
    test_document_changes,
    test_endpoints,
    test_glances,
    test_one_event,
    test_rates,
    test_read,
    test_retention,
    test_state,
    test_timers,
):
    # Tests and the fixtures that they ask for.
    globals().update({name: each for name, each in vars(module).items() if name[0] != "_" and name not in LEFT_OUT})
