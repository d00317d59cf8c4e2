"""Whole calls as one Change: all or nothing, in order, with every refusal naming all that it is about."""

from functools import partial
from typing import Any

import pytest

from broker.change import Change, Document, Put
from broker.errors import Conflict, NotFound, TooMany
from broker.storage.state import Loaded
from broker.strictjson import parse_stored as parse_json
from handlers.lifecycle import decisions
from handlers.lifecycle.decisions import Draft, is_same
from handlers.lifecycle.documents import MOST_OPEN, key_of
from handlers.lifecycle.machine import Command, Kind, Orientation, Plan, Schedule
from handlers.lifecycle.wire import Named
from tests.handlers.lifecycle.calls import ID, OTHER, fresh

NOW_US = 1_757_669_000_123_457
START, FINISH, CANCEL = Command


def plan_of(event_id: str, **metadata: Any) -> Plan:
    return Plan(
        event_id, Kind.KindIndependent, Schedule.ScheduleUnplanned, Orientation.BroadcastOrientationVertical, metadata
    )


class Memory:
    """What a tenant has, changed as a commit would."""

    def __init__(self, *ids: str) -> None:
        self.documents: dict[Any, Document] = {}
        self.create(*ids)

    def load(self, *ids: str) -> Loaded:
        keys = [key_of("acme", each) for each in ids]
        return Loaded(NOW_US, {key: self.documents.get(key) for key in keys}, None, {})

    def create(self, *ids: str, open_count: int = 0, **metadata: Any) -> Change:
        drafts = [Draft(plan_of(each, **metadata), ID, OTHER) for each in ids]
        return self.write(decisions.creating("acme", drafts, open_count, self.load(*ids)))

    def move(self, command: Command, *ids: str) -> Change:
        named = [Named(number, each) for number, each in enumerate(ids)]
        return self.write(decisions.moving("acme", command, named, self.load(*ids)))

    def write(self, change: Change) -> Change:
        for each in change.documents:
            assert isinstance(each, Put)
            known = self.documents.get(each.key)
            assert each.expected == (known.version if known else 0)
            self.documents[each.key] = Document(each.expected + 1, each.body)
        return change


def answered(change: Change) -> list[dict[str, Any]]:
    assert change.answer is not None
    assert (change.answer.status, change.answer.channel_id) == (200, "lifecycle-team-acme")
    events: list[dict[str, Any]] = parse_json(change.answer.body)["events"]
    return events


def told(change: Change) -> list[tuple[str, str]]:
    return [
        (parse_json(each.event.type_json or b""), parse_json(b"{" + each.event.tail)["data"]["subject"])
        for each in change.events
    ]


def test_a_batch_is_one_change_with_an_event_for_each_in_the_order_asked_for() -> None:
    ids, memory = fresh(5), Memory()
    made = memory.create(*ids)
    assert [each["id"] for each in answered(made)] == ids
    assert told(made) == [("lifecycle.event.created", each) for each in ids]
    moved = memory.move(START, *reversed(ids))
    assert told(moved) == [("lifecycle.event.started", each) for each in reversed(ids)]
    assert {each["start_time"] for each in answered(moved)} == {NOW_US * 1000}


def test_a_repeat_inside_a_batch_is_answered_and_tells_nothing() -> None:
    ids = fresh(3)
    memory = Memory(*ids)
    memory.move(CANCEL, ids[1])
    moved = memory.move(CANCEL, *ids)
    assert [each["id"] for each in answered(moved)] == ids
    assert told(moved) == [("lifecycle.event.canceled", ids[0]), ("lifecycle.event.canceled", ids[2])]
    assert memory.move(CANCEL, *ids).is_empty


def test_one_unknown_id_refuses_all_and_all_unknown_ones_are_listed() -> None:
    ids, unknown = fresh(48), fresh(2)
    memory = Memory(*ids)
    with pytest.raises(NotFound) as refused:
        memory.move(START, *ids[:20], unknown[0], *ids[20:], unknown[1])
    assert refused.value.extra["code"] == "not_found"
    assert [(each["argument"], each["id"]) for each in refused.value.extra["details"]] == [
        (20, unknown[0]),
        (49, unknown[1]),
    ]


def test_one_wrong_state_refuses_all_and_what_is_not_there_is_told_before_it() -> None:
    ids, unknown = fresh(3), fresh(1)
    memory = Memory(*ids)
    memory.move(CANCEL, ids[1])
    with pytest.raises(Conflict) as refused:
        memory.move(START, *ids)
    assert [(each["argument"], each["id"]) for each in refused.value.extra["details"]] == [(1, ids[1])]
    assert refused.value.extra["code"] == "failed_precondition"
    with pytest.raises(NotFound):
        memory.move(START, *ids, *unknown)


def test_creating_again_is_answered_with_the_event_as_it_is_by_now() -> None:
    ids = fresh(2)
    memory = Memory(ids[0])
    started = answered(memory.move(START, ids[0]))
    made = memory.create(*ids)
    assert answered(made)[0] == started[0]
    assert told(made) == [("lifecycle.event.created", ids[1])]


def test_creating_with_other_content_refuses_all() -> None:
    ids = fresh(2)
    memory = Memory(ids[1])
    with pytest.raises(Conflict) as refused:
        memory.create(*ids, title="other")
    assert refused.value.extra["code"] == "already_exists"
    assert [(each["argument"], each["id"]) for each in refused.value.extra["details"]] == [(1, ids[1])]
    assert len(memory.documents) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": None}, {}, False),
        ({"a": 10**30}, {"a": 10**30 + 1}, False),
    ],
)
def test_content_is_compared_as_json(one: Any, other: Any, same: bool) -> None:
    [event_id] = fresh(1)
    assert is_same(plan_of(event_id, **one), plan_of(event_id, **other)) is same


def test_a_tenant_has_a_bounded_number_of_open_events() -> None:
    ids = fresh(3)
    memory = Memory(ids[0])
    assert memory.create(*ids[:2], open_count=MOST_OPEN - 1).events
    with pytest.raises(TooMany):
        memory.create(ids[2], open_count=MOST_OPEN)
    assert answered(memory.create(ids[0], open_count=MOST_OPEN)), "a retry makes nothing new"


def test_100_events_are_within_one_change() -> None:
    memory = Memory()
    ids = fresh(100)
    assert memory.create(*ids).operations == memory.move(START, *ids).operations == 200


def test_deciding_twice_on_the_same_decides_the_same() -> None:
    ids = fresh(3)
    memory = Memory(*ids)
    decide = partial(decisions.moving, "acme", START, [Named(0, each) for each in ids])
    assert decide(memory.load(*ids)) == decide(memory.load(*ids))
