"""What the lifecycle API takes and refuses, member by member, and what it shows."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from broker.errors import Invalid
from broker.strictjson import parse_json, render_json
from handlers.lifecycle.machine import Kind, Orientation, Schedule, created
from handlers.lifecycle.models import EARLIEST_NS, MOST, MOST_METADATA_BYTES
from handlers.lifecycle.wire import MOST_DETAILS, parse_create, parse_queries, render_event, render_events
from tests.handlers.lifecycle.calls import ID, OTHER, fresh, plan, query

T = 1_757_669_000_000_000_123
PLANNED: dict[str, Any] = {"schedule": "SchedulePlanned", "planned_start_time": T}


def made_up() -> Iterator[str]:
    return iter(fresh(1_000))


def create(*arguments: Any) -> Any:
    return parse_create({"arguments": list(arguments)}, made_up().__next__)


def refused(*arguments: Any) -> dict[str, Any]:
    """The first detail of the refusal of a Create."""
    with pytest.raises(Invalid) as refusal:
        create(*arguments)
    return first_of(refusal.value)


def first_of(refusal: Invalid) -> dict[str, Any]:
    assert refusal.extra["code"] == "invalid_argument"
    detail: dict[str, Any] = refusal.extra["details"][0]
    assert detail["message"] and "nput" not in detail["message"][:5]
    return detail


def test_the_seeds_argument_is_taken() -> None:
    [taken] = create(plan())
    assert (taken.id, taken.metadata) == (ID, {"title": "Launch AMA"})
    assert taken.kind is Kind.KindIndependent and taken.schedule is Schedule.ScheduleUnplanned
    assert taken.orientation is Orientation.BroadcastOrientationHorizontal
    assert (taken.planned_start_time_ns, taken.planned_finish_time_ns) == (0, 0)


def test_an_id_in_upper_case_is_the_same_id() -> None:
    assert create(plan(ID.upper()))[0].id == ID
    assert [each.id for each in parse_queries(query(ID.upper(), ID))] == [ID]


@pytest.mark.parametrize(
    "value",
    [
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        ID.replace("-", ""),
        "00000000-0000-0000-0000-000000000000",
        "c2ed3890-716d-4380-a597-d860ecacadag",
        f"{ID}\n",
        ID.replace("0", "０"),
        "",
        7,
        None,
        [ID],
    ],
)
def test_what_is_no_uuid_is_refused(value: Any) -> None:
    assert refused({**plan(), "id": value})["field"] == "id"
    with pytest.raises(Invalid) as refusal:
        parse_queries({"arguments": [{"query": {"conditions": [{"ids": [value]}]}}]})
    assert first_of(refusal.value)["field"] == "query.conditions[0].ids[0]"


def test_an_absent_id_is_made_up() -> None:
    first, second = create(plan(None), plan(None))
    assert first.id != second.id


@pytest.mark.parametrize(
    ("member", "name", "number"),
    [("kind", "KindIndependent", 1), ("schedule", "ScheduleUnplanned", 2)],
)
def test_enums_are_taken_by_name_and_by_number(member: str, name: str, number: int) -> None:
    by_name, by_number = create(plan(**{member: name}), plan(OTHER, **{member: number}))
    assert getattr(by_name, member) is getattr(by_number, member)
    assert create(plan(broadcast={"orientation": 1}))[0].orientation is Orientation.BroadcastOrientationVertical


@pytest.mark.parametrize("value", [0, 3, -1, "1", "kindIndependent", "KINDINDEPENDENT", "", None, True, 1.0, [1], ...])
@pytest.mark.parametrize("member", ["kind", "schedule", "orientation"])
def test_other_values_of_enums_are_refused(member: str, value: Any) -> None:
    if member == "orientation":
        detail = refused(plan(broadcast={} if value is ... else {"orientation": value}))
        assert detail["field"] == "broadcast.orientation"
    else:
        detail = refused(plan(**{member: value}))
        assert detail["field"] == member
    assert (detail["argument"], detail["id"]) == (0, ID)


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_metadata_that_is_no_object_is_refused(value: Any) -> None:
    assert refused(plan(metadata=value))["field"] == "metadata"


def test_metadata_of_16_kb_is_taken_and_one_byte_more_is_refused() -> None:
    fits = {"title": "x" * (MOST_METADATA_BYTES - len('{"title":""}'))}
    assert create(plan(metadata=fits))[0].metadata == fits
    assert refused(plan(metadata={"title": fits["title"] + "x"}))["field"] == "metadata"
    assert create(plan(metadata=...))[0].metadata == {}


def test_metadata_is_kept_as_it_was_sent() -> None:
    sent = b'{"big":123456789012345678901234567890,"one":1.0,"deep":' + b"[" * 90 + b"]" * 90 + b',"n":null}'
    value = parse_json(sent, depth=100, keys=100)
    assert render_json(create(plan(metadata=value))[0].metadata) == sent


def test_planned_times_are_taken_exactly() -> None:
    [taken] = create(plan(**PLANNED, planned_finish_time=T + 1))
    assert (taken.planned_start_time_ns, taken.planned_finish_time_ns) == (T, T + 1)
    assert create(plan(**PLANNED))[0].planned_finish_time_ns == 0
    assert create(plan(**{**PLANNED, "planned_start_time": EARLIEST_NS}))[0].planned_start_time_ns == EARLIEST_NS


def test_a_planned_start_in_the_past_is_taken() -> None:
    """Nothing starts by itself, so a plan is what its maker says; contract, edge case 14."""
    assert create(plan(schedule=1, planned_start_time=1_000_000_000_000_000_000))


@pytest.mark.parametrize(
    "value", [str(T), float(T), 1.757669e18, 1_757_669_000_000, 1_757_669_000, -T, 1 << 63, True, None, EARLIEST_NS - 1]
)
@pytest.mark.parametrize("member", ["planned_start_time", "planned_finish_time"])
def test_a_time_that_is_no_integer_of_nanoseconds_is_refused(member: str, value: Any) -> None:
    assert refused(plan(**{**PLANNED, member: value}))["field"] == member


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"schedule": "SchedulePlanned"}, "planned_start_time"),
        ({"schedule": "SchedulePlanned", "planned_start_time": 0}, "planned_start_time"),
        ({"schedule": "SchedulePlanned", "planned_finish_time": T}, "planned_start_time"),
        ({**PLANNED, "planned_finish_time": T}, "planned_finish_time"),
        ({**PLANNED, "planned_finish_time": T - 1}, "planned_finish_time"),
        ({"planned_start_time": T}, "planned_start_time"),
        ({"planned_finish_time": T}, "planned_finish_time"),
    ],
)
def test_times_that_do_not_fit_the_schedule_are_refused(changed: dict[str, Any], field: str) -> None:
    assert refused(plan(**changed))["field"] == field


def test_unplanned_events_may_say_0() -> None:
    assert create(plan(planned_start_time=0, planned_finish_time=0))


def test_unknown_members_of_a_body_and_of_a_new_event_are_ignored() -> None:
    body = {"arguments": [plan(status="StatusFinished", colour="red")], "trace": 1}
    assert parse_create(body, made_up().__next__)[0].id == ID


def test_the_same_id_twice_in_one_create_is_refused() -> None:
    detail = refused(plan(), plan(OTHER), plan(ID.upper()))
    assert (detail["argument"], detail["id"], detail["field"]) == (2, ID, "id")


@pytest.mark.parametrize("body", [None, [], "x", 1, {}, {"arguments": None}, {"arguments": {}}, {"arguments": []}])
def test_a_body_without_arguments_is_refused(body: Any) -> None:
    for parse in (lambda each: parse_create(each, made_up().__next__), parse_queries):
        with pytest.raises(Invalid) as refusal:
            parse(body)
        first_of(refusal.value)


@pytest.mark.parametrize("argument", [None, [], "x", {}])
def test_an_argument_that_is_no_event_is_told_by_its_number(argument: Any) -> None:
    assert refused(plan(), argument)["argument"] == 1


@pytest.mark.parametrize(
    "argument",
    [
        {},
        {"query": None},
        {"query": {}},
        {"query": [{"ids": [ID]}]},
        {"query": {"conditions": []}},
        {"query": {"conditions": None}},
        {"query": {"conditions": {}}},
        {"query": {"conditions": [{}]}},
        {"query": {"conditions": [{"ids": []}]}},
        {"query": {"conditions": [{"ids": None}]}},
        {"query": {"conditions": [{"ids": ID}]}},
        {"query": {"conditions": [{"ids": [ID]}, {}]}},
        {"query": {"conditions": [{"user_ids": [ID]}]}},
        {"query": {"conditions": [{"ids": [ID], "status": "StatusPending"}]}},
        {"query": {"conditions": [{"ids": [ID]}], "limit": 1}},
        {"ids": [ID]},
    ],
)
def test_a_condition_that_could_mean_everything_or_nothing_is_refused(argument: Any) -> None:
    for arguments in ([argument], [query(OTHER)["arguments"][0], argument]):
        with pytest.raises(Invalid) as refusal:
            parse_queries({"arguments": arguments})
        assert first_of(refusal.value)["argument"] == len(arguments) - 1


def test_ids_are_named_once_in_the_order_of_their_mention() -> None:
    first, second, third = fresh(3)
    conditions = [{"ids": [second, first]}, {"ids": [first]}]
    arguments = [{"query": {"conditions": conditions}}, *query(third, second.upper())["arguments"]]
    named = parse_queries({"arguments": arguments})
    assert [(each.argument, each.id) for each in named] == [(0, second), (0, first), (1, third)]


def test_100_arguments_and_100_ids_are_taken_and_one_more_is_refused() -> None:
    ids = fresh(MOST + 1)
    assert len(create(*map(plan, ids[:MOST]))) == MOST
    assert len(parse_queries(query(*ids[:MOST]))) == MOST
    assert refused(*map(plan, ids))["field"] == "arguments"
    too_many = [query(*ids), {"arguments": [query(each)["arguments"][0] for each in ids]}]
    too_many.append({"arguments": [*query(*ids[:60])["arguments"], *query(*ids[60:])["arguments"]]})
    for body in too_many:
        with pytest.raises(Invalid):
            parse_queries(body)


def test_all_that_is_wrong_is_told_within_a_bound() -> None:
    with pytest.raises(Invalid) as refusal:
        create(plan(kind=2, schedule=7), plan(OTHER, metadata=[]))
    told = [(each["argument"], each["field"]) for each in refusal.value.extra["details"]]
    assert told == [(0, "kind"), (0, "schedule"), (1, "metadata")]
    assert refusal.value.message.startswith("arguments[0].kind: must be KindIndependent (1)")
    with pytest.raises(Invalid) as refusal:
        create(*itertools.repeat({}, 50))
    assert len(refusal.value.extra["details"]) == MOST_DETAILS


def test_an_event_is_shown_as_in_the_seed() -> None:
    [taken] = create(plan())
    shown = render_event(created(taken, OTHER, ID, T))
    assert list(shown) == [
        *("id", "chat_id", "room_id", "kind", "status", "metadata", "schedule", "broadcast"),
        *("planned_start_time", "planned_finish_time", "start_time", "cancel_time", "finish_time"),
        *("access_time", "create_time", "update_time"),
    ]
    assert shown["access_time"] == shown["create_time"] == shown["update_time"] == T
    assert render_events([]) == {"events": []}
