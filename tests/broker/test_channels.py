"""A channel's record: ids, retention, the start cursor, and what answers show."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.channels import DAY_MS, ChannelRecord, NewChannel, is_channel_id, record_of, render_record
from broker.ids import MAX_TAG, Position

CONTRACT_ID = re.compile(r"^[a-z0-9][a-z0-9-]*[a-z0-9]\Z")


def channel(config: Any = None) -> ChannelRecord:
    return record_of(NewChannel("news", "News", config=config), tag=MAX_TAG, partition=1, created_ms=7)


@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        ("abc", True),
        ("a-b", True),
        ("a--b", True),
        ("0" * 64, True),
        ("ab", False),
        ("0" * 65, False),
        ("-ab", False),
        ("ab-", False),
        ("Abc", False),
        ("a_b", False),
        ("a.b", False),
        ("abc\n", False),
        ("äbc", False),
        ("", False),
    ],
)
def test_an_id_is_3_to_64_of_its_alphabet(text: str, is_id: bool) -> None:
    assert is_channel_id(text) is is_id


@given(st.text("abz019-_AZ\n", max_size=70) | st.text(max_size=70))
def test_ids_are_those_of_the_contract(text: str) -> None:
    assert is_channel_id(text) is (3 <= len(text) <= 64 and CONTRACT_ID.match(text) is not None)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, 1), (30, 30), (1.9, 1), (4_000, 3_650), (10**30, 3_650), (1e300, 3_650)],
)
def test_retention_is_floored_and_bounded(days: float, expected: int) -> None:
    assert channel({"storage": {"retention_days": days}}).retention_ms(7) == expected * DAY_MS


@pytest.mark.parametrize("days", [0, 0.9, -1, "3", True, None, [], {}])
def test_a_retention_that_is_no_number_of_at_least_1_means_the_servers(days: Any) -> None:
    record = channel({"storage": {"retention_days": days, "retention_events": days}})
    assert (record.retention_ms(7), record.retention_events(5)) == (7 * DAY_MS, 5)


@pytest.mark.parametrize("config", [None, {}, {"storage": None}, {"storage": []}, {"storage": {}}])
def test_without_a_retention_the_servers_counts(config: Any) -> None:
    assert channel(config).retention_ms(7) == 7 * DAY_MS


@pytest.mark.parametrize(("events", "expected"), [(1, 1), (2.5, 2), (10**30, 1 << 53)])
def test_retention_by_length_is_floored_and_bounded(events: float, expected: int) -> None:
    assert channel({"storage": {"retention_events": events}}).retention_events(10) == expected


@pytest.mark.parametrize(
    ("config", "is_strict"), [({"strict_types": True}, True), ({"strict_types": 1}, False), ({}, False), (None, False)]
)
def test_only_true_makes_a_channel_strict(config: Any, is_strict: bool) -> None:
    assert channel(config).is_strict is is_strict


def test_a_new_record_starts_at_its_creation() -> None:
    record = channel()
    assert (record.version, record.start, record.tag_letters) == (1, Position(7, 0), "ZZZZZZZZZ")


def test_an_answer_shows_what_the_creator_decided() -> None:
    assert render_record(channel({"a": 1})) == {
        "id": "news",
        "name": "News",
        "description": None,
        "tags": [],
        "is_public": False,
        "config": {"a": 1},
        "meta": None,
    }
