"""The documents say what calendars do."""

from handlers.asyncapi import render_asyncapi
from handlers.calendar.events import TYPES
from handlers.calendar.operations import FOLLOW_PATH, OPERATIONS
from handlers.routes import CONNECTIONS_OF_ALL


def test_every_call_that_writes_takes_an_idempotency_key() -> None:
    for each in OPERATIONS:
        assert ("Idempotency-Key" in {name.name for name in each.parameters}) is (each.method != "GET")


def test_every_call_but_the_feed_needs_the_key_of_an_organisation() -> None:
    assert {each.path: each.access for each in OPERATIONS if each.access != "tenant"} == {"/ical/{token}.ics": "none"}


def test_the_typed_events_are_in_the_asyncapi_document() -> None:
    channel = render_asyncapi(CONNECTIONS_OF_ALL, "")["channels"]["calendar"]
    assert channel["address"] == FOLLOW_PATH and list(channel["messages"]) == list(TYPES)
