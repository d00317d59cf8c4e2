"""Changes join, and say how much they do."""

import json

import pytest

from broker.change import NOTHING, Answer, Change, Delete, DocumentKey, Put, check_size, emit, join
from broker.errors import TooLarge
from broker.timers import Timer, TimerName

A, B = DocumentKey("thing", "a"), DocumentKey("thing", "b")
TICK = TimerName("tick", "acme", "a")


def test_joined_changes_do_all_of_their_parts_in_order() -> None:
    one = Change((Put(A, 0, b"1"),), (emit("log-one", "t", 1, "system-x"),), (Timer(TICK, 5),))
    two = Change((Delete(B, 3),), (emit("log-one", "t", 2, "system-x"),))
    answer = Answer(200, b"{}")
    joined = join([one, NOTHING, two], answer)
    assert joined == Change(one.documents + two.documents, one.events + two.events, one.timers, answer)
    assert joined.operations == 5 and not joined.is_empty and NOTHING.is_empty


def test_two_that_write_the_same_thing_do_not_join() -> None:
    with pytest.raises(ValueError, match="same document"):
        join([Change((Put(A, 0, b"1"),)), Change((Delete(A, 0),))])
    with pytest.raises(ValueError, match="same document"):
        join([Change(timers=(Timer(TICK, 5),)), Change(timers=(TICK,))])


def test_an_event_is_stored_as_a_publish_would_store_it() -> None:
    event = emit("lifecycle-team-acme", "lifecycle.event.started", {"n": 1}, "system-lifecycle").event
    assert json.loads(b"{" + event.tail) == {
        "channel_id": "lifecycle-team-acme",
        "type": "lifecycle.event.started",
        "data": {"n": 1},
        "publisher_id": "system-lifecycle",
    }
    assert event.publisher == "system-lifecycle" and event.type_json == b'"lifecycle.event.started"'


def test_bounds_on_events_and_changes() -> None:
    emit("log", "t", "x" * 130_000, "system-x")
    with pytest.raises(TooLarge):
        emit("log", "t", "x" * 131_072, "system-x")
    puts = tuple(Put(DocumentKey("thing", str(i)), 0, b"") for i in range(501))
    check_size(Change(puts[:500]))
    with pytest.raises(TooLarge, match="501"):
        check_size(Change(puts))
