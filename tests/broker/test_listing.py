"""The list of channels: its order, its cursor, and the merging of its indexes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.channels import NewChannel, record_of
from broker.cursors import LogMeta
from broker.errors import Invalid
from broker.ids import MAX_MS, MAX_TAG, Position, parse_ulid, render_tag, render_ulid
from broker.listing import (
    Run,
    cursor_of,
    id_of,
    member_of,
    merge_runs,
    parse_list_cursor,
    render_listed,
    render_member,
)

IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{1,8}[a-z0-9]", fullmatch=True)
PLACES = st.tuples(st.integers(0, MAX_MS) | st.integers(1, 3), st.integers(0, MAX_TAG) | st.integers(0, 3), IDS)
MEMBERS = st.builds(lambda number: b"%03d" % number, st.integers(0, 60))


def member(ms: int, tag: int, channel_id: str) -> bytes:
    return render_member(ms, render_tag(tag), channel_id).encode()


@given(PLACES, PLACES)
def test_members_order_by_creation_time_then_tag(one: tuple[int, int, str], other: tuple[int, int, str]) -> None:
    assert (member(*one) < member(*other)) is (one < other)


@given(PLACES, PLACES)
def test_a_cursor_goes_on_below_its_member_and_above_all_that_follow(
    one: tuple[int, int, str], other: tuple[int, int, str]
) -> None:
    bound = parse_list_cursor(cursor_of(member(*one)))
    assert not member(*one) < bound
    assert (member(*other) < bound) is (other[:2] < one[:2])


@given(PLACES)
def test_a_member_tells_its_id_and_its_cursor_does_not(place: tuple[int, int, str]) -> None:
    ms, tag, channel_id = place
    assert id_of(member(*place)) == channel_id
    assert parse_ulid(cursor_of(member(*place))) == (ms, tag, 0)


def test_the_cursor_is_the_start_cursor_of_the_channel() -> None:
    record = record_of(NewChannel("news", "News"), tag=77, partition=0, created_ms=1_700_000_000_000)
    assert cursor_of(member_of(record).encode()) == render_ulid(record.tag_letters, record.start)


@pytest.mark.parametrize("text", ["", "x", "news", "01HZQX5K9V6BMRJ3WYAT0GN1PI", "8" * 26, "0" * 27])
def test_a_malformed_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_list_cursor(text)


@given(st.lists(st.tuples(st.sets(MEMBERS), st.integers(1, 5)), max_size=5))
def test_merged_runs_are_the_union_as_far_as_all_are_known(indexes: list[tuple[set[bytes], int]]) -> None:
    """Each index shows its highest few members; the merged run has no hole and ends where one could begin."""
    runs = []
    for members, share in indexes:
        top = sorted(members, reverse=True)[:share]
        runs.append(Run(top, top[-1] if len(top) == share else b""))
    merged = merge_runs(runs)
    everything = set[bytes]().union(*(members for members, _ in indexes))
    assert list(merged.members) == sorted((each for each in everything if each >= merged.floor), reverse=True)
    assert merged.floor == max((run.floor for run in runs), default=b"")


def test_a_run_moves_on_even_when_nothing_of_it_is_shown() -> None:
    assert merge_runs([Run([], b"5"), Run([b"9", b"2"], b"")]) == Run([b"9"], b"5")


def meta_of(count: int) -> LogMeta:
    start, top = Position(1_700_000_000_000, 0), Position(1_700_000_001_234, 5)
    return LogMeta(start, top if count else start, start, 0, 1, count, 200)


@pytest.mark.parametrize(
    ("count", "last_event_at"), [(0, None), (3, "2023-11-14T22:13:21.234Z")], ids=["empty", "published"]
)
def test_a_channel_is_shown_with_what_its_log_says(count: int, last_event_at: str | None) -> None:
    record = record_of(NewChannel("news", "News"), tag=77, partition=0, created_ms=1_700_000_000_000)
    shown = render_listed(record, meta_of(count))
    assert shown["created_at"] == "2023-11-14T22:13:20.000Z"
    assert (shown["event_count"], shown["last_event_at"]) == (count, last_event_at)
    expected = render_ulid(record.tag_letters, meta_of(count).top) if count else None
    assert shown["last_event_id"] == expected
