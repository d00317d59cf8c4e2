"""What doors tell a reader becomes its history and its cursor, whatever the door."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from soak.doors import Told, is_refused, read_stream, take_from_stream, take_page
from soak.history import Event, Gap, Reading, Seen
from soak.many import take_told
from soak.readers import Reader, Refused

START, ONE, TWO, LATER = ("01JD3N6Z00ABCDEFGHJ000000" + digit for digit in "0123")


def reader(until: str | None = None) -> Reader:
    return Reader(Reading("r", "news", START, until=until))


def event(event_id: str, name: str = "p-1", **more: Any) -> dict[str, Any]:
    return {"id": event_id, "channel_id": "news", "data": {"name": name, "pad": ""}, **more}


def told_of(reading: Reader) -> list[Event | str]:
    return [step.event if isinstance(step, Seen) else step.through for step in reading.reading.steps]


def test_an_event_moves_the_cursor_and_the_last_one_ends_the_reading() -> None:
    one = reader(until=TWO)
    one.take(event(ONE, type="red"))
    assert (one.cursor, one.is_done) == (ONE, False)
    one.take(event(TWO))
    assert one.is_done and told_of(one) == [Event(ONE, "p-1", "red"), Event(TWO, "p-1", None)]


def test_the_last_event_of_a_channel_ends_every_reading() -> None:
    one = reader()
    one.take(event(ONE, type="last"))
    assert one.is_done


@pytest.mark.parametrize(
    ("code", "reason", "cursor", "steps"),
    [
        (1012, f"restart; cursor={ONE}", ONE, []),
        (4410, f"cursor expired; cursor={TWO}", TWO, [TWO]),
        (1011, "no cursor here", START, []),
    ],
)
def test_a_close_tells_the_cursor_or_a_gap(code: int, reason: str, cursor: str, steps: list[str]) -> None:
    one = reader()
    one.leave(ConnectionClosedError(Close(code, reason), None))
    assert (one.cursor, told_of(one)) == (cursor, steps)


def test_a_page_tells_its_gap_its_events_and_its_cursor() -> None:
    one = reader()
    take_page(one, {"complete": False, "oldest": TWO, "events": [event(TWO)], "cursor": LATER})
    assert told_of(one) == [ONE, Event(TWO, "p-1", None)]
    assert one.cursor == LATER


def test_a_page_of_which_nothing_is_left_declares_everything() -> None:
    one = reader()
    take_page(one, {"complete": False, "oldest": None, "events": [], "cursor": LATER})
    assert told_of(one) == [LATER]


async def lines_of(text: str) -> AsyncIterator[str]:
    for line in text.split("\n"):
        yield line


async def test_an_event_of_a_stream_counts_when_its_empty_line_has_come() -> None:
    text = f": comment\n\nid: {ONE}\ndata: {{}}\n\nevent: close\ndata: x\n\nid: {TWO}\ndata: cut"
    told = [each async for each in read_stream(lines_of(text))]
    assert told == [("", "", ""), ("", ONE, "{}"), ("close", "", "x")]


@pytest.mark.parametrize(
    ("told", "is_last", "cursor", "steps"),
    [
        (Told("", ONE, ""), False, ONE, []),
        (Told("cursor_expired", TWO, "{}"), False, TWO, [TWO]),
        (Told("close", "", json.dumps({"code": 1012, "cursor": ONE})), True, ONE, []),
        (Told("close", "", '{"code":1000,"cursor":null}'), True, START, []),
        (Told("", ONE, json.dumps({"id": ONE, "data": {"name": "n"}})), False, ONE, [Event(ONE, "n", None)]),
    ],
)
def test_a_stream_tells_events_places_gaps_and_its_end(
    told: Told, is_last: bool, cursor: str, steps: list[Event | str]
) -> None:
    one = reader()
    assert take_from_stream(one, told) is is_last
    assert (one.cursor, told_of(one)) == (cursor, steps)


def test_a_stream_that_ends_at_a_gap_is_a_fault_of_the_broker() -> None:
    with pytest.raises(Refused):
        take_from_stream(reader(), Told("close", "", '{"code":4410,"cursor":null}'))


@pytest.mark.parametrize(
    ("told", "goes_on", "cursor", "steps"),
    [
        (event(ONE), True, ONE, [Event(ONE, "p-1", None)]),
        ({"subscribed": {"channel": "news", "cursor": ONE, "tail": TWO, "complete": True}}, True, ONE, []),
        ({"subscribed": {"channel": "news", "cursor": ONE, "tail": TWO, "complete": False}}, True, ONE, [ONE]),
        ({"position": {"news": TWO}}, True, TWO, []),
        ({"ended": {"channel": "news", "code": 4410, "reason": "", "cursor": TWO}}, False, TWO, [TWO]),
        ({"ended": {"channel": "news", "code": 4408, "reason": "", "cursor": TWO}}, False, TWO, []),
        ({"closing": {"news": ONE}}, False, ONE, []),
        ({"ref": "news", "error": {"status": 503, "error": "later"}}, False, START, []),
    ],
)
def test_a_socket_of_many_channels_tells_the_same(
    told: Any, goes_on: bool, cursor: str, steps: list[Event | str]
) -> None:
    one = reader()
    assert take_told({"news": one}, told) is goes_on
    assert (one.cursor, told_of(one)) == (cursor, steps)


@pytest.mark.parametrize("told", [{"error": {"status": 500, "error": "oops"}}, {"something": 1}])
def test_what_no_document_names_is_a_fault_of_the_broker(told: Any) -> None:
    with pytest.raises(Refused):
        take_told({"news": reader()}, told)


def test_only_refusals_for_now_are_no_fault_of_the_broker() -> None:
    assert [is_refused(status) for status in (200, 429, 503)] == [False, True, True]
    for status in (400, 401, 404, 410, 500, 502):
        with pytest.raises(Refused):
            is_refused(status)


async def test_a_reader_that_is_held_comes_when_it_is_let_go() -> None:
    one = reader()
    one.hold()
    assert one.is_held
    one.let_go()
    await one.come()


def test_a_gap_is_a_step() -> None:
    one = reader()
    one.miss(ONE)
    [step] = one.reading.steps
    assert isinstance(step, Gap) and step.through == ONE
